"""`parallel` and `for each`: branches side by side, and how they join."""

from typing import Any

from wfc.ir.machine import ForEach, Parallel
from wfc.machine.code import ForkCode
from wfc.machine.instance import BranchState, Cause, Fiber, ForkState, Frame, Then
from wfc.machine.undo import Undos


class Joins(Undos):
    """The part of a turn that runs branches."""

    def fork(self, fiber: Fiber, code: ForkCode) -> None:
        """Starts the branches, or the first of the iterations."""
        around = self.inst.frames[fiber.frame]
        step = code.step
        items: tuple[Any, ...] = ()
        limit = None
        count = len(code.starts)
        if isinstance(step, ForEach):
            assert code.items is not None
            items = tuple(self.value(code.items, around))
            count = len(items)
            if not step.concurrent:
                limit = 1
            elif code.limit is not None:
                limit = max(1, self.value(code.limit, around))
        asked = self.value(code.count, around) if code.count is not None else 1
        need = count if step.join in ("all", "settled") else min(max(1, asked), count)
        frame = self.add(code.spec, around, fiber.id)
        frame.fork = ForkState(step.join, need, limit, items, [BranchState() for _ in range(count)])
        fiber.wait = "fork"
        self._start(frame)
        self._check(frame)

    def _start(self, frame: Frame) -> None:
        """Starts as many branches as may run now, in order of declaration."""
        fork = frame.fork
        code = self.spec(frame).fork
        assert fork is not None
        assert code is not None
        each = code.step if isinstance(code.step, ForEach) else None
        while not fork.over and fork.started < len(fork.branches):
            if fork.limit is not None and fork.running >= fork.limit:
                return
            index = fork.started
            branch = fork.branches[index]
            fork.started += 1
            fork.running += 1
            slot = self.add(self.program.slots, frame, 0)
            slot.guard = index
            start = code.starts[0 if each is not None else index]
            if each is not None:
                slot.iteration = (*frame.iteration, index)
                slot.names = {each.item: fork.items[index]}
                if each.index is not None:
                    slot.names[each.index] = index
            outer = self.inst.fibers[frame.fiber]
            inner = Fiber(self.serial(), start.pc, slot.id, slot.id, undo=outer.undo, undo_depth=outer.undo_depth)
            slot.fiber = inner.id
            branch.state, branch.slot = "running", slot.id
            self.inst.fibers[inner.id] = inner
            self.ready.append(inner.id)

    def _branch_of(self, slot: Frame) -> tuple[Frame, int]:
        assert slot.parent is not None
        frame = self.inst.frames[slot.parent]
        return frame, slot.guard

    # -- how a branch ends

    def branch_value(self, fiber: Fiber) -> None:
        """A branch has completed."""
        slot = self.inst.frames[fiber.base]
        frame, index = self._branch_of(slot)
        fork = frame.fork
        assert fork is not None
        branch = fork.branches[index]
        branch.state, branch.value = "value", fiber.value
        branch.log = self.collect(slot)
        fork.running -= 1
        self._gone(slot, branch)
        if not fork.over:
            branch.won = True
            fork.won += 1
            if fork.join in ("first", "some") and fork.won >= fork.need:
                self._stop_others(frame)
        self._go_on(frame)

    def branch_error(self, slot: Frame, error: Any) -> None:  # noqa: ANN401 - an error of the language
        """An error has left a branch, in which everything has stopped."""
        frame, index = self._branch_of(slot)
        fork = frame.fork
        assert fork is not None
        branch = fork.branches[index]
        log = self.collect(slot)
        branch.error = error
        self.note("raised", self.path(slot), slot, error=error["is"])
        self._gone(slot, branch)
        branch.log = log
        fork.failed += 1
        tolerated = fork.join == "settled" or fork.failed <= len(fork.branches) - fork.need
        if not fork.over and tolerated and log:
            branch.state, branch.log = "undoing", []
            self.undo(log, frame, Then("branch", frame.id, index))
            return
        branch.state = "failed"
        fork.running -= 1
        if not fork.over and not tolerated:
            fork.reason = error
            self._stop_others(frame)
        self._go_on(frame)

    def branch_stopped(self, slot: Frame) -> None:
        """A branch that was asked to stop has stopped."""
        frame, index = self._branch_of(slot)
        assert frame.fork is not None
        branch = frame.fork.branches[index]
        branch.log = self.collect(slot)
        branch.state = "stopped"
        frame.fork.running -= 1
        self._gone(slot, branch)
        self._go_on(frame)

    def _gone(self, slot: Frame, branch: BranchState) -> None:
        branch.slot = 0
        self.inst.fibers.pop(slot.fiber, None)
        self.remove(slot)

    def branch_ended(self, frame: Frame, index: int) -> None:
        """A branch whose error is tolerated has been undone."""
        assert frame.fork is not None
        frame.fork.branches[index].state = "failed"
        frame.fork.running -= 1
        self._go_on(frame)

    def _stop_others(self, frame: Frame) -> None:
        fork = frame.fork
        assert fork is not None
        fork.over = True
        for branch in list(fork.branches):
            if branch.state == "running":
                self.interrupt(self.inst.frames[branch.slot], Cause("stop"))

    # -- the join

    def _stopped(self, frame: Frame) -> bool:
        """Whether something around the fork has stopped it: the branches end, and no join follows."""
        return frame.state != "active"

    def _go_on(self, frame: Frame) -> None:
        if frame.id not in self.inst.frames or self._stopped(frame):
            return
        self._start(frame)
        self._check(frame)

    def _check(self, frame: Frame) -> None:
        """When all that were started have ended, the losers are undone."""
        fork = frame.fork
        assert fork is not None
        if fork.running or not (fork.over or fork.started == len(fork.branches)):
            return
        losers = [] if fork.reason is not None else [b for b in fork.branches if not b.won and b.log]
        if losers:
            logs = [tuple(branch.log) for branch in losers]
            for branch in losers:
                branch.log = []
            self.undo_branches(logs, fork.limit, frame, Then("losers", frame.id))
            return
        self.joined.append(frame.id)

    def losers_undone(self, frame: Frame) -> None:
        """The join is complete."""
        self.joined.append(frame.id)

    def join(self, frame: Frame) -> None:
        """The token behind the branches goes on, unless something around them has been interrupted meanwhile."""
        if self._stopped(frame):
            return
        fork = frame.fork
        code = self.spec(frame).fork
        assert fork is not None
        assert code is not None
        assert frame.parent is not None
        around = self.inst.frames[frame.parent]
        self._branches(around.log, fork.limit, [tuple(branch.log) for branch in fork.branches])
        fiber = self.inst.fibers[frame.fiber]
        self.remove(frame)
        if fork.reason is not None:
            fiber.wait = ""
            self.raise_error(fiber, fork.reason)
            return
        if code.bind is not None:
            self.bind(around, code.bind, _joined(code, fork))
        self.wake(fiber)


def _joined(code: ForkCode, fork: ForkState) -> Any:  # noqa: ANN401 - values of the language
    """What `as` gives."""
    step = code.step
    if fork.join == "settled":
        values = [
            {"is": "Ok", "value": branch.value} if branch.won else {"is": "Failed", "error": branch.error}
            for branch in fork.branches
        ]
    else:
        values = [branch.value for branch in fork.branches if branch.won]
    if isinstance(step, ForEach):
        return (values[0] if values else None) if fork.join == "first" else tuple(values)
    if fork.join == "first":
        return values[0]
    return _fields(step, fork)


def _fields(step: Parallel, fork: ForkState) -> dict[str, Any]:
    """A field for each branch that gives a value."""
    found: dict[str, Any] = {}
    for branch, state in zip(step.branches, fork.branches, strict=True):
        if branch.value is None:
            continue
        if fork.join == "settled":
            ok = {"is": "Ok", "value": state.value}
            found[branch.name] = ok if state.won else {"is": "Failed", "error": state.error}
        else:
            found[branch.name] = state.value if state.won else None
    return found
