"""What a run has done, and what its tokens waited for on the way: what a timeline is told from."""

from collections.abc import Iterator
from typing import Literal

import attrs

from wfc.machine.code import Locking
from wfc.machine.instance import Fiber, Frame, Instance
from wfc.machine.messages import Input, Operator, Record
from wfc.machine.program import Program
from wfc.simulation.world import START, Attempt, Running, World
from wfc.text.durations import spaced_duration
from wfc.text.names import listed

_Resting = tuple[str, int, int, int, int, str]

AWAITED = 3  # names of events that are listed; more are counted


@attrs.define
class Rest:
    """A token that waits, before the record `index`; `ended` is when it went on."""

    index: int
    at: int
    instance: str
    path: str
    iteration: tuple[int, ...]
    text: str
    ended: int | None = None


@attrs.frozen
class Remark:
    """Something that is no record: what an operator does, or an event that nobody takes."""

    index: int
    at: int
    instance: str
    kind: Literal["operator", "refused"]
    text: str


@attrs.frozen
class Run:
    """A run as it is told. `instances` are as they are at its end, the first is the process itself."""

    program: Program
    records: tuple[Record, ...]
    attempts: tuple[Attempt, ...]
    instances: dict[str, Instance]
    rests: tuple[Rest, ...]
    remarks: tuple[Remark, ...]
    now: int
    start: int = START


class Witness:
    """Looks at instances after each of their turns."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rests: list[Rest] = []
        self.remarks: list[Remark] = []
        self._open: dict[_Resting, Rest] = {}
        self._seen, self._heard = 0, 0
        self._children: set[str] = set()

    def attach(self, world: World) -> None:
        """Watches a world."""

        def watch(running: Running, given: Input) -> None:
            _ = given
            self.look(running.instance, world.journal, world.records)

        world.watch = watch

    def look(self, instance: Instance, journal: list[tuple[str, Input]], records: list[Record]) -> None:
        """An instance has had a turn. Of the inputs since the last look, later ones are those of children."""
        if len(journal) > self._heard:
            identity, given = journal[self._heard]
            if isinstance(given, Operator) and (given.action != "cancel" or identity not in self._children):
                self._operated(identity, given, records)
        own = next((i for i in range(len(records) - 1, -1, -1) if records[i].instance == instance.id), -1)
        nested = len(journal) == self._heard  # children have had their turns since
        index = own + 1 if nested or own >= self._seen else len(records)
        self._heard, self._seen = len(journal), len(records)
        if instance.child:
            self._children.add(instance.id)
        waiting = {_resting(instance, fiber): fiber for fiber in instance.fibers.values()}
        for place, rest in list(self._open.items()):
            if place[0] == instance.id and place not in waiting:
                rest.ended = instance.now
                del self._open[place]
        for place, fiber in waiting.items():
            if place not in self._open and fiber.wait in ("wait", "await", "lock"):
                self._rests(place, instance, fiber, index)

    def _rests(self, place: _Resting, instance: Instance, fiber: Fiber, index: int) -> None:
        text = waits_for(self.program, instance, fiber, instance.now)
        if not text:
            return
        frame = instance.frames[fiber.frame]
        path = self.program.labels[fiber.pc - 1].partition(":")[2].rpartition("#")[0]
        rest = Rest(index, instance.now, instance.id, path, frame.iteration, f"waits {text}")
        self.rests.append(rest)
        self._open[place] = rest

    def _operated(self, identity: str, given: Operator, records: list[Record]) -> None:
        words = {"cancel": "cancels", "retry": "retries", "supply": "supplies an answer for", "raise": "gives up"}
        target = _operated(records[: self._seen], given.key)
        text = f"an operator {words[given.action]} {target}".rstrip()
        self.remarks.append(Remark(self._seen, given.at, identity, "operator", text))

    def refused(self, world: World, text: str) -> None:
        """Notes an input from outside that changes nothing."""
        self.remarks.append(Remark(len(world.records), world.now, "", "refused", text))

    def run(self, world: World) -> Run:
        """What a world has seen."""
        instances = {identity: running.instance for identity, running in world.running.items()}
        return Run(
            program=self.program,
            records=tuple(world.records),
            attempts=tuple(world.attempts),
            instances=instances,
            rests=tuple(self.rests),
            remarks=tuple(self.remarks),
            now=world.now,
        )


def _resting(instance: Instance, fiber: Fiber) -> _Resting:
    """What tells one wait of a token from the next."""
    until = fiber.due[0].at if fiber.due else 0
    return instance.id, fiber.id, fiber.frame, fiber.pc, until, fiber.wait


def _operated(records: list[Record], key: str) -> str:
    """The operation that is parked under a key, or whose dead letter it is."""
    for record in reversed(records):
        if record.kind in ("parked", "dead letter") and record.get("key") == key:
            return str(record.get("operation"))
    return ""


# --------------------------------------------------------------------------------------------------- what is waited for


def waits_for(program: Program, instance: Instance, fiber: Fiber, now: int) -> str:
    """What a token waits for, as it goes on after "waits"; nothing if others of its instance have to go on first."""
    match fiber.wait:
        case "wait":
            return f"{spaced_duration(fiber.due[0].at - now)}" if fiber.due else ""
        case "await":
            return _awaited(program, instance.frames[fiber.frame], now)
        case "lock":
            step = program.code[fiber.pc - 1]
            return f"for {listed(name for name, _ in step.lock.resources)}" if isinstance(step, Locking) else ""
        case "call":
            return _called(fiber)
        case _:
            return ""


def _called(fiber: Fiber) -> str:
    call = fiber.call
    if call is None:
        return ""
    if call.state == "parked":
        return f"for an operator: {call.target} is parked"
    if call.kind == "task":
        return f"for a person: {call.target}"
    return "" if call.kind in ("workflow", "undo") else f"for the answer of {call.target}"


def _awaited(program: Program, frame: Frame, now: int) -> str:
    """The arms of an `await`."""
    spec = program.specs[frame.spec]
    names = list(dict.fromkeys(name for guard in spec.guards if guard.kind == "on" for name in sorted(guard.names)))
    times = [
        f"for {spaced_duration(timer.at - now)}"
        for timer in sorted(frame.due, key=lambda timer: timer.at)
        if timer.what == "guard" and spec.guards[timer.index].interrupting
    ]
    parts = [f"for {listed(shortened(names), 'or')}"] if names else []
    return ", or ".join([*parts, *times[:1]])


def shortened(names: list[str]) -> list[str]:
    """The first names of a list, and how many more there are."""
    if len(names) <= AWAITED + 1:
        return names
    return [*names[:AWAITED], f"{len(names) - AWAITED} others"]


def ways_on(program: Program, instance: Instance, now: int) -> Iterator[str]:
    """What each token of an instance waits for, then what may end that from around."""
    told: dict[str, None] = {}
    events: dict[str, None] = {}
    ends: list[int] = []
    own: list[int] = []
    for fiber in instance.fibers.values():
        text = waits_for(program, instance, fiber, now)
        if not text:
            continue
        told[text] = None
        own += [timer.at for timer in fiber.due if fiber.wait == "wait"]
        frame: Frame | None = instance.frames[fiber.frame]
        while frame is not None:
            spec = program.specs[frame.spec]
            if spec.kind != "await" and frame.state == "active" and not frame.sealed:
                events.update(
                    (name, None)
                    for guard in spec.guards
                    if _ends(guard.also, guard.kind)
                    for name in sorted(guard.names)
                )
                ends += [
                    timer.at for timer in frame.due if timer.what == "guard" and spec.guards[timer.index].interrupting
                ]
            frame = instance.frames[frame.parent] if frame.parent is not None else None
    if not told:
        return
    first = bool(ends) and min(ends) < min(own, default=min(ends) + 1)
    limit = f", or for {spaced_duration(min(ends) - now)}" if first else ""
    yield f"waits {listed(told)}{limit}"
    if events:
        yield f"{listed(shortened(list(events)), 'or')} would end it"


def _ends(also: bool, kind: str) -> bool:  # noqa: FBT001 - a field of the guard
    return kind == "on" and not also
