"""Whole files as the backends write them: `cases/NAME.wf` gives `expected/TARGET/NAME/`, real files for real tools."""

import shutil
from pathlib import Path

import pytest

from tests.golden.program import compiled
from wfc.driver import backends
from wfc.driver.pipeline import Options

HERE = Path(__file__).resolve().parent
CASES = sorted((HERE / "cases").glob("*.wf"))
TARGETS = backends.names()
SHARED = ("wfc-runtime/", "wfc-node/")  # the same files for every program, and files of their own in the package


def produced(case: Path, target: str) -> dict[str, str]:
    """What a case compiles to, by path."""
    result = compiled({case.name: case.read_text(encoding="utf-8")}, Options(targets=(target,)))
    assert not result.report.has_errors, [problem.message() for problem in result.report.problems]
    return {output.path: output.text for output in result.outputs if not output.path.startswith(SHARED)}


def on_disk(folder: Path) -> dict[str, str]:
    every = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in every}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_backend_writes_what_is_expected(case: Path, target: str, pytestconfig: pytest.Config) -> None:
    folder = HERE / "expected" / target / case.stem
    files = produced(case, target)
    if pytestconfig.getoption("--update") and on_disk(folder) != files:
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
    assert on_disk(folder) == files


def test_nothing_is_expected_of_a_case_that_is_gone() -> None:
    expected = {path.name for path in HERE.glob("expected/*/*")}
    assert expected <= {case.stem for case in CASES}
