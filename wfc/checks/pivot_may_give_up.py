"""Points of no return whose policy can end in failure."""

import re
from typing import ClassVar

from wfc.flow.graph import Point
from wfc.flow.policies import behind, place, written
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do, PolicyDef
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Step, Trace
from wfc.simulation.claim import Sign, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class PivotMayGiveUp(Problem):
    """A point of no return can be given up, and then nobody knows whether it has been passed.

    A `pivot` that ends in a failure may have happened all the same: its answer got lost. Everything older would be
    undone beside a parcel that is on its way. So its policy does not fail: after the last attempt it parks the step
    for a person (`exhausted then park in desk`), or it tries for ever.

    ```wf fails
    service carrier {
      activity handOver(label: Text) key label irreversible "the parcel has left the house"
    }
    workflow Send(label: Text) key label {
      state HandOver { do carrier.handOver(label) with { timeout 30s try 9 times } pivot  done }
    }
    ```
    ```wf passes
    queue carrier_desk
    service carrier {
      activity handOver(label: Text) key label irreversible "the parcel has left the house"
    }
    workflow Send(label: Text) key label {
      state HandOver {
        do carrier.handOver(label) with { timeout 30s try 9 times exhausted then park in carrier_desk } pivot
        done
      }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    operation: str
    attempts: int | None
    by_default: bool
    letter: bool

    def message(self) -> str:
        if self.attempts is None:
            return f"`{self.operation}` is a point of no return, and it can be given up"
        times = "one attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        return f"`{self.operation}` is a point of no return, and after {times} it is given up"

    def label(self) -> str:
        return "if it fails here, nobody knows whether there is still a way back"

    def help(self) -> tuple[str, ...]:
        lines = []
        if self.by_default:
            lines.append("no policy is named here, and that of the project ends in a failure")
        if self.letter:
            lines.append("a dead letter is written, and the call fails all the same")
        lines.append("let a person decide in the end: `exhausted then park in desk`, or `Patient` of `std.policies`")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each reached pivot under a policy that gives up; workflows and tasks without a policy do not."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            call = point.step
            if point.kind != "do" or not isinstance(call, Do) or not call.pivot or call.kind == "workflow":
                continue
            policy = program.policies.of(call)
            if policy is None or not _gives_up(policy) or not flow.reached(point) or call.at is None:
                continue
            own = place(call.places, "with")
            item = written(policy, "exhausted") or written(policy, "try")
            at = place(call.places, "pivot") or call.at
            labels = (Label(item.at.first(len(item.at.text.rstrip())), _words(policy)),) if item is not None else ()
            report(
                PivotMayGiveUp(
                    at=at,
                    operation=call.target,
                    attempts=program.policies.attempts(policy),
                    by_default=policy.place is None,
                    letter=policy.exhausted == "dead letter",
                    labels=labels,
                    trace=_trace(program, flow, point),
                    fixes=_fixes(call, own),
                )
            )


def _trace(program: Inquiry, flow: WorkflowFlow, point: Point) -> Trace | None:
    """A run in which it is given up."""
    errors = frozenset(("Timeout", "Unavailable"))
    closing = (Step("nobody knows whether there is still a way back", point.step.at if point.step else None),)
    aborts = (abort for abort in point.aborts if abort.errors & errors)
    sign = Sign("raised")
    return program.first(
        (leaving(flow, (), point, abort, sign, errors=abort.errors & errors), closing) for abort in aborts
    ).trace


def _gives_up(policy: PolicyDef) -> bool:
    return policy.exhausted != "park" and (policy.attempts is not None or policy.overall is not None)


def _words(policy: PolicyDef) -> str:
    return "then the call fails" if written(policy, "exhausted") is None else "the call fails in the end"


def _fixes(call: Do, own: Span | None) -> tuple[Fix, ...]:
    """The patient policy of the standard library, imported if it is not. Who looks after it is the author's to say."""
    at = own or behind(call, ("as", "assign"))
    if at is None:
        return ()
    edits = (Edit(at, "with Patient" if own is not None else " with Patient"), *_import(at))
    return (Fix("use `Patient` of `std.policies`", edits),)


_NAMES = re.compile(r"^import std\.policies \{(?P<names>[^}]*)\}", re.MULTILINE)
_OWN = re.compile(r"^policy Patient\b", re.MULTILINE)
_MODULE = re.compile(r"^module [^\n]*\n", re.MULTILINE)


def _import(at: Span) -> tuple[Edit, ...]:
    """The import of `Patient`, unless the source has it or declares one of its own."""
    text = at.source.text
    found = _NAMES.search(text)
    if _OWN.search(text):
        return ()
    there = re.search(r"\bPatient\b", found["names"]) if found else None
    if found and there:
        # as it is: so that no other fix takes it away, for not being used yet, at the same time
        start = found.start("names") + there.start()
        return (Edit(Span(at.source, start, start + len("Patient")), "Patient"),)
    if found:
        end = found.start("names") + len(found["names"].rstrip().rstrip(","))
        return (Edit(Span(at.source, end, end), ", Patient"),)
    head = _MODULE.search(text)
    start = head.end() if head else 0
    line = "import std.policies { Patient }\n"
    return (Edit(Span(at.source, start, start), f"\n{line}" if head else f"{line}\n"),)
