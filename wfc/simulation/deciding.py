"""Guards beside the flow that change where it goes: a run may need them, though they lead nowhere themselves."""

from collections.abc import Iterable, Iterator

from wfc.flow.bindings import Sources
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Choose, ForEach, Guard, Lock, Parallel, Repeat, SetVar, State, Step, Wait, Workflow
from wfc.ir.walk import all_steps, guards, nodes, region_steps, regions


def deciding_guards(workflow: Workflow) -> frozenset[int]:
    """The guards of `also` and `every`, by id, whose block sets a variable on which a decision depends."""
    every = list(_guards(workflow))
    names = _deciding_names(workflow, every)
    return frozenset(
        id(guard)
        for guard in every
        if (guard.also or guard.kind == "every") and any(_sets(step) in names for step in all_steps(guard.steps))
    )


def _guards(workflow: Workflow) -> Iterator[Guard]:
    for region in regions(workflow.region):
        yield from region.guards
    for node in nodes(workflow.region):
        if isinstance(node, State):
            yield from node.guards
    for step in region_steps(workflow.region):
        yield from guards(step)


def _sets(step: Step) -> str:
    return step.name if isinstance(step, SetVar) else ""


def _deciding_names(workflow: Workflow, every: Iterable[Guard]) -> frozenset[str]:
    """The names that decisions read, and those that these are worked out from."""
    sources = Sources(workflow)
    read = {name for expr in _decisions(workflow, every) for name in _read(expr)}
    return frozenset(each for name in read for each in sources.of(name))


def _read(expr: Expr) -> Iterator[str]:
    return (part.name for part in walk(expr) if isinstance(part, Ref))


def _decisions(workflow: Workflow, every: Iterable[Guard]) -> Iterator[Expr]:
    """Conditions, amounts and lists."""
    found: list[Expr | None] = []
    for guard in every:
        found += [guard.amount, guard.when]
    for step in region_steps(workflow.region):
        match step:
            case Choose(arms=arms):
                found += [arm.test for arm in arms]
            case Repeat(times=times, until=until):
                found += [times, until]
            case Wait(amount=amount):
                found.append(amount)
            case Lock(wait=wait):
                found.append(wait)
            case Parallel(count=count):
                found.append(count)
            case ForEach(items=items, limit=limit, count=count):
                found += [items, limit, count]
            case _:
                pass
    return (expr for expr in found if expr is not None)
