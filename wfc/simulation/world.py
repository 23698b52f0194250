"""A world in simulated time: the host of the machine in which services answer as a model says.

It keeps the clock, delivers what is due in the order of one instant, runs children and detached workflows, grants
locks, and routes events by key. Whatever it delivers is written to a journal, which replays.
"""

import heapq
from collections.abc import Callable
from typing import Any, Literal, Protocol

import attrs

from wfc.machine.instance import Instance
from wfc.machine.messages import (
    Alarm,
    Answered,
    Command,
    DeadLetter,
    Emitted,
    Ended,
    Event,
    Input,
    Lock,
    Locked,
    Measured,
    Operator,
    Record,
    Refused,
    Send,
    Sent,
    Started,
    Stop,
    Time,
    Undone,
    Unlock,
)
from wfc.machine.program import CANCELLED, SYSTEM, Constants, Program
from wfc.machine.turn import apply, rank
from wfc.simulation.services import FAILURES, Locks, Services

START = 946_684_800_000  # 2000-01-01T00:00:00Z
STEPS = 200_000  # deliveries of one run; more are a process that never ends


@attrs.frozen
class Reply:
    """How a service answers an attempt: after a while, with a value or an error, or never."""

    kind: Literal["value", "error", "system", "hangs"]
    value: Any = None
    delay: int = 0
    sent: bool = True


class Model(Protocol):
    """What the outside does."""

    def answer(self, call: Send, world: "World") -> Reply | None:
        """The reply to an attempt. None for a workflow: it runs for real."""

    def chance(self) -> float:
        """A number from 0 to 1, for the pause before the next attempt."""


@attrs.define(slots=True)
class Running:
    """An instance in the world, and who waits for its end."""

    instance: Instance
    key: Any
    parent: tuple[str, str, int] | None = None  # instance, call, attempt
    stopped: bool = False  # its parent has asked it to stop
    undoer: tuple[str, str, int] | None = None


@attrs.frozen
class Attempt:
    """An attempt that has been sent."""

    at: int
    instance: str
    send: Send


class RunawayError(Exception):
    """A run that goes on without end."""


class World:
    """One process with everything it calls, under one clock."""

    def __init__(self, program: Program, model: Model, now: int = START) -> None:
        self.program = program
        self.model = model
        self.now = now
        self.running: dict[str, Running] = {}
        self.records: list[Record] = []
        self.attempts: list[Attempt] = []
        self.letters: list[tuple[str, DeadLetter]] = []
        self.emitted: list[Emitted] = []
        self.measured: list[Measured] = []
        self.journal: list[tuple[str, Input]] = []
        self.refusals: list[tuple[str, Refused]] = []
        self.watch: Callable[[Running, Input], None] | None = None
        self.services = Services(self)
        self.locks = Locks(self)
        self._due: list[tuple[int, int, int, str, Input]] = []
        self._acts: dict[int, Callable[[], object]] = {}
        self._dropped: set[int] = set()
        self._alarms: dict[str, int] = {}
        self._turn = now  # when a call that is held back by a limit may be sent
        self._serial = 0
        self._steps = 0
        self._answers: dict[tuple[str, str], int] = {}  # of a call in flight: when its answer comes

    # -- what is due

    def later(self, at: int, instance: str, given: Input) -> int:
        """Delivers an input at an instant; its number, to drop it again."""
        self._serial += 1
        heapq.heappush(self._due, (at, rank(given), self._serial, instance, given))
        return self._serial

    def act(self, at: int, what: Callable[[], object]) -> None:
        """Does something from outside at an instant, where events have their place."""
        self._acts[self.later(at, "", Event(at=at, type="", data=None))] = what

    def drop(self, number: int) -> None:
        """An input that is not to be delivered after all."""
        self._dropped.add(number)

    def next(self) -> int | None:
        """The next instant at which something is due."""
        while self._due and self._due[0][2] in self._dropped:
            self._dropped.discard(heapq.heappop(self._due)[2])
        return self._due[0][0] if self._due else None

    def pending(self) -> tuple[Any, ...]:
        """What is due, with how long that takes, in a form in which numbers and names of instances play no part."""
        found = [
            (at - self.now, order, type(given).__name__, instance.partition("/")[0], _told(given))
            for at, order, number, instance, given in self._due
            if number not in self._dropped
        ]
        return tuple(sorted(found))

    def run_until(self, at: int) -> None:
        """Delivers everything due up to an instant, which it then is."""
        while (following := self.next()) is not None and following <= at:
            moment, _, number, instance, given = heapq.heappop(self._due)
            self.now = max(self.now, moment)
            act = self._acts.pop(number, None)
            if act is not None:
                act()
                continue
            self._steps += 1
            if self._steps > STEPS:
                raise RunawayError
            self.deliver(instance, given)
        self.now = max(self.now, at)

    def settle(self) -> None:
        """Lets everything happen that is due at the current instant."""
        self.run_until(self.now)

    def finish(self) -> None:
        """Lets attempts, pauses and undos in flight end; the clock runs for them."""
        self.settle()
        while (at := self._in_flight()) is not None:
            self.run_until(at)

    def _in_flight(self) -> int | None:
        """The next instant at which something happens to a call in flight."""
        found: int | None = None
        for running in self.running.values():
            for fiber in running.instance.fibers.values():
                call = fiber.call
                if call is None or call.state == "parked" or call.kind == "task":
                    continue
                times = [timer.at for timer in fiber.due]
                if call.state == "queued" and self._turn > self.now:
                    times.append(self._turn)
                answer = self._answers.get((running.instance.id, call.id))
                if answer is not None:
                    times.append(answer)
                for at in times:
                    if at > self.now and (found is None or at < found):
                        found = at
        return found

    # -- inputs

    def deliver(self, instance: str, given: Input) -> Refused | None:
        """Gives an input to an instance and does what it asks for."""
        if not instance:
            self.services.pump()
            return None
        running = self.running.get(instance)
        if isinstance(given, Answered):
            self._answers.pop((instance, given.call), None)
            self.services.ended(
                instance, given.call, given.attempt, failed=given.kind == "system" and given.value in FAILURES
            )
        found = apply(self.program, running.instance if running is not None else None, given)
        if isinstance(found, Refused):
            self.refusals.append((instance, found))
            if found.reason == "endless":
                raise RunawayError
            return found
        self.journal.append((instance, given))
        if running is None:
            running = Running(found.instance, self._key(found.instance))
            self.running[instance] = running
        self.records.extend(found.records)
        for record in found.records:
            if record.kind == "attempt failed":
                self.services.failed(instance, str(record.get("call")), str(record.get("error")))
        for command in found.commands:
            self._obey(running, command)
        if self.watch is not None:
            self.watch(running, given)
        return None

    def _key(self, instance: Instance) -> Any:  # noqa: ANN401 - a text or a number
        """The key by which events find an instance."""
        key = self.program.workflows[instance.workflow].key
        if key is None:
            return instance.id.rpartition("/")[2]
        names = dict(next(iter(instance.frames.values())).names or {}) if instance.frames else instance.names
        return self.program.compile(key)(_Params(names, self.program.constants))

    def start(self, workflow: str, data: Any, key: str | None = None) -> tuple[str, Refused | None]:  # noqa: ANN401 - parameters by name
        """Starts an instance from outside; its id, and why it is refused, if it is."""
        definition = self.program.workflows.get(workflow)
        shown = key
        if definition is not None and definition.key is not None:
            try:
                names = self.program.boundary.fields(definition.params, data, "")
                shown = str(self.program.compile(definition.key)(_Params(names, self.program.constants)))
            except ValueError:
                shown = key
        identity = f"{workflow}/{shown or '1'}"
        refused = self.deliver(identity, Started(at=self.now, workflow=workflow, instance=identity, data=data))
        return identity, refused

    def send(self, type_: str, data: Any) -> Refused | None:  # noqa: ANN401 - fields by name
        """Delivers an event to every running instance it is meant for; why none took it, if none did."""
        event = self.program.events.get(type_)
        if event is None or event.key is None:
            return Refused(reason="unknown-event", text=f"there is no event `{type_}` that comes from outside")
        try:
            fields = self.program.boundary.fields(event.fields, data, "")
        except ValueError as misfit:
            return Refused(reason="wrong-event", text=str(misfit))
        key = self.program.compile(event.key)(_Params(fields, self.program.constants))
        refused = Refused(reason="not-running", text=f"no running instance has the key {key} and listens to `{type_}`")
        taken = False
        for identity, running in list(self.running.items()):
            if running.key != key or running.instance.status != "running":
                continue
            why = self.deliver(identity, Event(at=self.now, type=type_, data=fields))
            taken = taken or why is None
            refused = why or refused
        return None if taken else refused

    # -- commands

    def _obey(self, running: Running, command: Command) -> None:
        identity = running.instance.id
        match command:
            case Send():
                self.services.send(identity, command)
            case Stop(call=call, attempt=attempt):
                self._stop(identity, call, attempt)
            case Alarm(at=at):
                old = self._alarms.pop(identity, None)
                if old is not None:
                    self.drop(old)
                if at is not None:
                    self._alarms[identity] = self.later(at, identity, Time(at=at))
            case Lock():
                self.locks.ask(identity, command)
            case Unlock(lock=lock):
                self.locks.release(identity, lock)
            case Emitted():
                self._emit(command)
            case Measured():
                self.measured.append(command)
            case DeadLetter():
                self.letters.append((identity, command))
            case Ended():
                self._ended(running, command)

    def reply(self, instance: str, send: Send) -> None:
        """An attempt has been sent: it is answered as the model says."""
        self.attempts.append(Attempt(self.now, instance, send))
        if send.kind == "undo":
            child = self.running.get(send.key)
            if child is None:  # the model answered for it: there is nothing to undo
                self.later(self.now, instance, self._answer(send.call, send.attempt, "value", None, sent=True))
            else:
                child.undoer = (instance, send.call, send.attempt)
                self.act(self.now, lambda: self._undo(child, send))
            return
        found = self.model.answer(send, self)
        if found is None:
            self._child(instance, send)
            return
        if found.kind == "hangs":
            return
        at = self.now + found.delay
        answer = Answered(
            at=at,
            call=send.call,
            attempt=send.attempt,
            kind=found.kind,
            value=found.value,
            sent=found.sent,
            chance=self.model.chance(),
        )
        number = self.later(at, instance, answer)
        self._answers[instance, send.call] = at
        if send.kind == "task":
            self.services.tasks[instance, send.call] = number

    def _undo(self, child: Running, send: Send) -> None:
        """A completed child is to undo itself; one that cannot is a failed undo of its parent."""
        if self.deliver(send.key, Undone(at=self.now)) is not None and child.undoer is not None:
            answer = self._answer(send.call, send.attempt, "system", "Unavailable", sent=False)
            self.later(self.now, child.undoer[0], answer)

    def _child(self, instance: str, send: Send) -> None:
        """A workflow runs for real."""
        definition = self.program.workflows[send.target]
        data = {param.name: value for param, value in zip(definition.params, send.args, strict=True)}
        detached = send.kind == "start"
        given = Started(at=self.now, workflow=send.target, instance=send.key, data=data, child=not detached)
        existing = self.running.get(send.key)
        refused = existing is not None and existing.instance.status == "running"
        if not refused:
            self.running.pop(send.key, None)
            refused = self.deliver(send.key, given) is not None
        if not refused and not detached:
            child = self.running[send.key]
            child.parent = (instance, send.call, send.attempt)
            if child.instance.status != "running":
                self._tell_parent(child)
            return
        kind: Literal["value", "system"] = "system" if refused else "value"
        name = "AlreadyRunning" if refused else None
        self.later(self.now, instance, self._answer(send.call, send.attempt, kind, name, sent=False))

    def _answer(
        self,
        call: str,
        attempt: int,
        kind: Literal["value", "error", "system", "cancelled"],
        value: Any,  # noqa: ANN401 - values of the language
        *,
        sent: bool,
        incomplete: bool = False,
    ) -> Answered:
        return Answered(
            at=self.now,
            call=call,
            attempt=attempt,
            kind=kind,
            value=value,
            sent=sent,
            chance=self.model.chance(),
            incomplete=incomplete,
        )

    def _ended(self, running: Running, ended: Ended) -> None:
        if ended.kind == "undone":
            if running.undoer is not None:
                instance, call, attempt = running.undoer
                answer = self._answer(call, attempt, "value", None, sent=True, incomplete=ended.incomplete)
                self.later(self.now, instance, answer)
        elif running.parent is not None:
            self._tell_parent(running)

    def _tell_parent(self, child: Running) -> None:
        assert child.parent is not None
        instance, call, attempt = child.parent
        inst = child.instance
        flag = inst.incomplete
        if inst.status == "done":
            answer = self._answer(call, attempt, "value", inst.value, sent=True, incomplete=flag)
        elif inst.error["is"] == CANCELLED and child.stopped:
            answer = self._answer(call, attempt, "cancelled", None, sent=True, incomplete=flag)
        elif inst.error["is"] == CANCELLED:
            answer = self._answer(call, attempt, "system", "Unavailable", sent=False, incomplete=flag)
        elif inst.error["is"] in SYSTEM:
            answer = self._answer(call, attempt, "system", inst.error["is"], sent=False, incomplete=flag)
        else:
            answer = self._answer(call, attempt, "error", inst.error, sent=True, incomplete=flag)
        self.later(self.now, instance, answer)

    def _stop(self, instance: str, call: str, attempt: int) -> None:
        """Asks an attempt to stop. A child cancels itself; a task is withdrawn; a service goes on and is not heard."""
        task = self.services.tasks.pop((instance, call), None)
        if task is not None:
            self.drop(task)
        self.services.stopped(instance, call, attempt)
        for identity, running in self.running.items():
            if running.parent is not None and running.parent[:2] == (instance, call):
                running.stopped = True
                self.later(self.now, identity, Operator(at=self.now, action="cancel"))

    def _emit(self, command: Emitted) -> None:
        """A fact is heard by other instances, after this turn."""
        self.emitted.append(command)
        event = self.program.events[command.type]
        if event.mode == "outgoing" or event.key is None:
            return
        key = self.program.compile(event.key)(_Params(command.data, self.program.constants))
        for other, running in self.running.items():
            heard = command.type in self.program.heard[running.instance.workflow]
            if running.key == key and heard and running.instance.status == "running":
                self.later(self.now, other, Event(at=self.now, type=command.type, data=command.data))

    def refuse(self, instance: str, send: Send) -> None:
        """An attempt that is not sent, for the breaker of the service is open."""
        self.later(self.now, instance, self._answer(send.call, send.attempt, "system", "Unavailable", sent=False))

    def wake_services(self, at: int) -> None:
        """Something that waits for its turn may be sent then."""
        self._turn = at
        self.later(at, "", Time(at=at))

    def sent_now(self, instance: str, send: Send) -> None:
        """A call that had to wait for its turn is sent."""
        self.later(self.now, instance, Sent(at=self.now, call=send.call, attempt=send.attempt))

    def grant(self, instance: str, lock: str) -> None:
        """A lock is granted."""
        self.later(self.now, instance, Locked(at=self.now, lock=lock, state="granted"))


def _told(given: Input) -> str:
    return repr((given.kind, given.value, given.attempt)) if isinstance(given, Answered) else ""


class _Params(Constants):
    """Fields or parameters, read by an expression of a declaration."""

    def __init__(self, names: Any, constants: dict[str, Any]) -> None:  # noqa: ANN401 - fields by name
        super().__init__(constants)
        self.names = names

    def read(self, kind: str, name: str) -> Any:  # noqa: ANN401 - values of the language
        return self.names[name] if kind in ("param", "operand") else super().read(kind, name)
