"""A process and its children as plain data that can be copied: what a search for a run steps through.

The world outside is whoever calls `give`: services, people, senders of events, the clock. Children run for real, and
what they end with goes to their parents in the same step. Detached workflows are not followed.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import attrs

from wfc.ir.machine import Do, Start, Step
from wfc.machine.attempts import number_of
from wfc.machine.code import Instruction
from wfc.machine.instance import Fiber, Instance
from wfc.machine.messages import (
    Answered,
    Command,
    Ended,
    Input,
    Lock,
    Operator,
    Refused,
    Send,
    Started,
    Stop,
    Undone,
    Unlock,
)
from wfc.machine.program import CANCELLED, SYSTEM, Program
from wfc.machine.turn import apply
from wfc.simulation.moment import Moment
from wfc.simulation.world import START

Caller = tuple[str, str, int]  # instance, call, attempt


class Watched(list[Instruction]):
    """Code that remembers which of its places have been read: what a turn leads over."""

    def __init__(self, code: Iterable[Instruction]) -> None:
        super().__init__(code)
        self.seen: set[int] = set()

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - as a list has it
        self.seen.add(place)
        return super().__getitem__(place)


@attrs.define
class Stage:
    """Instances by id, the root first. `callers` are the calls that wait for a child, or for its undo."""

    program: Program
    now: int = START
    instances: dict[str, Instance] = attrs.field(factory=dict)
    callers: dict[str, Caller] = attrs.field(factory=dict)
    undoers: dict[str, Caller] = attrs.field(factory=dict)
    stopped: frozenset[str] = frozenset()
    locks: dict[tuple[str, str], Lock] = attrs.field(factory=dict)  # asked for or held, by instance and name
    last: Moment | None = None
    turns: int = 0
    lost: bool = False  # a turn has not come to rest
    _deep: int = 0

    def copy(self) -> "Stage":
        """A stage that goes on by itself."""
        return attrs.evolve(
            self,
            instances={name: inst.copy() for name, inst in self.instances.items()},
            callers=dict(self.callers),
            undoers=dict(self.undoers),
            locks=dict(self.locks),
        )

    @property
    def root(self) -> Instance:
        """The process itself."""
        return next(iter(self.instances.values()))

    def fibers(self) -> Iterator[tuple[Instance, Fiber]]:
        """All tokens."""
        for inst in self.instances.values():
            for fiber in inst.fibers.values():
                yield inst, fiber

    def step(self, fiber: Fiber) -> Step | None:
        """What a token stands at."""
        pc = fiber.call.pc if fiber.call is not None else fiber.pc - 1
        return self.program.origins[pc] if 0 <= pc < len(self.program.origins) else None

    # -- inputs

    def start(self, workflow: str, data: Any) -> bool:  # noqa: ANN401 - parameters by name
        """Begins; whether the machine takes the parameters."""
        identity = f"{workflow}/1"
        return self.give(identity, Started(at=self.now, workflow=workflow, instance=identity, data=data))

    def give(
        self, identity: str, given: Input, step: Step | None = None, key: str = "", *, stopping: bool = False
    ) -> bool:
        """One input, with everything that children and parents tell each other then; whether it was taken."""
        self.now = max(self.now, given.at)
        before = self.instances.get(identity)
        if isinstance(given, Started) and before is not None and before.status != "running":
            before = None  # a child that is tried again
        code = self.program.code
        if isinstance(code, Watched):
            code.seen = set()
        found = apply(self.program, before, given)
        if isinstance(found, Refused):
            self.lost = self.lost or found.reason == "endless"
            return False
        self.turns += 1
        self.instances[identity] = found.instance
        outside = self._deep == 0
        passed = frozenset(code.seen) if isinstance(code, Watched) else frozenset[int]()
        self.last = Moment(
            identity, given, step, key, outside, found.records, found.commands, self.last, stopping, passed
        )
        self._deep += 1
        for command in found.commands:
            self._obey(identity, command)
        self._deep -= 1
        return True

    def answer(self, identity: str, fiber: Fiber, kind: Any, value: Any = None, *, sent: bool = True) -> bool:  # noqa: ANN401 - one of four words; a value of the language
        """The attempt of a call ends."""
        call = fiber.call
        assert call is not None
        given = Answered(
            at=self.now, call=call.id, attempt=number_of(call), kind=kind, value=value, sent=sent, chance=0.0
        )
        return self.give(identity, given, self.step(fiber), call.key, stopping=call.state == "stopping")

    def halted(self) -> Iterator[tuple[Instance, Fiber, str]]:
        """The tokens that stand where nothing leads on, each with its node."""
        for inst, fiber in self.fibers():
            if fiber.wait == "halted":
                yield inst, fiber, self.program.labels[fiber.pc - 1].partition(":")[2].rpartition("#")[0]

    def names(self, inst: Instance, fiber: Fiber) -> dict[str, Any]:
        """What the names around a token have for values."""
        found: dict[str, Any] = {}
        number: int | None = fiber.frame
        while number is not None:
            frame = inst.frames[number]
            found = {**(frame.names or {}), **found}
            number = frame.parent
        return found

    # -- commands

    def _obey(self, identity: str, command: Command) -> None:
        match command:
            case Send(kind="workflow" | "undo"):
                self._send(identity, command)
            case Stop(call=call):
                for child, (parent, waiting, _) in list(self.callers.items()):
                    if (parent, waiting) == (identity, call):
                        self.stopped |= {child}
                        self.give(child, Operator(at=self.now, action="cancel"))
            case Lock(lock=lock):
                self.locks[identity, lock] = command
            case Unlock(lock=lock):
                self.locks.pop((identity, lock), None)
            case Ended(kind=kind, incomplete=incomplete):
                self._ended(identity, kind, incomplete=incomplete)
            case _:
                pass

    def _send(self, identity: str, send: Send) -> None:
        caller = identity, send.call, send.attempt
        if send.kind == "undo":
            self.undoers[send.key] = caller
            if not self.give(send.key, Undone(at=self.now)):
                self._tell(caller, "system", "Unavailable", sent=False)
        else:
            names = [param.name for param in self.program.workflows[send.target].params]
            data = dict(zip(names, send.args, strict=True))
            self.callers[send.key] = caller
            started = Started(at=self.now, workflow=send.target, instance=send.key, data=data, child=True)
            if not self.give(send.key, started):
                del self.callers[send.key]
                self._tell(caller, "system", "AlreadyRunning", sent=False)

    def _tell(
        self,
        caller: Caller,
        kind: Literal["value", "error", "system", "cancelled"],
        value: Any,  # noqa: ANN401 - a value of the language
        *,
        sent: bool = True,
        incomplete: bool = False,
    ) -> None:
        identity, call, attempt = caller
        step = next(
            (self.step(f) for f in self.instances[identity].fibers.values() if f.call and f.call.id == call), None
        )
        given = Answered(
            at=self.now,
            call=call,
            attempt=attempt,
            kind=kind,
            value=value,
            sent=sent,
            chance=0.0,
            incomplete=incomplete,
        )
        self.give(identity, given, step)

    def _ended(self, identity: str, kind: str, *, incomplete: bool) -> None:
        if kind == "undone":
            undoer = self.undoers.pop(identity, None)
            if undoer is not None:
                self._tell(undoer, "value", None, incomplete=incomplete)
            return
        caller = self.callers.pop(identity, None)
        if caller is None:
            return
        inst = self.instances[identity]
        error = inst.error["is"] if inst.error is not None else ""
        if inst.status == "done":
            self._tell(caller, "value", inst.value, incomplete=incomplete)
        elif error == CANCELLED and identity in self.stopped:
            self._tell(caller, "cancelled", None, incomplete=incomplete)
        elif error == CANCELLED or error in SYSTEM:
            name = "Unavailable" if error == CANCELLED else error
            self._tell(caller, "system", name, sent=False, incomplete=incomplete)
        else:
            self._tell(caller, "error", inst.error, incomplete=incomplete)


def called(step: Step | None) -> str:
    """What a step calls, if it calls."""
    return step.target if isinstance(step, Do | Start) else ""
