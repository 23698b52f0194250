"""Business errors that leave a workflow undeclared, and errors that leave a block beside the flow."""

import re

from wfc.flow.graph import SYSTEM, Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do, Workflow
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter
from wfc.simulation.claim import Sign, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class UnhandledError(Problem):
    """A business error can leave a workflow that does not declare it, or any error a block that runs beside the flow.

    Whoever calls a workflow must know which errors to expect: each is caught inside or stands in `raises`. Errors of
    the system (`Timeout`, `Unavailable`, ...) may leave a workflow undeclared. A block of `also` or `every` has nobody
    around it to take an error: catch it there, or make the call `optional`.

    ```wf fails
    error CardDeclined
    service payments { query check(id: Text) raises CardDeclined }
    workflow W(id: Text) {
      state Pay { do payments.check(id)  done }
    }
    ```
    ```wf passes
    error CardDeclined
    service payments { query check(id: Text) raises CardDeclined }
    workflow W(id: Text) raises CardDeclined {
      state Pay { do payments.check(id)  done }
    }
    ```
    """

    errors: tuple[str, ...]
    source: str
    workflow: str
    beside: bool

    def message(self) -> str:
        shown = listed([f"`{name}`" for name in self.errors], "or")
        if self.beside:
            return f"{shown} from {self.source} is caught by nobody: this block runs beside the flow"
        return f"{shown} from {self.source} is neither caught nor declared by `{self.workflow}`"

    def label(self) -> str:
        return "can fail so"

    def help(self) -> tuple[str, ...]:
        if self.beside:
            return ("write `optional` at the call if a failure does no harm, or catch it here",)
        names = ", ".join(self.errors)
        return (f"catch it (`catch {names} -> ...`), or declare it: `raises {names}`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each point whose errors escape, once."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            if flow.reached(point):
                for abort in point.aborts:
                    if abort.target is None:
                        _check(program, flow, point, abort, report)


def _check(program: Inquiry, flow: WorkflowFlow, point: Point, abort: Abort, report: Reporter) -> None:
    beside = abort.frame.kind == "also"
    allowed = frozenset[str]() if beside else SYSTEM | set(flow.workflow.raises)
    left = tuple(sorted(abort.errors - allowed))
    step = point.step
    if not left or step is None or step.at is None:
        return
    source = f"`{step.target}`" if isinstance(step, Do) else "this step"
    labels = (Label(flow.workflow.at, "does not declare it"),) if flow.workflow.at is not None and not beside else ()
    claims = (leaving(flow, (), point, abort, Sign("raised", name), errors=frozenset((name,))) for name in left)
    report(
        UnhandledError(
            at=step.at,
            errors=left,
            source=source,
            workflow=flow.workflow.name,
            beside=beside,
            trace=program.first((claim, ()) for claim in claims).trace,
            labels=labels,
            fixes=() if beside else _fixes(flow.workflow, left),
        )
    )


def _fixes(workflow: Workflow, errors: tuple[str, ...]) -> tuple[Fix, ...]:
    """The errors are declared. That changes what callers must expect: not safe."""
    body = workflow.region.at
    if body is None or workflow.at is None:
        return ()
    head = body.source.text[workflow.at.end : body.start]
    end = workflow.at.end + len(head.rstrip())
    names = ", ".join(errors)
    text = f", {names}" if re.search(r"\braises\b", head) else f" raises {names}"
    return (Fix(f"declare `{names}`", (Edit(Span(body.source, end, end), text),)),)
