"""Generated programs under random scripts, on a real server: record by record what the machine tells."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.typescript.scripts import DAY, drawn
from tests.engine.recorded import all_tried, difference
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.machine.messages import Send, Sent
from wfc.machine.program import Program
from wfc.simulation.play import play
from wfc.simulation.world import Model, Reply, World

pytestmark = pytest.mark.slow

PROGRAMS = 80
LEAST = 100  # runs that are compared, of both parts
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

    def run(attach: Callable[[World], None] = _alone) -> tuple[World, str]:
        def prepare(world: World) -> None:
            attach(world)
            world.model = Distinct(world.model)

        played = play(program, workflow, script, until=UNTIL, prepare=prepare)
        return played.world, played.instance

    world, _ = run()
    if len(world.records) > RECORDS:
        return None
    if any(isinstance(given, Sent) for _, given in world.journal) and _waited(world):
        return None  # a simulation on Temporal knows no limits
    return await difference(name, program.machine, run)


def _alone(world: World) -> None:
    """Nobody watches."""


def _waited(world: World) -> bool:
    """Whether a call had to wait for its turn."""
    called = {(each.instance, each.send.call, each.send.attempt): each.at for each in world.attempts}
    begun = {record.at for record in world.records}
    return any(at not in begun for at in called.values())


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.long)])
def test_scripts_of_generated_programs(part: int) -> None:
    own = [(number, program) for number, program in enumerate(_programs()) if number % 2 == part]
    runs = [partial(_difference, f"program {number}", program, number) for number, program in own]
    found = [each for each in asyncio.run(all_tried(runs)) if each is not None]
    wrong = [each for each in found if each]
    assert not wrong, f"{len(wrong)} of {len(found)}\n\n" + "\n\n".join(wrong[:3])
    assert len(found) >= LEAST // 2
