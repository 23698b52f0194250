"""Compensations that never run, and those that would run a second time."""

from collections.abc import Iterator, Mapping
from typing import Any

from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.expressions import Expr, Lit, Ref, walk
from wfc.ir.machine import Do, OperationDef
from wfc.ir.rewrite import rewrite
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value

FAR = 40  # points behind an abort that are looked at


@value(kw_only=True)
class DeadRollback(Problem):
    """A compensation can never run, or the same undo is called by hand where it has run already.

    When an error, an event or a deadline leaves a part of the process, what was done there is undone by itself. A
    handler that calls the undo once more gives the money back twice. And a compensation that no failure can reach is
    not what it seems: whoever reads it believes in a way back that does not exist. If it is written for a later
    version, say so where it stands: `// allow dead-rollback: for version 2`.

    ```wf fails
    service shop {
      activity charge(order: Text) key order compensate refund(order)
      activity refund(order: Text) key order
      activity pack(order: Text) key order compensate none "the parcel is unpacked when it comes back"
    }
    workflow Order(order: Text) key order {
      scope Work -> Done {
        catch any -> Sorry
        state Pay  { do shop.charge(order) -> Pack }
        state Pack { do shop.pack(order)  done }
      }
      state Sorry { do shop.refund(order)  done }
      state Done  { done }
    }
    ```
    ```wf passes
    service shop {
      activity charge(order: Text) key order compensate refund(order)
      activity refund(order: Text) key order
      activity pack(order: Text) key order compensate none "the parcel is unpacked when it comes back"
    }
    workflow Order(order: Text) key order {
      scope Work -> Done {
        catch any -> Sorry
        state Pay  { do shop.charge(order) -> Pack }
        state Pack { do shop.pack(order)  done }
      }
      state Sorry { audit "the money is back"  done }
      state Done  { done }
    }
    ```
    """

    severity = Severity.WARNING

    undo: str
    operation: str
    twice: bool
    later: bool = False

    def message(self) -> str:
        if self.later:
            return f"`{self.undo}` can run twice: by hand here, and again when a later step fails"
        if self.twice:
            return f"`{self.undo}` runs twice: `{self.operation}` has been undone by it before"
        return f"nothing ever undoes `{self.operation}`: no failure comes behind it"

    def label(self) -> str:
        if self.later:
            return f"does by hand what undoes `{self.operation}`"
        return "once more, by hand" if self.twice else "its compensation never runs"

    def help(self) -> tuple[str, ...]:
        if self.later:
            return (
                "say behind it that this is final: `settle`",
                "or write `undo` in its place: what has been done is then undone once",
            )
        if self.twice:
            return ("remove this call: what is left is undone by itself", "or let the guard keep what was done: `keep`")
        return ('say that nothing is to be undone: `compensate none "..."`',)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports calls that repeat an undo, and operations whose undo no run can reach."""
    live: set[str] = set()
    calls: dict[str, Point] = {}
    for flow in program.flows.values():
        undos = _undos(program, flow)
        for abort, undone, again in _repeated(flow, undos):
            _report(program, flow, (abort, undone, again), report)
        for abort, undone, again in _by_hand(flow, undos):
            _report_later(program, flow, (abort, undone, again), report)
        for point in flow.effects.calls:
            if isinstance(point.step, Do) and point.step.effect == "reversible" and flow.reached(point):
                calls.setdefault(point.step.target, point)
        live |= _live(program, flow)
    for name, point in calls.items():
        operation = program.operations.get(name)
        if name not in live and operation is not None and operation.effect == "reversible":
            _report_dead(operation, point, report)


# -- undone twice


_Undos = dict[str, list[tuple[Point, tuple[Expr, ...]]]]  # by the operation that undoes: the calls, what it is told


def _repeated(flow: WorkflowFlow, undos: _Undos) -> Iterator[tuple[Abort, Point, Point]]:
    """Aborts, with a call that they undo, and a later call that does the same again."""
    told: set[int] = set()
    for again in flow.graph.points:
        step = again.step
        if again.kind != "do" or not isinstance(step, Do) or step.target not in undos or not flow.reached(again):
            continue
        for abort in _aborts_before(flow, again):
            mask = (flow.effects.may[id(abort.source)] | flow.effects.beside(abort.source.frame)) & flow.effects.mask(
                abort.frame
            )
            for call, args in undos[step.target]:
                same = args == step.args and mask & flow.effects.bit[id(call)]
                if same and id(again) not in told and flow.effects.reached(abort.source):
                    told.add(id(again))
                    yield abort, call, again


def _undos(program: Inquiry, flow: WorkflowFlow) -> _Undos:
    """What the operations that are called by hand too undo."""
    found: _Undos = {}
    if program.called.isdisjoint(program.undoing):
        return found
    for call in flow.effects.calls:
        how = _undo_call(program, call.step) if isinstance(call.step, Do) else None
        if how is not None:
            found.setdefault(how[0], []).append((call, how[1]))
    return found


def _by_hand(flow: WorkflowFlow, undos: _Undos) -> Iterator[tuple[Abort, Point, Point]]:
    """Calls that do what undoes an older one, which stays to be undone, and a later abort that does it again."""
    effects = flow.effects
    for again in flow.graph.points:
        step = again.step
        if again.kind != "do" or not isinstance(step, Do) or step.target not in undos or not effects.reached(again):
            continue
        for call, args in undos[step.target]:
            if args != step.args or not effects.may[id(again)] & effects.bit[id(call)]:
                continue
            both = effects.bit[id(call)] | effects.bit[id(again.next[0])]
            found = next(
                (
                    abort
                    for point in flow.graph.points
                    if effects.reached(point) and effects.may[id(point)] & both == both
                    for abort in point.aborts
                    if not abort.keep and effects.mask(abort.frame) & effects.bit[id(call)]
                ),
                None,
            )
            if found is not None:
                yield found, call, again
                break


def _report_later(program: Inquiry, flow: WorkflowFlow, case: tuple[Abort, Point, Point], report: Reporter) -> None:
    abort, call, again = case
    step, done = again.step, program.ways.at(call.step)
    assert isinstance(step, Do)
    assert isinstance(call.step, Do)
    if step.at is None or done is None:
        return
    before = (Waypoint("done", done), Waypoint("done", again))
    claim = leaving(flow, before, abort.source, abort, Sign("undone", call.step.target))
    shown = program.show(claim, (Step(f"done by hand, and undone: {call.step.target}"),))
    if shown.verdict == "impossible":
        return
    labels = [Label(call.step.at, "is undone by itself when a later step fails")] if call.step.at is not None else []
    if abort.source.step is not None and abort.source.step.at is not None:
        labels.append(Label(abort.source.step.at, "can still fail"))
    report(
        DeadRollback(
            at=step.at,
            labels=tuple(labels),
            trace=shown.trace,
            undo=step.target,
            operation=call.step.target,
            twice=True,
            later=True,
        )
    )


def _aborts_before(flow: WorkflowFlow, goal: Point) -> Iterator[Abort]:
    """The aborts whose tails lead to a point soon."""
    before = flow.before
    seen = {id(goal)}
    waiting = [goal]
    while waiting and len(seen) < FAR:
        point = waiting.pop(0)
        if point.kind == "tail":
            yield from (abort for abort in flow.aborts_to(point) if not abort.keep)
            continue
        for earlier in before.get(id(point), ()):
            if id(earlier) not in seen:
                seen.add(id(earlier))
                waiting.append(earlier)


def _undo_call(program: Inquiry, step: Do) -> tuple[str, tuple[Expr, ...]] | None:
    """The operation that undoes a call and what it is told, where that is said by parameters and constants alone."""
    undo = step.undo
    if undo is None or undo.kind == "none" or undo.when is not None or len(undo.steps) != 1:
        return None
    (how,) = undo.steps
    if not isinstance(how, Do):
        return None
    operation = program.operations.get(step.target)
    names = [param.name for param in operation.params] if operation is not None else []
    given = dict(zip(names, step.args, strict=False))
    found = tuple(_as_called(arg, given) for arg in how.args)
    plain = all(
        isinstance(part, Lit) or (isinstance(part, Ref) and part.kind in ("param", "const"))
        for arg in found
        for part in walk(arg)
    )
    return (how.target, found) if plain else None


def _as_called(arg: Expr, given: Mapping[str, Expr]) -> Expr:
    """An argument of an undo in the words of the call: operands are what the call gives for them."""

    def change(part: Any) -> Any:  # noqa: ANN401 - a part of an expression
        if part.kind != "operand":
            return part
        return given.get(part.name, part)

    return rewrite(arg, (Ref,), change)


def _report(program: Inquiry, flow: WorkflowFlow, case: tuple[Abort, Point, Point], report: Reporter) -> None:
    abort, call, again = case
    step = again.step
    assert isinstance(step, Do)
    assert isinstance(call.step, Do)
    done = program.ways.at(call.step)
    if step.at is None or done is None:
        return
    ways = (Waypoint("done", done), Waypoint("leave", abort.source, abort), Waypoint("done", again))
    closing = (Step(f"undone twice: {call.step.target}"),)
    shown = program.show(Claim(flow.workflow.name, ways, Sign("there")), closing)
    if shown.verdict != "shown":
        return
    labels = [Label(call.step.at, "undone by itself when this part is left")] if call.step.at is not None else []
    if abort.guard is not None and abort.guard.at is not None:
        labels.append(Label(abort.guard.at, "leaves, and undoes what was done inside"))
    report(
        DeadRollback(
            at=step.at,
            labels=tuple(labels),
            trace=shown.trace,
            undo=step.target,
            operation=call.step.target,
            twice=True,
        )
    )


# -- never undone


def _live(program: Inquiry, flow: WorkflowFlow) -> set[str]:
    """The operations that something in a workflow may undo: a failure, a cancel, or whoever has called the workflow."""
    effects = flow.effects
    bits = 0
    for point in flow.graph.points:
        if not effects.reached(point):
            continue
        if point.kind in ("do", "step", "failed"):  # an operator may cancel wherever something waits
            bits |= effects.may[id(point)] | effects.beside(point.frame)
        if any(effects.doubtful(point, abort) for abort in point.aborts):
            bits |= effects.under_way(point)
    if flow.workflow.name in program.called_workflows:
        bits |= effects.may.get(id(flow.graph.end), 0)
    return {
        point.step.target for point in effects.calls if bits & effects.bit[id(point)] and isinstance(point.step, Do)
    }


def _report_dead(operation: OperationDef, point: Point, report: Reporter) -> None:
    step = point.step
    if operation.at is None or step is None or step.at is None:
        return
    label = (Label(step.at, "nothing that can fail comes behind it"),)
    report(DeadRollback(at=operation.at, labels=label, undo="", operation=operation.name, twice=False))
