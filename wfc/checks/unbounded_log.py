"""Loops that add something to be undone in each round, and never make it final."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from wfc.flow.counting import climbs
from wfc.flow.graph import Abort, Frame, Point, circles
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.expressions import Expr, Op, Ref, walk
from wfc.ir.machine import Choose, Do, ForEach, Goto, Repeat, Settle, SetVar, Start, Undo, UndoRegion
from wfc.ir.walk import undo_of
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value

PLACES = 16  # sets of guarded things around calls that are told apart in one loop
ARROWS = 8  # arrows of which one may be the one that closes a loop


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
        told: set[int] = set()
        for part, calls in _rounds(program, flow):
            step = calls[0].step
            assert isinstance(step, Do | Start)
            if step.at is None or not told.isdisjoint(map(id, calls)):
                continue
            told.update(map(id, calls))
            done = Waypoint("done", program.ways.at(step) or calls[0])
            closing = Step("and so on: each round leaves one more to be undone in the end", step.at)
            claim = Claim(flow.workflow.name, (done, done), Sign("there"), stops=True)
            report(
                UnboundedLog(
                    at=step.at,
                    operation=step.target,
                    others=len(calls) - 1,
                    trace=program.show(claim, (closing,)).trace,
                    labels=tuple(_back(part, calls)),
                    fixes=_fixes(part, calls),
                )
            )


_Followed = Callable[[Abort], bool]


def _rounds(program: Program, flow: WorkflowFlow) -> Iterator[tuple[list[Point], list[Point]]]:
    """The loops without a bound on which nothing is made final or undone, with the calls that add up."""
    parts = [[p for p in part if flow.reached(p) and not _final(p)] for part in flow.graph.circles]
    inside = {id(point) for part in parts for point in part if _leaves(program, point)}
    if not inside:
        return
    for part in (inner for whole in parts for inner in _circles(whole, _kept)):
        for unbounded in _without_bound(part, _kept):
            calls = [point for point in unbounded if id(point) in inside]
            if calls:
                yield unbounded, calls
    for part in (inner for whole in parts for inner in _circles(whole, _every)):
        yield from _behind_aborts(part, inside)


def _behind_aborts(part: list[Point], leaving: set[int]) -> Iterator[tuple[list[Point], list[Point]]]:
    """Loops that an abort closes: it undoes what was done inside its frame, and what was done before adds up."""
    crossed = {id(a.frame) for point in part for a in point.aborts if a.target is not None and not _kept(a)}
    around = {id(p): frozenset(map(id, p.frame.outward())) & crossed for p in part if id(p) in leaving}
    for undoing in list(dict.fromkeys(around.values()))[:PLACES] if crossed else ():
        followed: _Followed = partial(_spares, undoing)
        for circle in _circles(part, followed):
            for unbounded in _without_bound(circle, followed):
                calls = [p for p in unbounded if id(p) in around and around[id(p)] <= undoing]
                if calls:
                    yield unbounded, calls


def _kept(abort: Abort) -> bool:
    """Whether nothing is undone by an abort."""
    return abort.keep or abort.frame.kind == "do"


def _every(_: Abort) -> bool:
    return True


def _spares(frames: frozenset[int], abort: Abort) -> bool:
    """Whether an abort undoes nothing that was done in some frames."""
    return _kept(abort) or id(abort.frame) not in frames


def _circles(points: list[Point], followed: _Followed) -> Iterator[list[Point]]:
    return circles(points, lambda point: _after(point, followed))


def _after(point: Point, followed: _Followed) -> Iterator[Point]:
    """Where the flow goes on with what has been done: rounds of what has a bound are not counted."""
    step = point.step
    for target in point.next:
        again = target.kind == "fork" and isinstance(target.step, ForEach) and _ends_in(point, target)
        bounded = point.kind == "until" and isinstance(step, Repeat) and step.times is not None and target.step is step
        if not again and not bounded:
            yield target
    for abort in point.aborts:
        if abort.target is not None and followed(abort):
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


def _without_bound(part: list[Point], followed: _Followed) -> Iterator[list[Point]]:
    """What is left of a loop without the rounds that a counter or a deadline ends in any case."""
    if _has_deadline(part):
        return
    sets = [point.step for point in part if isinstance(point.step, SetVar)]
    tests = [test for point in part for test in _tests(point)]
    again = {step.name for step in sets if not (_counts(step) or climbs(step, tests))}  # starts anew in some round
    counters = {step.name for step in sets} - again
    counting = [p for p in part if isinstance(p.step, SetVar) and p.step.name in counters]
    asking = [point for point in part if any(_reads(test, counters) for test in _tests(point))]
    if not counting or not asking:
        yield part
        return
    asked = {ref.name for p in asking for test in _tests(p) for ref in walk(test) if isinstance(ref, Ref)}
    counting = [p for p in counting if isinstance(p.step, SetVar) and p.step.name in asked]
    for bound in (asking, counting):  # a round that does not count, or does not ask, has no bound
        without = {id(point) for point in bound}
        yield from _circles([point for point in part if id(point) not in without], followed)


def _tests(point: Point) -> Iterator[Expr]:
    match point.step:
        case Choose(arms=arms):
            yield from (arm.test for arm in arms)
        case Repeat(until=until):
            if point.kind == "until":
                yield until
        case _:
            return


def _has_deadline(part: list[Point]) -> bool:
    """Whether a deadline around all of it ends the loop in any case."""
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


def _back(part: list[Point], calls: list[Point]) -> Iterator[Label]:
    """The arrow or the `repeat` that closes the loop: one without which none of the calls comes again, if possible."""
    inside = {id(point) for point in part}
    found: dict[int, tuple[Span, Point]] = {}
    for point in part:
        step = point.step
        again = isinstance(step, Goto) and any(id(target) in inside for target in point.next)
        if step is not None and step.at is not None and (again or (isinstance(step, Repeat) and point.kind == "until")):
            found[step.at.start] = step.at, point
    arrows = [found[start] for start in sorted(found, reverse=True)]
    closing = next((arrow for arrow in arrows[:ARROWS] if _closes(arrow[1], part, calls)), None)
    if arrows:
        yield Label((closing or arrows[0])[0], "and the next round begins")


def _closes(arrow: Point, part: list[Point], calls: list[Point]) -> bool:
    """Whether all rounds with a call go through an arrow."""
    left = [point for point in part if point is not arrow]
    wanted = {id(point) for point in calls}
    return all(wanted.isdisjoint(map(id, circle)) for circle in _circles(left, _every))


def _fixes(part: list[Point], calls: list[Point]) -> tuple[Fix, ...]:
    """`settle` before the arrow that closes the loop. Whether the round is final there is the author's to say."""
    label = next(_back(part, calls), None)
    if label is None or label.at.source.text[: label.at.start].rstrip()[-2:] != "->":
        return ()
    source = label.at.source
    start = len(source.text[: label.at.start].rstrip()) - 2
    before = Span(source, start, start)
    edits: tuple[Edit, ...] = (Edit(before, "settle "),)
    if _alone(part, label.at, start):
        edits = (Edit(before, "{ settle "), Edit(Span(source, label.at.end, label.at.end), " }"))
    return (Fix("add `settle`", edits),)


def _alone(part: list[Point], at: Span, arrow: int) -> bool:
    """Whether an arrow stands directly behind a trigger or a condition, without a block around it."""
    heads: list[Span | None] = []
    for point in part:
        if point.guard is not None and any(step.at == at for step in point.guard.steps):
            heads.append(point.guard.at)
        if isinstance(point.step, Choose):
            heads.extend(arm.at for arm in point.step.arms if any(step.at == at for step in arm.steps))
    text = at.source.text
    return text[:arrow].rstrip().endswith("otherwise") or any(
        head is not None and "{" not in text[head.start : arrow] for head in heads
    )
