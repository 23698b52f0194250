"""Events that nobody can receive, and guards that never hear theirs."""

import re
from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.hearing import Hidden, condition, held_back, hidden, same_place
from wfc.flow.program import Program, WorkflowFlow
from wfc.flow.tails import removal
from wfc.ir.machine import Do, Emit, EventDef, Guard
from wfc.ir.walk import heard, region_steps
from wfc.problems.problem import Label, Problem, Reporter, Severity
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class UnheardEvent(Problem):
    """An event comes, and nobody hears it: no workflow listens to it, or a guard for it is hidden by another one.

    An event that nobody listens to is refused to its sender: the customer cancels, and is told that there is no such
    thing. Where two guards wait for one event, the innermost takes it, then the first that is written; an `ignore`
    inside drops it. A guard behind those is never reached. A guard with a `when` leaves the others what it does not
    take.

    ```wf fails
    event Cancelled(order: Text) key order
    workflow W(order: Text) key order {
      on Cancelled { done }
      state Wait {
        ignore Cancelled
        wait 3d
        done
      }
    }
    ```
    ```wf passes
    event Cancelled(order: Text) key order
    workflow W(order: Text) key order {
      on Cancelled { done }
      state Wait {
        wait 3d
        done
      }
    }
    ```
    An event that others listen to, in programs of their own, is `outgoing`:

    ```wf passes
    event Shipped(order: Text) outgoing
    workflow W(order: Text) {
      state Ship { emit Shipped(order)  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    event: str
    why: str
    guard: bool

    def message(self) -> str:
        if self.guard:
            return f"this never hears `{self.event}`: {self.why}"
        return f"nobody hears `{self.event}`: {self.why}"

    def label(self) -> str:
        return "never fires" if self.guard else "is heard by nobody"

    def help(self) -> tuple[str, ...]:
        if self.guard:
            return ("remove it, or say with `when` which events each of them takes",)
        return (
            f"listen to it: `on {self.event} -> ...`",
            "if others hear it, in programs of their own, make it `outgoing`; else remove it",
        )


def check(program: Program, report: Reporter) -> None:
    """Reports events that are declared beside a workflow and heard by none, and hidden guards."""
    for event in _unheard(program):
        assert event.at is not None
        emitted = [at for at in _emitted(program, event.name) if at is not None]
        labels = tuple(Label(at, "is sent here") for at in emitted[:2])
        why = "no guard waits for it, and its senders are refused"
        report(UnheardEvent(at=event.at, labels=labels, event=event.name, why=why, guard=False))
    for flow in program.flows.values():
        for found in hidden(flow.graph, flow.reachable):
            _hidden(found, report)
        for guard, pivot in held_back(flow.graph, flow.reachable):
            if guard.kind == "on":
                _held_back(guard, pivot, report)
        for frame in flow.graph.frames:
            if frame.entry is None or flow.reached(frame.entry):
                for item in _same(program, flow, frame.guards):
                    _hidden(item, report)
                for guard in flow.deaf(frame):
                    _deaf(guard, report, alone=len(frame.guards) == 1)


def _unheard(program: Program) -> Iterator[EventDef]:
    """Events that no workflow hears. One without a workflow in its file is there for others to use."""
    listening = {name for flow in program.flows.values() for name in heard(flow.workflow.region)}
    homes = {flow.workflow.at.source.path for flow in program.flows.values() if flow.workflow.at is not None}
    for event in program.machine.events:
        if event.mode == "outgoing" or event.name in listening or event.at is None:
            continue
        source = event.at.source
        name = event.at.text
        # a generic workflow that nobody uses is no part of the machine, and listens all the same
        if source.path in homes and not re.search(rf"\b(on|ignore)\s+([\w, ]+\b)?{name}\b", source.text):
            yield event


def _emitted(program: Program, event: str) -> Iterator[Span | None]:
    for flow in program.flows.values():
        for step in region_steps(flow.workflow.region):
            if isinstance(step, Emit) and step.event == event:
                yield step.at


def _same(program: Program, flow: WorkflowFlow, guards: tuple[Guard, ...]) -> Iterator[Hidden]:
    """Guards of one thing whose events those before them take."""
    for _, several in same_place(guards):
        dead = program.choices.never([condition(guard) for guard in several], flow.workflow)
        alone = [number for number in dead if program.choices.never([condition(several[number])], flow.workflow)]
        for number in dead:
            if number and number not in alone:
                yield Hidden(several[number], several[0], None, same=True)


def _deaf(guard: Guard, report: Reporter, *, alone: bool) -> None:
    """Without its only guard an `await` would wait for nothing: then there is no fix."""
    if guard.at is not None:
        fixes = () if alone else removal(guard.at, "remove this guard")
        why = "its condition can never hold"
        report(UnheardEvent(at=guard.at, fixes=fixes, event=guard.names[0], why=why, guard=True))


def _held_back(guard: Guard, pivot: Do, report: Reporter) -> None:
    if guard.at is not None:
        labels = (Label(pivot.at, "holds it back"),) if pivot.at is not None else ()
        why = "nothing waits here but a `pivot`, which nothing interrupts"
        fixes = removal(guard.at, "remove this guard")
        report(UnheardEvent(at=guard.at, labels=labels, fixes=fixes, event=guard.names[0], why=why, guard=True))


def _hidden(found: Hidden, report: Reporter) -> None:
    guard = found.guard
    if guard.at is None:
        return
    if found.by is not None:
        inside = f"`{found.by.label}` inside takes it wherever the process waits"
        why = "what stands before it takes every one" if found.same else inside
        labels = (Label(found.by.at, "takes it"),) if found.by.at is not None else ()
    else:
        why = "it is ignored wherever the process waits"
        at = found.ignored.at if found.ignored is not None else None
        labels = (Label(at, "ignores it"),) if at is not None else ()
    fixes = removal(guard.at, "remove this guard")
    report(UnheardEvent(at=guard.at, labels=labels, fixes=fixes, event=guard.names[0], why=why, guard=True))
