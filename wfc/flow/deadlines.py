"""Deadlines and promises, each with the longest way through what stands under it."""

from collections.abc import Iterator
from dataclasses import dataclass

from wfc.flow.graph import Frame, Point
from wfc.flow.policies import Tries
from wfc.flow.program import Program, WorkflowFlow
from wfc.flow.time import BOUNDED, Path, Term, Times, sums
from wfc.ir.expressions import Expr
from wfc.ir.machine import Await, Do, Guard, Parallel, Region, State, UndoRegion
from wfc.text.durations import spaced_duration
from wfc.text.source import Span

_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Limit:
    """A deadline, by its guard, or a promise (`sla`), by its name; `length` in milliseconds where it is fixed.

    `path` is the longest way through it: calls with all their attempts and pauses, and what is not counted. Waits of a
    fixed length count under a deadline, for what stands behind them never comes; a promise may know them.
    """

    promise: str | None
    at: Span
    length: int | None
    guard: Guard | None
    path: Path


def limits(program: Program, flow: WorkflowFlow) -> Iterator[Limit]:
    """The deadlines and promises of a workflow that can be reached."""
    for frame in flow.graph.frames:
        if frame.entry is None or not flow.reached(frame.entry):
            continue
        for promise, place, amount, guard in _limits(frame):
            path = _inside(program.longest if guard is None else program.longest_with_waits, frame)
            if path is not None and place is not None:
                yield Limit(promise, place, program.policies.constants.whole(amount), guard, path)


def limit_around(point: Point) -> str:
    """The first deadline around that ends what stands at a point, if there is one."""
    timed = (guard for frame in point.frame.outward() for guard in frame.guards if guard.kind in ("after", "at"))
    return next((guard.label for guard in timed if not guard.also), "")


def idle(program: Program, flow: WorkflowFlow) -> Iterator[tuple[Guard, Path]]:
    """The timers that never come, since what they watch has always ended by then; the longest way through that.

    Only where nothing is called meanwhile: a call may stand still for reasons of its own, and then the outer deadline
    is a belt to the braces.
    """
    calls = (p for p in flow.graph.points if p.kind == "do" or isinstance(p.step, UndoRegion))
    halts = (p for item in flow.graph.open for p in item.points if id(p) in flow.live)  # it stands there until then
    long: set[int] = set()
    for point in (*calls, *halts):  # an undo takes as long as its attempts
        for frame in point.frame.outward():
            if frame.kind == "also" or id(frame) in long:
                break
            long.add(id(frame))
    for frame in flow.graph.frames:
        if frame.entry is None or not flow.reached(frame.entry) or id(frame) in long:
            continue
        for guard in frame.guards:
            length = program.policies.constants.whole(guard.amount) if guard.kind in ("after", "every") else None
            path = _inside(program.bounds, frame) if length is not None else None
            if length is None or path is None or length <= 0 or not path.unknown <= {BOUNDED}:
                continue
            beside = guard.also or guard.kind == "every"  # these come behind a `wait` that ends at the same instant
            if path.total < length or (beside and path.total == length):
                yield guard, path


def _limits(frame: Frame) -> Iterator[tuple[str | None, Span | None, Expr | None, Guard | None]]:
    """The deadlines and promises of a guarded thing: the promise's name, the place, the length, the guard."""
    for guard in frame.guards:
        if guard.kind == "after" and not guard.also:
            yield None, guard.at, guard.amount, guard
    if isinstance(frame.subject, State | Region):
        for sla in frame.subject.slas:
            yield sla.name, sla.place, sla.within, None


def _inside(times: Times, frame: Frame) -> Path | None:
    """The longest path inside a guarded thing."""
    match frame.subject:
        case Do():
            return times.call(frame.subject)
        case Parallel():
            return times.branches(frame.subject)
        case State():
            return times.state(frame.subject)
        case Region():
            return times.through(frame.subject)
        case _:
            return None


def rows(path: Path) -> list[str]:
    """What a way is made of, a line for each operation with its attempts, pauses and sum."""
    return [_row(term, times) for term, times in sums(path)]


def _row(term: Term, times: int) -> str:
    """A call with what it is made of, or a wait."""
    if not isinstance(term.step, Do):
        again, word = f"{times} times " if times > 1 else "", "await" if isinstance(term.step, Await) else "wait"
        return f"`{word}`: {again}{spaced_duration(term.length)}"
    often = f"{times} calls of {spaced_duration(term.length)}, each " if times > 1 else ""
    return f"`{term.step.target}`: {often}{_terms(term.tries, term.length)}"


def _terms(tries: Tries | None, length: int) -> str:
    """`4 x 2s + 1s + 1s + 1s = 11s`."""
    if tries is None or tries.timeout is None or tries.attempts is None or tries.overall == length:
        return f"{spaced_duration(length)} overall"
    if tries.attempts == 1:
        return spaced_duration(length)
    parts = [f"{tries.attempts} x {spaced_duration(tries.timeout)}"]
    parts += [spaced_duration(pause) for pause in tries.pauses[: _SHOWN - 1]]
    if len(tries.pauses) < tries.attempts - 1 or len(tries.pauses) >= _SHOWN:
        parts = [parts[0], f"pauses of {spaced_duration(tries.waiting)}"]
    return f"{' + '.join(parts)} = {spaced_duration(length)}"
