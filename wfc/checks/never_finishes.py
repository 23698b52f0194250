"""States from which no end can be reached."""

from collections.abc import Iterator

from wfc.flow.components import components
from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.flow.turning import turning
from wfc.ir.machine import Do, Repeat, State, Workflow
from wfc.ir.walk import nodes
from wfc.problems.edits import at_top
from wfc.problems.problem import Fix, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign, Waypoint, standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.value import value


@value(kw_only=True)
class NeverFinishes(Problem):
    """Once here, the process goes round for ever: each state has an arrow, and none leads to an end.

    An end is a `done`, a `fail`, a business error that leaves the workflow, or the tail of a guard that leads to one.
    A failing system counts only where a `catch` names the failure: else it is no plan. Nor does a workflow come to an
    end that calls itself in every run, nor a `repeat` whose test never holds.

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
    calls: bool = False

    def message(self) -> str:
        shown = [f"`{name}`" for name in self.names]
        if self.calls:
            return (
                f"every run of {listed([f'`{name}`' for name in self.names])} waits for one more: none comes to an end"
            )
        shown = [f"`{name}`" for name in self.names]
        if len(shown) == 1:
            return f"from {shown[0]} no end can be reached"
        return f"{listed(shown)} lead only to each other: no end can be reached"

    def label(self) -> str:
        return "one more of the same" if self.calls else "goes round for ever"

    def help(self) -> tuple[str, ...]:
        if self.calls:
            return (
                "let some runs end without the call: put it into an arm of a `choose`",
                "to go on without waiting, `start` the next one, or go round by an arrow",
            )
        return ("give one of them a way out: an arm that ends, an event, or a deadline",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each workflow's states that are reached and reach no end, once, at the first of them."""
    _recursion(program, report)
    for flow in program.flows.values():
        forever = _forever(program, flow)
        finishing = _finishing(flow, forever)
        if forever and not flow.workflow.region.nodes and id(flow.graph.start) not in finishing:
            step = forever[0].step
            if step is not None and step.at is not None:
                report(NeverFinishes(at=step.at, names=(flow.workflow.name,), fixes=_fixes(flow.workflow)))
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


def _forever(program: Inquiry, flow: WorkflowFlow) -> list[Point]:
    """The ends of each `repeat` that has no bound and whose test never holds; `endless-cycle` tells those at once."""
    found = [
        point
        for point in flow.graph.points
        if point.kind == "until" and isinstance(point.step, Repeat) and point.step.times is None
        if program.constant(point.step.until) is False
    ]
    told = {id(p.step) for cycle in turning(flow.graph) for p in cycle.points} if found else set()
    return [point for point in found if id(point.step) not in told and flow.reached(point)]


def _recursion(program: Inquiry, report: Reporter) -> None:
    """Reports workflows that call each other in every run, once, at the first such call."""
    children = {name: _children(flow) for name, flow in program.flows.items()}
    calls = {name: tuple(dict.fromkeys(step.target for step in steps)) for name, steps in children.items()}
    for part in components(calls):
        first = next(iter(part))
        if len(part) == 1 and first not in calls[first]:
            continue
        endless = set(part)
        while True:  # one that can end without the others lets those end that call it
            ending = {name for name in endless if _ends_without(program.flows[name], endless)}
            if not ending:
                break
            endless -= ending
        names = [name for name in program.flows if name in endless]
        call = next((step for name in names for step in children[name] if step.target in endless), None)
        if call is not None and call.at is not None:
            flow = program.flows[names[0]]
            point = program.ways.at(call)
            closing = (Step("and so on: each run waits for one more", call.at),)
            trace = program.show(standing(flow, point), closing).trace if point is not None else None
            report(NeverFinishes(at=call.at, names=tuple(names), calls=True, trace=trace))


def _children(flow: WorkflowFlow) -> list[Do]:
    """The calls of workflows that are reached."""
    found = (p.step for p in flow.graph.points if p.kind == "do" and flow.reached(p))
    return [step for step in found if isinstance(step, Do) and step.kind == "workflow"]


def _ends_without(flow: WorkflowFlow, others: set[str]) -> bool:
    """Whether an end can be reached without waiting for the end of some workflows."""
    calls = [
        point
        for point in flow.graph.points
        if point.kind == "completed" and isinstance(point.step, Do) and point.step.target in others
    ]
    return id(flow.graph.start) in _finishing(flow, calls)


def _finishing(flow: WorkflowFlow, closed: list[Point]) -> set[int]:
    """The points from which an end can be reached, by id; dead ends count, they are told as such.

    A way out of a closed point is none: what a `repeat` never gets to, or what waits for ever.
    """
    shut = {id(point) for point in closed}
    before: dict[int, list[Point]] = {}
    ends: list[Point] = [flow.graph.end, *(point for item in flow.graph.open for point in item.points)]
    for point in flow.graph.points:
        for target in point.next if id(point) not in shut else ():
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
