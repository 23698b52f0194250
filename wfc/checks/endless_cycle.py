"""Cycles in which nothing waits."""

from collections.abc import Iterator

from wfc.flow.graph import Point
from wfc.flow.program import WorkflowFlow
from wfc.flow.turning import Cycle, turning
from wfc.ir.machine import Await, Do, Repeat, State, Wait
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value

FAR = 200  # points before a cycle that are looked at


@value(kw_only=True)
class EndlessCycle(Problem):
    """A cycle has no step that waits: it would go round and round within one moment, and the process would hang.

    Nothing from outside can come in while a process does not wait: no answer, no event, no deadline, no operator. So
    each cycle needs a step that waits (a call, `wait`, `await`, a lock, branches), or a bound: `repeat at most n
    times`. It is a warning where a round changes what is asked: then the rounds may come to an end by themselves.
    Where each round adds to a whole number, or takes from it, and goes on only before a constant, they do: nothing is
    told.

    ```wf fails
    workflow W(full: Bool) {
      state Look {
        choose {
          when full -> End
          otherwise -> Look
        }
      }
      state End { done }
    }
    ```
    ```wf passes
    service shelf { query full() -> Bool }
    workflow W() {
      state Look {
        do shelf.full() as full
        choose {
          when full -> End
          otherwise { wait 1h -> Look }
        }
      }
      state End { done }
    }
    ```
    What is only worked out, and not waited for, has a bound:

    ```wf passes
    workflow W(goal: Int) -> Int {
      var sum: Int = 1
      state Double {
        repeat at most 50 times { set sum = sum * 2 } until sum > goal
        done sum
      }
    }
    ```
    """

    names: tuple[str, ...]
    certain: bool

    def level(self) -> Severity:
        return Severity.ERROR if self.certain else Severity.WARNING

    def message(self) -> str:
        would = "would go round for ever" if self.certain else "may go round for ever"
        if not self.names:
            return f"nothing in this `repeat` waits: the process {would} and hear nothing meanwhile"
        shown = listed([f"`{name}`" for name in self.names])
        way = "leads back to itself" if len(self.names) == 1 else "lead to each other"
        return f"{shown} {way} without ever waiting: the process {would} and hear nothing meanwhile"

    def label(self) -> str:
        return "goes round at once"

    def help(self) -> tuple[str, ...]:
        if not self.names:
            return ("give it a bound: `repeat at most 100 times { ... }`, or wait in it",)
        return ("wait for something in it, such as `wait 1h`, or count the rounds: `repeat at most n times { ... }`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each cycle once, at the first of its nodes."""
    for flow in program.flows.values():
        for cycle in turning(flow.graph):
            if flow.reached(cycle.points[0]):
                _report(program, flow, cycle, report)


def _report(program: Inquiry, flow: WorkflowFlow, cycle: Cycle, report: Reporter) -> None:
    repeats = [p.step for p in cycle.points if isinstance(p.step, Repeat)]
    nodes = cycle.nodes
    at = nodes[0].at if nodes else repeats[0].at if repeats else None
    if at is None:
        return
    back = cycle.back
    labels = (Label(back.at, "goes back here"),) if nodes and back is not None and back.at is not None else ()
    report(
        EndlessCycle(
            at=at,
            labels=labels,
            trace=_trace(program, flow, cycle),
            fixes=_bound(repeats[0]) if not nodes else _wait(cycle),
            names=tuple(node.path for node in nodes),
            certain=cycle.certain,
        )
    )


def _trace(program: Inquiry, flow: WorkflowFlow, cycle: Cycle) -> Trace | None:
    """A run up to where the process waits for the last time."""
    names = [f"`{node.path}`" for node in cycle.nodes]
    rounds = f"the process goes round in {listed(names)}" if names else "the process repeats the same steps"
    return program.first(
        (standing(flow, point), (Step(f"{_then(point)}, {rounds}, and nothing is heard any more"),))
        for point in _last_waits(flow, cycle)
    ).trace


def _then(point: Point) -> str:
    """When it goes on from where it waits."""
    step = point.step
    if isinstance(step, Do):
        return f"when {step.target} has answered"
    return "when the time is over" if isinstance(step, Wait) else "when that has come"


def _last_waits(flow: WorkflowFlow, cycle: Cycle) -> Iterator[Point]:
    """The places of waiting from which the cycle is entered at once."""
    seen = {id(point) for point in cycle.points}
    waiting = list(cycle.points)
    while waiting and len(seen) < FAR:
        point = waiting.pop(0)
        aborts = flow.aborts_to(point)
        for earlier in (*flow.before.get(id(point), ()), *(abort.source for abort in aborts)):
            if id(earlier) in seen:
                continue
            seen.add(id(earlier))
            if earlier.kind == "do" or isinstance(earlier.step, Wait | Await):
                if flow.reached(earlier):
                    yield earlier
            elif earlier.kind != "fork":
                waiting.append(earlier)


def _bound(step: Repeat) -> tuple[Fix, ...]:
    """How many rounds are too many is the author's to say: not safe."""
    if step.at is None:
        return ()
    place = Span(step.at.source, step.at.end, step.at.end)
    return (Fix("give it a bound", (Edit(place, " at most 100 times"),)),)


def _wait(cycle: Cycle) -> tuple[Fix, ...]:
    """A pause before the arrow back, where that is a step of a state. How long is the author's to say: not safe."""
    back = cycle.back
    inside = any(step is back for node in cycle.nodes if isinstance(node, State) for step in node.steps)
    if back is None or back.at is None or not inside:
        return ()
    start = back.at.source.text.rfind("->", 0, back.at.end)
    return (Fix("wait before the next round", (Edit(Span(back.at.source, start, start), "wait 1h "),)),)
