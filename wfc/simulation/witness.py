"""What a run has done, and what its tokens waited for on the way: what a timeline is told from."""

from collections.abc import Mapping
from typing import Literal

import attrs

from wfc.machine.instance import Fiber, Instance
from wfc.machine.messages import Input, Operator, Record
from wfc.machine.program import Program
from wfc.machine.status import token_waits
from wfc.simulation.world import START, Attempt, Running, World

_Resting = tuple[str, int, int, int, int, str]


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
    """A run as it is told. `instances` are as they are at its end, the first is the process itself.

    `due`, of one that is still under way: when attempts are to be sent, by instance, call and number.
    """

    program: Program
    records: tuple[Record, ...]
    attempts: tuple[Attempt, ...]
    instances: dict[str, Instance]
    rests: tuple[Rest, ...]
    remarks: tuple[Remark, ...]
    now: int
    start: int = START
    due: Mapping[tuple[str, str, int], int] = attrs.field(factory=dict)


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
        text = token_waits(self.program, instance, fiber, instance.now)
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
