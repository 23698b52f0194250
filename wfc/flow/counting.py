"""Loops that end because a number in them passes a bound."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from wfc.flow.graph import Point, circles
from wfc.ir.expressions import Expr, If, Lit, Op, Ref
from wfc.ir.machine import Choose, Repeat, Scope, SetVar
from wfc.ir.types import INT

MOST = 8  # numbers of one loop that are looked at
FAR = 100_000  # a bound further away does not end a loop within one turn

Way = Literal["up", "down"]
_After = Callable[[Point], Iterable[Point]]
_SIGNS: dict[str, Way] = {"<": "up", "<=": "up", ">": "down", ">=": "down"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DENIED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def bounded(circle: list[Point], after: _After) -> bool:
    """Whether each round of a loop moves a number towards a bound, and goes on only before it."""
    counting: dict[str, dict[int, Way | None]] = {}
    for point in circle:
        if isinstance(point.step, SetVar):
            counting.setdefault(point.step.name, {})[id(point)] = _stride(point.step)
    scopes = [point.node for point in circle if isinstance(point.node, Scope)]
    anew = {variable.name for scope in scopes for variable in scope.region.variables}
    found = 0
    for name, strides in counting.items():
        if name in anew:
            continue
        way = next(iter(strides.values()))
        if way is None or set(strides.values()) != {way} or found == MOST:
            continue
        found += 1
        if _ends(circle, after, set(strides), set(_before_bound(circle, after, name, way))):
            return True
    return False


def _ends(circle: list[Point], after: _After, counting: set[int], asking: set[tuple[int, int]]) -> bool:
    """Whether each round counts, and each goes over an edge that is taken before the bound only."""

    def without(point: Point) -> list[Point]:
        return [target for target in after(point) if (id(point), id(target)) not in asking]

    others = [point for point in circle if id(point) not in counting]
    return not any(circles(circle, without)) and not any(circles(others, after))


def _stride(step: SetVar) -> Way | None:
    """Where a number goes by `set n = n + 1` or the like."""
    value = step.value
    if not isinstance(value, Op) or value.op not in ("+", "-") or value.type != INT:
        return None
    left, right = value.args
    if value.op == "+" and isinstance(left, Lit):
        left, right = right, left
    if not isinstance(left, Ref) or left.name != step.name or not isinstance(right, Lit):
        return None
    if not isinstance(right.value, int) or right.value <= 0:
        return None
    return "up" if value.op == "+" else "down"


def _before_bound(circle: list[Point], after: _After, name: str, way: Way) -> Iterator[tuple[int, int]]:
    """The edges that are taken only while a number has not reached a bound that lies on its way."""
    for point in circle:
        for target in after(point):
            if any(_stops(test, name, way, holds=holds) for test, holds in _conditions(point, target)):
                yield id(point), id(target)


def _conditions(point: Point, target: Point) -> Iterator[tuple[Expr, bool]]:
    """What holds, and what does not, where a choice or a `repeat` goes on to a point."""
    step = point.step
    if isinstance(step, Repeat) and point.kind == "until" and target.step is step:
        yield step.until, False
    if not isinstance(step, Choose):
        return
    for arm in step.arms:
        if not arm.steps:
            return  # it leads to the same place as others
        if target.step is arm.steps[0]:
            yield arm.test, True
            return
        yield arm.test, False


def _stops(test: Expr, name: str, way: Way, *, holds: bool) -> bool:
    """Whether a number that goes on and on makes a condition false in the end, or true where it must not hold."""
    if not isinstance(test, Op):
        return False
    if test.op == "not":
        return _stops(test.args[0], name, way, holds=not holds)
    if test.op == ("and" if holds else "or"):
        return any(_stops(part, name, way, holds=holds) for part in test.args)
    if test.op not in _SIGNS:
        return False
    (left, right), op = test.args, str(test.op)
    if isinstance(right, Ref) and right.name == name:
        left, right, op = right, left, _MIRRORED[op]
    if not isinstance(left, Ref) or left.name != name or not _near(right):
        return False
    return _SIGNS[op if holds else _DENIED[op]] == way


def _near(limit: Expr) -> bool:
    """Whether a bound is known and near enough: one that somebody gives may be as good as none."""
    return isinstance(limit, Lit) and isinstance(limit.value, int) and abs(limit.value) <= FAR


def climbs(step: SetVar, tests: Iterable[Expr]) -> bool:
    """Whether a number is set to a larger constant each time: `if n < 50 then 50 else 100` while it is below 100."""
    limits = [limit for test in tests for limit in _below(test, step.name)]
    value: Expr = step.value
    while isinstance(value, If):
        steps = list(_below(value.test, step.name))
        if not steps or not isinstance(value.test, Op) or not _reaches(value.yes, max(steps)):
            return False
        value = value.no
    return isinstance(step.value, If) and bool(limits) and _reaches(value, max(limits))


def _below(test: Expr, name: str) -> Iterator[int]:
    """The constant that a condition says a number is below."""
    if isinstance(test, Op) and test.op == "<":
        left, right = test.args
        if isinstance(left, Ref) and left.name == name and isinstance(right, Lit) and isinstance(right.value, int):
            yield right.value


def _reaches(value: Expr, limit: int) -> bool:
    return isinstance(value, Lit) and isinstance(value.value, int) and value.value >= limit
