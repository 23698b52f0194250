"""The scenarios of all examples on a real server: record by record, at the same instants, what the machine tells."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conformance.documents import programs as told_programs
from tests.engine.recorded import all_tried, difference
from wfc.ir.scenario import Scenario
from wfc.machine.program import Program
from wfc.simulation.scenarios import tell
from wfc.simulation.world import World

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


async def _difference(program: Program, scenario: Scenario) -> str:
    def run(attach: Callable[[World], None]) -> tuple[World, str]:
        told = tell(program, scenario, attach)
        return told.world, told.instance

    return await difference(scenario.title, program.machine, run)


@pytest.mark.parametrize("folder", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_scenarios_of_examples(folder: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (EXAMPLES / folder).glob("*.wf")}
    every = [(program, scenario) for program, scenarios in told_programs(texts) for scenario in scenarios]
    found = asyncio.run(all_tried(partial(_difference, *each) for each in every))
    wrong = [each for each in found if each]
    assert not wrong, "\n\n".join(wrong)
    assert len(found) > 5
