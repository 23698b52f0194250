"""Calls that cannot be undone and are not marked as the point of no return."""

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from wfc.flow.graph import Frame, Point
from wfc.flow.policies import behind, place
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, Repeat
from wfc.ir.walk import all_steps
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign, Waypoint, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value

TRIES = 4  # failures for which a run is looked for


@value(kw_only=True)
class MissingPivot(Problem):
    """A call cannot be undone, and does not say `pivot`.

    An activity that says `irreversible`, and a workflow with a point of no return inside, cannot be taken back. Without
    `pivot` a later failure, a cancel or a deadline would undo everything around such a call and leave the call itself
    as it is: the parcel is on its way, and the money is given back. With `pivot` whatever is older stays, and the
    process goes forward only. A `pivot` stands in no `parallel`, `for each`, `repeat`, `also` and `every`: there the
    call has to move, or its operation says `compensate none "why"` if undoing the rest beside it does no harm.

    ```wf fails
    queue carrier_desk
    service carrier {
      activity handOver(label: Text) key label irreversible "the parcel has left the house"
    }
    workflow Send(label: Text) key label {
      state HandOver { do carrier.handOver(label) with { try 9 times exhausted then park in carrier_desk }  done }
    }
    ```
    ```wf passes
    queue carrier_desk
    service carrier {
      activity handOver(label: Text) key label irreversible "the parcel has left the house"
    }
    workflow Send(label: Text) key label {
      state HandOver { do carrier.handOver(label) with { try 9 times exhausted then park in carrier_desk } pivot  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    target: str
    child: bool
    place: str
    optional: bool

    def message(self) -> str:
        if self.child:
            return f"`{self.target}` has a point of no return inside, and its call does not say `pivot`"
        return f"`{self.target}` cannot be undone, and its call does not say `pivot`"

    def label(self) -> str:
        return "a later failure would undo what is around it, and leave this as it is"

    def help(self) -> tuple[str, ...]:
        if self.place:
            lines = [f"a `pivot` cannot stand in {self.place}: move the call out of it"]
        elif self.optional:
            lines = ["a point of no return is not `optional`: say `pivot` in its place, with a policy that parks"]
        else:
            lines = ["say that there is no way back from here: `pivot`"]
        if self.child:
            lines.append('or say at the call how it is undone: `compensate call(...)` or `compensate none "..."`')
        else:
            lines.append('if undoing the rest does no harm, the operation says why: `compensate none "..."`')
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each reached call that is irreversible by its operation, or by a pivot inside its workflow."""
    operations = program.operations
    for flow in program.flows.values():
        repeated = _repeated(flow)
        for point in flow.graph.points:
            call = point.step
            if point.kind != "do" or not isinstance(call, Do) or call.pivot or call.at is None:
                continue
            child = call.kind == "workflow" and call.undo is None and call.target in program.pivoting
            if not (child or call.effect == "irreversible") or not flow.reached(point):
                continue
            where = "`repeat`" if id(call) in repeated else _place(point.frame)
            operation = operations.get(call.target)
            said = place(operation.places, "compensate") if operation is not None else None
            report(
                MissingPivot(
                    at=call.at,
                    target=call.target,
                    child=child,
                    place=where,
                    optional=call.optional,
                    trace=program.first(_claims(flow, point)).trace,
                    labels=_labels(program, point) if said is None else (Label(said, "cannot be undone"),),
                    fixes=() if where or call.optional else _fixes(call),
                )
            )


def _claims(flow: WorkflowFlow, point: Point) -> Iterator[tuple[Claim, tuple[Step, ...]]]:
    """Runs in which it is done, and then everything around it is undone."""
    assert isinstance(point.step, Do)
    closing = (Step(f"not undone: {point.step.target}", point.step.at),)
    aborts = (found for found in flow.effects.undone(point.next[:1]) if not found.doubt and found.abort is not None)
    for found in islice(aborts, TRIES):
        assert found.abort is not None
        guard = found.abort.guard
        sign = Sign("raised") if found.abort.errors or guard is None else Sign("fired", guard.label)
        done = (Waypoint("done", point),)
        yield leaving(flow, done, found.source, found.abort, sign), closing


def _labels(program: Program, point: Point) -> tuple[Label, ...]:
    """The point of no return inside a child."""
    call = point.step
    assert isinstance(call, Do)
    flow = program.flows.get(call.target)
    if flow is None:
        return ()
    inner = (p.step for p in flow.graph.points if p.kind == "do" and isinstance(p.step, Do) and p.step.pivot)
    at = next((place(step.places, "pivot") for step in inner), None)
    return (Label(at, "the point of no return inside"),) if at is not None else ()


def _place(frame: Frame) -> str:
    """The thing around in which no pivot may stand, as the author calls it."""
    words = {"branch": "a branch of `parallel`", "each": "`for each`", "also": "a block that runs beside the flow"}
    return next((words[outer.kind] for outer in frame.outward() if outer.kind in words), "")


def _repeated(flow: WorkflowFlow) -> set[int]:
    """The steps inside a `repeat`, by id."""
    repeats = (p.step for p in flow.graph.points if p.kind == "until")
    return {id(step) for repeat in repeats if isinstance(repeat, Repeat) for step in all_steps(repeat.steps)}


def _fixes(call: Do) -> tuple[Fix, ...]:
    """`pivot` where the clauses have it. It changes what a later failure does: not safe."""
    at = behind(call, ("as", "assign", "with", "key"))
    return (Fix("add `pivot`", (Edit(at, " pivot"),)),) if at is not None else ()
