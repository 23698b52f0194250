"""Cycles of a workflow that run within one turn, because no step in them waits."""

from collections.abc import Iterator
from dataclasses import dataclass

from wfc.flow.graph import Graph, Point
from wfc.ir.expressions import Ref, walk
from wfc.ir.machine import Await, Choose, Goto, Let, Lock, Node, Repeat, SetVar, UndoRegion, Wait


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
        inside = {id(point) for point in circle}
        changed = {p.step.name for p in circle if isinstance(p.step, SetVar | Let)}
        asked = {name for point in circle for name in _asked(point, inside)}
        yield Cycle(tuple(sorted(circle, key=lambda p: p.number)), not changed & asked)


def _at_once(point: Point) -> list[Point]:
    """Where a token goes on from a point in the same turn."""
    if point.kind in ("do", "fork") or isinstance(point.step, Wait | Await | Lock | UndoRegion):
        return []
    if point.kind == "until" and isinstance(point.step, Repeat) and point.step.times is not None:
        start = [p for p in point.next if p.step is point.step]
        return [p for p in point.next if p not in start]
    if point.kind == "failed":
        return [a.target for a in point.aborts if a.target is not None]
    return [p for p in point.next if p.frame.kind != "also" or p.frame is point.frame]


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
    """The strongly connected parts that hold a cycle (Tarjan, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    open_: list[Point] = []
    is_open: set[int] = set()
    for root in graph.points:
        if id(root) in number:
            continue
        work: list[tuple[Point, Iterator[Point]]] = [(root, iter(_at_once(root)))]
        _enter(root, number, low, open_, is_open)
        while work:
            point, targets = work[-1]
            for target in targets:
                if id(target) not in number:
                    _enter(target, number, low, open_, is_open)
                    work.append((target, iter(_at_once(target))))
                    break
                if id(target) in is_open:
                    low[id(point)] = min(low[id(point)], number[id(target)])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[id(above)] = min(low[id(above)], low[id(point)])
                if low[id(point)] == number[id(point)]:
                    yield from _closed(point, open_, is_open)


def _enter(point: Point, number: dict[int, int], low: dict[int, int], open_: list[Point], is_open: set[int]) -> None:
    number[id(point)] = low[id(point)] = len(number)
    open_.append(point)
    is_open.add(id(point))


def _closed(root: Point, open_: list[Point], is_open: set[int]) -> Iterator[list[Point]]:
    circle: list[Point] = []
    while True:
        point = open_.pop()
        is_open.discard(id(point))
        circle.append(point)
        if point is root:
            break
    if len(circle) > 1 or root in _at_once(root):
        yield circle
