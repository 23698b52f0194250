"""Calls: what an outcome does to the log, how a call is stopped, parked or given up, and the point of no return."""

from typing import Any

from wfc.ir.boundary import Misfit
from wfc.ir.evaluate import NotConstant
from wfc.ir.machine import Do
from wfc.machine.attempts import Attempts, number_of, policy_here
from wfc.machine.base import ERRORS, Env
from wfc.machine.code import CallCode, UndoCode
from wfc.machine.instance import Call, Entry, Fiber, Frame, Letter, Timer
from wfc.machine.messages import Answered, Operator, Stop
from wfc.machine.program import SYSTEM

SILENCE = 30_000  # how long a call without a timeout may take to stop


class Calls(Attempts):
    """The part of a turn that calls."""

    # -- sending

    def call(self, fiber: Fiber, code: CallCode, pc: int) -> None:
        """Calls: the entry is written, then the first attempt is sent."""
        frame = self.inst.frames[fiber.frame]
        env = Env(self, frame)
        args = tuple(arg(env) for arg in code.args)
        key, child = self.call_key(fiber, code, frame, args)
        policy = policy_here(code.policy, env) if code.policy is not None else None
        entry = 0
        if not fiber.undo:
            entry = self.serial()
            frame.log.append(Entry("call", id=entry, path=code.path, name=code.target, key=key, state="started"))
        fiber.wait = "call"
        fiber.call = Call(
            f"c{fiber.id}.{self.serial()}", pc, code.kind, code.target, key, args, policy, entry, code.path,
            pivot=code.pivot, instance=child,
        )  # fmt: skip
        self.round(fiber)

    # -- answers

    def answered(self, fiber: Fiber, given: Answered) -> None:
        """An attempt has ended."""
        call = fiber.call
        assert call is not None
        if given.incomplete:
            self.inst.incomplete = True
        self.no_timers(fiber, "timeout", "heartbeat", "silence")
        match given.kind:
            case "value":
                self._value(fiber, call, given.value)
            case "error":
                self._business(fiber, call, given.value, given.chance)
            case "cancelled":
                self._stopped_call(fiber, call, doubt=call.open and not self._keyed(call))
            case "system":
                name = str(given.value) if str(given.value) in SYSTEM else "Unavailable"
                self._system(fiber, call, name, sent=given.sent, chance=given.chance, detail=given.detail)

    def _keyed(self, call: Call) -> bool:
        """Whether the service promises to drop what it has done already."""
        code = self.code_of(call)
        return code is None or code.keyed

    def _value(self, fiber: Fiber, call: Call, value: Any) -> None:  # noqa: ANN401 - whatever the service says
        code = self.code_of(call)
        if code is None:
            self.undo_done(self.inst.frames[fiber.base])
            return
        try:
            value = self._read(code, value)
        except Misfit as misfit:
            self._system(fiber, call, "Invalid", sent=True, chance=0, detail=str(misfit))
            return
        self._take(fiber, call, code, value)

    def _read(self, code: CallCode, value: Any) -> Any:  # noqa: ANN401 - whatever the service says
        """An answer, which fits what is declared; raises Misfit."""
        operation = self.program.operations.get(code.target)
        if operation is not None:
            return self.program.boundary.answer(operation, value)
        result = code.step.result if isinstance(code.step, Do) else None
        return self.program.boundary.read(value, result, code.target) if result is not None else None

    def _take(self, fiber: Fiber, call: Call, code: CallCode, value: Any) -> None:  # noqa: ANN401 - values of the language
        """A call has worked."""
        frame = self.inst.frames[fiber.frame]
        stopping = call.state == "stopping"
        if code.bind is not None and not stopping:
            self.bind(frame, code.bind, value)
        detail: dict[str, Any] = {"attempts": call.attempt} if call.attempt > 1 else {}
        made = self._done(frame, call, code, value) if not fiber.undo else None
        if made is not None:
            detail |= {"undoable": True, "key": made.key, "entry": made.id}
        self.note("answered", call.path, frame, operation=call.target, **detail)
        if code.pivot:
            self._seal(frame, call)
        if stopping:
            self._rest(fiber)
            return
        self.wake(fiber)
        if code.pivot:
            while self.offer():
                pass

    def _done(self, frame: Frame, call: Call, code: CallCode, value: Any) -> Entry | None:  # noqa: ANN401 - values of the language
        """The entry of a completed call; without something to undo it goes."""
        undo = code.undo
        made: Entry | None = None
        if call.kind == "workflow" and undo is None:
            if not code.forgets and call.state != "parked":  # what an operator supplies is no child's doing
                made = Entry("child", call.entry, call.path, call.target, self._child(call))
        elif undo is not None:
            extra = self.operands(code, call)
            extra["result."] = value
            if code.bind is not None:
                extra[code.bind] = value
            if undo.when is None or self.value(undo.when, frame, extra):
                stored = self.stored(self.program.reads(undo), frame, extra)
                made = Entry("call", call.entry, call.path, call.target, call.key, "done", undo.place, stored)
        self._replace(frame, call, made)
        return made

    def _child(self, call: Call) -> str:
        """The id of the child that the last attempt started."""
        number = self.inst.visits.get(f"{call.instance}#", 0)
        return f"{call.instance}#{number + 1}" if number and (call.attempt > 1 or call.round > 1) else call.instance

    def stored(
        self, reads: tuple[tuple[str, str], ...], frame: Frame, extra: dict[str, Any]
    ) -> tuple[tuple[str, Any], ...]:
        env = Env(self, frame, extra)
        found = []
        for kind, name in reads:
            key = f"operand.{name}" if kind == "operand" else "result." if kind == "result" else name
            try:
                found.append((key, env.read(kind, name)))
            except NotConstant:
                continue
        return tuple(found)

    def _replace(self, frame: Frame, call: Call, entry: Entry | None) -> bool:
        """What becomes of the entry of a call; whether it was in doubt."""
        for place in range(len(frame.log) - 1, -1, -1):  # it is among the newest
            each = frame.log[place]
            if each.kind == "call" and each.id == call.entry:
                frame.log[place : place + 1] = [entry] if entry is not None else []
                return each.state == "doubt"
        if entry is not None:  # it was given up as certainly not done, and an operator had it tried again
            frame.log.append(entry)
        return False

    def _business(self, fiber: Fiber, call: Call, given: Any, chance: float) -> None:  # noqa: ANN401 - whatever the service says
        """A declared error promises that nothing was done."""
        code = self.code_of(call)
        name = given.get("is") if isinstance(given, dict) else None
        if code is None or not isinstance(name, str) or name not in code.raises:
            self._system(fiber, call, "Invalid", sent=True, chance=0, detail=f"undeclared {name}")
            return
        try:
            fields = {key: value for key, value in given.items() if key != "is"}
            error = {"is": name, **self.program.boundary.fields(self.program.errors[name].fields, fields, name)}
        except Misfit as misfit:
            self._system(fiber, call, "Invalid", sent=True, chance=0, detail=str(misfit))
            return
        frame = self.inst.frames[fiber.frame]
        policy = call.policy
        again = policy is not None and name in policy.only
        if again and call.state != "stopping" and self.try_again(fiber, call, name, chance):
            self.attempt_failed(call, frame, name, "")
            return
        doubt = name in code.partial or (call.open and not code.keyed)
        self._end(fiber, call, code, doubt=doubt)
        self.note("raised", call.path, frame, operation=call.target, error=name)
        if call.state == "stopping":
            self._rest(fiber)
        elif again:
            self._exhausted(fiber, call, code, error)
        else:
            self._raise(fiber, call, code, error)

    def _system(self, fiber: Fiber, call: Call, name: str, *, sent: bool, chance: float, detail: str = "") -> None:
        """An attempt without an answer that says what has happened."""
        call.open = call.open or sent
        if call.state == "stopping" and name == "Timeout" and self.program.host_times_attempts:
            self._stopped_call(fiber, call, doubt=True)  # as by a timer of our own
            return
        frame = self.inst.frames[fiber.frame]
        self.attempt_failed(call, frame, name, detail)
        if call.state == "stopping":
            self._stopped_call(fiber, call, doubt=call.open)
            return
        if self.try_again(fiber, call, name, chance):
            return
        self._given_up(fiber, call, name)

    def _given_up(self, fiber: Fiber, call: Call, name: str) -> None:
        """No attempt is left."""
        code = self.code_of(call)
        if code is None:
            base = self.inst.frames[fiber.base]
            base.last = call.copy()
            fiber.wait = "stopped"
            self.undo_failed(base, {"is": name})
            return
        frame = self.inst.frames[fiber.frame]
        self._end(fiber, call, code, doubt=call.open)
        self.note("raised", call.path, frame, operation=call.target, error=name)
        self._exhausted(fiber, call, code, {"is": name})

    # -- the end of a call without a value

    def _end(self, fiber: Fiber, call: Call, code: CallCode, *, doubt: bool) -> None:
        """Its entry goes, or stays in doubt."""
        if fiber.undo:
            return
        frame = self.inst.frames[fiber.frame]
        undo = code.undo
        extra = self.operands(code, call)
        if not doubt or undo is None or not self._maybe_done(undo, frame, extra):
            if self._replace(frame, call, None):
                self.note("cleared", call.path, frame, operation=call.target, key=call.key, entry=call.entry)
            return
        stored = self.stored(self.program.reads(undo), frame, extra)
        if not undo.blind and code.bind is not None:
            stored = tuple((name, value) for name, value in stored if name != code.bind)
        self._replace(
            frame, call, Entry("call", call.entry, call.path, call.target, call.key, "doubt", undo.place, stored)
        )
        self.note("in doubt", call.path, frame, operation=call.target, key=call.key, entry=call.entry)

    def _maybe_done(self, undo: UndoCode, frame: Frame, extra: dict[str, Any]) -> bool:
        """Whether a call in doubt has something to undo: a `when` that reads the result counts as true."""
        return undo.when is None or undo.when_reads_result or bool(self.value(undo.when, frame, extra))

    def _exhausted(self, fiber: Fiber, call: Call, code: CallCode, error: Any) -> None:  # noqa: ANN401 - an error
        policy = call.policy
        if policy is None or policy.exhausted == "fail" or fiber.undo:
            self._raise(fiber, call, code, error)
            return
        frame = self.inst.frames[fiber.frame]
        if policy.exhausted == "dead letter":
            self.forward_letter(call, error)
            self._raise(fiber, call, code, error)
            return
        call.state = "parked"
        fiber.due = []
        self.note("parked", call.path, frame, operation=call.target, queue=policy.queue, key=call.key)

    def _raise(self, fiber: Fiber, call: Call, code: CallCode, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """The error leaves the call."""
        frame = self.inst.frames[fiber.frame]
        if fiber.undo:
            for each in self.outward(frame):
                if each.entry is not None:
                    each.last = call.copy()
                    each.errors = [*each.errors, error]
                    break
        fiber.due = []
        if code.optional and not fiber.undo:
            self.note("tolerated", call.path, frame, operation=call.target, error=error["is"])
            self.wake(fiber)
            return
        fiber.wait = ""
        fiber.call = None
        self.raise_error(fiber, error)

    # -- stopping

    def stop_call(self, fiber: Fiber) -> None:
        call = fiber.call
        assert call is not None
        if call.state == "stopping":
            return
        code = self.code_of(call)
        if call.state in ("pause", "parked", "queued"):
            if call.state == "queued":
                self.commands.append(Stop(call=call.id, attempt=number_of(call)))
            if call.state != "parked" and code is not None:
                self._end(fiber, call, code, doubt=call.open)
            self._rest(fiber)
            return
        self.commands.append(Stop(call=call.id, attempt=number_of(call)))
        if call.kind == "task":
            assert code is not None
            self._end(fiber, call, code, doubt=False)
            self._rest(fiber)
            return
        call.state = "stopping"
        self.no_timers(fiber, "overall", "heartbeat", *(("timeout",) if call.kind == "workflow" else ()))
        if not fiber.due and call.kind not in ("workflow", "start"):
            limit = call.policy.timeout if call.policy is not None and self.program.host_times_attempts else None
            self.arm(fiber, Timer(self.now + (limit or SILENCE), ERRORS, "silence"))

    def abandon_call(self, fiber: Fiber) -> None:
        call = fiber.call
        assert call is not None
        code = self.code_of(call)
        if call.state in ("sent", "queued", "stopping"):
            self.commands.append(Stop(call=call.id, attempt=number_of(call)))
        if code is not None and call.state != "parked":
            self._end(
                fiber, call, code, doubt=call.kind != "task" and (call.open or call.state in ("sent", "stopping"))
            )

    def _stopped_call(self, fiber: Fiber, call: Call, *, doubt: bool) -> None:
        """A call has stopped, or was silent for too long."""
        code = self.code_of(call)
        if call.state != "stopping":  # it has stopped by itself
            self._system(fiber, call, "Unavailable", sent=False, chance=0, detail="cancelled")
            return
        assert code is not None
        self._end(fiber, call, code, doubt=doubt)
        self._rest(fiber)

    def _rest(self, fiber: Fiber) -> None:
        fiber.wait = "stopped"
        fiber.call = None
        fiber.due = []

    # -- time

    def call_timer(self, fiber: Fiber, timer: Timer) -> None:
        """A timer of a call is due."""
        call = fiber.call
        assert call is not None
        fiber.due.remove(timer)
        if timer.what == "pause":
            self.attempt(fiber)
            return
        if call.state in ("sent", "queued", "stopping"):
            self.commands.append(Stop(call=call.id, attempt=number_of(call)))
        if timer.what == "silence" or call.state == "stopping":
            self.no_timers(fiber, "timeout", "silence")
            self._stopped_call(fiber, call, doubt=True)
            return
        self.no_timers(fiber, "timeout", "heartbeat", "pause")
        if timer.what == "overall":
            call.open = call.open or call.state == "sent"
            frame = self.inst.frames[fiber.frame]
            self.attempt_failed(call, frame, "Timeout", "overall")
            self._given_up(fiber, call, "Timeout")
            return
        self._system(fiber, call, "Timeout", sent=True, chance=0.5)

    # -- operators

    def operate(self, fiber: Fiber, given: Operator) -> None:
        """An operator decides about a parked step."""
        call = fiber.call
        assert call is not None
        code = self.code_of(call)
        assert code is not None
        match given.action:
            case "retry":
                self.round(fiber)
            case "supply":
                self._take(fiber, call, code, given.value)
            case _:
                self.note("raised", call.path, operation=call.target, error=given.value["is"])
                self._raise(fiber, call, code, given.value)

    # -- pivot

    def _seal(self, frame: Frame, call: Call) -> None:
        """The point of no return: what is older cannot be undone any more, and no guard ends it."""
        own = [entry for entry in frame.log if entry.id == call.entry and entry.kind in ("call", "child")]
        gone: list[Entry] = []
        for each in self.outward(frame):
            older = [entry for entry in each.log if entry not in own]
            gone = [*older, *(entry for log in each.beside for entry in log), *gone]
            each.log, each.beside = [], []
            each.sealed = True
            each.due = [timer for timer in each.due if not self._ends(each, timer)]
        frame.log = own
        self.keep("pivot", call.path, gone, frame, operation=call.target)

    def _ends(self, frame: Frame, timer: Timer) -> bool:
        return timer.what == "guard" and self.spec(frame).guards[timer.index].interrupting

    # -- calls that no program has written

    def send_alone(self, frame: Frame, entry: Entry, letter: Letter | None = None) -> None:
        inner = self.undo_frame(frame, entry)
        fiber = Fiber(self.serial(), 0, inner.id, inner.id, wait="call", undo=entry.key)
        inner.fiber = fiber.id
        number = f"c{fiber.id}.{self.serial()}"
        if letter is None:
            call = Call(number, -1, "undo", entry.name, entry.key, (), None, 0, entry.path, instance=entry.key)
        else:
            args, policy = letter.args, letter.policy
            key = letter.key
            call = Call(number, -1, letter.kind, letter.operation, key, args, policy, 0, entry.path, instance=key)
        fiber.call = call
        self.inst.fibers[fiber.id] = fiber
        self.round(fiber)
