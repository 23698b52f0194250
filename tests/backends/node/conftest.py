"""The program of these tests with the host beside it, type-checked and turned into JavaScript."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backends.typescript.conftest import MODULES, OPTIONS, machines
from wfc.backends import typescript

HERE = Path(__file__).resolve().parent
TSC = MODULES / "typescript" / "lib" / "tsc.js"


@dataclass(frozen=True)
class Built:
    """Where the JavaScript is, and what tsc had to say."""

    folder: Path
    said: str


@pytest.fixture(scope="session")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Built:
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    assert MODULES.is_dir(), "the npm packages of tests/js are needed; `make setup` installs them"
    folder = tmp_path_factory.mktemp("node")
    for machine in machines({"host.wf": (HERE / "host.wf").read_text(encoding="utf-8")}):
        for output in typescript.emit(machine):
            place = folder / output.path
            place.parent.mkdir(exist_ok=True)
            place.write_text(output.text, encoding="utf-8")
    settings = {"compilerOptions": {**OPTIONS, "types": ["node"]}, "include": ["**/*.ts"]}
    (folder / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    done = subprocess.run(["node", str(TSC), "-p", str(folder)], capture_output=True, text=True, check=False)
    return Built(folder, done.stdout + done.stderr)
