"""States from which no end can be reached."""

from collections.abc import Iterator

from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.flow.turning import turning
from wfc.ir.machine import State, Workflow
from wfc.ir.walk import nodes
from wfc.problems.edits import at_top
from wfc.problems.problem import Fix, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.value import value


@value(kw_only=True)
class NeverFinishes(Problem):
    """Once here, the process goes round for ever: each state has an arrow, and none leads to an end.

    An end is a `done`, a `fail`, a business error that leaves the workflow, or the tail of a guard that leads to one.
    A failing system counts only where a `catch` names the failure: else it is no plan.

    ```wf fails
    workflow W() {
      state Ping { wait 1h -> Pong }
      state Pong { wait 1h -> Ping }
    }
    ```
    ```wf passes
    workflow W() {
      after 30d { done }
      state Ping { wait 1h -> Pong }
      state Pong { wait 1h -> Ping }
    }
    ```
    """

    names: tuple[str, ...]

    def message(self) -> str:
        shown = [f"`{name}`" for name in self.names]
        if len(shown) == 1:
            return f"from {shown[0]} no end can be reached"
        return f"{listed(shown)} lead only to each other: no end can be reached"

    def label(self) -> str:
        return "goes round for ever"

    def help(self) -> tuple[str, ...]:
        return ("give one of them a way out: an arm that ends, an event, or a deadline",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each workflow's states that are reached and reach no end, once, at the first of them."""
    for flow in program.flows.values():
        finishing = _finishing(flow)
        stuck = [
            node
            for node in nodes(flow.workflow.region)
            if isinstance(node, State)
            and flow.reached(flow.graph.entries[id(node)])
            and id(flow.graph.entries[id(node)]) not in finishing
            and not _open(flow, node)
        ]
        if stuck and stuck[0].at is not None and not _turns(flow, stuck):
            names = tuple(node.path for node in stuck)
            shown = program.first((claim, closing) for claim, closing in _claims(program, flow, stuck))
            fixes = _fixes(flow.workflow)
            report(NeverFinishes(at=stuck[0].at, names=names, trace=shown.trace, fixes=fixes))


def _claims(program: Inquiry, flow: WorkflowFlow, stuck: list[State]) -> Iterator[tuple[Claim, tuple[Step, ...]]]:
    """Runs that enter one of the states, and then once more."""
    for node in stuck:
        entry = flow.graph.entries[id(node)]
        far = program.ways.to(entry)
        if any(id(target) in far for target in entry.next):
            again = Waypoint("pass", entry)
            closing = (Step(f"`{node.path}` is entered, and comes round again: no end is in sight", node.at),)
            yield Claim(flow.workflow.name, (again, again), Sign("there"), stops=True), closing


def _open(flow: WorkflowFlow, node: State) -> bool:
    """Whether it is a dead end itself: told as that."""
    return any(item.subject is node for item in flow.graph.open)


def _turns(flow: WorkflowFlow, stuck: list[State]) -> bool:
    """Whether one of them goes round without waiting: `endless-cycle` tells that."""
    entered = {id(node) for cycle in turning(flow.graph) for node in cycle.nodes}
    return any(id(node) in entered for node in stuck)


def _finishing(flow: WorkflowFlow) -> set[int]:
    """The points from which an end can be reached, by id; dead ends count, they are told as such."""
    before: dict[int, list[Point]] = {}
    ends: list[Point] = [flow.graph.end, *(point for item in flow.graph.open for point in item.points)]
    for point in flow.graph.points:
        for target in point.next:
            before.setdefault(id(target), []).append(point)
        for abort in point.aborts:
            if abort.system_only and not _planned(point, abort):
                continue
            if abort.target is not None:
                before.setdefault(id(abort.target), []).append(point)
            else:
                ends.append(point)
    seen: set[int] = set()
    while ends:
        point = ends.pop()
        if id(point) not in seen:
            seen.add(id(point))
            ends.extend(before.get(id(point), ()))
    return seen


def _planned(point: Point, abort: Abort) -> bool:
    """Whether the author speaks of this failure: by `fail`, or by a `catch` that names it."""
    return point.kind == "failed" or (abort.guard is not None and not abort.guard.any)


def _fixes(workflow: Workflow) -> tuple[Fix, ...]:
    """A deadline for the whole process. How long, and what then, is the author's to say: not safe."""
    body = workflow.region.at
    if body is None or workflow.result is not None:
        return ()
    return (Fix("give the process a deadline", (at_top(body, "after 30d { done }"),)),)
