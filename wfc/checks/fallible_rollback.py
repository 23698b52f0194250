"""Undos whose failure is heard by nobody."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.policies import written
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, Start, Undo, Workflow
from wfc.ir.machine import Step as Doing
from wfc.ir.walk import all_steps, region_steps, regions, undo_of
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value

TRIES = 4  # failures for which a run is looked for


@value(kw_only=True)
class FallibleRollback(Problem):
    """An undo gives up in the end, and the project names nobody who hears of it.

    An undo that fails leaves the world half undone: the money is taken, and nothing was delivered. Its policy ends in
    `fail`, and without a queue for dead letters in the project that is nobody's business. Name the queue at the policy
    (`exhausted then dead letter desk`), or once for the whole project (`dead-letters` in wfc.toml). An undo that names
    no policy has `std.policies.Compensation`, which ends in a dead letter.

    ```wf fails
    service payments {
      activity charge(trip: Text) key trip compensate refund(trip)
      activity refund(trip: Text) with { timeout 10s try 3 times }
      query    check(trip: Text)
    }
    workflow W(trip: Text) { state Pay { do payments.charge(trip)  do payments.check(trip)  done } }
    ```
    ```wf passes
    queue desk
    service payments {
      activity charge(trip: Text) key trip compensate refund(trip)
      activity refund(trip: Text) with { timeout 10s try 3 times exhausted then dead letter desk }
      query    check(trip: Text)
    }
    workflow W(trip: Text) { state Pay { do payments.charge(trip)  do payments.check(trip)  done } }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    operation: str

    def message(self) -> str:
        return f"the undo `{self.operation}` can be given up, and nobody hears of it"

    def label(self) -> str:
        return "called to undo"

    def help(self) -> tuple[str, ...]:
        return (
            "say who looks after it: `exhausted then dead letter desk` in its policy",
            "or name a queue for the whole project: `dead-letters` in wfc.toml",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each operation once that undoes something under a policy which ends in a failure."""
    told: set[str] = set()
    for flow in program.flows.values():
        for call, undone in _undoing(flow.workflow):
            policy = program.policies.of(call)
            if policy is None or not policy.unheard or call.target in told or call.at is None:
                continue
            caught = any(guard.kind == "catch" and (guard.any or "Timeout" in guard.names) for guard in call.guards)
            if caught or (policy.attempts is None and policy.overall is None):
                continue  # heard, or tried for ever
            told.add(call.target)
            item = written(policy, "exhausted") or written(policy, "try")
            at = item.at.first(len(item.at.text.rstrip())) if item is not None else policy.place
            labels = (Label(at, "and then it is given up"),) if at is not None else ()
            trace = _trace(program, flow, call, undone)
            fixes = _fixes(program, call)
            report(FallibleRollback(at=call.at, operation=call.target, labels=labels, trace=trace, fixes=fixes))


def _trace(program: Inquiry, flow: WorkflowFlow, call: Do, undone: Doing | None) -> Trace | None:
    """A run in which what the undo is for is to be undone, and it fails."""
    if not isinstance(undone, Do | Start):
        return None
    closing = (Step(f"`{call.target}` is given up, and nobody hears of it", call.at),)
    return program.first((claim, closing) for claim in _claims(program, flow, undone)).trace


def _claims(program: Inquiry, flow: WorkflowFlow, step: Do | Start) -> Iterator[Claim]:
    done, sign = program.ways.at(step), Sign("undo failed", step.target)
    calls = [point for point in flow.effects.calls if point.step is step]
    if done is None:
        return
    every = sorted(flow.effects.undone(calls), key=lambda found: found.doubt)
    for found in every[:TRIES]:
        before = () if found.doubt else (Waypoint("done", done),)
        if found.abort is None:
            yield Claim(flow.workflow.name, before, sign, found.source)
        else:
            yield leaving(flow, before, found.source, found.abort, sign)


def _undoing(workflow: Workflow) -> Iterator[tuple[Do, Doing | None]]:
    """The calls of everything that undoes, with the call that they undo, if it is one."""
    undos: list[tuple[Undo | None, Doing | None]] = []
    undos += [(undo_of(step), step) for step in region_steps(workflow.region, undos=False)]
    undos += [(region.undo, None) for region in regions(workflow.region)]
    for undo, undone in undos:
        steps = all_steps(undo.steps if undo is not None else ())
        yield from ((step, undone) for step in steps if isinstance(step, Do))


def _fixes(program: Program, call: Do) -> tuple[Fix, ...]:
    """The policy without its own words falls back to the one for undos: a dead letter in the end."""
    operation = program.operations.get(call.target)
    own = next((at for word, at in operation.places if word == "with"), None) if operation is not None else None
    if own is None or call.id != "undo":
        return ()
    return (Fix("leave the policy of undos to the standard library", (Edit(_with_space(own), ""),)),)


def _with_space(at: Span) -> Span:
    """A clause with the line it stands on, or with the space before it."""
    whole = at.with_line()
    return whole if whole is not at else Span(at.source, at.start - 1, at.end)
