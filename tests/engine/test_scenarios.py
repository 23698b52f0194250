"""The scenarios of all examples on a real server: record by record, at the same instants, what the machine tells."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.documents import programs as told_programs
from tests.engine.recorded import difference, tried
from wfc.simulation.scenarios import tell
from wfc.simulation.world import World

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("folder", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_scenarios_of_examples(folder: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (EXAMPLES / folder).glob("*.wf")}
    count = 0
    for program, scenarios in told_programs(texts):
        for scenario in scenarios:

            def run(attach: Callable[[World], None]) -> tuple[World, str]:
                told = tell(program, scenario, attach)  # noqa: B023 - called at once
                return told.world, told.instance

            wrong = asyncio.run(tried(lambda: difference(scenario.title, program.machine, run)))  # noqa: B023 - at once
            assert not wrong, wrong
            count += 1
    assert count > 5
