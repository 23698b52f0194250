"""Calls whose lost answer leaves an undo without its arguments."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.graph import Abort, Point
from wfc.flow.policies import written
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do, PolicyDef
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class AmbiguousOutcome(Problem):
    """An answer can get lost after the work was done, and the undo needs something from that answer.

    After a timeout nobody knows whether the call has happened. What reads only what was known before the call is undone
    in that case too. An undo that reads `result`, or the name of the call's answer, has no argument: the call stays as
    it is, in doubt, and a dead letter asks a person. Undo by something that is known beforehand, such as the key, under
    which the service can find what it has done.

    ```wf fails
    service payments {
      activity charge(trip: Text) -> Text key trip compensate refund(result)
      activity refund(slip: Text)
    }
    workflow W(trip: Text) { state Pay { do payments.charge(trip)  done } }
    ```
    ```wf passes
    service payments {
      activity charge(trip: Text) -> Text key trip compensate refund(trip)
      activity refund(trip: Text)
    }
    workflow W(trip: Text) { state Pay { do payments.charge(trip)  done } }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    operation: str
    key: str

    def message(self) -> str:
        return f"if the answer of `{self.operation}` gets lost, nobody can undo it"

    def label(self) -> str:
        return "needs the answer"

    def help(self) -> tuple[str, ...]:
        known = f", such as the key `{self.key}`" if self.key else ""
        return (
            f"undo by something known beforehand{known}: the service can find by it what it has done",
            "a call in doubt is otherwise a dead letter, for a person to look into",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each undo that reads the answer of a reached call which can stay in doubt and then be left."""
    told: set[int] = set()
    for flow in program.flows.values():
        for point in flow.graph.points:
            call = point.step
            if point.kind != "do" or not isinstance(call, Do) or call.undo is None or not flow.reached(point):
                continue
            undo = call.undo
            if undo.kind != "steps" or undo.blind or undo.at is None or call.kind not in ("activity", "query"):
                continue
            policy = program.policies.of(call)
            if policy is not None and _in_doubt(point, policy) and undo.at.start not in told:
                told.add(undo.at.start)
                _report(program, flow, point, policy, report)


def _in_doubt(point: Point, policy: PolicyDef) -> bool:
    """Whether the call can end without an answer and be left: by its own failure, or interrupted while it is sent."""
    if policy.timeout is None:
        return False
    return next(_lost(point), None) is not None


def _lost(point: Point) -> Iterator[Abort]:
    """The ways on which the call is left without an answer."""
    yield from (a for a in point.aborts if not a.keep and (not a.errors or "Timeout" in a.errors))


def _claims(flow: WorkflowFlow, point: Point) -> Iterator[tuple[Claim, tuple[Step, ...]]]:
    """Runs in which the answer gets lost, and its undo has nothing to go by."""
    call = point.step
    assert isinstance(call, Do)
    sign = Sign("undo failed", call.target)
    for abort in _lost(point):
        errors = frozenset(("Timeout",)) & abort.errors
        yield leaving(flow, (), point, abort, sign, errors=errors), ()


def _report(program: Inquiry, flow: WorkflowFlow, point: Point, policy: PolicyDef, report: Reporter) -> None:
    call = point.step
    assert isinstance(call, Do)
    undo = call.undo
    assert undo is not None
    operation = program.operations[call.target]
    labels = [Label(call.at, "called here")] if call.at is not None and undo.at is not None else []
    item = written(policy, "timeout")
    if item is not None and call.at is not None and item.at.source is call.at.source:
        at = item.at.first(len(item.at.text.rstrip()))
        labels.append(Label(at, "the answer may be lost after the work was done"))
    key = next((at.text.removeprefix("key").strip() for word, at in operation.places if word == "key"), "")
    assert undo.at is not None
    trace = program.first(_claims(flow, point)).trace
    report(AmbiguousOutcome(at=undo.at, operation=call.target, key=key, labels=tuple(labels), trace=trace))
