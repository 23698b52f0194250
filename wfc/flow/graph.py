"""The control-flow graph of a workflow: points at steps, edges for what happens next, frames for what can interrupt.

A point is a moment of a token. Normal edges follow the flow. Frames are the guarded things around a point, from the
inside out: a call, a parallel, a state, a region. What leaves a frame abnormally - an error to its `catch`, an event or
a deadline - is an abort: an edge to the guard's tail that undoes what was done inside the frame, unless it keeps it.
The shape is structured (one token a region, joins match forks), so every analysis over it is a plain data flow.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from wfc.flow.choices import Verdict
from wfc.flow.components import components
from wfc.flow.errors import Errors
from wfc.ir.expressions import Items, Lit
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    ForEach,
    Goto,
    Guard,
    Lock,
    Node,
    Parallel,
    Region,
    Repeat,
    Scope,
    Start,
    State,
    Step,
    UndoRegion,
    Wait,
    Workflow,
)
from wfc.ir.walk import Steps

PointKind = Literal[
    "start", "node", "do", "completed", "step", "unmatched", "fork", "join", "until", "leave", "tail", "done", "failed",
    "end",
]  # fmt: skip


@dataclass(eq=False)
class Frame:
    """A guarded thing. `covered` says that a completed region has an undo of its own, in place of its inner log."""

    kind: Literal["do", "parallel", "branch", "each", "state", "scope", "workflow", "also"]
    parent: "Frame | None"
    guards: tuple[Guard, ...] = ()
    covered: bool = False
    join: str = "all"
    tails: dict[int, "Point"] = field(default_factory=dict)  # entry of each interrupting guard's tail, by id(guard)
    after: "Point | None" = None  # where a tolerated error of a branch or iteration goes on
    entry: "Point | None" = None
    subject: Step | Node | Region | None = None
    arrivals: set[str] = field(default_factory=set)  # errors that reach this frame from inside

    def __post_init__(self) -> None:
        self._outward = (self, *self.parent.outward()) if self.parent is not None else (self,)

    def outward(self) -> tuple["Frame", ...]:
        """This frame and those around it: asked at every point, so it is kept."""
        return self._outward

    def inside(self, other: "Frame") -> bool:
        """Whether this frame is the other one or lies in it."""
        return other in self._outward


@dataclass(eq=False)
class Point:
    """A moment: at a step, a node's entry, a fork, a join. `next` are normal edges."""

    number: int
    kind: PointKind
    frame: Frame
    step: Step | None = None
    node: Node | None = None
    guard: Guard | None = None
    next: list["Point"] = field(default_factory=list)
    aborts: list["Abort"] = field(default_factory=list)
    ends: list["Point"] = field(default_factory=list)  # of a join: the ends of its branches
    raises: frozenset[str] = frozenset()  # errors that start here


@dataclass(eq=False)
class Abort:
    """An abnormal way out: everything inside `frame` is undone (or kept), then `target` runs. No target: the end."""

    source: Point
    frame: Frame
    target: Point | None
    guard: Guard | None
    errors: frozenset[str]
    keep: bool = False

    @property
    def system_only(self) -> bool:
        """Whether only errors of the system take it."""
        return bool(self.errors) and self.errors <= SYSTEM


SYSTEM = frozenset(("Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning"))


def circles(points: Iterable[Point], after: Callable[[Point], Iterable[Point]]) -> Iterator[list[Point]]:
    """The parts of some points that lead back to themselves, each in source order."""
    found = {id(point): point for point in points}
    targets = {number: [id(t) for t in after(point) if id(t) in found] for number, point in found.items()}
    for part in components(targets):
        first = next(iter(part))
        if len(part) > 1 or first in targets[first]:
            yield sorted((found[number] for number in part), key=lambda point: point.number)


def _everywhere(point: Point) -> Iterator[Point]:
    yield from point.next
    yield from (abort.target for abort in point.aborts if abort.target is not None)


@dataclass(eq=False)
class Open:
    """Where a thing can be left without saying where to go: points that fall off its end."""

    subject: State | Scope
    points: list[Point]


@dataclass(eq=False)
class _Place:
    """What a block needs to know of the region it stands in."""

    nodes: dict[str, Point]
    frame: Frame
    done: list[Point]  # ends of the region


class Graph:
    """The graph of one workflow. `open` are states and scopes that can be left by nothing."""

    def __init__(self, workflow: Workflow, errors: Errors, verdict: Callable[[Choose], Verdict]) -> None:
        self.workflow = workflow
        self.errors = errors
        self.verdict = verdict
        self.points: list[Point] = []
        self.frames: list[Frame] = []
        self.open: list[Open] = []
        self.entries: dict[int, Point] = {}  # of nodes, by id(node)
        self.dead: set[int] = set()  # the first points of arms that are never taken, by id
        self.root = self._frame("workflow", None, None)  # everything; what leaves it ends the instance
        whole = self._frame("scope", self.root, workflow.region)
        self.start = self._point("start", whole)
        whole.entry = self.start
        self.end = self._point("end", self.root)
        done = self._region(workflow.region, whole, [self.start], None)
        for point in done:
            point.next.append(self.end)
        self._link_aborts()

    @cached_property
    def circles(self) -> tuple[list[Point], ...]:
        """The parts of the graph that lead back to themselves by flow or abort, in source order: most graphs have none.

        Whoever follows only some of the ways finds its own circles inside these.
        """
        return tuple(circles(self.points, _everywhere))

    # -- making

    def _point(self, kind: PointKind, frame: Frame, step: Step | None = None) -> Point:
        point = Point(len(self.points), kind, frame, step)
        self.points.append(point)
        return point

    def _frame(self, kind: str, parent: Frame | None, subject: Step | Node | Region | None) -> Frame:
        frame = Frame(kind, parent, subject=subject)  # type: ignore[arg-type]  # called with the kinds
        self.frames.append(frame)
        if isinstance(subject, Region):
            frame.guards = subject.guards
            frame.covered = subject.undo is not None
        elif isinstance(subject, State | Do | Parallel):
            frame.guards = subject.guards
        return frame

    def _next(self, before: list[Point], kind: PointKind, frame: Frame, step: Step | None = None) -> Point:
        point = self._point(kind, frame, step)
        for earlier in before:
            earlier.next.append(point)
        return point

    # -- regions

    def _region(self, region: Region, frame: Frame, before: list[Point], around: _Place | None) -> list[Point]:
        """A region's points; its ends. Tails of a scope's guards belong to the region around."""
        place = _Place({}, frame, [])
        for node in region.nodes:
            entry = self._point("node", frame)
            entry.node = node
            place.nodes[node.name] = entry
            self.entries[id(node)] = entry
        falls = self._block(region.steps, place, before)
        if region.nodes:
            for point in falls:
                point.next.append(place.nodes[region.nodes[0].name])
        else:
            place.done.extend(falls)
        for node in region.nodes:
            self._node(node, place)
        self._tails(frame, around or place, place.done)
        return place.done

    def _node(self, node: Node, place: _Place) -> None:
        entry = place.nodes[node.name]
        match node:
            case State():
                frame = self._frame("state", place.frame, node)
                frame.entry = entry
                entry.frame = frame
                inner = _Place(place.nodes, frame, place.done)
                falls = self._block(node.steps, inner, [entry])
                if falls:
                    self.open.append(Open(node, falls))
                self._tails(frame, place, place.done)
            case Scope(region=region, next=following):
                frame = self._frame("scope", place.frame, region)
                frame.entry = entry
                done = self._region(region, frame, [entry], place)
                if node.implicit:
                    place.done.extend(done)
                elif following is not None:
                    for point in done:
                        point.next.append(place.nodes[following])
                elif done:
                    self.open.append(Open(node, done))

    def _tails(self, frame: Frame, place: _Place, done: list[Point]) -> None:
        """The tails of a frame's guards, standing in the region around; the blocks beside it."""
        assert frame.parent is not None
        for guard in frame.guards:
            if guard.also:
                self._beside(guard, frame)
                continue
            entry = self._point("tail", frame.parent)
            entry.guard = guard
            frame.tails[id(guard)] = entry
            # an exit of the tail stands for one of the guarded thing: `done` completes its region
            self._block(guard.steps, _Place(place.nodes, frame.parent, done), [entry])

    def _beside(self, guard: Guard, frame: Frame) -> None:
        """A block beside: it starts at any time, and its end goes nowhere."""
        own = self._frame("also", frame, None)
        entry = self._point("tail", own)
        entry.guard = guard
        frame.tails[id(guard)] = entry
        if frame.entry is not None:
            frame.entry.next.append(entry)
        self._block(guard.steps, _Place({}, own, []), [entry])

    # -- steps

    def _block(self, steps: Steps, place: _Place, before: list[Point]) -> list[Point]:
        """The points of a block; those that fall off its end."""
        for step in steps:
            before = self._step(step, place, before)
        return before

    def _step(self, step: Step, place: _Place, before: list[Point]) -> list[Point]:
        match step:
            case Do():
                return self._do(step, place, before)
            case Parallel():
                return self._parallel(step, place, before)
            case ForEach():
                return self._for_each(step, place, before)
            case Choose():
                return self._choose(step, place, before)
            case Await(guards=guards):
                frame = self._frame("do", place.frame, step)
                frame.guards = guards
                frame.entry = self._next(before, "step", frame, step)
                return self._guard_falls(frame, place)
            case Repeat(steps=steps):
                start = self._next(before, "step", place.frame, step)
                ends = self._block(steps, place, [start])
                until = self._next(ends, "until", place.frame, step)
                until.next.append(start)
                return [until] if ends else []
            case Lock(steps=steps):
                start = self._next(before, "step", place.frame, step)
                start.raises = frozenset(("LockTimeout", "LockLost"))
                return self._block(steps, place, [start])
            case Goto(target=target):
                point = self._next(before, "leave", place.frame, step)
                if target in place.nodes:
                    point.next.append(place.nodes[target])
                return []
            case Done():
                place.done.append(self._next(before, "done", place.frame, step))
                return []
            case Fail():
                point = self._next(before, "failed", place.frame, step)
                point.raises = frozenset(step.names)
                return []
            case Start():
                point = self._next(before, "do", place.frame, step)
                point.raises = frozenset(("AlreadyRunning",))
                return [self._next([point], "completed", place.frame, step)]
            case _:
                return [self._next(before, "step", place.frame, step)]

    def _do(self, step: Do, place: _Place, before: list[Point]) -> list[Point]:
        frame = self._frame("do", place.frame, step)
        point = self._next(before, "do", frame, step)
        frame.entry = point
        point.raises = self.errors.of(step)
        completed = self._next([point], "completed", place.frame, step)
        falls = [completed]
        if step.optional:
            point.raises = frozenset()
            falls.append(self._next([point], "step", place.frame, step))
        return [*falls, *self._guard_falls(frame, place)]

    def _guard_falls(self, frame: Frame, place: _Place) -> list[Point]:
        """The tails of the guards of a call, parallel or await; their ends go on behind it."""
        falls: list[Point] = []
        for guard in frame.guards:
            if guard.also:
                self._beside(guard, frame)
                continue
            entry = self._point("tail", place.frame)
            entry.guard = guard
            frame.tails[id(guard)] = entry
            falls.extend(self._block(guard.steps, place, [entry]))
        return falls

    def _parallel(self, step: Parallel, place: _Place, before: list[Point]) -> list[Point]:
        frame = self._frame("parallel", place.frame, step)
        frame.join = step.join
        fork = self._next(before, "fork", frame, step)
        frame.entry = fork
        join = self._point("join", place.frame, step)
        for branch in step.branches:
            inner = self._frame("branch", frame, None)
            inner.join = step.join
            inner.after = join
            body = self._frame("scope", inner, branch.region)
            body.entry = fork
            ends = self._region(branch.region, body, [fork], None)
            for end in ends:
                end.next.append(join)
            join.ends.extend(ends)
        return [join, *self._guard_falls(frame, place)]

    def _for_each(self, step: ForEach, place: _Place, before: list[Point]) -> list[Point]:
        fork = self._next(before, "fork", place.frame, step)
        join = self._point("join", place.frame, step)
        inner = self._frame("each", place.frame, None)
        inner.subject = step
        inner.join = step.join
        inner.after = join
        body = self._frame("scope", inner, step.region)
        body.entry = fork
        ends = self._region(step.region, body, [fork], None)
        for end in ends:
            end.next.append(join)
            end.next.append(fork)
        if not (isinstance(step.items, Items) and step.items.items):
            fork.next.append(join)
        return [join]

    def _choose(self, step: Choose, place: _Place, before: list[Point]) -> list[Point]:
        point = self._next(before, "step", place.frame, step)
        falls: list[Point] = []
        verdict = self.verdict(step)
        for number, arm in enumerate(step.arms):
            if number in verdict.dead:
                falls.extend(self._never(arm.steps, place, point))
            else:
                falls.extend(self._block(arm.steps, place, [point]) if arm.steps else [point])
        if step.otherwise is not None and not verdict.rest:
            falls.extend(self._never(step.otherwise, place, point))
        elif step.otherwise is not None:
            falls.extend(self._block(step.otherwise, place, [point]) if step.otherwise else [point])
        elif not verdict.covered:
            falls.append(self._next([point], "unmatched", place.frame, step))
        return falls

    def _never(self, steps: Steps, place: _Place, choice: Point) -> list[Point]:
        """An arm that is never taken: told as that, and so a way for all who ask what the author has in mind."""
        first = len(self.points)
        falls = self._block(steps, place, [choice]) if steps else []
        if not steps:
            falls = [self._next([choice], "unmatched", place.frame, choice.step)]
        self.dead.add(id(self.points[first]))
        return falls

    # -- aborts

    def _link_aborts(self) -> None:
        """Errors to their handlers; events and deadlines of every frame around a waiting point."""
        self._raise_again()
        for point in list(self.points):
            if point.raises:
                self._raise(point, point.raises)
            if point.kind in ("do", "step") and isinstance(point.step, Do | Start | Wait | Await | Lock | UndoRegion):
                self._interrupt(point)
        for frame in self.frames:
            self._overtake(frame)

    def _raise_again(self) -> None:
        """`fail` of an error that `catch any` caught raises whatever arrived there."""
        again = [p for p in self.points if isinstance(p.step, Fail) and p.kind == "failed" and not p.raises]
        for _ in range(len(again) + 1):
            for frame in self.frames:
                frame.arrivals.clear()
            for point in self.points:
                self._arrive(point)
            caught = {
                guard.bind: frozenset(e for f in self.frames for e in f.arrivals if guard in f.guards)
                for frame in self.frames
                for guard in frame.guards
                if guard.kind == "catch" and guard.bind is not None
            }
            changed = False
            for point in again:
                assert isinstance(point.step, Fail)
                name = getattr(point.step.error, "name", None)
                found = caught.get(name, frozenset()) if isinstance(name, str) else frozenset()
                if not found <= point.raises:
                    point.raises = point.raises | found
                    changed = True
            if not changed:
                return

    def _arrive(self, point: Point) -> None:
        """Notes which errors of a point reach which frames."""
        errors = set(point.raises)
        for frame in point.frame.outward():
            if not errors or frame.kind == "also":
                return
            frame.arrivals |= errors
            for guard in frame.guards:
                if guard.kind == "catch":
                    errors = set() if guard.any else errors - set(guard.names)
            if frame.kind in ("branch", "each") and frame.join == "settled":
                return

    def _raise(self, point: Point, errors: frozenset[str]) -> None:
        """An abort for each handler that some error of a point reaches."""
        left = set(errors)
        for frame in point.frame.outward():
            for guard in frame.guards:
                if guard.kind != "catch":
                    continue
                taken = frozenset(left if guard.any else left & set(guard.names))
                if taken:
                    point.aborts.append(Abort(point, frame, frame.tails[id(guard)], guard, taken, guard.keep))
                    left -= taken
            if not left:
                return
            if frame.kind == "also":
                point.aborts.append(Abort(point, frame, None, None, frozenset(left)))
                return
            if frame.kind in ("branch", "each") and frame.join != "all":
                point.aborts.append(Abort(point, frame, frame.after, None, frozenset(left)))
                if frame.join == "settled":
                    return
        point.aborts.append(Abort(point, self.root, None, None, frozenset(left)))

    def _overtake(self, frame: Frame) -> None:
        """Deadlines that may be over when what they watch begins; only of a length that is written down it is known."""
        for guard in frame.guards:
            if frame.entry is None or guard.also or guard.kind not in ("after", "at"):
                continue
            length = guard.amount.value if isinstance(guard.amount, Lit) else 0
            if guard.kind == "at" or not isinstance(length, int) or length <= 0:
                target = frame.tails[id(guard)]
                frame.entry.aborts.append(Abort(frame.entry, frame, target, guard, frozenset(), guard.keep))

    def _interrupt(self, point: Point) -> None:
        """Events, deadlines and instants of the frames around."""
        for frame in point.frame.outward():
            for guard in frame.guards:
                if not guard.also and guard.kind in ("on", "after", "at"):
                    target = frame.tails[id(guard)]
                    point.aborts.append(Abort(point, frame, target, guard, frozenset(), guard.keep))
            if frame.kind == "also":
                return
            if frame.kind in ("branch", "each") and frame.join in ("first", "some"):
                point.aborts.append(Abort(point, frame, frame.after, None, frozenset()))
