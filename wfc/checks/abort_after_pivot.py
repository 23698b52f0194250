"""Errors that cross a point of no return."""

from typing import ClassVar

from wfc.flow.graph import Abort, Point
from wfc.flow.pivots import crossings, is_pivot
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do, Fail
from wfc.problems.problem import Label, Problem, Reporter
from wfc.simulation.claim import past_pivot
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.value import value

LABELLED = 3  # steps that can fail that are shown


@value(kw_only=True)
class AbortAfterPivot(Problem):
    """Behind a `pivot` there is no way back, but a later step can still fail and leave the process half done.

    When a pivot has completed, nothing older is undone any more. An error that then leaves the part of the process
    around it finds nobody who brings the work to its end: the customer has paid, and nothing is delivered. So what
    comes behind a pivot must not fail: it is tried until it works (a policy that parks), its failure does no harm
    (`optional`), or its errors are caught behind the pivot, on a way that leads to the goal. A `catch` with `keep`
    around both says that what has been done stays.

    ```wf fails
    service shop {
      activity charge(order: Text) key order irreversible "the money is gone"
      activity send(order: Text) key order compensate none "a parcel comes back by itself"
    }
    queue desk
    workflow Order(order: Text) key order {
      state Pay  { do shop.charge(order) pivot with { exhausted then park in desk } -> Send }
      state Send { do shop.send(order)  done }
    }
    ```
    ```wf passes
    service shop {
      activity charge(order: Text) key order irreversible "the money is gone"
      activity send(order: Text) key order compensate none "a parcel comes back by itself"
    }
    queue desk
    workflow Order(order: Text) key order {
      state Send { do shop.send(order) -> Pay }
      state Pay  { do shop.charge(order) pivot with { exhausted then park in desk }  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    pivot: str
    steps: tuple[str, ...]
    errors: tuple[str, ...]
    caught: str

    def message(self) -> str:
        shown = listed([f"`{name}`" for name in self.steps], "or")
        if not self.steps:
            return f"after `{self.pivot}` there is no way back, but the process can still fail"
        return f"after `{self.pivot}` there is no way back, but {shown} can still fail"

    def label(self) -> str:
        return "from here nothing older is undone, and no cancel is heard"

    def help(self) -> tuple[str, ...]:
        first = f"`{self.steps[0]}`" if self.steps else "what can fail"
        lines = [f"let {first} come before the pivot: the pivot is the last step that can fail"]
        if self.steps:
            lines.append(
                f"or make {first} unable to fail here: `with` a policy that ends in `exhausted then park in ...`"
            )
            names = ", ".join(name.rpartition(".")[2] for name in self.errors[:3])
            lines.append(f"or go forward: catch it at the call, `catch {names} -> ...`")
        if self.caught:
            lines.append(f"or say that what is done stays: `keep` at `{self.caught}`")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each pivot once, with the steps behind it whose errors cross it; other pivots are told by themselves."""
    for flow in program.flows.values():
        for pivot, crossing in crossings(flow):
            found = [(source, abort) for source, abort in crossing if not is_pivot(source)]
            if found:
                _report(program, flow, pivot, found, report)


def _report(
    program: Inquiry, flow: WorkflowFlow, pivot: Point, crossing: list[tuple[Point, Abort]], report: Reporter
) -> None:
    step = pivot.step
    assert isinstance(step, Do)
    if step.at is None:
        return
    shown, (source, abort) = None, crossing[0]
    possible = False
    for each, way in crossing[:LABELLED]:
        found = program.show(past_pivot(program.ways, flow, pivot, each, way))
        if found.trace is not None:
            shown, source, abort = found.trace, each, way
            break
        possible = possible or found.verdict == "open"
    if shown is None and not possible:
        return
    others = [point for point, _ in crossing if point is not source]
    sources = list(dict.fromkeys([source, *others]))[:LABELLED]
    labels = [Label(p.step.at, _can(p, crossing)) for p in sources if p.step is not None and p.step.at is not None]
    if abort.guard is not None and abort.guard.at is not None:
        labels.append(Label(abort.guard.at, "leaves, and the process goes on without what comes behind the pivot"))
    report(
        AbortAfterPivot(
            at=step.at,
            labels=tuple(dict.fromkeys(labels)),
            trace=shown,
            pivot=step.target,
            steps=tuple(dict.fromkeys(p.step.target for p in sources if isinstance(p.step, Do))),
            errors=tuple(sorted(abort.errors)),
            caught=abort.guard.label if abort.guard is not None else "",
        )
    )


def _can(point: Point, crossing: list[tuple[Point, Abort]]) -> str:
    errors = sorted({name.rpartition(".")[2] for other, abort in crossing if other is point for name in abort.errors})
    if isinstance(point.step, Fail):
        return "ends this part as failed"
    return f"can still fail: {listed(errors[:3], 'or')}"
