"""In simulated time around it, generated code tells the same story of a script as the simulator does of the machine."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.typescript.conftest import ROOT
from tests.backends.typescript.replays import Folder
from tests.backends.typescript.scripts import DAY, Told, differences, drawn, told
from tests.conformance.documents import programs as told_programs
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.machine.program import Program

pytestmark = pytest.mark.js

PROGRAMS = 100
SCRIPTS = 3  # of a generated program
MORE = 20  # of an example


def _examples() -> Iterator[tuple[str, Program]]:
    for folder in sorted((ROOT / "examples").iterdir()):
        texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.wf")}
        for program, _ in told_programs(texts) if texts else ():
            yield folder.name, program


def compared(folder: Folder, runs: list[Told], least: int) -> None:
    folder.transpile()
    wrong = differences(folder, runs)
    assert not wrong, f"{len(wrong)} of {len(runs)} scripts\n\n" + "\n\n".join(wrong[:3])
    assert sum(len(run.wanted["records"]) for run in runs) > least


def test_scripts_of_examples(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    runs = [
        run
        for name, program in _examples()
        for number in range(MORE)
        if (run := _told(f"{name} {number}", folder, program, number, 40 * DAY)) is not None
    ]
    compared(folder, runs, 5000)


def test_scripts_of_generated_programs(tmp_path: Path) -> None:
    texts: list[Text] = []

    def draw(text: Text) -> None:
        texts.append(text)

    drawing = settings(max_examples=PROGRAMS, database=None, deadline=None, phases=[Phase.generate])
    seed(5)(settings(drawing, suppress_health_check=list(HealthCheck))(given(programs())(draw)))()
    folder = Folder(tmp_path)
    runs = [
        run
        for text in texts
        for machine in machines(text)
        for number in range(SCRIPTS)
        if (run := _told(text.text, folder, Program(machine), number, 5 * DAY)) is not None
    ]
    compared(folder, runs, 2000)


def _told(name: str, folder: Folder, program: Program, number: int, until: int) -> Told | None:
    script = drawn(program, Random(number))  # noqa: S311 - lots, no secrets
    return told(name, folder.add(program.machine), program, script, until)
