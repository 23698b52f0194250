"""Deadlines and promises that the attempts of the calls inside can outlast."""

from typing import ClassVar

from wfc.flow.deadlines import Limit, limits, rows
from wfc.flow.program import WorkflowFlow
from wfc.flow.time import Path, Term
from wfc.ir.machine import Await, Guard, Wait
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.durations import MILLISECONDS, show_duration, spaced_duration
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value

_SHOWN = 6


@value(kw_only=True)
class RetryExceedsDeadline(Problem):
    """The calls inside may take longer than the deadline, or the promise, around them.

    Each call may use all its attempts, with their timeouts and the pauses between them. If these add up to more than
    the time there is, the last attempts exist on paper only: the deadline interrupts them, and undoes what was done.
    The sum is that of the longest path: branches side by side take the longest one, a loop counts one round. Under a
    deadline a `wait` of a fixed length counts as well: what stands behind it never comes, nor does it where both end at
    one instant. What nobody can know, such as people's answers, is left out.

    ```wf fails
    service shop { query price(item: Text) -> Int with { timeout 2s try 4 times backoff 1s } }
    workflow W(item: Text) -> Int {
      state Ask {
        do shop.price(item) as found
           after 5s { done 0 }
        done found
      }
    }
    ```
    ```wf passes
    service shop { query price(item: Text) -> Int with { timeout 2s overall 5s try 4 times backoff 1s } }
    workflow W(item: Text) -> Int {
      state Ask {
        do shop.price(item) as found
           after 5s { done 0 }
        done found
      }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    promise: str
    limit: int
    total: int
    rows: tuple[str, ...]
    left_out: tuple[str, ...]
    enough: str
    what: str = "calls"

    def message(self) -> str:
        if self.limit == self.total:
            return (
                f"the deadline is {spaced_duration(self.limit)}, and so are the {self.what}: the deadline comes first"
            )
        what = f"the promise{self.promise.rstrip('-')} is" if self.promise else "the deadline is"
        return f"{what} {spaced_duration(self.limit)}, but the {self.what} may take {spaced_duration(self.total)}"

    def label(self) -> str:
        if self.what != "calls":
            return "comes before the end of what it watches"
        return "comes before the last attempts" if not self.promise else "may be broken by attempts alone"

    def help(self) -> tuple[str, ...]:
        lines = [f"worst case, without jitter: {row}" for row in self.rows]
        if self.left_out:
            lines.append(f"not counted: {listed(self.left_out)}")
        word = "within" if self.promise else "after"
        if self.what == "waits":
            lines.append(f"`{word} {self.enough}`, or wait for less")
            return tuple(lines)
        lines.append(f"`{word} {self.enough}`, or less for the calls: `overall` in their policy, or fewer attempts")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each deadline and sla of a fixed length that is shorter than the longest path over the calls inside."""
    for flow in program.flows.values():
        for limit in limits(program, flow):
            if limit.length is None or _by_itself(flow, limit.path):
                continue
            if 0 < limit.length < limit.path.total + _comes_first(limit):
                _report(limit, limit.length, _trace(program, flow, limit.path, limit.guard), report)


def _by_itself(flow: WorkflowFlow, path: Path) -> bool:
    """Whether an `await` of the workflow itself is on the way: `dead-arm` tells which arm is too late."""
    waits = {id(term.step) for term in path.terms if isinstance(term.step, Await)}
    return bool(waits) and any(id(point.step) in waits for point in flow.graph.points)


def _comes_first(limit: Limit) -> bool:
    """Whether a deadline comes before what ends at the very same instant: so it does before a `wait`."""
    return limit.guard is not None and bool(limit.path.terms) and isinstance(limit.path.terms[-1].step, Wait | Await)


def _trace(program: Inquiry, flow: WorkflowFlow, path: Path, guard: Guard | None) -> Trace | None:
    """A run in which the calls need all their attempts, until the time is over."""
    point = program.ways.at(path.terms[-1].step) if path.terms else None
    if point is None:
        return None
    sign = Sign("fired", guard.label) if guard is not None else Sign("promise")
    abort = next((abort for abort in point.aborts if abort.guard is guard), None) if guard is not None else None
    claim = Claim(flow.workflow.name, (Waypoint("late", point, abort),), sign, stops=True)
    return program.show(claim).trace


def _report(found: Limit, limit: int, trace: Trace | None, report: Reporter) -> None:
    path, guard, told = found.path, found.guard, rows(found.path)
    promise = "" if found.promise is None else f' "{found.promise}"' if found.promise else "-"
    longest = max(path.terms, key=lambda term: term.total, default=None)
    enough = show_duration(_rounded(path.total + _comes_first(found)))
    labels = (Label(longest.step.at, _share(longest)),) if longest is not None and longest.step.at is not None else ()
    if len(told) > _SHOWN:
        told = [*told[:_SHOWN], f"and {len(told) - _SHOWN} more calls"]
    report(
        RetryExceedsDeadline(
            at=found.at,
            promise=promise,
            limit=limit,
            total=path.total,
            rows=tuple(told),
            left_out=tuple(sorted(path.unknown)),
            what=_what(path),
            enough=enough,
            trace=trace,
            labels=labels,
            fixes=_fixes(guard, enough),
        )
    )


def _what(path: Path) -> str:
    waits = {isinstance(term.step, Wait | Await) for term in path.terms}
    return "waits" if waits == {True} else "calls and waits" if True in waits else "calls"


def _share(term: Term) -> str:
    return f"takes the longest: up to {spaced_duration(term.total)}"


def _rounded(length: int) -> int:
    """A length that can be read: up to the next whole second, minute or hour, after its size."""
    unit = next((size for size in (MILLISECONDS["h"], MILLISECONDS["m"]) if length > 10 * size), MILLISECONDS["s"])
    return -(-length // unit) * unit


def _fixes(guard: Guard | None, enough: str) -> tuple[Fix, ...]:
    """A deadline that is long enough. How long somebody may wait is the author's to say: not safe."""
    if guard is None or guard.at is None:
        return ()
    at = Span(guard.at.source, guard.at.start, guard.at.start + len(guard.label))
    if at.text != guard.label:
        return ()
    return (Fix(f"write `after {enough}`", (Edit(at, f"after {enough}"),)),)
