"""Locks that wait for themselves."""

from typing import ClassVar

from wfc.flow.locks import Nested, resource_at
from wfc.flow.program import WorkflowFlow
from wfc.problems.problem import Label, Problem, Reporter, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class LockUpgrade(Problem):
    """A resource is asked for by the one who holds it.

    A lock is not taken twice: the second request waits for the first to be given back, and that waits for the second.
    It ends with `LockTimeout`, each time. What runs inside the block, branches and child calls included, has the lock
    already and need not ask.

    ```wf fails
    resource shelf(id: Text) rank 10
    service stock { query count(id: Text) }
    workflow W(id: Text) {
      state A { lock shelf(id) wait 20s { lock shelf(id) wait 10s { do stock.count(id) } }  done }
    }
    ```
    ```wf passes
    resource shelf(id: Text) rank 10
    service stock { query count(id: Text) }
    workflow W(id: Text) {
      state A { lock shelf(id) wait 20s { do stock.count(id) }  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    resource: str
    child: str

    def message(self) -> str:
        inside = f" in `{self.child}`" if self.child else ""
        return f"`{self.resource}` is asked for{inside} while it is held already: it waits for itself"

    def label(self) -> str:
        return "never granted"

    def help(self) -> tuple[str, ...]:
        if self.child:
            return ("call it outside the lock, or give it a way in which it does not ask",)
        return ("leave the inner `lock` out: what runs inside the block has it",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each lock, or call of a child that locks, which asks for what is held."""
    for flow in program.flows.values():
        for nested in program.locks.nested(flow.workflow):
            if program.locks.itself(nested):
                _report(program, flow, nested, report)


def _report(program: Inquiry, flow: WorkflowFlow, nested: Nested, report: Reporter) -> None:
    asked, held = resource_at(nested.inner, nested.wanted), resource_at(nested.outer, nested.held)
    if nested.inner is nested.outer:
        named = [at for word, at in nested.inner.places if word == nested.wanted[0]]
        held, asked = named[0], named[-1]
    at = nested.call.at if nested.call is not None else asked
    if at is None:
        return
    labels = [Label(held, "held here")] if held is not None else []
    if nested.call is not None and asked is not None:
        labels.append(Label(asked, "asked for again here"))
    child = nested.call.target if nested.call is not None else ""
    trace = _trace(program, flow, nested)
    report(LockUpgrade(at=at, resource=nested.wanted[0], child=child, labels=tuple(labels), trace=trace))


def _trace(program: Inquiry, flow: WorkflowFlow, nested: Nested) -> Trace | None:
    """A run that waits for itself."""
    point = program.ways.at(nested.inner)
    abort = next((a for a in point.aborts if "LockTimeout" in a.errors), None) if point is not None else None
    if point is None or abort is None:
        return None
    errors = frozenset(("LockTimeout",))
    closing = (Step(f"nobody else holds `{nested.wanted[0]}`: the process has waited for itself", nested.inner.at),)
    ways = (Waypoint("leave", point, abort, errors),)
    return program.show(Claim(flow.workflow.name, ways, Sign("there"), stops=True), closing).trace
