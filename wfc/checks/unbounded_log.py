"""Loops that add something to be undone in each round, and never make it final."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.components import components
from wfc.flow.graph import Frame, Point
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.expressions import Expr, Op, Ref, walk
from wfc.ir.machine import Choose, Do, ForEach, Goto, Repeat, Settle, SetVar, Start, Undo, UndoRegion
from wfc.ir.walk import undo_of
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class UnboundedLog(Problem):
    """Each round of a loop does something that can be undone, and nothing ever says that a round is final.

    What has been done is kept until it is undone or made final. A loop without an end in sight keeps every round of
    years; and a failure in the end undoes them all, newest first: ten years of subscriptions are paid back. Say when a
    round is final: `settle`, a `pivot`, an `undo`; or put the round into a scope with a `compensate` of its own. Loops
    with a bound, a counter or a deadline around them are not told.

    ```wf fails
    event Left(customer: Text) key customer
    service payments {
      activity charge(customer: Text) compensate refund(customer)
      activity refund(customer: Text)
    }
    workflow Subscribe(customer: Text) key customer {
      on Left { done }
      state Bill { do payments.charge(customer) with { try 1 times }  wait 30d -> Bill }
    }
    ```
    ```wf passes
    event Left(customer: Text) key customer
    service payments {
      activity charge(customer: Text) compensate refund(customer)
      activity refund(customer: Text)
    }
    workflow Subscribe(customer: Text) key customer {
      on Left { done }
      state Bill { do payments.charge(customer) with { try 1 times }  settle  wait 30d -> Bill }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    operation: str
    others: int

    def message(self) -> str:
        more = {0: "", 1: " and another call"}.get(self.others, f" and {self.others} other calls")
        return f"`{self.operation}`{more} can be undone in each round of a loop, and no round is ever final"

    def label(self) -> str:
        return "one more to be undone in each round"

    def help(self) -> tuple[str, ...]:
        return (
            "say where a round is final: `settle`",
            "or give the round an undo of its own: a `scope` with `compensate`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each such loop once, at its first call that leaves something to be undone."""
    for flow in program.flows.values():
        for part in _rounds(flow):
            calls = [point for point in part if _leaves(program, point)]
            calls.sort(key=lambda point: point.number)
            if not calls or calls[0].step is None or calls[0].step.at is None or _bounded(part):
                continue
            step = calls[0].step
            assert isinstance(step, Do | Start)
            done = Waypoint("done", program.ways.at(step) or calls[0])
            closing = Step("and so on: each round leaves one more to be undone in the end", step.at)
            claim = Claim(flow.workflow.name, (done, done), Sign("there"), stops=True)
            report(
                UnboundedLog(
                    at=calls[0].step.at,
                    operation=step.target,
                    others=len(calls) - 1,
                    trace=program.show(claim, (closing,)).trace,
                    labels=tuple(_back(part)),
                    fixes=_fixes(part),
                )
            )


def _rounds(flow: WorkflowFlow) -> Iterator[list[Point]]:
    """The parts of the graph that lead back to themselves and on which nothing is made final or undone."""
    points = [p for p in flow.graph.points if flow.reached(p) and not _final(p)]
    kept = {id(point) for point in points}
    targets = {id(point): tuple(id(t) for t in _after(point) if id(t) in kept) for point in points}
    found = {id(point): point for point in points}
    for part in components(targets):
        first = next(iter(part))
        if len(part) > 1 or first in targets[first]:
            yield [found[number] for number in part]


def _after(point: Point) -> Iterator[Point]:
    """Where the flow goes on with what has been done: rounds of what has a bound are not counted."""
    step = point.step
    for target in point.next:
        again = target.kind == "fork" and isinstance(target.step, ForEach) and _ends_in(point, target)
        bounded = point.kind == "until" and isinstance(step, Repeat) and step.times is not None and target.step is step
        if not again and not bounded:
            yield target
    for abort in point.aborts:
        if abort.target is not None and (abort.keep or abort.frame.kind == "do"):
            yield abort.target


def _ends_in(point: Point, fork: Point) -> bool:
    """Whether a point is the end of an iteration, from which the next begins."""
    return any(frame.kind == "each" and frame.subject is fork.step for frame in point.frame.outward())


def _final(point: Point) -> bool:
    """Whether what has been done is final, or undone, from here on."""
    if point.kind == "completed" and isinstance(point.step, Do):
        return point.step.pivot
    return isinstance(point.step, Settle | UndoRegion)


def _leaves(program: Program, point: Point) -> bool:
    """Whether a call leaves something to be undone when it has completed."""
    step = point.step
    if point.kind != "completed" or any(frame.covered for frame in _inner(point.frame)):
        return False
    if isinstance(step, Start):
        return _steps(step.undo)
    if not isinstance(step, Do):
        return False
    return _steps(step.undo) or (step.kind == "workflow" and step.undo is None and _child(program, step.target, ()))


def _child(program: Program, name: str, around: tuple[str, ...]) -> bool:
    """Whether a completed child keeps something to be undone."""
    flow = program.flows.get(name)
    if flow is None or name in around:
        return False
    if flow.workflow.region.undo is not None:
        return _steps(flow.workflow.region.undo)
    inside = (call.step for call in flow.effects.at_end())
    return any(
        _steps(undo_of(step))
        or (
            isinstance(step, Do)
            and step.kind == "workflow"
            and step.undo is None
            and _child(program, step.target, (*around, name))
        )
        for step in inside
        if step is not None
    )


def _inner(frame: Frame) -> Iterator[Frame]:
    """The frames around, the workflow's own apart: its undo stands for it when it has ended."""
    for outer in frame.outward():
        if outer.parent is not None and outer.parent.kind == "workflow":
            return
        yield outer


def _steps(undo: Undo | None) -> bool:
    return undo is not None and undo.kind == "steps"


def _bounded(part: list[Point]) -> bool:
    """Whether a counter or a deadline ends the loop in any case."""
    counters = {p.step.name for p in part if isinstance(p.step, SetVar) and _counts(p.step)}
    asked = (arm.test for p in part if isinstance(p.step, Choose) for arm in p.step.arms)
    until = (p.step.until for p in part if isinstance(p.step, Repeat))
    if any(_reads(test, counters) for test in (*asked, *until)):
        return True
    around = [set(map(id, point.frame.outward())) for point in part]
    common = set.intersection(*around) if around else set()
    return any(
        guard.kind in ("after", "at") and not guard.also and not guard.keep
        for frame in part[0].frame.outward()
        if id(frame) in common
        for guard in frame.guards
    )


def _counts(step: SetVar) -> bool:
    return isinstance(step.value, Op) and step.value.op in ("+", "-") and _reads(step.value, {step.name})


def _reads(expr: Expr, names: set[str]) -> bool:
    return any(isinstance(part, Ref) and part.name in names for part in walk(expr))


def _back(part: list[Point]) -> Iterator[Label]:
    """The arrow or the `repeat` that closes the loop."""
    inside = {id(point) for point in part}
    found: list[Span] = []
    for point in part:
        step = point.step
        again = isinstance(step, Goto) and any(id(target) in inside for target in point.next)
        if step is not None and step.at is not None and (again or (isinstance(step, Repeat) and point.kind == "until")):
            found.append(step.at)
    if found:
        yield Label(max(found, key=lambda at: at.start), "and the next round begins")


def _fixes(part: list[Point]) -> tuple[Fix, ...]:
    """`settle` before the arrow that closes the loop. Whether the round is final there is the author's to say."""
    label = next(_back(part), None)
    if label is None or label.at.source.text[: label.at.start].rstrip()[-2:] != "->":
        return ()
    start = len(label.at.source.text[: label.at.start].rstrip()) - 2
    return (Fix("add `settle`", (Edit(Span(label.at.source, start, start), "settle "),)),)
