"""Which guards for events can ever hear one, and what hides the others."""

from collections.abc import Iterator
from dataclasses import dataclass

from wfc.flow.graph import Frame, Graph, Point
from wfc.flow.pivots import is_pivot
from wfc.ir.expressions import Expr, Lit, Ref
from wfc.ir.machine import Await, Do, Guard, Lock, Region, Start, State, UndoRegion, Wait
from wfc.ir.rewrite import rewrite
from wfc.ir.types import BOOL


@dataclass(frozen=True)
class Hidden:
    """A guard that never hears its event: another guard takes it before, or something inside ignores it."""

    guard: Guard
    by: Guard | None
    ignored: State | Region | None
    same: bool


def hidden(graph: Graph, reached: "set[int]") -> Iterator[Hidden]:
    """The guards that something inside hides wherever the process waits."""
    heard: set[int] = set()
    by: dict[int, Hidden] = {}
    for point in graph.points:
        if id(point) in reached and _waits(point):
            _listen(point.frame, heard, by)
    yield from (found for key, found in by.items() if key not in heard)


def held_back(graph: Graph, reached: "set[int]") -> Iterator[tuple[Guard, Do]]:
    """Guards of things in which nothing waits but a pivot, with the pivot.

    It holds back all that would interrupt it, and when it is over they are disarmed for good.
    """
    pivots: dict[int, Do] = {}
    free: set[int] = set()
    for point in graph.points:
        if id(point) not in reached or not _waits(point):
            continue
        for frame in point.frame.outward():
            if is_pivot(point) and isinstance(point.step, Do):
                pivots.setdefault(id(frame), point.step)
            else:
                free.add(id(frame))
    for frame in graph.frames:
        if id(frame) in pivots and id(frame) not in free:
            yield from ((guard, pivots[id(frame)]) for guard in frame.guards if _interrupts(guard))


def _interrupts(guard: Guard) -> bool:
    return guard.kind in ("on", "after", "at") and not guard.also


def _waits(point: Point) -> bool:
    return point.kind in ("do", "step") and isinstance(point.step, Do | Start | Wait | Await | Lock | UndoRegion)


def _listen(inner: Frame, heard: set[int], by: dict[int, Hidden]) -> None:
    """Who hears what while a token waits in a frame: from the inside out, until somebody takes it in any case."""
    taken: dict[str, tuple[Guard | None, State | Region | None]] = {}
    for frame in inner.outward():
        own: dict[str, tuple[Guard | None, State | Region | None]] = {}
        for guard in frame.guards:
            if guard.kind != "on":
                continue
            name = guard.names[0]
            if name in taken:
                by.setdefault(id(guard), Hidden(guard, *taken[name], same=False))
            else:
                heard.add(id(guard))
            if guard.when is None:
                own.setdefault(name, (guard, None))
        subject = frame.subject
        if isinstance(subject, State | Region):
            for name in subject.ignore:
                own.setdefault(name, (None, subject))
        taken = {**own, **taken}


def same_place(guards: tuple[Guard, ...]) -> Iterator[tuple[str, list[Guard]]]:
    """The guards of one thing that hear one event, where there are several, by the event."""
    found: dict[str, list[Guard]] = {}
    for guard in guards:
        if guard.kind == "on":
            found.setdefault(guard.names[0], []).append(guard)
    yield from ((name, several) for name, several in found.items() if len(several) > 1)


def condition(guard: Guard) -> Expr:
    """When a guard takes its event; the event has one name in all of them."""
    if guard.when is None:
        return Lit(BOOL, True)
    name = guard.bind
    return rewrite(guard.when, (Ref,), lambda r: Ref(r.type, r.kind, "the event") if r.name == name else r)
