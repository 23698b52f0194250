"""Every run that a problem tells is a run of the machine, and what the problem claims is to be seen in it."""

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.document import read_cases
from tests.golden.program import loaded, project
from tests.mutants.kinds import mutants
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.driver import pipeline
from wfc.driver.trace import machine_of, trace_text
from wfc.machine.messages import Record
from wfc.machine.program import Program
from wfc.problems.problem import Problem, Trace
from wfc.project.settings import Settings
from wfc.project.sources import read_sources
from wfc.simulation.story import LONGEST
from wfc.simulation.trace import read_trace, replay
from wfc.simulation.witness import Run

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "checks").glob("*.md"))
CASES = [
    pytest.param(project(case), id=f"{path.stem}: {case.title}")
    for path in GOLDEN
    for case in read_cases(path.read_text(encoding="utf-8"))
    if case.files
]

NEVER_TOLD = frozenset({"missing undo", "there"})  # signs that no record of the plain run tells


def claimed(run: Run, trace: Trace) -> bool:
    """Whether the sign of a trace is to be seen in a run."""
    kind, name = trace.sign
    root = next(iter(run.instances))
    match kind:
        case "halted":
            fibers = (fiber for inst in run.instances.values() for fiber in inst.fibers.values())
            places = (run.program.labels[fiber.pc - 1] for fiber in fibers if fiber.wait == "halted")
            return any(place.partition(":")[2].rpartition("#")[0] == name for place in places)
        case "same key":
            keys = [record.get("key") for record in run.records if _called(record, name)]
            return len(keys) > len(set(keys))
        case "completed" | "failed":
            return any(record.kind == kind and record.instance == root for record in run.records)
        case "entered":
            return any(record.kind == kind and record.path == name for record in run.records)
        case "fired":
            return any(record.kind == "guard fired" and record.get("guard") == name for record in run.records)
        case "promise":
            return any(record.kind == "sla breached" for record in run.records)
        case "undone" | "undo failed":
            return any(record.kind == kind and name in ("", record.get("operation")) for record in run.records)
        case "raised":
            return any(record.kind == kind and name in ("", record.get("error")) for record in run.records)
        case _:
            return kind in NEVER_TOLD


def _called(record: Record, operation: str) -> bool:
    return record.kind == "called" and record.get("operation") == operation


def holds(problem: Problem, checked: pipeline.Checked, settings: Settings) -> None:
    """The law for one problem."""
    trace = problem.trace
    if trace is None or not trace.acts:
        return
    assert 0 < len(trace.steps) <= LONGEST, problem.story()
    text = trace_text(problem, checked, settings)
    assert text is not None, (problem.code, problem.story())
    machine = machine_of(trace, checked, settings)
    assert machine is not None
    assert claimed(replay(Program(machine), read_trace(text)), trace), (problem.code, trace.sign, problem.story())


def all_hold(files: dict[str, str]) -> int:
    memory, settings, report = loaded(files)
    sources = read_sources((), settings, memory, report)
    checked = pipeline.check(sources, settings, memory, pipeline.Options())
    for problem in checked.report.problems:
        holds(problem, checked, settings)
    return sum(problem.trace is not None for problem in checked.report.problems)


@pytest.mark.parametrize("files", CASES)
def test_the_runs_of_the_golden_cases_replay(files: dict[str, str]) -> None:
    all_hold(files)


@given(programs(max_nodes=4, max_steps=6), st.integers(0, 10_000))
def test_the_runs_of_seeded_faults_replay(program: Text, lot: int) -> None:
    found = list(mutants(program.text))
    for mutant in islice(found[lot % max(1, len(found)) :], 3):
        all_hold({**program.files, "main.wf": mutant.text})
