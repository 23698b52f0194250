"""Frames with their guards: what is armed, what fires, and how what they guard is stopped."""

from typing import Any

from wfc.ir.values import MAX_INT
from wfc.machine.base import BESIDE, DEADLINES, SLAS
from wfc.machine.code import GuardCode, Spec
from wfc.machine.instance import Cause, Entry, Fiber, Frame, Heard, Then, Timer
from wfc.machine.joins import Joins
from wfc.machine.messages import Unlock
from wfc.machine.program import CANCELLED


class Guards(Joins):
    """The part of a turn that arms, fires and stops."""

    # -- a frame begins and ends

    def open(self, fiber: Fiber, spec: Spec) -> Frame:
        """A frame begins: its timers are armed, and the inbox is offered to its guards."""
        around = self.inst.frames.get(fiber.frame)
        frame = self.add(spec, around, fiber.id)
        if spec.kind == "workflow":
            assert frame.names is not None
            frame.names.update(self.inst.names)
        fiber.frame = frame.id
        for name, code in spec.variables:
            self.bind(frame, name, self.value(code, frame))
        if spec.boundary and spec.kind == "scope":
            self.leave_node(around)
            self.note("entered", spec.path, frame, scope=True)
        if spec.guards or spec.slas:
            self._arm(frame, spec)
        if (spec.guards or spec.ignore) and self.inst.inbox:
            while frame.state == "active" and self.offer():
                pass
        self._due_at_once(frame)
        return frame

    def leave_node(self, frame: Frame | None) -> None:
        """The token of a region leaves the node it is at."""
        while frame is not None and not self.spec(frame).boundary:
            frame = self.inst.frames[frame.parent] if frame.parent is not None else None
        if frame is not None and frame.node:
            self.note("left", frame.node, frame)
            frame.node = ""

    def _arm(self, frame: Frame, spec: Spec) -> None:
        for guard in spec.guards:
            self.arm_guard(frame, guard)
        for index, (_, within, warn) in enumerate(spec.slas):
            if warn is not None:
                self.arm(frame, Timer(self.now + self.value(warn, frame), SLAS, "sla warned", index))
            self.arm(frame, Timer(self.now + self.value(within, frame), SLAS, "sla breached", index))

    def arm_guard(self, frame: Frame, guard: GuardCode) -> None:
        """The timer of a guard begins, if it has one."""
        if guard.amount is None:
            return
        amount = self.value(guard.amount, frame)
        if guard.kind != "every":
            at = amount if guard.kind == "at" else self.now + amount
            self.arm(frame, Timer(at, BESIDE if guard.also else DEADLINES, "guard", guard.index))
        elif amount > 0:
            first = (self.now - frame.entered) // amount + 1  # ticks count from the entry of what is guarded
            self._tick(frame, guard, first, amount)

    def _tick(self, frame: Frame, guard: GuardCode, number: int, amount: int) -> None:
        """A multiple of an amount begins to be waited for, unless time ends before."""
        at = frame.entered + number * amount
        if at <= MAX_INT:
            self.arm(frame, Timer(at, BESIDE, "tick", guard.index, number))

    def _due_at_once(self, frame: Frame) -> None:
        """A duration or instant already past fires in the entry turn, before the first step."""
        for timer in sorted((t for t in frame.due if t.at <= self.now), key=lambda t: (t.rank, t.at, t.index)):
            if frame.state != "active" or (timer.rank == DEADLINES and frame.sealed):
                return
            self.timer(frame, timer)

    def close(self, fiber: Fiber) -> bool:
        """The innermost frame of a token completes; False if it has to wait for blocks that still run beside it."""
        frame = self.inst.frames[fiber.frame]
        spec = self.spec(frame)
        if frame.state == "active":
            frame.state = "closing"
        frame.due = []
        beside = [child for child in frame.children if self.spec(self.inst.frames[child]).kind == "beside"]
        if beside:
            if spec.kind == "workflow":
                if self._let_start(fiber, beside) or self._undo_first(fiber, beside):
                    return False
                self._abandon(frame)
            else:
                for child in beside:
                    self.interrupt(self.inst.frames[child], Cause("stop"))
                if any(child in self.inst.frames for child in beside):
                    fiber.wait = "closing"
                    return False
        self._completed(fiber, frame, spec)
        return True

    def _let_start(self, fiber: Fiber, beside: list[int]) -> bool:
        """An instance's end lets each block that has started reach its first waiting step."""
        for child in beside:
            for other in self.fibers_inside(self.inst.frames[child]):
                if not other.wait:
                    self.ready.append(fiber.id)
                    fiber.pc -= 1
                    self.yielded = True
                    return True
        return False

    def _undo_first(self, fiber: Fiber, beside: list[int]) -> bool:
        """An undo under way in a block beside is not dropped: the end of the instance waits for it."""
        for child in [child for child in beside if self._is_undoing(self.inst.frames[child])]:
            self.interrupt(self.inst.frames[child], Cause("stop"))
            fiber.wait = "closing"
        return fiber.wait == "closing"

    def _is_undoing(self, frame: Frame) -> bool:
        return any(inner.then is not None for inner in self.inside(frame))

    def _abandon(self, frame: Frame) -> None:
        """Blocks beside end with their instance: what is in flight is asked to stop, and nobody waits for it."""
        for inner in self.inside(frame):
            if inner.lock:
                self.unlock(inner.lock)
                inner.lock = ""
        for fiber in self.fibers_inside(frame):
            if fiber.wait == "call":
                self.abandon_call(fiber)
            if fiber.wait == "lock":
                self.unlock(fiber.lock)

    def abandon_call(self, fiber: Fiber) -> None:
        """A call whose answer nobody will hear."""
        raise NotImplementedError

    def _completed(self, fiber: Fiber, frame: Frame, spec: Spec) -> None:
        """What a completed frame leaves in the log around it."""
        log = self.collect(frame)
        if spec.kind == "lock":
            if frame.lock:
                self.commands.append(Unlock(lock=frame.lock))
        elif (spec.undo is not None or spec.forgets) and self.keys_in(log):
            self.keep("covered", spec.path, log, frame)
        if spec.undo is not None:
            code = spec.undo
            holds = code.when is None or self.value(code.when, frame)
            log = []
            if holds and code.steps is not None:
                key = f"{self.inst.id}/{spec.path or self.inst.workflow}"
                if frame.iteration:
                    key = f"{key}/{'/'.join(map(str, frame.iteration))}"
                visit = self.visit(f"{key}~")
                stored = self.stored(self.program.reads(code), frame, {})
                name = spec.path or self.inst.workflow
                key = f"{key}/{visit}"
                log = [Entry("region", path=spec.path, name=name, key=key, undo=code.place, stored=stored)]
                self.note("undoable", spec.path, frame, operation=name, key=key)
        elif spec.forgets:
            log = []
        if spec.boundary and frame.node:
            self.note("left", frame.node, frame)
        if spec.kind == "scope" and spec.boundary:
            self.note("left", spec.path, frame, scope=True)
        if frame.parent is None:
            self.inst.log = log
            self.inst.names = frame.names or {}
            self.remove(frame)
            return
        around = self.inst.frames[frame.parent]
        around.log.extend(log)
        fiber.frame = around.id
        self.remove(frame)

    def visit(self, place: str) -> int:
        """How often a place has been reached in this instance."""
        number = self.inst.visits.get(place, 0) + 1
        self.inst.visits[place] = number
        return number

    def stored(
        self, reads: tuple[tuple[str, str], ...], frame: Frame, extra: dict[str, Any]
    ) -> tuple[tuple[str, Any], ...]:
        """The values that a compensation reads, by name; what has none yet is left out."""
        raise NotImplementedError

    # -- events

    def offer(self, among: Frame | None = None) -> bool:
        """Gives the first event of the inbox that a guard takes; with a frame, to its own guards only."""
        for place, event in enumerate(self.inst.inbox):
            taker = self.taker(event, among)
            if taker is not None:
                del self.inst.inbox[place]
                self.hear(event, *taker)
                return True
        return False

    def taker(self, event: Heard, among: Frame | None = None) -> tuple[Frame, GuardCode | None] | None:
        """The first armed guard that takes an event, or the frame that ignores it.

        A guard that is held back hides those around it.
        """
        found: list[tuple[tuple[Any, ...], Frame, GuardCode | None]] = []
        for frame in (among,) if among is not None else tuple(self.inst.frames.values()):
            spec = self.program.specs[frame.spec]
            if frame.state != "active" or not (spec.guards or spec.ignore):
                continue
            place = (-frame.depth, spec.source)
            for guard in spec.guards:
                takes = guard.kind == "on" and event.type in guard.names and self._takes(frame, guard, event)
                if takes:
                    found.append(((*place, guard.index, frame.iteration), frame, guard))
            if event.type in spec.ignore:
                found.append(((*place, len(spec.guards), frame.iteration), frame, None))
        if not found:
            return None
        _, taking, by = min(found, key=lambda each: each[0])
        if by is not None and by.interrupting and self.held(taking):
            return None
        return taking, by

    def hear(self, event: Heard, frame: Frame, guard: GuardCode | None) -> None:
        """A guard takes an event, or `ignore` drops it."""
        if guard is None:
            self.note("event dropped", self.path(frame), type=event.type)
            return
        self.note("event consumed", self.path(frame), type=event.type)
        self.fire(frame, guard, event.data)

    def _takes(self, frame: Frame, guard: GuardCode, event: Heard) -> bool:
        if guard.also:
            if self._running(frame, guard) is not None:
                return False
        elif frame.sealed:
            return False
        if guard.when is None:
            return True
        extra = {guard.bind: event.data} if guard.bind is not None else None
        return bool(self.value(guard.when, frame, extra))

    def _running(self, frame: Frame, guard: GuardCode) -> Frame | None:
        """The block beside that still runs for a guard."""
        for child in frame.children:
            inner = self.inst.frames[child]
            if inner.guard == guard.index and self.spec(inner).kind == "beside":
                return inner
        return None

    # -- firing

    def fire(self, frame: Frame, guard: GuardCode, value: Any) -> None:  # noqa: ANN401 - an event, an error, a number
        """A guard fires."""
        self.note("guard fired", self.path(frame), frame, guard=guard.label)
        if guard.also:
            self._beside(frame, guard, value)
        else:
            self.interrupt(frame, Cause("guard", guard.index, value))

    def _beside(self, frame: Frame, guard: GuardCode, value: Any) -> None:  # noqa: ANN401 - an event, a number
        inner = self.add(self.program.besides, frame, 0)
        inner.names = {guard.bind: value} if guard.bind is not None else {}
        inner.guard = guard.index
        owner = self.inst.fibers.get(frame.fiber)
        fiber = Fiber(self.serial(), guard.steps.pc, inner.id, inner.id, undo=owner.undo if owner is not None else "")
        inner.fiber = fiber.id
        self.inst.fibers[fiber.id] = fiber
        self.ready.append(fiber.id)

    def beside_ended(self, frame: Frame) -> None:
        """A block beside has ended, or has been stopped."""
        assert frame.parent is not None
        around = self.inst.frames[frame.parent]
        log = self.freed(self.collect(frame))
        if log:
            around.beside.append(tuple(log))
        guard = self.spec(around).guards[frame.guard]
        self.inst.fibers.pop(frame.fiber, None)
        self.remove(frame)
        if around.state == "closing":
            self._closing_goes_on(around)
        elif around.state == "active" and guard.index in around.waiting:
            number = around.waiting.pop(guard.index)
            self.fire(around, guard, number)

    def _closing_goes_on(self, around: Frame) -> None:
        left = [child for child in around.children if self.spec(self.inst.frames[child]).kind == "beside"]
        if self.spec(around).kind == "workflow":
            left = [child for child in left if self._is_undoing(self.inst.frames[child])]
        owner = self.inst.fibers.get(around.fiber)
        if not left and owner is not None and owner.wait == "closing":
            owner.pc -= 1  # the step that closes is done again, and now succeeds
            self.wake(owner)

    def timer(self, frame: Frame, timer: Timer) -> None:
        """A timer of a frame is due."""
        frame.due.remove(timer)
        spec = self.spec(frame)
        if timer.what.startswith("sla"):
            self.note(timer.what, self.path(frame), frame, sla=spec.slas[timer.index][0].name)
            return
        guard = spec.guards[timer.index]
        if timer.what == "guard":
            self.fire(frame, guard, None)
            return
        assert guard.amount is not None
        amount = (timer.at - frame.entered) // timer.number
        number = max(timer.number, (self.now - frame.entered) // amount)  # missed ticks merge into one
        self._tick(frame, guard, number + 1, amount)
        if self._running(frame, guard) is None:
            self.fire(frame, guard, number)
        else:
            frame.waiting[guard.index] = number

    # -- stopping

    def interrupt(self, frame: Frame, cause: Cause) -> None:
        """Stops everything inside a frame; when all has stopped, it is undone or kept, and what follows begins."""
        if frame.state in ("stopping", "undoing", "dead"):
            return
        fibers = self.fibers_inside(frame)
        for inner in self.inside(frame):
            if inner is frame or not self._undoing_around(inner, frame):
                inner.due = []
                inner.waiting = {}
                if inner is not frame and inner.state != "undoing":
                    inner.state = "dead"
                    inner.cause = None
                    if inner.id in self.inst.stopping:
                        self.inst.stopping.remove(inner.id)
        frame.state = "stopping"
        frame.cause = cause
        self.inst.stopping.append(frame.id)
        for fiber in fibers:
            if not self._undoing_around(self.inst.frames[fiber.frame], frame):
                self.stop(fiber)

    def _undoing_around(self, inner: Frame, outer: Frame) -> bool:
        """Whether a frame inside another belongs to an undo, which nothing interrupts."""
        for each in self.outward(inner):
            if each is outer:
                return False
            if each.then is not None:
                return True
        return False

    def stop(self, fiber: Fiber) -> None:
        """Asks a token to stop."""
        match fiber.wait:
            case "call":
                self.stop_call(fiber)
                return
            case "lock":
                self.unlock(fiber.lock)
            case "undo" | "unwind":
                fiber.stop = True
                return
            case _:
                pass
        fiber.wait = "stopped"
        fiber.due = []

    def stop_call(self, fiber: Fiber) -> None:
        """Asks the call of a token to stop."""
        raise NotImplementedError

    def finish_stops(self) -> bool:
        """Goes on with a frame in which everything has stopped; whether there was one."""
        if not self.inst.stopping:
            return False
        for number in sorted(self.inst.stopping, key=lambda each: -self.inst.frames[each].depth):
            frame = self.inst.frames[number]
            if self._has_stopped(frame):
                self.inst.stopping.remove(number)
                self._stopped_frame(frame)
                return True
        return False

    def _has_stopped(self, frame: Frame) -> bool:
        owner = self.inst.fibers.get(frame.fiber)
        if owner is not None and owner.wait != "stopped":
            return False
        if any(inner.then is not None for inner in self.inside(frame)):
            return False
        return all(fiber.wait == "stopped" for fiber in self.fibers_inside(frame))

    def _stopped_frame(self, frame: Frame) -> None:
        cause = frame.cause
        spec = self.spec(frame)
        assert cause is not None
        match cause.kind:
            case "guard":
                self._unwind(frame, spec.guards[cause.guard])
            case "error" if spec.kind == "workflow":
                self.note("interrupted", self.path(frame), frame)
                frame.state = "undoing"
                log = self.collect(frame)
                fiber = self.inst.fibers[frame.fiber]
                fiber.frame, fiber.wait, fiber.value = frame.id, "unwind", cause.value
                self.undo(log, frame, Then("failed"))
            case "error" if spec.kind == "slot":
                self.branch_error(frame, cause.value)
            case "error" if spec.kind == "beside":
                self._escaped(frame, cause.value)
            case "error":
                self._lost(frame, cause.value)
            case "stop" if spec.kind == "slot":
                self.branch_stopped(frame)
            case "stop":
                self.beside_ended(frame)

    def _unwind(self, frame: Frame, guard: GuardCode) -> None:
        """A guard has ended what it guards: that is undone, or kept in the log around it."""
        fiber = self.inst.fibers[frame.fiber]
        self.note("interrupted", self.path(frame), frame, guard=guard.label)
        log = self.collect(frame)
        fiber.frame = frame.id
        fiber.wait = "unwind"
        frame.state = "undoing"
        if guard.keep:
            around = self.inst.frames[frame.parent] if frame.parent is not None else frame
            around.log.extend(self.freed(log))
            self.tails.append(frame.id)
        else:
            self.undo(log, frame, Then("guard", frame.id))

    def tail(self, frame: Frame) -> None:
        """The tail of a guard begins, in place of what it guarded."""
        cause = frame.cause
        assert cause is not None
        fiber = self.inst.fibers[frame.fiber]
        if fiber.stop:  # something around has been interrupted meanwhile
            fiber.stop = False
            fiber.wait = "stopped"
            frame.state = "dead"
            return
        spec = self.spec(frame)
        guard = spec.guards[cause.guard]
        if spec.kind == "workflow" and self.inst.cancelling and not frame.sealed:
            frame.state, frame.cause = "closed", None
            fiber.wait = "stopped"  # the operator's cancel, which has waited for this undo, comes before the tail
            return
        if spec.inside:
            frame.state, frame.cause = "closed", None
            around = frame
        else:
            assert frame.parent is not None
            around = self.inst.frames[frame.parent]
            if spec.kind == "scope" and spec.boundary:
                self.note("left", spec.path, frame, scope=True)
            self.remove(frame)
        fiber.frame = around.id
        fiber.pc = guard.steps.pc
        if guard.bind is not None:
            self.bind(around, guard.bind, cause.value)
        self.wake(fiber)

    def _lost(self, frame: Frame, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """A lock got lost: its work is undone without it."""
        assert frame.parent is not None
        fiber = self.inst.fibers[frame.fiber]
        around = self.inst.frames[frame.parent]
        around.log.extend(self.collect(frame))
        fiber.frame = around.id
        fiber.wait = ""
        self.remove(frame)
        self.raise_error(fiber, error)

    def _escaped(self, frame: Frame, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """An error has left a block beside: it is that of what the block stands beside."""
        assert frame.parent is not None
        around = self.inst.frames[frame.parent]
        self.beside_ended(frame)
        if around.state == "active":
            self.raise_from(around, self.inst.fibers[around.fiber], error)

    # -- errors

    def raise_error(self, fiber: Fiber, error: Any) -> None:  # noqa: ANN401 - an error of the language
        self.raise_from(self.inst.frames[fiber.frame], fiber, error)

    def raise_from(self, frame: Frame, fiber: Fiber, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """The handler is searched from the inside out; what it guards is crossed by the error."""
        name = error["is"]
        for each in self.outward(frame):
            if each.state == "active":
                for guard in self.spec(each).guards:
                    if guard.kind == "catch" and (name in guard.names or (guard.any and name != CANCELLED)):
                        self.fire(each, guard, error)
                        return
            if each.id == fiber.base:
                break
        base = self.inst.frames[fiber.base]
        if base.entry is not None:
            fiber.wait = "stopped"
            self.undo_failed(base, error)
        else:
            self.interrupt(base, Cause("error", 0, error))
