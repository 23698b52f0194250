"""What is really wrong with a program: found by exploring its machine, without the checker's help."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from wfc.ir.expressions import Lit, Now, walk
from wfc.ir.machine import Do, Guard, Machine, Start, State, Wait, Workflow
from wfc.ir.walk import all_steps, guards, nodes, region_steps, regions, workflow_expressions
from wfc.machine.code import Calling, Locking
from wfc.machine.instance import Frame, Instance
from wfc.machine.messages import Lock, Send
from wfc.machine.program import CANCELLED, SYSTEM, Program
from wfc.machine.turn import Turned
from wfc.simulation.explore import Bounds, explore
from wfc.simulation.ledger import Ledger

FUEL = 10_000  # small programs make no longer turns
Fault = tuple[str, str]  # what kind of thing goes wrong, and where: an operation, a node or a workflow


@dataclass
class Truth:
    """The faults of a program with a trace to each; `complete`: everything was seen, so there are no others.

    `entered`: the nodes that some run enters. `completing`: the workflows that some run completes.
    """

    faults: dict[Fault, str] = field(default_factory=dict)
    complete: bool = True
    entered: set[str] = field(default_factory=set)
    completing: set[str] = field(default_factory=set)


def truth(machine: Machine, states: int = 3_000, *, more: bool = False) -> Truth:
    """Explores every workflow of a machine: time may pass unnoticed, answers may be of the wrong form.

    `more`: events come twice, attempts are made one by one, and more values are tried.
    """
    found = Truth()
    undoing = _undoing(machine)  # what undoes stands being run with nothing to undo
    for workflow in machine.workflows:
        events = 2 if more else 1
        bounds = Bounds(states, events, raising=False, rough=True, unsaid=True, wide=more, fuel=FUEL)
        explored = explore(machine, workflow.name, bounds, watch=_watch)
        found.complete = found.complete and explored.complete
        found.entered |= {f"{workflow.name}:{path}" for path in explored.nodes}
        seen = {("not undone", name): trace for name, trace in explored.missing.items() if name not in undoing}
        seen |= explored.noticed
        timeless = not _asks_time(workflow)
        if explored.doomed is not None and timeless:
            seen["never ends", workflow.name] = explored.doomed
        for trace in explored.stuck:
            seen.setdefault(("stuck", workflow.name), trace)
        if any(end.kind == "done" for end in explored.ends):
            found.completing.add(workflow.name)
        for end, trace in explored.ends.items():
            if end.kind == "failed" and end.name not in {*workflow.raises, *SYSTEM, CANCELLED}:
                seen["unhandled", end.name] = trace
        for fault, trace in seen.items():
            found.faults.setdefault(fault, "; ".join(choice.text for choice in trace))
        if any("never ends" in text for text in explored.cut) and not _times_unknown(workflow):
            found.faults.setdefault(("endless turn", workflow.name), "")
        if explored.complete and timeless:
            for path in sorted(set(explored.paths) - explored.nodes):
                found.faults.setdefault(("never entered", path), "")
    _promises(machine, found)
    return found


def _asks_time(workflow: Workflow) -> bool:
    """Whether it asks for the date, or has deadlines: what can come then is a question of time, which states leave out."""
    if any(isinstance(part, Now) for expr in workflow_expressions(workflow) for part in walk(expr)):
        return True
    return any(guard.kind in ("after", "at") for guard in _guards(workflow))


def _times_unknown(workflow: Workflow) -> bool:
    """Whether something waits for a time that is not written down: it may be over when the waiting begins."""
    amounts = [guard.amount for guard in _guards(workflow) if guard.kind in ("after", "every")]
    amounts += [step.amount for step in region_steps(workflow.region) if isinstance(step, Wait)]
    dates = any(guard.kind == "at" for guard in _guards(workflow))
    return dates or not all(isinstance(amount, Lit) for amount in amounts)


def _guards(workflow: Workflow) -> Iterator[Guard]:
    for region in regions(workflow.region):
        yield from region.guards
    for node in nodes(workflow.region):
        yield from node.guards if isinstance(node, State) else ()
    for step in region_steps(workflow.region):
        yield from guards(step)


def _undoing(machine: Machine) -> set[str]:
    """The operations that undo another one."""
    return {
        step.target
        for workflow in machine.workflows
        for call in region_steps(workflow.region, undos=False)
        if (undo := getattr(call, "undo", None)) is not None
        for step in all_steps(undo.steps)
        if isinstance(step, Do | Start)
    }


def _promises(machine: Machine, found: Truth) -> None:
    """Calls that may be sent twice though nothing tells the service that it is the same one: seen in the policy alone."""
    undoing = _undoing(machine)
    policies = {policy.name: policy for policy in machine.policies}
    operations = {operation.name: operation for operation in machine.operations}
    for workflow in machine.workflows:
        for step in region_steps(workflow.region, undos=False):
            operation = operations.get(getattr(step, "target", ""))
            if operation is None or operation.kind != "activity" or operation.name in undoing:
                continue
            policy = policies.get(getattr(step, "policy", None) or "")
            attempts = getattr(policy.attempts, "value", None) if policy is not None else 1
            keyed = operation.key is not None or operation.idempotent or getattr(step, "key", None) is not None
            if attempts != 1 and not keyed:
                found.faults.setdefault(("sent twice", operation.name), "")


# -- seen in one turn


def _watch(program: Program, before: Instance | None, found: Turned, books: Ledger) -> Iterator[Fault]:
    inst = found.instance
    for fiber in inst.fibers.values():
        if fiber.wait == "halted":
            yield "halted", inst.frames[fiber.frame].node or _node(inst, inst.frames[fiber.frame])
    for command in found.commands:
        if isinstance(command, Send) and _again(command, books) and _places(program, command.target) == 1:
            yield "same key", command.target
        if isinstance(command, Lock):
            yield from _lock(program, inst, command)
    yield from _pivot(program, before, found)


def _again(send: Send, books: Ledger) -> bool:
    return send.attempt == 1 and not send.undo and send.key in books.effects


def _places(program: Program, target: str) -> int:
    """How many calls of an operation there are."""
    return sum(isinstance(i, Calling) and i.call.target == target for i in program.code)


def _node(inst: Instance, frame: Frame) -> str:
    while not frame.node and frame.parent is not None:
        frame = inst.frames[frame.parent]
    return frame.node


def _lock(program: Program, inst: Instance, command: Lock) -> Iterator[Fault]:
    """A lock of lower or equal rank is asked for inside a held one."""
    fiber = next((f for f in inst.fibers.values() if f.lock == command.lock), None)
    frame = inst.frames.get(fiber.frame) if fiber is not None else None
    codes = {id(i.lock.spec): i.lock for i in program.code if isinstance(i, Locking)}
    wanted = min(program.resources[resource.name].rank for resource in command.resources)
    while frame is not None:
        held = codes.get(id(program.specs[frame.spec]))
        if held is not None and max(program.resources[name].rank for name, _ in held.resources) >= wanted:
            yield "lock order", inst.workflow
        frame = inst.frames[frame.parent] if frame.parent is not None else None


def _pivot(program: Program, before: Instance | None, found: Turned) -> Iterator[Fault]:
    """An error leaves something that a pivot has sealed: a guard of it fires, or the whole process fails."""
    sealed = [frame for frame in before.frames.values() if frame.sealed] if before is not None else []
    for record in found.records:
        if record.kind == "pivot":
            sealed += found.instance.frames.values()
        if record.kind != "interrupted" or not sealed:
            continue
        label = record.get("guard")
        guards = [guard for frame in sealed for guard in program.specs[frame.spec].guards if guard.label == label]
        crossed = any(guard.kind == "catch" and not guard.keep for guard in guards)
        if crossed or (label is None and found.instance.status != "done"):
            yield "crossed pivot", found.instance.workflow
