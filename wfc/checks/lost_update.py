"""What an event brings, and the process forgets."""

from typing import ClassVar

from wfc.flow.lost import Lost, lost
from wfc.flow.program import WorkflowFlow
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class LostUpdate(Problem):
    """An event sets a variable, and on every way the variable is set again before anybody reads it.

    What the event has brought is lost: the customer has changed the address, and the parcel goes to the old one. Mostly
    the step that sets it again stands at the wrong place, such as a first value that is set in each round.

    ```wf fails
    event Moved(order: Text, address: Text) key order
    service carrier { query book(address: Text) -> Text }
    workflow W(order: Text, home: Text) -> Text key order {
      var address: Text = home
      on Moved as move also { set address = move.address }
      state Wait { wait 3d -> Send }
      state Send {
        set address = home
        do carrier.book(address) as label
        done label
      }
    }
    ```
    ```wf passes
    event Moved(order: Text, address: Text) key order
    service carrier { query book(address: Text) -> Text }
    workflow W(order: Text, home: Text) -> Text key order {
      var address: Text = home
      on Moved as move also { set address = move.address }
      state Wait { wait 3d -> Send }
      state Send {
        do carrier.book(address) as label
        done label
      }
    }
    ```
    Where the event is to be heard and forgotten, `ignore` it.
    """

    severity: ClassVar[Severity] = Severity.WARNING

    name: str
    event: str

    def message(self) -> str:
        return f"what `{self.event}` brings is lost: `{self.name}` is always set again before it is read"

    def label(self) -> str:
        return "nobody reads this"

    def help(self) -> tuple[str, ...]:
        return (f"do not set `{self.name}` again behind it, or read it before",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each `set` of an event's guard whose value nobody can read."""
    for flow in program.flows.values():
        for found in lost(flow.graph, flow.workflow, flow.reachable):
            if found.step.at is not None:
                labels = tuple(Label(again.at, "set again here") for again in found.again[:2] if again.at is not None)
                trace = _trace(program, flow, found)
                event = found.guard.names[0]
                report(LostUpdate(at=found.step.at, labels=labels, trace=trace, name=found.step.name, event=event))


def _trace(program: Inquiry, flow: WorkflowFlow, found: Lost) -> Trace | None:
    """A run in which the event sets it, and then it is set again."""
    points = {id(point.step): point for point in flow.graph.points if point.step is not None}
    again = [points[id(step)] for step in found.again[:1] if id(step) in points]
    if id(found.step) not in points or not again:
        return None
    ways = tuple(Waypoint("pass", point) for point in (points[id(found.step)], *again))
    event = found.guard.names[0].rpartition(".")[2]
    closing = Step(f"`{found.step.name}` is set again: what {event} has brought is lost", found.again[0].at)
    return program.show(Claim(flow.workflow.name, ways, Sign("there"), stops=True), (closing,)).trace
