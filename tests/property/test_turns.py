"""What holds for every run of every sound program, whatever the world does."""

import json
from collections import Counter
from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.machine.base import Base as _Keys
from wfc.machine.instance import Instance
from wfc.machine.messages import Input, Record, Started
from wfc.machine.program import Program
from wfc.machine.status import movers
from wfc.machine.store import restore, store
from wfc.machine.turn import Turned, turn
from wfc.machine.verify import broken_laws
from wfc.simulation.chance import Chance, Roamer
from wfc.simulation.world import RunawayError, Running, World

STEPS = 60


def roam(
    program: Program, seed: int, watch: Callable[[Running, Input], None] | None = None, *, letters: bool = True
) -> World:
    """A run of the first workflow of a machine, drawn by lot."""
    chance = Chance(program, Random(seed))  # noqa: S311 - lots, no secrets
    world = World(program, chance)
    world.watch = watch
    workflow = program.machine.workflow
    try:
        _, refused = world.start(workflow.name, chance.fields(workflow.params))
        assert refused is None, refused
        roamer = Roamer(world, chance, letters=letters)
        for _ in range(STEPS):
            if not roamer.step():
                break
    except RunawayError:  # goes round without waiting, which the machine has found out
        pass
    return world


@given(programs(), st.integers(0, 2**32))
def test_an_instance_at_rest_keeps_its_laws(text: Text, seed: int) -> None:
    for machine in machines(text):
        program = Program(machine)

        def look(running: Running, _: Input, program: Program = program) -> None:
            assert broken_laws(program, running.instance) == []

        roam(program, seed, look)


@given(programs(), st.integers(0, 2**32))
def test_the_same_inputs_give_the_same_bytes_and_storing_changes_nothing(text: Text, seed: int) -> None:
    for machine in machines(text):
        program = Program(machine)
        world = roam(program, seed)
        instances: dict[str, Instance] = {}
        for identity, given_input in world.journal:
            before = instances.get(identity) if not isinstance(given_input, Started) else None
            first = turn(program, before, given_input)
            assert isinstance(first, Turned)
            stored = json.dumps(store(program, first.instance))
            if before is not None:
                again = restore(program, json.loads(json.dumps(store(program, before))))
                second = turn(program, again, given_input)
                assert isinstance(second, Turned)
                assert json.dumps(store(program, second.instance)) == stored
                assert second.commands == first.commands
                assert second.records == first.records
            instances[identity] = first.instance
        for identity, instance in instances.items():
            live = world.running[identity].instance
            if live.status == instance.status and live.serial == instance.serial:
                assert store(program, live) == store(program, instance)


@given(programs(), st.integers(0, 2**32))
def test_what_has_been_done_is_undone_kept_or_in_a_dead_letter(text: Text, seed: int) -> None:
    for machine in machines(text):
        program = Program(machine)
        world = roam(program, seed, letters=False)
        for identity, running in world.running.items():
            if running.instance.status == "running" or running.instance.fibers:
                continue
            mine = [record for record in world.records if record.instance == identity]
            if sum(1 for record in mine if record.kind == "started") > 1:
                continue  # two runs under one id, one after the other
            done, gone = balance(mine)
            left = Counter(_Keys(program, running.instance, 0).keys_in(running.instance.log))
            assert done - gone == left, (identity, done, gone)
            assert gone - done == Counter(), (identity, done, gone)


@given(programs(), st.integers(0, 2**32))
def test_every_run_ends_or_waits_for_something_that_can_come(text: Text, seed: int) -> None:
    for machine in machines(text):
        program = Program(machine)
        world = roam(program, seed)
        for running in world.running.values():
            if running.instance.status == "running" and world.next() is None:
                assert movers(program, running.instance), running.instance.id


def balance(records: list[Record]) -> tuple[Counter[str], Counter[str]]:
    """What could be undone at some time, and what has become of it, by key."""
    done: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    entries: set[int] = set()
    for record in records:
        key = str(record.get("key"))
        match record.kind:
            case "answered" | "in doubt" if record.kind == "in doubt" or record.get("undoable"):
                if record.get("entry") not in entries:
                    done[key] += 1
                entries.add(record.get("entry"))
            case "undoable":
                done[key] += 1
            case "cleared":
                done[key] -= 1
                entries.discard(record.get("entry"))
            case "undone" | "child undone" | "undo failed":
                gone[key] += 1
            case _:
                gone.update(record.get("keeps") or ())
    return +done, gone
