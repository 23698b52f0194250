"""Cycles of a workflow that run within one turn, because no step in them waits."""

from collections.abc import Iterator
from dataclasses import dataclass

from wfc.flow.components import components
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
    """The strongly connected parts that hold a cycle."""
    points = {id(point): point for point in graph.points}
    targets = {number: [id(target) for target in _at_once(point)] for number, point in points.items()}
    for part in components(targets):
        first = next(iter(part))
        if len(part) > 1 or first in targets[first]:
            yield [points[number] for number in part]
