"""What a chart cannot express, each by a name and the place that needs it: it is refused before anything is written."""

from collections.abc import Iterator

from wfc.ir.machine import (
    Do,
    ForEach,
    Guard,
    Lock,
    Machine,
    Parallel,
    Region,
    Start,
    State,
    Step,
    Undo,
    UndoRegion,
)
from wfc.ir.walk import guards, own_steps, region_steps, regions, regions_of
from wfc.text.source import Span

Refusals = Iterator[tuple[str, Span | None]]

BESIDE = "an `also` or `every` block that waits"
BLOCK = "a `compensate` block of more than one call"
BRANCH_UNDO = "an undo inside a branch of `parallel`"
CHILD = "a call of a workflow"
EACH = "`for each`"
JOIN = "a join other than `all`"
LOCK = "`lock`"
PARK = "`exhausted then park`"
PIVOT = "`pivot`"
START = "`start`"

EFFECTLESS = ("Let", "SetVar", "Emit", "Choose", "Audit", "Measure")


def refused(machine: Machine) -> Refusals:
    """Everything in a machine that a chart cannot express, in the order of the source."""
    policies = {policy.name: policy for policy in machine.policies}
    region = machine.workflow.region
    for step in region_steps(region):
        yield from _step(step)
        if isinstance(step, Do) and step.policy is not None and policies[step.policy].exhausted == "park":
            yield PARK, step.at
        if isinstance(step, Parallel) and step.join != "all":
            yield JOIN, step.at
        for guard in guards(step):
            yield from _guard(guard)
        for inner in regions_of(step):
            if _undoes(inner):
                yield BRANCH_UNDO, inner.at or step.at
    for each in regions(region):
        for guard in (*each.guards, *(g for node in each.nodes if isinstance(node, State) for g in node.guards)):
            yield from _guard(guard)
        if each.undo is not None:
            yield from _undo(each.undo)


def _step(step: Step) -> Refusals:
    match step:
        case ForEach():
            yield EACH, step.at
        case Lock():
            yield LOCK, step.at
        case Start():
            yield START, step.at
        case Do():
            if step.kind == "workflow":
                yield CHILD, step.at
            if step.pivot:
                yield PIVOT, step.at
            if step.undo is not None:
                yield from _undo(step.undo)
        case _:
            pass


def _guard(guard: Guard) -> Refusals:
    """A block beside is done in the turn in which its guard fires."""
    if (guard.also or guard.kind == "every") and not all(
        type(step).__name__ in EFFECTLESS for step in own_steps(guard.steps)
    ):
        yield BESIDE, guard.at


def _undo(undo: Undo) -> Refusals:
    single = len(undo.steps) == 1 and isinstance(undo.steps[0], Do) and not undo.steps[0].guards
    if undo.kind == "steps" and not single:
        yield BLOCK, undo.at


def _undoes(region: Region) -> bool:
    """Whether something inside a branch may be undone while its siblings go on."""
    steps = tuple(region_steps(region, undos=False))
    if not any(isinstance(step, Do) and step.undo is not None and step.undo.kind == "steps" for step in steps):
        return False
    if any(isinstance(step, UndoRegion) for step in steps):
        return True
    found = [guard for step in steps for guard in guards(step)]
    for each in regions(region):
        found += [*each.guards, *(g for node in each.nodes if isinstance(node, State) for g in node.guards)]
    return any(not (guard.also or guard.keep or guard.kind == "every") for guard in found)
