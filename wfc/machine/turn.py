"""One turn: `turn(program, instance, input)` gives the instance after it, commands for the host, and audit records.

Pure and deterministic: it reads no clock and draws no lots, and the instance it is given stays as it was. An input that
does not fit is refused with a reason and changes nothing.
"""

from typing import Any

from wfc.ir.boundary import Misfit
from wfc.machine.attempts import awaits
from wfc.machine.base import EVENTS, GRANTS, VALUES, EndlessError
from wfc.machine.instance import Cause, Fiber, Frame, Heard, Instance, Then, Timer
from wfc.machine.messages import (
    Alarm,
    Answered,
    Beat,
    Command,
    Event,
    Input,
    Locked,
    Operator,
    Record,
    Refused,
    Sent,
    Started,
    Time,
    Undone,
)
from wfc.machine.program import CANCELLED, SYSTEM, Program
from wfc.machine.steps import Steps
from wfc.text.value import Value, value

ROUND_FUEL = 20  # what another round of a turn costs, beside its steps
SMALL = 100  # frames and tokens of an instance whose timers are all looked through after a turn


@value
class Turned(Value):
    """What a turn has led to."""

    instance: Instance
    commands: tuple[Command, ...]
    records: tuple[Record, ...]


def turn(program: Program, instance: Instance | None, given: Input) -> Turned | Refused:
    """Takes one input. Without an instance, only `Started` is taken, and one begins."""
    return apply(program, instance.copy() if instance is not None else None, given)


def apply(program: Program, instance: Instance | None, given: Input) -> Turned | Refused:
    """As `turn`, but changes the instance it is given.

    After `endless` it is lost; every other refusal leaves it whole.
    """
    if instance is None or isinstance(given, Started):
        return _start(program, instance, given)
    refused = _refusal(program, instance, given)
    if refused is not None:
        return refused
    instance.now = given.at
    work = Work(program, instance, given.at)
    return work.finish(lambda: work.hand(given))


def rank(given: Input) -> int:
    """The place of an input among all that falls on one instant.

    A host that has several delivers them in this order.
    """
    match given:
        case Operator() | Started() | Undone():
            return 1
        case Answered(kind=kind):
            return VALUES if kind == "value" else VALUES - 1
        case Locked(state=state):
            return GRANTS if state == "granted" else VALUES - 1
        case Sent() | Beat():
            return VALUES
        case Event():
            return EVENTS
        case Time():
            return EVENTS + 1


def _start(program: Program, instance: Instance | None, given: Input) -> Turned | Refused:
    if not isinstance(given, Started):
        return Refused(reason="not-running", text="there is no such instance")
    if instance is not None:
        return Refused(reason="already-running", text=f"`{instance.id}` has been started already")
    workflow = program.workflows.get(given.workflow)
    if workflow is None:
        return Refused(reason="unknown-workflow", text=f"there is no workflow `{given.workflow}`")
    try:
        params = program.boundary.fields(workflow.params, given.data, "")
    except Misfit as misfit:
        return Refused(reason="wrong-input", text=str(misfit))
    made = Instance(workflow.name, workflow.version, given.instance, given.child, given.at, names=params)
    work = Work(program, made, given.at)
    work.note("started", "", workflow=workflow.name, version=workflow.version)
    fiber = Fiber(work.serial(), program.begins[workflow.name], 0, 0)
    made.fibers[fiber.id] = fiber
    work.ready.append(fiber.id)
    fiber.base = made.serial + 1  # the root is the next thing that gets a number
    return work.finish(lambda: None)


def _refusal(program: Program, instance: Instance, given: Input) -> Refused | None:
    """Why an input is refused, if it is."""
    if given.at < instance.now:
        return Refused(reason="goes-back-in-time", text=f"it is {instance.now} already")
    match given:
        case Answered(call=call, attempt=attempt) | Sent(call=call, attempt=attempt) | Beat(call=call, attempt=attempt):
            fiber = _caller(instance, call)
            if fiber is None or fiber.call is None or not awaits(fiber.call, attempt):
                return Refused(reason="unknown-call", text=f"nothing waits for attempt {attempt} of call `{call}`")
            if fiber.call.kind == "task" and isinstance(given, Answered):
                return _person_refusal(program, instance, fiber, given)
            return None
        case Locked(lock=lock, state=state):
            if _locker(instance, lock) is None and (state == "granted" or _held(instance, lock) is None):
                return Refused(reason="unknown-lock", text=f"nothing waits for lock `{lock}`")
            return None
        case Operator():
            return _operator_refusal(program, instance, given)
        case Undone():
            if instance.status != "done" or not instance.child or instance.frames:
                return Refused(reason="not-running", text="only a completed child can be undone")
            return None
        case Event():
            return _event_refusal(program, instance, given)
        case Time():
            return None
        case Started():
            return Refused(reason="already-running", text=f"`{instance.id}` has been started already")


def _event_refusal(program: Program, instance: Instance, given: Event) -> Refused | None:
    if instance.status != "running":
        return Refused(reason="not-running", text="the instance has ended")
    if given.type not in program.heard.get(instance.workflow, frozenset()):
        return Refused(reason="unknown-event", text=f"nothing in `{instance.workflow}` listens to `{given.type}`")
    try:
        program.boundary.fields(program.events[given.type].fields, given.data, "")
    except Misfit as misfit:
        return Refused(reason="wrong-event", text=str(misfit))
    return None


def _operator_refusal(program: Program, instance: Instance, given: Operator) -> Refused | None:
    if given.action == "cancel":
        if instance.status != "running":
            return Refused(reason="not-running", text="the instance has ended")
        root = _root(instance)
        if root is not None and root.sealed:
            return Refused(reason="point-of-no-return", text="the point of no return has been passed")
        if any(fiber.call is not None and fiber.call.pivot for fiber in instance.fibers.values()):
            return Refused(reason="point-of-no-return", text="the point of no return is being passed")
        return None
    letter = instance.letters.get(given.key)
    if letter is not None:
        if given.action == "raise":
            return Refused(reason="wrong-value", text="a dead letter is retried or supplied; its error has gone on")
        if given.action == "retry" and letter.doubt:
            text = "its undo needs the answer that never came: supply the answer, then it is undone"
            return Refused(reason="wrong-value", text=text)
        return None
    fiber = _parked(instance, given.key)
    if fiber is None:
        return Refused(
            reason="unknown-step", text=f"nothing is parked under `{given.key}`, and no dead letter lies there"
        )
    return _unfit(program, instance, fiber, given)


def _person_refusal(program: Program, instance: Instance, fiber: Fiber, given: Answered) -> Refused | None:
    """Whether what a person answers fits: it is refused to them, and the task still waits."""
    if given.kind not in ("value", "error"):
        return None
    said = Operator(at=given.at, action="supply" if given.kind == "value" else "raise", value=given.value)
    return _unfit(program, instance, fiber, said, system=frozenset())


def _unfit(
    program: Program, instance: Instance, fiber: Fiber, given: Operator, system: frozenset[str] = SYSTEM
) -> Refused | None:
    try:
        _fitting(program, instance, fiber, given, system)
    except Misfit as misfit:
        return Refused(reason="wrong-value", text=str(misfit))
    return None


def _fitting(
    program: Program, instance: Instance, fiber: Fiber, given: Operator, system: frozenset[str] = SYSTEM
) -> Any:  # noqa: ANN401 - values of the language
    """The value or error that an operator gives, or a person, read; raises Misfit. `system`: others that may be."""
    assert fiber.call is not None
    code = Work(program, instance, instance.now).code_of(fiber.call)
    assert code is not None
    if given.action == "supply":
        operation = program.operations.get(fiber.call.target)
        if operation is not None:
            return program.boundary.answer(operation, given.value)
        return program.boundary.read(given.value, getattr(code.step, "result", None), fiber.call.target)
    if given.action == "raise":
        name = str(given.value.get("is") if isinstance(given.value, dict) else given.value)
        if name in system:
            return {"is": name}
        if name not in code.raises:
            raise Misfit(f"`{fiber.call.target}` raises no `{name}`")
        fields = (
            {key: item for key, item in given.value.items() if key != "is"} if isinstance(given.value, dict) else {}
        )
        return {"is": name, **program.boundary.fields(program.errors[name].fields, fields, name)}
    return None


def _is_cancel(given: Input) -> bool:
    return isinstance(given, Operator) and given.action == "cancel"


def _named(instance: Instance, name: str) -> Fiber | None:
    """The token that a call or a lock belongs to: its number stands in their names."""
    number = name[1:].partition(".")[0]
    short = len(number) < 20 and number.isascii() and number.isdigit()  # noqa: PLR2004 - more digits than any number has
    return instance.fibers.get(int(number)) if short else None


def _caller(instance: Instance, call: str) -> Fiber | None:
    fiber = _named(instance, call)
    return fiber if fiber is not None and fiber.call is not None and fiber.call.id == call else None


def _parked(instance: Instance, key: str) -> Fiber | None:
    found = (f for f in instance.fibers.values() if f.call is not None and f.call.state == "parked")
    return next((f for f in found if f.call is not None and f.call.key == key), None)


def _locker(instance: Instance, lock: str) -> Fiber | None:
    fiber = _named(instance, lock)
    return fiber if fiber is not None and fiber.wait == "lock" and fiber.lock == lock else None


def _held(instance: Instance, lock: str) -> Frame | None:
    return next((frame for frame in instance.frames.values() if frame.lock == lock), None)


def _root(instance: Instance) -> Frame | None:
    return next((frame for frame in instance.frames.values() if frame.parent is None and frame.then is None), None)


class Work(Steps):
    """One turn under way."""

    def finish(self, body: Any) -> Turned | Refused:  # noqa: ANN401 - a function
        """Does the work, runs until everything waits, and tells the host what it needs."""
        try:
            body()
            self._settle()
        except EndlessError:
            return Refused(reason="endless", text="the process goes round without ever waiting")
        self._set_alarm()
        return Turned(self.inst, tuple(self.commands), tuple(self.records))

    # -- one input

    def hand(self, given: Input) -> None:
        """Decides which guard or waiting step an input belongs to, and lets it have it."""
        self._due_before(rank(given))
        if self.inst.status != "running" and (isinstance(given, Event) or _is_cancel(given)):
            self.note("late answer", "")  # what was due before it has ended the instance
            return
        match given:
            case Answered(call=call, attempt=attempt):
                fiber = _caller(self.inst, call)
                if fiber is None or fiber.call is None or not awaits(fiber.call, attempt):
                    self.note("late answer", "", call=call)  # its time was over at this very instant
                    return
                self.answered(fiber, given)
            case Sent(call=call):
                fiber = _caller(self.inst, call)
                if fiber is not None:
                    self.sent(fiber)
            case Beat(call=call):
                fiber = _caller(self.inst, call)
                if fiber is not None:
                    self.beat(fiber, given)
            case Locked(lock=lock, state=state):
                self._locked(lock, state)
            case Event(type=type_, data=data):
                self._event(type_, data)
            case Operator():
                self._operator(given)
            case Undone():
                log, self.inst.log = self.inst.log, []
                self.undo(log, None, Then("child"))
            case Time() | Started():
                pass

    def _event(self, type_: str, data: Any) -> None:  # noqa: ANN401 - whatever the sender says
        definition = self.program.events[type_]
        event = Heard(type_, self.program.boundary.fields(definition.fields, data, ""), self.now)
        self.note("event received", "", type=type_)
        taker = self.taker(event)
        if definition.mode == "latest":
            self.inst.inbox = [each for each in self.inst.inbox if each.type != type_]
        if taker is not None:
            self.hear(event, *taker)
        elif definition.mode == "transient":
            self.note("event dropped", "", type=type_)
        else:
            self.inst.inbox.append(event)

    def _locked(self, lock: str, state: str) -> None:
        if state == "granted":
            fiber = _locker(self.inst, lock)
            if fiber is None:
                self.unlock(lock)
            else:
                self.granted(fiber)
            return
        frame = _held(self.inst, lock)
        if frame is None:
            waiting = _locker(self.inst, lock)
            if waiting is not None:
                self._not_granted(waiting)
            return
        frame.lock = ""
        self.note("lock lost", self.path(frame), frame, lock=lock)
        if frame.state == "active":
            self.interrupt(frame, Cause("error", 0, {"is": "LockLost"}))

    def _operator(self, given: Operator) -> None:
        if given.action == "cancel":
            self.inst.cancelling = True
            return
        letter = self.inst.letters.get(given.key)
        if letter is None:
            fiber = _parked(self.inst, given.key)
            if fiber is None:  # a deadline of this very moment was faster
                self.note("late answer", "", key=given.key)
                return
            read = _fitting(self.program, self.inst, fiber, given)
            self.operate(fiber, Operator(at=given.at, action=given.action, key=given.key, value=read))
        elif letter.entry is None and given.action == "retry":
            self.call_again(letter)
        elif letter.entry is None:
            del self.inst.letters[letter.key]  # somebody has seen to it; the instance has gone on
        elif given.action == "supply" and not letter.doubt:
            del self.inst.letters[letter.key]  # somebody has undone it by hand
            self.note("undone", letter.path, operation=letter.name, key=letter.key, by="operator")
            self.flag()
        else:
            self.redrive(letter, given.value)

    # -- until everything waits

    def _settle(self) -> None:
        """Runs until everything waits and nothing is due."""
        while True:
            self._run_on()
            if self.inst.status == "running" and self.inst.inbox and self.offer():
                continue
            if not self._fire_due():
                return

    def _run_on(self) -> None:
        """Runs until everything waits. What an undo has held back comes before the tail that follows it."""
        while True:
            self.fuel -= ROUND_FUEL  # guards that fire at once can lead to each other for ever, without a step between
            if self.fuel <= 0:
                raise EndlessError
            while self.ready:
                fiber = self.inst.fibers.get(self.ready.popleft())
                if fiber is not None and not fiber.wait:
                    self.run(fiber)
            if self.finish_stops() or self._cancel():
                continue
            if not self.tails and not self.resumed and not self.joined:
                return
            if (self.inst.inbox and self.offer()) or self._fire_due(0):  # what was due before this instant
                continue
            if self.joined:
                fork = self.inst.frames.get(self.joined.pop(0))
                if fork is not None:
                    self.join(fork)
            elif self.tails:
                self.tail(self.inst.frames[self.tails.pop(0)])
            else:
                self.resume(self.inst.fibers[self.resumed.pop(0)])

    def resume(self, fiber: Fiber) -> None:
        """A token goes on behind its `undo` step, unless something around it has been interrupted meanwhile."""
        if fiber.stop:
            fiber.stop = False
            fiber.wait = "stopped"
        else:
            self.wake(fiber)

    def _cancel(self) -> bool:
        """An operator's cancel waits until nothing is being undone."""
        if not self.inst.cancelling or self.inst.status != "running":
            return False
        root = _root(self.inst)
        if root is None or root.state not in ("active", "closed", "closing") or self.held(root):
            return False
        self.inst.cancelling = False
        if root.sealed:
            return False
        self.interrupt(root, Cause("error", 0, {"is": CANCELLED}))
        return True

    # -- time

    def _timers(self) -> list[tuple[tuple[Any, ...], Frame | None, Fiber | None, Timer]]:
        """All timers that are due, first by time, then by the order of one instant."""
        if not self.inst.overdue and (self.soonest is None or self.soonest > self.now):
            return []
        found: list[tuple[tuple[Any, ...], Frame | None, Fiber | None, Timer]] = []
        for frame in self.inst.frames.values():
            for timer in frame.due:
                if timer.at <= self.now:
                    place = (timer.at, timer.rank, -frame.depth, frame.spec, timer.index, frame.iteration)
                    found.append((place, frame, None, timer))
        for fiber in self.inst.fibers.values():
            for timer in fiber.due:
                if timer.at <= self.now:
                    frame = self.inst.frames[fiber.frame]
                    place = (timer.at, timer.rank, -frame.depth, fiber.pc, 0, frame.iteration)
                    found.append((place, None, fiber, timer))
        found.sort(key=lambda each: each[0])
        return found

    def _fire_due(self, before: int | None = None) -> bool:
        """Fires the first timer that is due; `before`: only what comes before such an input at this instant."""
        due = self._timers()
        later = held = False
        for _, frame, fiber, timer in due:
            if before is not None and timer.at == self.now and timer.rank >= before:
                later = True
                continue
            if frame is not None:
                guard = timer.what == "guard" and self.spec(frame).guards[timer.index].interrupting
                if guard and (frame.sealed or self.held(frame)):
                    held = True
                    continue
                self.timer(frame, timer)
            else:
                assert fiber is not None
                self._fiber_timer(fiber, timer)
            return True
        if due or self.inst.overdue:
            self.inst.overdue = held or later
        return False

    def _due_before(self, order: int) -> None:
        """What was due before this input has its turn first."""
        while self._fire_due(order):
            self._run_on()

    def _fiber_timer(self, fiber: Fiber, timer: Timer) -> None:
        if fiber.wait == "call":
            self.call_timer(fiber, timer)
        elif fiber.wait == "lock":
            self._not_granted(fiber)
        else:
            self.wake(fiber)

    def _not_granted(self, fiber: Fiber) -> None:
        """The time for a lock is over, or it is known that there will be none."""
        lock, fiber.lock = fiber.lock, ""
        self.unlock(lock)
        frame = self.inst.frames[fiber.frame]
        self.note("raised", self.path(frame), frame, error="LockTimeout")
        fiber.due = []
        fiber.wait = ""
        self.raise_error(fiber, {"is": "LockTimeout"})

    def _first(self) -> int | None:
        """The first instant to come at which something is due."""
        at: int | None = None
        for frame in self.inst.frames.values():
            for timer in frame.due:
                if timer.at > self.now and (at is None or timer.at < at):
                    at = timer.at
        for fiber in self.inst.fibers.values():
            for timer in fiber.due:
                if timer.at > self.now and (at is None or timer.at < at):
                    at = timer.at
        return at

    def _set_alarm(self) -> None:
        """The host is told of the next instant at which something is due.

        In a large instance it may be one at which nothing is due any more: looking through all timers after each turn
        would cost more than waking up in vain.
        """
        inst = self.inst
        if inst.status != "running" and not inst.fibers:
            return
        at = self.armed
        known = inst.alarm is not None and inst.alarm > self.now
        if not known or len(inst.frames) + len(inst.fibers) <= SMALL:
            at = self._first()
        elif at is None or (inst.alarm is not None and inst.alarm < at):
            at = inst.alarm
        if at != inst.alarm:
            inst.alarm = at
            self.commands.append(Alarm(at=at))
