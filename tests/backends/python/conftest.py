"""Everything that the tests of this backend emit: a folder a program, which is a package to Python and to mypy."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backends.typescript.conftest import machines
from wfc.backends import python
from wfc.backends.python.scaffold import scaffold
from wfc.ir.machine import Machine
from wfc.ir.python_names import module_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


@dataclass(frozen=True)
class Emitted:
    """A machine, and the module of its activities."""

    name: str
    machine: Machine


@dataclass(frozen=True)
class Built:
    """Where the modules are."""

    folder: Path
    every: tuple[Emitted, ...]


def programs() -> list[tuple[str, dict[str, str]]]:
    """Names of packages, with the sources of each."""
    found = [(folder.name, sorted(folder.glob("*.wf"))) for folder in sorted((ROOT / "examples").iterdir())]
    found.append(("samples", sorted((ROOT / "tests" / "samples").glob("*.wf"))))
    single = [*(ROOT / "tests" / "golden" / "emit" / "cases").glob("*.wf"), *(HERE / "programs").glob("*.wf")]
    single += (ROOT / "tests" / "backends" / "typescript" / "programs").glob("*.wf")
    found += [(f"{path.parent.parent.name}_{path.stem}", [path]) for path in sorted(single)]
    about_others = "more-scenarios.wf"  # about a process that another folder has
    return [
        (re.sub(r"\W", "_", name), {p.name: p.read_text(encoding="utf-8") for p in paths if p.name != about_others})
        for name, paths in found
        if paths
    ]


def block(info: str) -> str:
    """A block of the page about activities."""
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    return page.partition(f"```{info}\n")[2].partition("```\n")[0]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("python")
    every = []
    for name, texts in programs():
        (folder / name).mkdir()
        for machine in machines(texts):
            assert python.unsupported(machine) == ()
            first = scaffold(machine, name)
            for output in (*python.emit(machine), *([first] if first is not None else [])):
                (folder / name / output.path).write_text(output.text, encoding="utf-8")
            every.append(Emitted(f"{name}.{module_of(machine.process)}", machine))
    (machine,) = machines({"parcels.wf": block("wf parcels.wf")})
    (output,) = python.emit(machine)
    (folder / "workflows").mkdir()
    (folder / "workflows" / output.path).write_text(output.text, encoding="utf-8")
    (folder / "shop.py").write_text(block("python"), encoding="utf-8")
    return Built(folder, tuple(every))
