"""Failed calls after which the process goes on as if they had worked."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Audit, Choose, Do, Goto, Guard, Let, Measure, Step
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter
from wfc.problems.problem import Step as TraceStep
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class SwallowedAbort(Problem):
    """A call fails, its `catch` does nothing about it, and the process ends as a success.

    The handler falls back into the way of success, or leads to the very node that comes next anyway, without giving
    what the call would have given, and without anything done instead. What follows believes that the call has worked:
    goods are shipped that nobody has paid for. Let the error leave, or lead it to where it is dealt with. If a failure
    really does no harm, say so: `optional` at the call.

    ```wf fails
    error CardDeclined
    service shop {
      activity charge(order: Text) raises CardDeclined key order compensate refund(order)
      activity refund(order: Text) key order
      activity ship(order: Text) key order compensate none "the parcel comes back by itself"
    }
    workflow Order(order: Text) key order {
      state Pay {
        do shop.charge(order)
           catch CardDeclined { audit "not paid" }
        -> Ship
      }
      state Ship { do shop.ship(order)  done }
    }
    ```
    ```wf passes
    error CardDeclined
    service shop {
      activity charge(order: Text) raises CardDeclined key order compensate refund(order)
      activity refund(order: Text) key order
      activity ship(order: Text) key order compensate none "the parcel comes back by itself"
    }
    workflow Order(order: Text) key order {
      state Pay {
        do shop.charge(order)
           catch CardDeclined { audit "not paid"  done }
        -> Ship
      }
      state Ship { do shop.ship(order)  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    operation: str
    errors: tuple[str, ...]
    optional: bool

    def message(self) -> str:
        shown = listed(self.errors[:3], "or")
        return f"when `{self.operation}` fails with {shown}, the process goes on as if it had worked"

    def label(self) -> str:
        return "handled, and then the next step comes all the same"

    def help(self) -> tuple[str, ...]:
        lines = ["let the error leave (remove this guard): what was done before is undone"]
        lines.append("or lead it to where it is dealt with: `catch ... -> Refused`")
        if self.optional:
            lines.append("if a failure does no harm, say so: `optional` at the call")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports the guards of calls that swallow a failure, if a run then ends as a success."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            if point.kind == "do" and isinstance(point.step, Do) and flow.reached(point):
                for abort in _swallowing(point, point.step):
                    _report(program, flow, point, abort, report)


def _swallowing(point: Point, step: Do) -> Iterator[Abort]:
    """The aborts to guards of the call itself that change nothing."""
    if step.kind == "query" or (step.bind is not None and step.effect == "none"):
        return
    after = point.next[0].next[0] if point.next and point.next[0].next else None
    for abort in point.aborts:
        guard = abort.guard
        if guard is None or guard.kind != "catch" or guard not in step.guards:
            continue
        if not _does_nothing(guard.steps) or any(isinstance(s, Let) and s.name == step.bind for s in guard.steps):
            continue
        target = _arrow(guard)
        if target is None or (after is not None and isinstance(after.step, Goto) and after.step.target == target):
            yield abort


def _does_nothing(steps: tuple[Step, ...]) -> bool:
    """Whether steps only tell, and lead on or fall off."""
    for step in steps:
        match step:
            case Audit() | Measure() | Let() | Goto():
                continue
            case Choose(arms=arms, otherwise=otherwise):
                if not all(_does_nothing(arm.steps) for arm in arms) or not _does_nothing(otherwise or ()):
                    return False
            case _:
                return False
    return True


def _arrow(guard: Guard) -> str | None:
    """Where a guard leads, if it does."""
    last = guard.steps[-1] if guard.steps else None
    return last.target if isinstance(last, Goto) else None


def _report(program: Inquiry, flow: WorkflowFlow, point: Point, abort: Abort, report: Reporter) -> None:
    step, guard = point.step, abort.guard
    assert isinstance(step, Do)
    if guard is None or guard.at is None:
        return
    claim = Claim(flow.workflow.name, (Waypoint("leave", point, abort),), Sign("completed"), flow.graph.end)
    shown = program.show(claim, (TraceStep(f"not done: {step.target}"),))
    if shown.verdict == "impossible":
        return
    report(
        SwallowedAbort(
            at=guard.at,
            labels=(Label(step.at, "did not happen"),) if step.at is not None else (),
            fixes=_fixes(step, guard),
            trace=shown.trace,
            operation=step.target,
            errors=tuple(sorted(name.rpartition(".")[2] for name in abort.errors)),
            optional=step.bind is None,
        )
    )


def _fixes(step: Do, guard: Guard) -> tuple[Fix, ...]:
    """The guard goes, where it is one line. What happens then is another process: not safe."""
    if guard.at is None or len(step.guards) != 1 or step.bind is not None or (guard.any is False and guard.names == ()):
        return ()
    source = guard.at.source
    line = source.line_starts[guard.at.line - 1]
    text = source.text[line : source.text.find("\n", line) + 1 or len(source.text)]
    if not text.strip().startswith("catch") or text.count("{") != text.count("}"):
        return ()
    return (Fix("let the error leave", (Edit(Span(source, line, line + len(text)), ""),)),)
