"""Deadlines that come too late: something around them, or beside them, has always ended what they watch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from wfc.flow.graph import Frame, Graph
from wfc.ir.expressions import Expr
from wfc.ir.machine import Do, Guard, Parallel, Region, State, Step
from wfc.ir.walk import all_steps, region_steps

Constant = Callable[[Expr], Any]


@dataclass(frozen=True)
class Late:
    """A guard that another one always comes before; `same` says that both stand at one place."""

    guard: Guard
    first: Guard
    same: bool


def late(graph: Graph, constant: Constant) -> Iterator[Late]:
    """The guards of a workflow that can never fire, each with the deadline that comes first."""
    soonest: dict[int, dict[str, tuple[int, Guard]]] = {}
    for frame in graph.frames:
        around = soonest.get(id(frame.parent), {}) if frame.parent is not None else {}
        own: dict[str, tuple[int, Guard]] = {}
        for guard in frame.guards:
            amount = _amount(guard, constant)
            if amount is None:
                continue
            kind = "at" if guard.kind == "at" else "after"
            outer = around.get(kind)
            if outer is not None and _beaten(guard, amount, outer[0], same=False):
                yield Late(guard, outer[1], same=False)
            elif kind in own and own[kind][1] is not guard and _beaten(guard, amount, own[kind][0], same=True):
                yield Late(guard, own[kind][1], same=True)
            elif not guard.also and guard.kind != "every" and (kind not in own or amount < own[kind][0]):
                own[kind] = (amount, guard)
        yield from _overtaken(frame, own, constant)
        if own and _passes_pivot(frame):
            own = {}  # a pivot disarms what is around it for good
        both = {**around}
        for kind, (amount, guard) in own.items():
            if kind not in both or amount < both[kind][0]:
                both[kind] = (amount, guard)
        soonest[id(frame)] = both


def _overtaken(frame: Frame, own: dict[str, tuple[int, Guard]], constant: Constant) -> Iterator[Late]:
    """Guards that are written before the deadline of the same place that comes before them in time."""
    for guard in frame.guards:
        kind = "at" if guard.kind == "at" else "after"
        if kind not in own or guard is own[kind][1]:
            continue
        amount = _amount(guard, constant)
        behind = frame.guards.index(guard) < frame.guards.index(own[kind][1])
        beside = guard.also or guard.kind == "every"
        if behind and amount is not None and (amount > own[kind][0] or (beside and amount == own[kind][0])):
            yield Late(guard, own[kind][1], same=True)


def _beaten(guard: Guard, amount: int, by: int, *, same: bool) -> bool:
    """Whether a deadline comes first, also where both fall on one instant: the innermost, then the first written."""
    beside = guard.also or guard.kind == "every"  # these come behind all deadlines of one instant
    return amount > by or (amount == by and (same or beside))


def _amount(guard: Guard, constant: Constant) -> int | None:
    if guard.kind not in ("after", "at", "every") or guard.amount is None:
        return None
    found = constant(guard.amount)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _passes_pivot(frame: Frame) -> bool:
    return any(isinstance(step, Do) and step.pivot for step in _inside(frame))


def _inside(frame: Frame) -> Iterator[Step]:
    match frame.subject:
        case Region() as region:
            yield from region_steps(region, undos=False)
        case State(steps=steps):
            yield from all_steps(steps, undos=False)
        case Do() | Parallel() as step:
            yield from all_steps((step,), undos=False)
        case _:
            return
