"""What the compiler understood of a process, told in lines: states, decisions, transitions, rollbacks, policies."""

from collections.abc import Iterator

from wfc.flow.graph import Point
from wfc.flow.program import Program
from wfc.ir.machine import Await, Choose, Do, ForEach, Goto, Guard, Machine, Node, Parallel, Region, Scope, State, Step
from wfc.ir.walk import Steps, all_steps, nodes, own_steps, region_steps, regions
from wfc.lower.policies import DEFAULT
from wfc.text.value import Value, value


@value
class Facts(Value):
    """The counts of one process."""

    states: tuple[str, ...]
    decisions: tuple[str, ...]
    parallels: tuple[str, ...]
    transitions: int
    rollbacks: tuple[str, ...]
    policies: tuple[str, ...]


def facts(machine: Machine) -> Facts:
    """Counts the parts of the process itself; its children are processes of their own."""
    region = machine.workflow.region
    every = [node for node in nodes(region) if isinstance(node, State)]
    return Facts(
        tuple(node.name for node in every if not node.gateway),
        tuple(node.name.replace("_", " ") for node in every if node.gateway and _decides(node)),
        tuple(_side_by_side(region)),
        sum(1 for _ in _arrows(region)),
        _rollbacks(machine),
        _policies(machine),
    )


def summary(machine: Machine) -> tuple[str, ...]:
    """The lines that a compile prints before the files."""
    found = facts(machine)
    return (
        f"[Analysis] Process: {machine.process}",
        _counted("States identified", found.states),
        _counted("Decision points", found.decisions),
        _counted("Parallel branches", found.parallels),
        "[Design] State machine generated:",
        f"Transitions: {found.transitions} defined",
        f"Compensation flows: {len(found.rollbacks)} rollback path{'' if len(found.rollbacks) == 1 else 's'}",
        f"Error boundaries: {len(found.policies)} retry polic{'y' if len(found.policies) == 1 else 'ies'}",
    )


def _counted(label: str, names: tuple[str, ...]) -> str:
    return f"{label}: {len(names)}" + (f" ({', '.join(names)})" if names else "")


def _decides(node: State) -> bool:
    return any(isinstance(step, Choose | Await) for step in node.steps)


def _side_by_side(region: Region) -> Iterator[str]:
    """Each parallel by its branches, each concurrent `for each` by its element."""
    for step in region_steps(region, undos=False):
        if isinstance(step, Parallel):
            yield " + ".join(branch.name.replace("_", " ") for branch in step.branches)
        elif isinstance(step, ForEach) and step.concurrent:
            yield f"each {step.item}"


def _arrows(region: Region) -> Iterator[str]:
    """Each arrow of the source but those in guards and undos; arms of `await` count."""
    for inner in regions(region):
        yield from _arrows_of(inner.steps)
        for node in inner.nodes:
            yield from _arrows_of_node(node)


def _arrows_of_node(node: Node) -> Iterator[str]:
    match node:
        case Scope(next=following):
            if following is not None:
                yield following
        case State(steps=steps):
            yield from _arrows_of(steps)


def _arrows_of(steps: Steps) -> Iterator[str]:
    guards: list[Guard] = []
    for step in own_steps(steps):
        if isinstance(step, Do | Parallel):
            guards.extend(step.guards)
    hidden: set[int] = {id(inner) for guard in guards for inner in own_steps(guard.steps)}
    for step in own_steps(steps):
        if isinstance(step, Goto) and id(step) not in hidden:
            yield step.target


def _rollbacks(machine: Machine) -> tuple[str, ...]:
    """The activities with an undo that an abort can reach, done or in doubt."""
    effects = Program(machine).flows[machine.workflow.name].effects
    effects = Program(machine).flows[machine.workflow.name].effects
    found = dict.fromkeys(name for point in effects.in_doubt() if (name := _undoable(point)))
    for call in effects.calls:
        name = _undoable(call)
        if name and name not in found and next(effects.undone((call,)), None) is not None:
            found[name] = None
    return tuple(found)


def _undoable(point: Point) -> str:
    """The activity with an undo that is called at a point, or nothing."""
    step = point.step
    if not isinstance(step, Do) or step.kind != "activity" or step.undo is None:
        return ""
    return step.target if step.undo.kind == "steps" else ""


def _policies(machine: Machine) -> tuple[str, ...]:
    """Each named policy that applies to a reachable call or to its undo."""
    declared = {policy.name: policy.declared for policy in machine.policies}
    found: dict[str, None] = {}
    for step in _calls(machine):
        name = declared.get(step.policy or "", "")
        if name and name != DEFAULT:
            found[name] = None
    return tuple(found)


def _calls(machine: Machine) -> Iterator[Do]:
    flow = Program(machine).flows[machine.workflow.name]
    reached = {id(point.step) for point in flow.graph.points if flow.reached(point)}
    for step in region_steps(machine.workflow.region, undos=False):
        if isinstance(step, Do) and id(step) in reached:
            yield step
            if step.undo is not None:
                yield from _undo_calls(step.undo.steps)


def _undo_calls(steps: tuple[Step, ...]) -> Iterator[Do]:
    yield from (step for step in all_steps(steps) if isinstance(step, Do))
