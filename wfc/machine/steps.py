"""Steps: one function an instruction. A token runs until it waits or ends."""

from collections.abc import Callable
from typing import Any

from wfc.ir.values import show_untyped
from wfc.machine import code as c
from wfc.machine.base import ERRORS, WAITS, EndlessError
from wfc.machine.calls import Calls
from wfc.machine.instance import Entry, Fiber, Then, Timer
from wfc.machine.messages import Alarm, Emitted, Ended, Lock, Resource

DISTANT = 5_000  # milliseconds that a host may take to say whether a lock is free


class Steps(Calls):
    """The part of a turn that runs tokens."""

    def run(self, fiber: Fiber) -> None:
        """Runs a token until it waits or ends."""
        code = self.program.code
        fibers = self.inst.fibers
        fuel = self.fuel
        while not fiber.wait and fiber.id in fibers:
            fuel -= 1
            if fuel <= 0:  # a program that never waits
                raise EndlessError
            instruction = code[fiber.pc]
            fiber.pc += 1
            STEPS[type(instruction)](self, fiber, instruction)
            if self.yielded:
                self.yielded = False
                break
        self.fuel = fuel

    def node(self, fiber: Fiber, step: c.Enter) -> None:
        """Enters a node."""
        frame = self.holder_of_node(fiber)
        self.leave_node(frame)
        frame.node = step.path
        self.note("entered", step.path, frame)
        if step.offers and self.inst.inbox:
            while not fiber.wait and self.offer():
                pass

    def holder_of_node(self, fiber: Fiber) -> Any:  # noqa: ANN401 - a frame
        """The region whose token this is."""
        frame = self.inst.frames[fiber.frame]
        while not self.spec(frame).boundary:
            assert frame.parent is not None
            frame = self.inst.frames[frame.parent]
        return frame

    def begin(self, fiber: Fiber, step: c.Open) -> None:
        self.open(fiber, step.spec)

    def complete(self, fiber: Fiber, _: c.Close) -> None:
        self.close(fiber)

    def jump(self, fiber: Fiber, step: c.Jump) -> None:
        fiber.pc = step.to.pc

    def test(self, fiber: Fiber, step: c.Test) -> None:
        if not self.value(step.test, self.inst.frames[fiber.frame]):
            fiber.pc = step.otherwise.pc

    def let(self, fiber: Fiber, step: c.Bind) -> None:
        frame = self.inst.frames[fiber.frame]
        self.bind(frame, step.name, self.value(step.value, frame))

    def set(self, fiber: Fiber, step: c.SetName) -> None:
        frame = self.inst.frames[fiber.frame]
        value = self.value(step.value, frame)
        for each in self.outward(frame):
            if each.names is not None and step.name in each.names:
                each.names[step.name] = value
                return
        self.bind(frame, step.name, value)

    def emit(self, fiber: Fiber, step: c.SendEvent) -> None:
        data = self.value(step.value, self.inst.frames[fiber.frame])
        self.commands.append(Emitted(type=step.event, data=data))
        self.note("emitted", self.path(self.inst.frames[fiber.frame]), type=step.event)

    def say(self, fiber: Fiber, step: c.Say) -> None:
        frame = self.inst.frames[fiber.frame]
        self.note("audit", self.path(frame), frame, text=self.value(step.text, frame))

    def feed(self, fiber: Fiber, step: c.Feed) -> None:
        value = self.value(step.value, self.inst.frames[fiber.frame]) if step.value is not None else 1
        self.measure(step.metric, value)

    def do(self, fiber: Fiber, step: c.Calling) -> None:
        self.call(fiber, step.call, fiber.pc - 1)

    def pause(self, fiber: Fiber, step: c.Pausing) -> None:
        """A duration not above zero, or an instant not in the future, goes on at once."""
        amount = self.value(step.amount, self.inst.frames[fiber.frame])
        at = amount if step.until else self.now + amount
        if at > self.now:
            fiber.wait = "wait"
            self.arm(fiber, Timer(at, WAITS, "wait"))

    def wait(self, fiber: Fiber, _: c.Awaiting) -> None:
        fiber.wait = "await"

    def halt(self, fiber: Fiber, _: c.Halt) -> None:
        fiber.wait = "halted"

    def branch(self, fiber: Fiber, step: c.Forking) -> None:
        self.fork(fiber, step.fork)

    def lock(self, fiber: Fiber, step: c.Locking) -> None:
        """Asks for all resources together, in order of rank, then key."""
        frame = self.inst.frames[fiber.frame]
        asked = []
        for name, args in step.lock.resources:
            definition = self.program.resources[name]
            key = "/".join(show_untyped(self.value(arg, frame)) for arg in args)
            asked.append(
                Resource(
                    name=name,
                    key=key,
                    rank=definition.rank,
                    capacity=definition.capacity,
                    lease=definition.lease,
                )
            )
        asked.sort(key=lambda resource: (resource.rank, resource.key))
        # A moment at least, so that a free lock can be granted.
        moment = DISTANT if self.program.host_times_attempts else 1
        patience = self.value(step.lock.wait, frame)
        patience = patience if patience > 0 else moment
        fiber.lock = f"l{fiber.id}.{self.serial()}"
        fiber.wait = "lock"
        self.arm(fiber, Timer(self.now + patience, ERRORS, "lock"))
        self.commands.append(Lock(lock=fiber.lock, resources=tuple(asked), wait=patience))

    def granted(self, fiber: Fiber) -> None:
        """A lock has been granted: the block begins."""
        step = self.program.code[fiber.pc - 1]
        assert isinstance(step, c.Locking)
        lock, fiber.lock = fiber.lock, ""
        self.wake(fiber)
        frame = self.open(fiber, step.lock.spec)
        frame.lock = lock
        self.note("lock granted", self.path(frame), frame, lock=lock)

    def undo_here(self, fiber: Fiber, _: c.Undoing) -> None:
        """Undoes what the region has done so far."""
        log: list[Entry] = []
        inner = self.inst.frames[fiber.frame]
        for frame in self.outward(inner):
            entries = frame.log
            if frame.beside:
                entries = [Entry("fork", branches=(tuple(frame.log), *frame.beside))]
            log = [*entries, *log]
            frame.log, frame.beside = [], []
            if self.spec(frame).boundary or frame.id == fiber.base:
                break
        if log:
            fiber.wait = "undo"
            self.undo(log, inner, Then("step", fiber.id))

    def settle(self, fiber: Fiber, _: c.Settling) -> None:
        """Makes final what the region has done so far."""
        inner = self.inst.frames[fiber.frame]
        log: list[Entry] = []
        for frame in self.outward(inner):
            log = [*frame.log, *(entry for beside in frame.beside for entry in beside), *log]
            frame.log, frame.beside = [], []
            if self.spec(frame).boundary or frame.id == fiber.base:
                break
        self.keep("settled", self.path(inner), log, inner)

    def fail(self, fiber: Fiber, step: c.Raising) -> None:
        frame = self.inst.frames[fiber.frame]
        error = self.value(step.error, frame)
        self.note("raised", self.path(frame), frame, error=error["is"])
        self.raise_error(fiber, error)

    def give(self, fiber: Fiber, step: c.Give) -> None:
        fiber.value = self.value(step.value, self.inst.frames[fiber.frame]) if step.value is not None else None

    def take(self, fiber: Fiber, step: c.Take) -> None:
        self.bind(self.inst.frames[fiber.frame], step.name, fiber.value)

    def count(self, fiber: Fiber, step: c.Count) -> None:
        self.inst.frames[fiber.frame].counters[step.counter] = 1

    def again(self, fiber: Fiber, step: c.Again) -> None:
        frame = self.inst.frames[fiber.frame]
        rounds = frame.counters[step.counter]
        if self.value(step.until, frame) or (step.times is not None and rounds >= self.value(step.times, frame)):
            del frame.counters[step.counter]
            return
        frame.counters[step.counter] = rounds + 1
        fiber.pc = step.to.pc

    def last_offer(self, fiber: Fiber, step: c.Offer) -> None:
        """Before the end of an instance its own guards hear what is left in the inbox."""
        wanted = {spec.source for spec in step.specs}
        for frame in self.outward(self.inst.frames[fiber.frame]):
            while frame.spec in wanted and frame.state == "active" and self.offer(frame):
                if fiber.wait:
                    return

    def end(self, fiber: Fiber, step: c.End) -> None:
        """The end of a token."""
        match step.kind:
            case "branch":
                fiber.wait = "ended"
                self.branch_value(fiber)
            case "beside":
                fiber.wait = "ended"
                self.beside_ended(self.inst.frames[fiber.base])
            case "undo":
                fiber.wait = "ended"
                self.undo_done(self.inst.frames[fiber.base])
            case "workflow":
                self._completed_instance(fiber)

    def _completed_instance(self, fiber: Fiber) -> None:
        inst = self.inst
        inst.status, inst.value = "done", fiber.value
        kept = self.keys_in(inst.log)
        detail: dict[str, Any] = {}
        if not inst.child:
            inst.log = []
            if kept:
                detail["keeps"] = kept
        self._clear()
        self._report("completed", **detail)
        self.commands.append(Ended(kind="done", value=inst.value, incomplete=inst.incomplete))

    def failed(self) -> None:
        inst = self.inst
        root = next(frame for frame in inst.frames.values() if frame.parent is None and frame.then is None)
        inst.status, inst.error = "failed", inst.fibers[root.fiber].value
        inst.names = root.names or {}
        inst.log = []
        self._clear()
        self._report("failed", error=inst.error["is"])
        self.commands.append(Ended(kind="failed", value=inst.error, incomplete=inst.incomplete))

    def _clear(self) -> None:
        """Nothing goes on in an ended instance but what operators have asked for."""
        inst = self.inst
        asked = [f for f in inst.frames.values() if f.parent is None and f.then is not None and f.then.kind == "letter"]
        kept = {inner.id for frame in asked for inner in self.inside(frame)}
        for number in [number for number in inst.frames if number not in kept]:
            del inst.frames[number]
        for number in [number for number, fiber in inst.fibers.items() if fiber.frame not in kept]:
            del inst.fibers[number]
        inst.stopping = [number for number in inst.stopping if number in inst.frames]
        inst.cancelling = inst.overdue = False
        self.tails, self.resumed, self.joined = [], [], []

    def _report(self, kind: str, **detail: Any) -> None:  # noqa: ANN401 - texts
        """The completion record lists what nobody has heard."""
        left = tuple(event.type for event in self.inst.inbox)
        if left:
            detail["unconsumed"] = left
        if self.inst.incomplete:
            detail["incomplete"] = True
        self.note(kind, "", **detail)
        if self.inst.alarm is not None:
            self.inst.alarm = None
            self.commands.append(Alarm(at=None))

    def undone_child(self) -> None:
        self.commands.append(Ended(kind="undone", incomplete=self.inst.incomplete))


Step = Callable[[Steps, Fiber, Any], None]
STEPS: dict[type, Step] = {
    c.Enter: Steps.node,
    c.Open: Steps.begin,
    c.Close: Steps.complete,
    c.Jump: Steps.jump,
    c.Test: Steps.test,
    c.Bind: Steps.let,
    c.SetName: Steps.set,
    c.SendEvent: Steps.emit,
    c.Say: Steps.say,
    c.Feed: Steps.feed,
    c.Calling: Steps.do,
    c.Pausing: Steps.pause,
    c.Awaiting: Steps.wait,
    c.Halt: Steps.halt,
    c.Forking: Steps.branch,
    c.Locking: Steps.lock,
    c.Undoing: Steps.undo_here,
    c.Settling: Steps.settle,
    c.Raising: Steps.fail,
    c.Give: Steps.give,
    c.Take: Steps.take,
    c.Count: Steps.count,
    c.Again: Steps.again,
    c.Offer: Steps.last_offer,
    c.End: Steps.end,
}
