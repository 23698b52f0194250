"""Guards beside the flow that change where it goes: a run may need them, though they lead nowhere themselves."""

from collections.abc import Iterator

from wfc.flow.bindings import Sources
from wfc.ir.expressions import Expr, Now, Ref, walk
from wfc.ir.machine import Choose, ForEach, Lock, Parallel, Repeat, SetVar, Step, Wait, Workflow
from wfc.ir.walk import all_steps, guard_expressions, region_steps, workflow_guards


def deciding_guards(workflow: Workflow) -> frozenset[int]:
    """The guards of `also` and `every`, by id, whose block sets a variable on which a decision depends."""
    names = _deciding_names(workflow)
    return frozenset(
        id(guard)
        for guard in workflow_guards(workflow)
        if (guard.also or guard.kind == "every") and any(_sets(step) in names for step in all_steps(guard.steps))
    )


def _sets(step: Step) -> str:
    return step.name if isinstance(step, SetVar) else ""


def _deciding_names(workflow: Workflow) -> frozenset[str]:
    """The names that decisions read, and those that these are worked out from."""
    sources = Sources(workflow)
    read = {name for expr in decisions(workflow) for name in _read(expr)}
    return frozenset(each for name in read for each in sources.of(name))


def _read(expr: Expr) -> Iterator[str]:
    return (part.name for part in walk(expr) if isinstance(part, Ref))


def decisions(workflow: Workflow) -> Iterator[Expr]:
    """What decides where a run goes: conditions, amounts and lists. What waits for an instant asks for the date."""
    found: list[Expr | None] = []
    for guard in workflow_guards(workflow):
        found += guard_expressions(guard)
    for step in region_steps(workflow.region):
        match step:
            case Choose(arms=arms):
                found += [arm.test for arm in arms]
            case Repeat(times=times, until=until):
                found += [times, until]
            case Wait(amount=amount, until=until):
                found.append(Now(amount.type) if until else amount)
            case Lock(wait=wait):
                found.append(wait)
            case Parallel(count=count):
                found.append(count)
            case ForEach(items=items, limit=limit, count=count):
                found += [items, limit, count]
            case _:
                pass
    return (expr for expr in found if expr is not None)
