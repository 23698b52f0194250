"""Generated programs under random scripts, on a real server: record by record what the machine tells."""

import asyncio
from collections.abc import Callable, Iterator
from random import Random

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.typescript.scripts import DAY, drawn
from tests.engine.recorded import difference
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.machine.program import Program
from wfc.simulation.play import play
from wfc.simulation.world import World

pytestmark = pytest.mark.slow

PROGRAMS = 100
UNTIL = 5 * DAY
RECORDS = 200  # of a run; a longer one says nothing new


def _programs() -> Iterator[Program]:
    texts: list[Text] = []

    def draw(text: Text) -> None:
        texts.append(text)

    drawing = settings(max_examples=PROGRAMS, database=None, deadline=None, phases=[Phase.generate])
    seed(11)(settings(drawing, suppress_health_check=list(HealthCheck))(given(programs())(draw)))()
    for text in texts:
        yield from (Program(machine) for machine in machines(text))


async def _difference(name: str, program: Program, random: Random) -> str | None:
    """Where a run goes another way; None for one that is too long."""
    script = drawn(program, random)
    workflow = program.machine.workflow.name
    if len(play(program, workflow, script, until=UNTIL).world.records) > RECORDS:
        return None
    script = attrs.evolve(script, acts=list(script.acts))

    def run(attach: Callable[[World], None]) -> tuple[World, str]:
        played = play(program, workflow, script, until=UNTIL, prepare=attach)
        return played.world, played.instance

    return await difference(name, program.machine, run)


@pytest.mark.parametrize("part", range(2))
def test_scripts_of_generated_programs(part: int) -> None:
    wrong: list[str] = []
    count = 0
    for number, program in enumerate(_programs()):
        if number % 2 != part:
            continue
        try:
            found = asyncio.run(_difference(f"program {number}", program, Random(number)))  # noqa: S311 - lots, no secrets
        except Exception as error:  # noqa: BLE001 - one of many
            found = f"program {number}: {type(error).__name__}: {error}"
        count += found is not None
        if found:
            wrong.append(found)
    assert not wrong, f"{len(wrong)} of {count}\n\n" + "\n\n".join(wrong[:3])
    assert count > PROGRAMS // 3
