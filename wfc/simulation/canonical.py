"""When two instances are the same for all that can still happen: numbers, keys and the date are left out of account."""

from typing import Any

from wfc.machine.instance import Call, Entry, Fiber, Frame, Instance, Timer

Form = tuple[Any, ...]


def canonical(inst: Instance) -> Form:
    """A form that two instances share if they differ only in numbering, keys and the date."""
    return _Canonical(inst).form()


class _Canonical:
    def __init__(self, inst: Instance) -> None:
        self.inst = inst
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
            repr(sorted(inst.names.items())) if not inst.frames else "",
        )

    def frame(self, frame: Frame) -> Form:
        frames = self.inst.frames
        inner = sorted((frames[child] for child in frame.children), key=lambda f: (f.spec, f.iteration, f.guard, f.id))
        fork = frame.fork
        return (
            frame.spec,
            frame.state,
            repr(sorted(frame.names.items())) if frame.names is not None else "",
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
        return call.target, repr(call.args), call.state, call.attempt, call.open, call.pivot

    def timers(self, timers: list[Timer]) -> Form:
        now = self.inst.now
        return tuple(sorted((timer.at - now, timer.rank, timer.what, timer.index) for timer in timers))

    def log(self, log: Any) -> Form:  # noqa: ANN401 - a list or tuple of entries
        return tuple(self.entry(entry) for entry in log)

    def entry(self, entry: Entry) -> Form:
        branches = tuple(self.log(branch) for branch in entry.branches)
        return entry.kind, entry.name, entry.state, entry.undo, repr(entry.stored), self.log(entry.log), branches
