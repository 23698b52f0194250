"""Everything that the tests of this backend compile, type-checked and turned into JavaScript by one run of tsc."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from wfc.backends import typescript
from wfc.backends.typescript import host
from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.problems.problem import Report
from wfc.project.files import MemoryFiles
from wfc.project.settings import load_settings
from wfc.project.sources import read_sources

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MODULES = ROOT / "tests" / "js" / "node_modules"
FOLDERS = (ROOT / "examples", ROOT / "tests" / "samples", HERE / "programs")
OPTIONS = {
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "noPropertyAccessFromIndexSignature": True,
    "noImplicitOverride": True,
    "noImplicitReturns": True,
    "noFallthroughCasesInSwitch": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
    "verbatimModuleSyntax": True,
    "isolatedModules": True,
    "erasableSyntaxOnly": True,
    "module": "nodenext",
    "target": "es2022",
    "lib": ["es2022"],
    "types": [],
}


def machines(texts: dict[str, str], *, audit: bool = True) -> tuple[Machine, ...]:
    """The machines of a project of these files."""
    files = MemoryFiles(texts)
    report = Report()
    settings = load_settings(files, ".", report)
    sources = read_sources((), settings, files, report)
    options = pipeline.Options(audit=audit)
    checked = pipeline.check(sources, settings, files, options)
    assert checked.report.is_runnable, [problem.message() for problem in checked.report.problems]
    roots = pipeline.roots(checked, options)
    return tuple(pipeline.machine(root, checked.model, settings, options) for root in roots)


def machine_of(text: str, *, audit: bool = True) -> Machine:
    """The first machine of one file."""
    return machines({"case.wf": text}, audit=audit)[0]


def emitted(machine: Machine, part: str) -> str:
    """One file of a machine: `types`, `error-handlers` or `workflow`."""
    return next(o.text for o in typescript.emit(machine) if o.path.endswith(f".{part}.ts"))


@dataclass(frozen=True)
class Built:
    """Where the JavaScript is, by name of the program's folder, and what tsc had to say."""

    folder: Path
    said: str


def _programs() -> list[tuple[str, dict[str, str]]]:
    found = [("examples-" + f.name, sorted(f.glob("*.wf"))) for f in sorted(FOLDERS[0].iterdir()) if f.is_dir()]
    found += [("samples", sorted(FOLDERS[1].glob("*.wf")))]
    found += [("programs-" + f.stem, [f]) for f in sorted(FOLDERS[2].glob("*.wf"))]
    return [(name, {p.name: p.read_text(encoding="utf-8") for p in paths if _whole(p)}) for name, paths in found]


def _whole(path: Path) -> bool:
    return path.name != "more-scenarios.wf"  # about a process that another folder has


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    assert MODULES.is_dir(), "the npm packages of tests/js are needed; `make setup` installs them"
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "runtime").mkdir()
    for name, texts in _programs():
        (folder / name).mkdir()
        for machine in machines(texts):
            for output in typescript.emit(machine):
                if output.path.startswith(host.FOLDER):
                    continue  # its tests are a folder of their own
                shared = output.path.startswith(typescript.SHARED)  # checked once, not once a folder
                place = folder / ("runtime" if shared else name) / Path(output.path).name
                place.write_text(output.text, encoding="utf-8")
        runtime = "export * from '../../runtime/wfc-runtime.js';\n"
        (folder / name / typescript.SHARED).mkdir()
        (folder / name / typescript.SHARED / "wfc-runtime.ts").write_text(runtime, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    settings = {"compilerOptions": OPTIONS, "include": ["**/*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = ["node", str(MODULES / "typescript" / "lib" / "tsc.js"), "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return Built(folder, done.stdout + done.stderr)


def run_node(*args: str, given: str = "") -> str:
    """What a script says."""
    done = subprocess.run(["node", *args], capture_output=True, text=True, check=False, input=given, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
