"""Events that are promised to others and never sent."""

import re
from typing import ClassVar

from wfc.flow.program import Program
from wfc.ir.machine import Emit
from wfc.ir.walk import region_steps
from wfc.problems.problem import Problem, Reporter, Severity
from wfc.text.value import value


@value(kw_only=True)
class UnsentEvent(Problem):
    """An `outgoing` event is declared, and no step sends it.

    Others are told that they will hear of something, and wait for it in vain. An event for which no workflow stands in
    the same file is there for others to send, and nothing is said.

    ```wf fails
    event Shipped(order: Text) outgoing
    workflow W(order: Text) {
      state Ship { audit "shipped {order}"  done }
    }
    ```
    ```wf passes
    event Shipped(order: Text) outgoing
    workflow W(order: Text) {
      state Ship { emit Shipped(order)  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    name: str

    def message(self) -> str:
        return f"`{self.name}` is never sent"

    def label(self) -> str:
        return "others wait for it in vain"

    def help(self) -> tuple[str, ...]:
        return (f"send it where it happens: `emit {self.name}(...)`", "or remove it")


def check(program: Program, report: Reporter) -> None:
    """Reports outgoing events that no step emits, beside a workflow that could."""
    steps = (s for flow in program.flows.values() for s in region_steps(flow.workflow.region))
    sent = {step.event for step in steps if isinstance(step, Emit)}
    homes = {flow.workflow.at.source.path for flow in program.flows.values() if flow.workflow.at is not None}
    for event in program.machine.events:
        if event.mode != "outgoing" or event.name in sent or event.at is None or event.at.source.path not in homes:
            continue
        # a generic workflow that nobody uses is no part of the machine, and sends all the same
        if not re.search(rf"\bemit\s+{event.at.text}\b", event.at.source.text):
            report(UnsentEvent(at=event.at, name=event.at.text))
