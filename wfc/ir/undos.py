"""What can be read off an undo: the names it needs from around it, and the numbers of its calls."""

from collections.abc import Iterator, Mapping

from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Choose, Do, ForEach, Let, Parallel, PolicyDef, Region, Start, Step, Undo
from wfc.ir.walk import all_steps, expressions, guards, policy_expressions, region_expressions, regions_of


def numbers(undo: Undo) -> dict[int, str]:
    """The number of each call in an undo, as its key says it, by the step's identity; a single call has none."""
    calls = [step for step in all_steps(undo.steps) if isinstance(step, Do | Start) and step.id != "undo"]
    return {id(step): str(number) for number, step in enumerate(calls, 1)}


def stored_names(undo: Undo, bind: str | None, policies: Mapping[str, PolicyDef]) -> tuple[tuple[str, str], ...]:
    """The names an undo reads from around it, by kind; what its own steps bind is not among them.

    `bind` is the name of the call's result, which the undo may read though a step of its own binds the same.
    """
    bound = {name for step in all_steps(undo.steps) for name in _bound(step)}
    found: dict[tuple[str, str], None] = {}
    for expr in _expressions(undo, policies):
        for part in walk(expr):
            if not isinstance(part, Ref):
                continue
            own = part.kind in ("param", "local", "var") and (part.name not in bound or part.name == bind)
            if own or part.kind in ("operand", "result"):
                found[part.kind, part.name] = None
    return tuple(sorted(found))


def _expressions(undo: Undo, policies: Mapping[str, PolicyDef]) -> Iterator[Expr]:
    for step in all_steps(undo.steps):
        yield from expressions(step)
        for region in regions_of(step):
            yield from region_expressions(region)
        if isinstance(step, Do) and step.policy is not None:
            yield from policy_expressions(policies[step.policy])


def _bound(step: Step) -> Iterator[str]:
    """The names that a step binds, those of its regions included."""
    match step:
        case Do(bind=bind):
            yield from _names(bind)
        case Parallel(bind=bind, branches=branches):
            yield from _names(bind)
            for branch in branches:
                yield from _region(branch.region)
        case ForEach(bind=bind, item=item, index=index, region=region):
            yield from _names(bind, item, index)
            yield from _region(region)
        case Let(name=name):
            yield name
        case Choose(arms=arms, bind=bind):
            yield from _names(bind, *(arm.bind for arm in arms))
        case _:
            pass
    yield from _names(*(guard.bind for guard in guards(step)))


def _region(region: Region) -> Iterator[str]:
    yield from (name for name, _ in region.names)
    yield from (variable.name for variable in region.variables)


def _names(*names: str | None) -> Iterator[str]:
    yield from (name for name in names if name is not None)
