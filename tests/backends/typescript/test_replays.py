"""The TypeScript of a machine behaves as the machine: the same inputs, the same commands and records, turn by turn.

Compared are runs by lot of generated programs, every scenario of the conformance documents and of the examples, and every
cell of the fault matrix of the examples: each fault at each step, with its timeouts, pauses, rollbacks and operators.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.typescript.conftest import ROOT
from tests.backends.typescript.replays import Folder, Replay, difference, replays
from tests.conformance.documents import documents, play
from tests.conformance.documents import programs as told_programs
from tests.property.test_turns import roam
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.ir.scenario import Scenario
from wfc.machine.program import Program
from wfc.simulation.cells import Fault
from wfc.simulation.disturbed import Disturbed
from wfc.simulation.faults import matrix

pytestmark = pytest.mark.js

NIGHTLY = os.environ.get("WFC_HYPOTHESIS") == "nightly"
PARTS = 4
PROGRAMS = 1000 if NIGHTLY else 80  # of a part
RUNS = 4  # of a machine, each by other lots
EXAMPLES = sorted(folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir())
KINDS = frozenset(
    """started completed failed entered left called answered raised tolerated interrupted emitted parked undone undoable
    covered pivot settled audit redriven""".split()
) | {
    "attempt failed", "in doubt", "dead letter", "guard fired", "event received", "event consumed", "event dropped",
    "lock granted", "undo failed", "child undone", "sla warned", "sla breached",
}  # fmt: skip


def compared(folder: Folder, runs: list[Replay]) -> Counter[str]:
    """Compares runs; the kinds of records that were compared, with how many there were."""
    folder.transpile()
    found = [difference(run, got) for run, got in zip(runs, folder.run(runs), strict=True)]
    wrong = [each for each in found if each]
    assert not wrong, f"{len(wrong)} of {len(runs)} runs differ\n\n" + "\n\n".join(wrong[:3])
    return Counter(record["kind"] for run in runs for turn in run.turns for record in turn["records"])


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_programs(part: int, tmp_path: Path) -> None:
    lots = Random().randrange(2**32) if NIGHTLY else part  # noqa: S311 - lots, no secrets
    texts: list[Text] = []

    def draw(text: Text) -> None:
        texts.append(text)

    drawn = settings(max_examples=PROGRAMS, database=None, deadline=None, phases=[Phase.generate])
    drawn = settings(drawn, suppress_health_check=list(HealthCheck))
    seed(lots)(drawn(given(programs())(draw)))()
    folder, runs = Folder(tmp_path), list[Replay]()
    for number, text in enumerate(texts):
        for machine in machines(text):
            program = Program(machine)
            name = folder.add(machine)
            for run in range(RUNS):
                told = f"program {number} of {lots} in {folder.root / name}, run {run}\n{text.text}"
                runs += replays(told, name, program, roam(program, 1000 * run + number).journal)
    kinds = compared(folder, runs)
    assert len(texts) == PROGRAMS
    assert kinds.total() > 20 * PROGRAMS, kinds


def test_generated_programs_on_a_host_that_times_attempts(tmp_path: Path) -> None:
    texts: list[Text] = []

    def draw(text: Text) -> None:
        texts.append(text)

    drawn = settings(max_examples=PROGRAMS, database=None, deadline=None, phases=[Phase.generate])
    drawn = settings(drawn, suppress_health_check=list(HealthCheck))
    seed(PARTS)(drawn(given(programs())(draw)))()
    folder, runs = Folder(tmp_path), list[Replay]()
    for number, text in enumerate(texts):
        for machine in machines(text):
            program = Program(machine, host_times_attempts=True)
            for run in range(RUNS):
                told = f"program {number}, run {run}\n{text.text}"
                runs += replays(told, folder.add(machine), program, roam(program, 1000 * run + number).journal)
    assert compared(folder, runs).total() > 20 * PROGRAMS


def test_conformance_documents(tmp_path: Path) -> None:
    folder, runs = Folder(tmp_path), list[Replay]()
    for document in documents():
        for program, scenarios in told_programs(document.case.files):
            name = folder.add(program.machine)
            for scenario in scenarios:
                told = play(program, scenario)
                runs += replays(f"{document.name}: {scenario.title}", name, program, told.world.journal)
    kinds = compared(folder, runs)
    assert kinds.keys() >= KINDS, KINDS - kinds.keys()


@pytest.mark.parametrize("example", EXAMPLES)
def test_faults_of_an_example(example: str, tmp_path: Path) -> None:
    folder, runs = Folder(tmp_path), list[Replay]()

    def watch(fault: Fault | None, run: Disturbed) -> None:
        name = folder.add(run.program.machine)
        told = f"{run.scenario.title}, {fault or 'as it is'}"
        runs.extend(replays(told, name, run.program, run.world.journal))

    for program, scenarios in _example(example):
        for scenario in scenarios:
            played = play(program, scenario)
            assert played.difference is None
            runs += replays(scenario.title, folder.add(program.machine), program, played.world.journal)
            matrix(program, scenario, watch=watch)
    kinds = compared(folder, runs)
    assert {"attempt failed", "undone", "undo failed", "dead letter", "interrupted", "failed"} <= kinds.keys()


def _example(name: str) -> Iterator[tuple[Program, tuple[Scenario, ...]]]:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "examples" / name).glob("*.wf")}
    return told_programs(texts)
