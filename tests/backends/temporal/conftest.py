"""Programs with the host on Temporal beside them, turned into JavaScript; a server, a worker, and services outside."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.backends.node.conftest import TSC
from tests.backends.typescript.conftest import MODULES, OPTIONS
from tests.engine.outside import Answer, Outside
from wfc.cli.main import main
from wfc.engine.control import Terms
from wfc.engine.server import Server

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0
TERMS = Terms(queue="wfc-typescript")


def build(folder: Path, source: Path) -> Path:
    """The program of a source in a folder, as JavaScript below `build`."""
    workflows = folder / "src" / "workflows"
    command = ["compile", str(source), "--target", "typescript", "--host", "temporal", "--out", str(workflows)]
    assert main(command) == 0
    names = sorted(path.name.removesuffix(".ts") for path in workflows.glob("*.workflow.ts"))
    lines = [f'import {{ definitions as d{i} }} from "./workflows/{name}.js";' for i, name in enumerate(names)]
    lines += ['import { hosted } from "./workflows/wfc-temporal/wfc-process.js";']
    lines += [f"export default hosted({{ {', '.join(f'...d{i}' for i in range(len(names)))} }});", ""]
    (folder / "src" / "processes.ts").write_text("\n".join(lines), encoding="utf-8")
    return compiled(folder)


def compiled(folder: Path) -> Path:
    """What tsc makes of a folder, whose packages are those of the tests."""
    if not (folder / "tsconfig.json").exists():
        options = {**OPTIONS, "types": ["node"], "skipLibCheck": True, "rootDir": "src", "outDir": "build"}
        settings = {"compilerOptions": options, "include": ["src"]}
        (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        (folder / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    done = subprocess.run(["node", str(TSC), "-p", str(folder)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    return folder


class Case:
    """A server in memory, services outside, and a worker that can be killed."""

    def __init__(self, program: Path, folder: Path, outside: Outside) -> None:
        self.program = program
        self.outside = outside
        self.log = folder / "worker.log"
        self.server = Server(str(folder / ".wfc"), memory=True)
        self.address = ""
        self.worker: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self.address = (await self.server.start()).address
        self.start_worker()

    def start_worker(self) -> None:
        environment = {"PATH": os.environ["PATH"], "TEMPORAL_ADDRESS": self.address, "OUTSIDE": self.outside.url}
        command = ["node", str(HERE / "worker.mjs"), str(self.program)]
        begun = self._said()
        with self.log.open("ab") as log:
            self.worker = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while self._said() == begun:
            assert self.worker.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < end, self.log.read_text(encoding="utf-8")[-2000:]
            time.sleep(0.05)

    def _said(self) -> int:
        return self.log.read_text(encoding="utf-8").count("working\n") if self.log.exists() else 0

    def kill_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()

    def stop(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.kill_worker()
        self.server.stop()


@contextmanager
def case_of(program: Path, folder: Path, answers: dict[str, Callable[[list[Any], int], Answer]]) -> Iterator[Case]:
    """A case that leaves nothing behind. `answers` are those of the outside."""
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    folder.mkdir(exist_ok=True)
    outside = Outside(answers)
    case = Case(program, folder, outside)
    try:
        yield case
    finally:
        case.stop()
        outside.close()
