"""Whatever single thing goes wrong at whatever step: a run ends or waits for somebody, and keeps the laws."""

from pathlib import Path

import pytest
from hypothesis import given

from tests.golden.program import loaded
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.driver import pipeline
from wfc.ir.scenario import Scenario
from wfc.machine.program import Program
from wfc.project.sources import read_sources
from wfc.simulation.cells import Matrix
from wfc.simulation.faults import matrix

SMALL = ("order-fulfillment", "data-pipeline")
LARGE = ("incident-response", "insurance-claim", "loan-approval", "subscription-billing", "trip-booking")


def bad(found: Matrix) -> list[str]:
    return [f"{cell.fault} at {cell.fault.step}: {cell.end}, {cell.text} {cell.broken}" for cell in found.bad]


@given(programs(max_nodes=3, max_steps=5))
def test_no_single_fault_makes_a_run_stuck(text: Text) -> None:
    for machine in machines(text):
        found = matrix(Program(machine), Scenario("", machine.workflow.name, ()))
        if found.plain.is_bad:
            continue  # the program goes round by itself
        assert bad(found) == []


def test_steps_in_one_situation_are_run_once_and_nothing_is_lost() -> None:
    text = """
service desk { activity ask(n: Int) -> Int key "k" with Long }
policy Long { timeout 10s  try 50 times backoff 1s  exhausted then fail }
workflow W(n: Int) -> Int key "w" {
  after 3m -> Late
  state Asking { do desk.ask(n) as answer  done answer }
  state Late { done 0 }
}
scenario "nobody answers at first" for W {
  given desk.ask raises Unavailable 12 times, then returns 3
  expect done 3
}
"""
    files, settings, report = loaded({"main.wf": text})
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())
    assert checked.report.is_runnable, [problem.message() for problem in checked.report.problems]
    ((machine, scenarios, _),) = pipeline.scenarios(checked, settings, pipeline.Options())
    found = matrix(Program(machine), scenarios[0])
    assert len(found.steps) == 13
    assert found.left_out > 0
    for kind in ("attempt timeout", "operator cancels"):
        assert sum(1 + cell.also for cell in found.cells if cell.fault.kind == kind) == 13
    assert {cell.text for cell in found.cells} == {"done 3", "failed OperatorCancel"}


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_no_single_fault_makes_an_example_stuck(root: Path, name: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (root / "examples" / name).glob("*.wf")}
    files, settings, report = loaded(texts)
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())
    for machine, scenarios, _ in pipeline.scenarios(checked, settings, pipeline.Options()):
        program = Program(machine)
        for scenario in scenarios:
            assert bad(matrix(program, scenario)) == []
