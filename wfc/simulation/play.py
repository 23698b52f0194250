"""One run of a process as a script tells it, or by lot."""

from collections.abc import Callable
from random import Random
from typing import Any, Literal

import attrs

from wfc.machine.instance import Fiber, Instance
from wfc.machine.messages import Operator
from wfc.machine.program import Program
from wfc.simulation.chance import Chance, Roamer
from wfc.simulation.script import Act, Samples, Script, Scripted, event_fields
from wfc.simulation.witness import Witness
from wfc.simulation.world import START, RunawayError, World

RECORDS = 3_000  # of a run without a limit; a process that has written more goes on and on
STEPS = 3_000  # of a run by lot


@attrs.frozen
class Played:
    """A run that has been played; `ending` says why it stops where it does, `refused` why it did not even begin."""

    world: World
    witness: Witness
    instance: str
    ending: Literal["ended", "waits", "time", "endless"]
    refused: str = ""


def play(
    program: Program,
    workflow: str,
    script: Script,
    *,
    until: int | None = None,
    seed: int | None = None,
    prepare: Callable[[World], None] | None = None,
) -> Played:
    """Plays a run: to its end, until it waits for something from outside, or for so many milliseconds.

    `prepare` may change the world before it begins.
    """
    player = _Player(program, workflow, script, until, seed)
    if prepare is not None:
        prepare(player.world)
    return player.play()


class _Player:
    def __init__(self, program: Program, workflow: str, script: Script, until: int | None, seed: int | None) -> None:
        self.program = program
        self.workflow = program.workflows[workflow]
        self.script = script
        self.until = until
        self.chance = Chance(program, Random(seed)) if seed is not None else None  # noqa: S311 - to be drawn again
        self.model = Scripted(program, script, self.chance or Samples(program))
        self.world = World(program, self.model, START)
        self.witness = Witness(program)
        self.witness.attach(self.world)
        self.acts = sorted(script.acts, key=lambda act: act.at)
        self.instance = ""

    def play(self) -> Played:
        params = self.workflow.params
        data = self.program.boundary.sample_fields(params)
        if self.chance is not None:
            data = self.chance.fields(params)
        try:
            self.instance, refused = self.world.start(self.workflow.name, data | self.script.data)
            if refused is not None:
                return self._played("ended", refused.text)
            return self._played(self._run())
        except RunawayError:
            return self._played("endless")

    def _played(self, ending: Literal["ended", "waits", "time", "endless"], refused: str = "") -> Played:
        return Played(self.world, self.witness, self.instance, ending, refused)

    def _run(self) -> Literal["ended", "waits", "time", "endless"]:
        world = self.world
        end = START + self.until if self.until is not None else None
        roamer = Roamer(world, self.chance) if self.chance is not None else None
        steps = 0
        world.settle()
        while True:
            following = world.next()
            act = START + self.acts[0].at if self.acts else None
            if (
                act is not None
                and (end is None or act <= end)
                and (roamer is None or following is None or act <= following)
            ):
                world.run_until(max(act, world.now))
                self._act(self.acts.pop(0))
                world.settle()
                continue
            if following is None and not self._alive():
                return "ended"
            if end is not None and (following is None or following > end):
                world.run_until(max(end, world.now))
                return "ended" if not self._alive() else "time"
            if following is None or (end is None and roamer is None and not self._moves()):
                return "waits" if self._alive() else "ended"
            steps += 1
            if len(world.records) > RECORDS or (roamer is not None and steps > STEPS):
                return "endless"
            if roamer is None:
                world.run_until(following)
            else:
                roamer.step()

    def _alive(self) -> bool:
        return any(
            running.instance.status == "running" or running.instance.frames for running in self.world.running.values()
        )

    # -- whether anything goes on by itself

    def _moves(self) -> bool:
        return any(
            self._goes_on(running.instance, fiber)
            for running in self.world.running.values()
            for fiber in running.instance.fibers.values()
        )

    def _goes_on(self, instance: Instance, fiber: Fiber) -> bool:
        """Whether a token needs nothing from outside: no event, no person, no operator."""
        match fiber.wait:
            case "wait" | "lock":
                return True
            case "await":
                frame = instance.frames[fiber.frame]
                guards = self.program.specs[frame.spec].guards
                return not any(guard.kind == "on" for guard in guards) and bool(frame.due)
            case "call":
                call = fiber.call
                if call is None or call.state == "parked" or call.kind in ("workflow", "undo"):
                    return False
                return bool(fiber.due) or (instance.id, call.id) not in self.model.silent
            case _:
                return False

    # -- from outside

    def _act(self, act: Act) -> None:
        if act.kind == "event":
            event = self.program.events[act.name]
            running = self.world.running[self.instance]
            refused = self.world.send(act.name, event_fields(self.program, event, act.value, running.key))
            if refused is not None:
                late = refused.reason == "not-running" and not self._alive()
                why = "comes too late" if late else f"is not taken: {refused.text}"
                self.witness.refused(self.world, f"{act.name} {why}")
            return
        identity, key = self.instance, ""
        if act.kind != "cancel":
            found = self._parked(act.name)
            if found is None:
                self.witness.refused(self.world, f"an operator finds nothing to do: {act.name} is not parked")
                return
            identity, key = found
        action: Any = act.kind
        given = Operator(at=self.world.now, action=action, key=key, value=act.value)
        refused = self.world.deliver(identity, given)
        if refused is not None:
            self.witness.refused(self.world, f"an operator is refused: {refused.text}")

    def _parked(self, target: str) -> tuple[str, str] | None:
        for identity, running in self.world.running.items():
            for fiber in running.instance.fibers.values():
                if fiber.call is not None and fiber.call.state == "parked" and fiber.call.target == target:
                    return identity, fiber.call.key
            for key, letter in running.instance.letters.items():
                if target in (letter.operation, letter.name):
                    return identity, key
        return None
