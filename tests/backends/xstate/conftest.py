"""The adapter, turned into JavaScript by one run of tsc, and charts run by the real XState."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.backends.typescript.conftest import MODULES, OPTIONS, machine_of
from tests.backends.xstate.runs import Case
from wfc.backends import xstate

HERE = Path(__file__).resolve().parent
Replay = Callable[[Sequence[Case]], list[dict[str, Any]]]

SMALL = "workflow Small() { state A { done } }"


@dataclass(frozen=True)
class Built:
    """Where the adapter's JavaScript is, and what tsc had to say."""

    folder: Path
    said: str


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    assert (MODULES / "xstate").is_dir(), "the npm packages of tests/js are needed; `make setup` installs them"
    folder = tmp_path_factory.mktemp("xstate")
    for output in xstate.emit(machine_of(SMALL)):
        (folder / output.path).parent.mkdir(exist_ok=True)
        (folder / output.path).write_text(output.text, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    # XState's own declarations do not hold under these options; those are looked at only where they are used.
    options = {**OPTIONS, "skipLibCheck": True, "outDir": "out", "rootDir": "."}
    settings = {"compilerOptions": options, "include": ["wfc-runtime/*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = ["node", str(MODULES / "typescript" / "lib" / "tsc.js"), "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return Built(folder, done.stdout + done.stderr)


@pytest.fixture(scope="session")
def replay(built: Built) -> Replay:
    """Runs charts in one process of Node; what each has told."""

    def run(cases: Sequence[Case]) -> list[dict[str, Any]]:
        command = ["node", str(HERE / "replay.mjs"), str(built.folder / "out" / "wfc-runtime" / "wfc-xstate.js")]
        given = "".join(f"{case.line}\n" for case in cases)
        done = subprocess.run(command, input=given.encode(), capture_output=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr.decode()
        told = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
        assert len(told) == len(cases)
        return told

    return run
