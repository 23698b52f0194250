"""When two instances are the same for all that can still happen: numbers, keys and the date are left out of account."""

from typing import Any

from wfc.machine.instance import Call, Entry, Fiber, Frame, Instance, Timer
from wfc.simulation.world import World

Form = tuple[Any, ...]


def canonical(inst: Instance) -> Form:
    """A form that two instances share if they differ only in numbering, keys and the date."""
    return _Canonical(inst, times=True).form()


def shape(inst: Instance) -> Form:
    """As `canonical`, but coarser: what counts or measures something is left out.

    That is how long things have still to wait, how often a call was tried, numbers that are bound to names, and what
    services are told.
    """
    return _Canonical(inst, times=False).form()


def world_form(world: World) -> Form:
    """A form that two worlds share if everything goes on the same way, but for numbers, keys and the date."""
    running = sorted(
        (repr((each.instance.workflow, each.parent is None, each.stopped, canonical(each.instance))))
        for each in world.running.values()
        if each.instance.status == "running" or each.instance.fibers or each.instance.child
    )
    return tuple(running), world.pending(), world.services.form()


class _Canonical:
    def __init__(self, inst: Instance, *, times: bool) -> None:
        self.inst = inst
        self.times = times
        self.numbers: dict[int, int] = {}
        self.fibers: dict[int, list[Fiber]] = {}
        for fiber in inst.fibers.values():
            self.fibers.setdefault(fiber.frame, []).append(fiber)

    def form(self) -> Form:
        inst = self.inst
        roots = [frame for frame in inst.frames.values() if frame.parent is None]
        roots.sort(key=lambda frame: (frame.spec, frame.id))
        return (
            inst.status,
            repr(inst.value),
            repr(inst.error),
            inst.incomplete,
            inst.cancelling,
            tuple(self.frame(frame) for frame in roots),
            tuple((event.type, repr(event.data)) for event in inst.inbox),
            tuple(sorted(letter.name for letter in inst.letters.values())),
            self.log(inst.log),
            self.names(inst.names) if not inst.frames else "",
        )

    def frame(self, frame: Frame) -> Form:
        frames = self.inst.frames
        inner = sorted((frames[child] for child in frame.children), key=lambda f: (f.spec, f.iteration, f.guard, f.id))
        fork = frame.fork
        return (
            frame.spec,
            frame.state,
            self.names(frame.names) if frame.names is not None else "",
            frame.node,
            self.log(frame.log),
            tuple(self.log(entries) for entries in frame.beside),
            self.timers(frame.due),
            repr(frame.cause),
            frame.sealed,
            frame.iteration,
            tuple(sorted(frame.counters.items())),
            tuple(sorted(frame.waiting.items())),
            frame.guard,
            bool(frame.lock),
            ((fork.over, repr(fork.reason), tuple(self.branch(b) for b in fork.branches)) if fork is not None else ()),
            self.log(frame.rest),
            tuple(self.log(entries) for entries in frame.logs),
            frame.then.kind if frame.then is not None else "",
            tuple(self.fiber(fiber) for fiber in self.fibers.get(frame.id, ())),
            tuple(self.frame(each) for each in inner),
        )

    def branch(self, branch: Any) -> Form:  # noqa: ANN401 - the state of a branch
        return branch.state, repr(branch.value), repr(branch.error), branch.won, self.log(branch.log)

    def fiber(self, fiber: Fiber) -> Form:
        call = self.call(fiber.call) if fiber.call is not None else ()
        return fiber.pc, fiber.wait, fiber.stop, bool(fiber.undo), repr(fiber.value), self.timers(fiber.due), call

    def call(self, call: Call) -> Form:
        told = (repr(call.args), call.attempt) if self.times else ()
        return call.target, told, call.state, call.open, call.pivot

    def names(self, names: dict[str, Any]) -> str:
        return repr(sorted(names.items() if self.times else ((name, _vague(value)) for name, value in names.items())))

    def timers(self, timers: list[Timer]) -> Form:
        if not self.times:
            return tuple(sorted((timer.rank, timer.what, timer.index) for timer in timers))
        now = self.inst.now
        return tuple(sorted((timer.at - now, timer.rank, timer.what, timer.index) for timer in timers))

    def log(self, log: Any) -> Form:  # noqa: ANN401 - a list or tuple of entries
        return tuple(self.entry(entry) for entry in log)

    def entry(self, entry: Entry) -> Form:
        branches = tuple(self.log(branch) for branch in entry.branches)
        return (
            entry.kind,
            entry.name,
            entry.state,
            entry.undo,
            self.names(dict(entry.stored)),
            self.log(entry.log),
            branches,
        )


def _vague(value: Any) -> Any:  # noqa: ANN401 - values of the language
    """A value without its numbers."""
    match value:
        case bool() | str() | None:
            return value
        case tuple():
            return tuple(_vague(item) for item in value)
        case dict():
            return {name: _vague(item) for name, item in value.items()}
        case _:
            return type(value).__name__
