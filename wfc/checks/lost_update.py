"""What an event brings, and the process forgets."""

from typing import ClassVar

from wfc.flow.lost import lost
from wfc.flow.program import Program
from wfc.problems.problem import Label, Problem, Reporter, Severity
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


def check(program: Program, report: Reporter) -> None:
    """Reports each `set` of an event's guard whose value nobody can read."""
    for flow in program.flows.values():
        for found in lost(flow.graph, flow.workflow, flow.reachable):
            if found.step.at is not None:
                labels = tuple(Label(again.at, "set again here") for again in found.again[:2] if again.at is not None)
                report(LostUpdate(at=found.step.at, labels=labels, name=found.step.name, event=found.guard.names[0]))
