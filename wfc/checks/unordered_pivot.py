"""A second point of no return that can fail behind the first."""

from typing import ClassVar

from wfc.flow.graph import Abort, Point
from wfc.flow.pivots import crossings, is_pivot
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do
from wfc.problems.problem import Label, Problem, Reporter
from wfc.simulation.claim import past_pivot
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.value import value


@value(kw_only=True)
class UnorderedPivot(Problem):
    """Two calls cannot be undone, and the second can fail when the first is done.

    A process has one point of no return: everything that can fail comes before it. Of two, the second must be one that
    works in the end, because its policy parks and it declares no errors. Else the money is gone twice over: the one
    effect stays, and the other never comes.

    ```wf fails
    error NoSeat
    queue desk
    policy Parking { exhausted then park in desk }
    service shop {
      activity pay(order: Text) with Parking key order irreversible "the money is gone"
      activity fly(order: Text) raises NoSeat with Parking key order irreversible "the ticket is used"
    }
    workflow Trip(order: Text) key order raises NoSeat {
      state Pay { do shop.pay(order) pivot -> Fly }
      state Fly { do shop.fly(order) pivot  done }
    }
    ```
    ```wf passes
    error NoSeat
    queue desk
    policy Parking { exhausted then park in desk }
    service shop {
      activity pay(order: Text) with Parking key order irreversible "the money is gone"
      activity fly(order: Text) raises NoSeat with Parking key order irreversible "the ticket is used"
    }
    workflow Trip(order: Text) key order raises NoSeat {
      state Fly { do shop.fly(order) pivot -> Pay }
      state Pay { do shop.pay(order) pivot  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    first: str
    second: str
    errors: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.second}` can still fail when `{self.first}` is done, and neither can be undone"

    def label(self) -> str:
        return f"can still fail: {listed(self.errors[:3], 'or')}"

    def help(self) -> tuple[str, ...]:
        return (
            f"let `{self.second}` come first, if `{self.first}` cannot fail for a reason of business",
            f"or catch it at the call and go forward: `catch {', '.join(self.errors[:3])} -> ...`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each pivot whose errors cross another one that is done."""
    for flow in program.flows.values():
        told: set[int] = set()
        for pivot, crossing in crossings(flow):
            for source, abort in crossing:
                if is_pivot(source) and id(source) not in told:
                    told.add(id(source))
                    _report(program, flow, (pivot, source), abort, report)


def _report(program: Inquiry, flow: WorkflowFlow, pair: tuple[Point, Point], abort: Abort, report: Reporter) -> None:
    first, second = pair[0].step, pair[1].step
    assert isinstance(first, Do)
    assert isinstance(second, Do)
    shown = program.show(past_pivot(program.ways, flow, pair[0], pair[1], abort))
    if second.at is None or shown.verdict == "impossible":
        return
    report(
        UnorderedPivot(
            at=second.at,
            labels=(Label(first.at, "is done by then, and there is no way back"),) if first.at is not None else (),
            trace=shown.trace,
            first=first.target,
            second=second.target,
            errors=tuple(sorted(name.rpartition(".")[2] for name in abort.errors)),
        )
    )
