"""Which effects may and must be done at each point, and which of them an abort would undo.

A forward data flow over bit sets, one bit a call: May by union, Must by intersection. An abort drops what it undoes; a
`pivot` drops all that is older, `settle` and `undo` what their region has done. Beside a branch its siblings may have
done anything of theirs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wfc.flow.graph import Abort, Frame, Graph, Point
from wfc.ir.machine import Do, Settle, Start, UndoRegion

DOUBTFUL = frozenset(("Timeout", "Invalid"))  # errors behind which an effect may have taken place


@dataclass(frozen=True)
class Undone:
    """An abort that reaches a call: where from, and whether the call is done on every way there.

    `doubt`: the call is the one that is under way there. It may have been done all the same. `cancel`: an operator
    cancels the process where it waits.
    """

    call: Point
    source: Point
    abort: Abort | None  # None for an `undo` step and for a cancel
    certain: bool
    doubt: bool = False
    cancel: bool = False


class Effects:
    """The effects of one workflow's graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.calls = [p for p in graph.points if p.kind == "completed"]
        self.bit = {id(point): 1 << i for i, point in enumerate(self.calls)}
        self.masks: dict[int, int] = {}
        for point in self.calls:
            for frame in point.frame.outward():
                self.masks[id(frame)] = self.masks.get(id(frame), 0) | self.bit[id(point)]
        self.started = self._beside_blocks()
        self.may: dict[int, int] = {}
        self.must: dict[int, int] = {}
        self._run()

    def _beside_blocks(self) -> dict[int, int]:
        """By id of the point where something guarded is entered: the calls of the blocks that may run beside it."""
        found: dict[int, int] = {}
        for frame in self.graph.frames:
            around = frame.parent
            if frame.kind == "also" and around is not None and around.entry is not None:
                entry = id(around.entry)
                found[entry] = found.get(entry, 0) | self.mask(frame)
        return found

    def mask(self, frame: Frame) -> int:
        """The calls inside a frame."""
        return self.masks.get(id(frame), 0)

    def reached(self, point: Point) -> bool:
        """Whether some way leads to the point."""
        return id(point) in self.may

    def beside(self, frame: Frame) -> int:
        """The calls of branches and iterations that run beside a frame."""
        found = 0
        inner = frame
        for outer in frame.outward():
            if outer.kind == "parallel" and inner is not outer:
                found |= self.mask(outer) & ~self.mask(inner)
            if outer.kind == "each":
                found |= self.mask(outer)
            if inner.kind == "also" and inner is not outer:
                found |= self.mask(outer) & ~self.mask(inner)
            inner = outer
        return found

    # -- the flow

    def _run(self) -> None:
        start = self.graph.start
        self.may[id(start)] = 0
        self.must[id(start)] = 0
        waiting = [start]
        queued = {id(start)}
        while waiting:
            point = waiting.pop()
            queued.discard(id(point))
            for target, may, must in self._flows(point):
                if self._join(target, may, must) and id(target) not in queued:
                    queued.add(id(target))
                    waiting.append(target)

    def _flows(self, point: Point) -> Iterator[tuple[Point, int, int]]:
        """What goes on from a point to where."""
        may, must = self.may[id(point)] | self.started.get(id(point), 0), self.must[id(point)]
        for abort in point.aborts:
            if abort.target is not None:
                gone = 0 if abort.keep else self.mask(abort.frame)
                left = self.under_way(point) if abort.keep and self.doubtful(point, abort) else 0
                yield abort.target, ((may | self.beside(point.frame)) & ~gone) | left, must & ~gone
        may, must = self._after(point, may), self._after(point, must)
        optional = point.kind == "do" and isinstance(point.step, Do) and point.step.optional
        for target in point.next:
            failed = optional and target.kind != "completed"
            yield target, may | (self.under_way(point) if failed else 0), must

    def _after(self, point: Point, done: int) -> int:
        """What is done behind a point."""
        if point.kind == "completed":
            done |= self.bit[id(point)]
            if isinstance(point.step, Do) and point.step.pivot:
                return self.bit[id(point)] if point.step.undo is not None else 0
            return done
        if point.kind == "step" and isinstance(point.step, Settle | UndoRegion):
            return done & ~self.mask(_region(point.frame))
        return done

    def _join(self, target: Point, may: int, must: int) -> bool:
        """Adds a way to a point; whether that changed anything."""
        key = id(target)
        if key not in self.may:
            self.may[key], self.must[key] = may, must
            return True
        wider, narrower = self.may[key] | may, self.must[key] & must
        if target.ends:
            narrower = self.must[key] | must  # all branches have done theirs
        changed = wider != self.may[key] or narrower != self.must[key]
        self.may[key], self.must[key] = wider, narrower
        return changed

    # -- calls under way

    def under_way(self, point: Point) -> int:
        """The call that a token waits for at a point, as the bit of its completion."""
        if point.kind != "do" or not point.next or point.next[0].kind != "completed":
            return 0
        return self.bit[id(point.next[0])]

    def doubtful(self, point: Point, abort: Abort) -> bool:
        """Whether the call at a point may have been done though an abort is taken there."""
        step = point.step
        if not (isinstance(step, Start) or (isinstance(step, Do) and step.kind in ("activity", "workflow"))):
            return False
        if not abort.errors:
            return True  # the answer comes while it is asked to stop, or never
        if isinstance(step, Start) or step.kind == "workflow":
            return False  # a child that fails has undone itself
        return bool(abort.errors & (self.graph.errors.partial(step) | DOUBTFUL))

    # -- questions

    def undone(self, calls: Iterable[Point], most: int | None = None) -> Iterator[Undone]:
        """Of some calls, each abort that reaches them completed, or under way.

        With `most`, of calls of one thing so many that are certain and so many that are not: the pairs of calls and
        aborts can be a great many.
        """
        search = _Search(self, calls, most)
        if not search.wanted:
            return
        for point in self.graph.points:
            if not self.reached(point):
                continue
            yield from search.interrupted(point)
            here = self.may[id(point)] | self.started.get(id(point), 0) | self.beside(point.frame)
            for abort in point.aborts:
                if not abort.keep and _lives(point):
                    yield from search.crossed(point, abort, here & self.mask(abort.frame))
            if point.kind == "step" and isinstance(point.step, UndoRegion):
                yield from search.crossed(point, None, here & self.mask(_region(point.frame)))

    def cancelled(self, calls: Iterable[Point], most: int) -> Iterator[Undone]:
        """Of some calls, places behind them where an operator may cancel the process, the earliest ones of each."""
        search = _Search(self, calls, most)
        for point in self.graph.points:
            if search.wanted and self.reached(point) and point.kind in ("do", "step") and point.step is not None:
                yield from search.crossed(point, None, self.may[id(point)], cancel=True)

    def at_end(self) -> Iterator[Point]:
        """The calls that may be done when the workflow has completed."""
        end = self.graph.end
        bits = self.may.get(id(end), 0)
        yield from (call for call in self.calls if bits & self.bit[id(call)])

    def in_doubt(self) -> Iterator[Point]:
        """Calls whose own failure may leave them in doubt and then aborts."""
        for point in self.graph.points:
            doubtful = any(not abort.keep and abort.errors & {"Timeout", "Invalid"} for abort in point.aborts)
            if point.kind == "do" and doubtful and self.reached(point):
                yield point


class _Search:
    """The calls that aborts are looked for, as bits; those of which enough have been found are dropped."""

    def __init__(self, effects: Effects, calls: Iterable[Point], most: int | None) -> None:
        self.effects = effects
        self.most = most
        self.same: dict[str, int] = {}  # by what is called: all its calls
        self.found: dict[tuple[str, bool], int] = {}
        for call in calls:
            self.same[_target(call)] = self.same.get(_target(call), 0) | effects.bit[id(call)]
        self.wanted = sum(self.same.values())
        self.open = {True: self.wanted, False: self.wanted}  # by whether it is certain

    def interrupted(self, point: Point) -> Iterator[Undone]:
        """The call under way at a point, with each abort that may leave it done."""
        if self.effects.under_way(point) & self.open[False]:
            for abort in point.aborts:
                if not abort.keep and self.effects.doubtful(point, abort):
                    self._count(point.next[0], certain=False)
                    yield Undone(point.next[0], point, abort, certain=False, doubt=True)

    def crossed(self, point: Point, abort: Abort | None, bits: int, *, cancel: bool = False) -> Iterator[Undone]:
        """The completed calls that an abort crosses, an `undo` step or the cancel of the whole."""
        outer = abort.frame if abort is not None else self.effects.graph.root if cancel else _region(point.frame)
        must = self.effects.must[id(point)]
        bits = (bits & must & self.open[True]) | (bits & ~must & self.open[False])
        while bits:
            bit = bits & -bits
            bits ^= bit
            call = self.effects.calls[bit.bit_length() - 1]
            certain = bool(must & bit)
            if self.open[certain] & bit and not covered(call, point, outer):
                self._count(call, certain=certain)
                yield Undone(call, point, abort, certain, cancel=cancel)

    def _count(self, call: Point, *, certain: bool) -> None:
        key = _target(call), certain
        self.found[key] = self.found.get(key, 0) + 1
        if self.most is not None and self.found[key] >= self.most:
            self.open[certain] &= ~self.same[key[0]]


def _target(call: Point) -> str:
    return call.step.target if isinstance(call.step, Do | Start) else ""


def covered(call: Point, at: Point, outer: Frame) -> bool:
    """Whether a region with an undo of its own, completed at a point, stands for the call."""
    for frame in call.frame.outward():
        if frame is outer:
            return False
        if frame.covered and not at.frame.inside(frame):
            return True
    return False


def _region(frame: Frame) -> Frame:
    """The region around a frame."""
    return next(f for f in frame.outward() if f.kind in ("scope", "workflow", "also"))


def _lives(point: Point) -> bool:
    """Whether a token can be interrupted or fail at a point."""
    return point.kind in ("do", "step", "failed")
