"""Cycles of a workflow that run within one turn, because no step in them waits."""

from collections.abc import Iterator
from dataclasses import dataclass

from wfc.flow.counting import bounded
from wfc.flow.graph import Graph, Point, circles
from wfc.ir.evaluate import NotConstant, evaluate
from wfc.ir.expressions import Lit, Now, Ref, walk
from wfc.ir.machine import Await, Choose, Goto, Guard, Let, Lock, Node, Parallel, Repeat, SetVar, Wait

ROUNDS = 100_000  # of a `repeat` without a step that waits; more do not end within one turn


@dataclass(frozen=True)
class Cycle:
    """Points that lead to each other. `certain`: nothing that a round changes decides whether there is another one."""

    points: tuple[Point, ...]
    certain: bool

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes it enters."""
        return tuple(p.node for p in self.points if p.kind == "node" and p.node is not None)

    @property
    def back(self) -> Goto | None:
        """The arrow that leads back, if the cycle is one of arrows."""
        gotos = [p.step for p in self.points if isinstance(p.step, Goto)]
        return gotos[-1] if gotos else None


def turning(graph: Graph) -> Iterator[Cycle]:
    """The cycles without a waiting step and without a bound."""
    for circle in _circles(graph):
        if bounded(circle, _at_once):
            continue
        inside = {id(point) for point in circle}
        changed = {p.step.name for p in circle if isinstance(p.step, SetVar | Let)}
        asked = {name for point in circle for name in _asked(point, inside)}
        heard = any(isinstance(p.step, Await) and any(g.kind == "on" for g in p.step.guards) for p in circle)
        yield Cycle(tuple(sorted(circle, key=lambda p: p.number)), not changed & asked and not heard)


def _at_once(point: Point) -> list[Point]:
    """Where a token goes on from a point in the same turn. An `undo` waits only if there is something to undo."""
    if point.kind == "fork":
        return _joined(point)
    if point.kind == "node":
        over = next((guard for guard in point.frame.guards if _fires_at_once(guard)), None)
        if over is not None:
            return [point.frame.tails[id(over)]]
    if isinstance(point.step, Await):
        over = next((guard for guard in point.step.guards if _fires_at_once(guard)), None)
        return [point.frame.tails[id(over)]] if over is not None else []
    if point.kind == "do" or isinstance(point.step, Lock) or _pauses(point):
        return []
    if point.kind == "until" and isinstance(point.step, Repeat) and _bounded(point.step):
        start = [p for p in point.next if p.step is point.step]
        return [p for p in point.next if p not in start]
    if point.kind == "failed":
        return [a.target for a in point.aborts if a.target is not None]
    following = [p for p in point.next if p.frame.kind != "also" or p.frame is point.frame]
    return [p for p in following if not _next_iteration(point, p)]


def _bounded(step: Repeat) -> bool:
    """Whether a `repeat` ends after some rounds; millions of them at once are as good as endless."""
    if isinstance(step.until, Lit) and step.until.value is True:
        return True
    if step.times is None:
        return False
    try:
        return bool(evaluate(step.times, {}) <= ROUNDS)
    except NotConstant:
        return True


def _fires_at_once(guard: Guard) -> bool:
    """Whether a deadline is over when what it guards begins."""
    if guard.also or guard.kind not in ("after", "at"):
        return False
    amount = guard.amount
    zero = isinstance(amount, Lit) and isinstance(amount.value, int) and amount.value <= 0
    return zero if guard.kind == "after" else isinstance(amount, Now)


def _pauses(point: Point) -> bool:
    """Whether a point is a `wait` that takes time in each round.

    One that is over when it begins does not, and one for a day with a fixed date does so in the first round only.
    """
    step = point.step
    if not isinstance(step, Wait):
        return False
    if step.until:
        return any(
            isinstance(part, Now) or (isinstance(part, Ref) and part.kind != "const") for part in walk(step.amount)
        )
    return not (isinstance(step.amount, Lit) and isinstance(step.amount.value, int) and step.amount.value <= 0)


def _next_iteration(point: Point, target: Point) -> bool:
    """Whether an edge leads from the end of an iteration to the next: their number is bounded."""
    inside = any(frame.kind == "each" and frame.subject is target.step for frame in point.frame.outward())
    return target.kind == "fork" and inside


def _joined(fork: Point) -> list[Point]:
    """The join of branches or iterations, if as many as it takes reach it without waiting."""
    step = fork.step
    starts = [p for p in fork.next if p.kind not in ("join", "tail")]
    ends = [_reached_join(start, fork) for start in starts]
    found = [join for join in ends if join is not None]
    return found[:1] if found and len(found) >= _needed(step, len(starts)) else []


def _needed(step: object, branches: int) -> int:
    """How many branches must complete."""
    if not isinstance(step, Parallel) or step.join in ("all", "settled"):
        return branches
    if step.join == "some" and isinstance(step.count, Lit) and isinstance(step.count.value, int):
        return max(1, step.count.value)
    return 1


def _reached_join(start: Point, fork: Point) -> Point | None:
    """The join, if a token gets there from the start of a branch without waiting and without leaving the branch."""
    branch = next((frame for frame in start.frame.outward() if frame.parent is fork.frame), None)
    if branch is None:  # there is nothing in it
        return next((target for target in fork.next if target.kind == "join"), None)
    seen = {id(start)}
    waiting = [start]
    while waiting:
        point = waiting.pop()
        for target in _at_once(point):
            if target.kind == "join" and target.step is fork.step:
                return target
            if id(target) not in seen and target.frame.inside(branch):
                seen.add(id(target))
                waiting.append(target)
    return None


def _asked(point: Point, inside: set[int]) -> Iterator[str]:
    """What is read where it is decided whether the cycle is left."""
    leaves = any(id(target) not in inside for target in _at_once(point))
    tests = []
    if isinstance(point.step, Choose):
        # an arm that does nothing, or leads out by an exit of its own, leaves from inside the choice
        tests = [arm.test for arm in point.step.arms]
    elif isinstance(point.step, Repeat) and point.kind == "until" and leaves:
        tests = [point.step.until]
    for test in tests:
        yield from (part.name for part in walk(test) if isinstance(part, Ref))


def _circles(graph: Graph) -> Iterator[list[Point]]:
    """The strongly connected parts that hold a cycle."""
    return circles(graph.points, _at_once)
