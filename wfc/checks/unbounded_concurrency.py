"""Lists of any length that are started all at once."""

from typing import ClassVar

from wfc.flow.graph import Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.expressions import Expr, Items, Member, Op, Ref
from wfc.ir.machine import Do, ForEach, Start
from wfc.ir.walk import region_steps
from wfc.problems.problem import Edit, Fix, Problem, Reporter, Severity, Step
from wfc.simulation.claim import standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class UnboundedConcurrency(Problem):
    """A `for each` starts everything at once, and nobody knows how much that is.

    A list of ten is no trouble; the day it has ten thousand elements, as many calls go out in one moment, and the
    service behind them falls over or bills for it. Say how many may run side by side. A list whose length stands in the
    program needs no bound, nor does a body that calls nobody.

    ```wf fails
    service bureaus { query score(name: Text) -> Int }
    workflow W(names: List<Text>) {
      state Ask {
        for each name in names concurrently { do bureaus.score(name) }
        done
      }
    }
    ```
    ```wf passes
    service bureaus { query score(name: Text) -> Int }
    workflow W(names: List<Text>) {
      state Ask {
        for each name in names concurrently at most 8 { do bureaus.score(name) }
        done
      }
    }
    ```
    Where the list is known to be short, a generous bound says so: `concurrently at most 1000`.
    """

    severity: ClassVar[Severity] = Severity.WARNING

    items: str

    def message(self) -> str:
        return f"everything in {self.items} starts at once, however long it is"

    def label(self) -> str:
        return "has no bound"

    def help(self) -> tuple[str, ...]:
        return ("say how many may run side by side: `concurrently at most 10`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each `for each` that is concurrent without a bound, over a list of unknown length, and calls somebody."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            step = point.step
            if point.kind == "fork" and isinstance(step, ForEach) and flow.reached(point) and _unbounded(step):
                _report(program, flow, point, step, report)


def _unbounded(step: ForEach) -> bool:
    calls = any(isinstance(inner, Do | Start) for inner in region_steps(step.region, undos=False))
    return step.concurrent and step.limit is None and calls and not _fixed(step.items)


def _fixed(items: Expr) -> bool:
    """Whether the length of a list is written in the program."""
    match items:
        case Items():
            return True
        case Ref(_, kind, _):
            return kind == "const"
        case Op(_, "+", args):
            return all(_fixed(arg) for arg in args)
        case Member(_, "map" | "filter" | "sortBy", target, _, _):
            return _fixed(target)
        case _:
            return False


def _report(program: Inquiry, flow: WorkflowFlow, point: Point, step: ForEach, report: Reporter) -> None:
    if step.at is None:
        return
    text = step.at.source.text
    start = text.find("concurrently", step.at.end)
    word = Span(step.at.source, start, start + len("concurrently")) if start >= 0 else step.at
    listed = text[text.find(" in ", step.at.end) + len(" in ") : start].strip() if start >= 0 else ""
    named = listed.replace(".", "").replace("_", "").isalnum()
    place = Span(word.source, word.end, word.end)
    fixes = (Fix("at most 10 at once", (Edit(place, " at most 10"),)),) if start >= 0 else ()
    closing = Step("a call goes out for each element, for a thousand as well", word)
    trace = program.show(standing(flow, point), (closing,)).trace
    report(UnboundedConcurrency(at=word, fixes=fixes, trace=trace, items=f"`{listed}`" if named else "this list"))
