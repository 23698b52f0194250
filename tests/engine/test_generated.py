"""Generated programs under random scripts, on a real server: record by record what the machine tells."""

import asyncio
from collections.abc import Callable, Iterator
from random import Random

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.typescript.scripts import DAY, drawn
from tests.engine.recorded import difference, tried
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.machine.messages import Send, Sent
from wfc.machine.program import Program
from wfc.simulation.play import play
from wfc.simulation.world import Model, Reply, World

pytestmark = pytest.mark.slow

PROGRAMS = 60
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


class Distinct:
    """No two answers come at one instant: which is first would be chance on Temporal."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.count = 0

    def answer(self, call: Send, world: World) -> Reply | None:
        found = self.model.answer(call, world)
        self.count += 7_000
        return attrs.evolve(found, delay=found.delay + self.count) if found is not None else None

    def chance(self) -> float:
        return self.model.chance()


async def _difference(name: str, program: Program, number: int) -> str | None:
    """Where a run goes another way; None for one that is too long."""
    script = drawn(program, Random(number))  # noqa: S311 - lots, no secrets
    script.acts = [attrs.evolve(act, at=act.at + 1_000) for act in script.acts]
    workflow = program.machine.workflow.name
    world = play(program, workflow, script, until=UNTIL).world
    if len(world.records) > RECORDS:
        return None
    if any(isinstance(given, Sent) for _, given in world.journal) and _waited(world):
        return None  # a simulation on Temporal knows no limits

    def run(attach: Callable[[World], None]) -> tuple[World, str]:
        def prepare(world: World) -> None:
            attach(world)
            world.model = Distinct(world.model)

        played = play(program, workflow, script, until=UNTIL, prepare=prepare)
        return played.world, played.instance

    return await difference(name, program.machine, run)


def _waited(world: World) -> bool:
    """Whether a call had to wait for its turn."""
    called = {(each.instance, each.send.call, each.send.attempt): each.at for each in world.attempts}
    begun = {record.at for record in world.records}
    return any(at not in begun for at in called.values())


@pytest.mark.parametrize("part", range(2))
def test_scripts_of_generated_programs(part: int) -> None:
    wrong: list[str] = []
    count = 0
    for number, program in enumerate(_programs()):
        if number % 2 != part:
            continue
        found = asyncio.run(tried(lambda: _difference(f"program {number}", program, number)))  # noqa: B023 - at once
        count += found is not None
        if found:
            wrong.append(found)
    assert not wrong, f"{len(wrong)} of {count}\n\n" + "\n\n".join(wrong[:3])
    assert count > PROGRAMS // 3
