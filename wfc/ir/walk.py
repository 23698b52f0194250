"""Walks over the steps, guards and regions of a machine, for whoever looks for something anywhere."""

from collections.abc import Iterator

from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import (
    Arm,
    Audit,
    Await,
    Choose,
    Do,
    Done,
    Emit,
    Fail,
    ForEach,
    Goto,
    Guard,
    Let,
    Lock,
    Measure,
    Node,
    Parallel,
    PolicyDef,
    Region,
    Repeat,
    Scope,
    Settle,
    SetVar,
    Start,
    State,
    Step,
    Undo,
    UndoRegion,
    Wait,
    Workflow,
)

Steps = tuple[Step, ...]
WAITING_STEPS = (Do, Start, Wait, Await, Lock, Parallel, ForEach, UndoRegion)  # at which a token may stand
_SIMPLE = (Let, SetVar, Emit, Wait, Audit, Measure, UndoRegion, Settle, Goto, Done, Fail)  # nothing is inside


def blocks(step: Step) -> tuple[Steps, ...]:
    """The blocks of a step that belong to its own region; those of undos and inner regions do not."""
    match step:
        case Do(guards=guards) | Parallel(guards=guards) | Await(guards=guards):
            return tuple([guard.steps for guard in guards]) if guards else ()
        case Repeat(steps=steps) | Lock(steps=steps):
            return (steps,)
        case Choose(arms=arms, otherwise=otherwise):
            found = tuple([arm.steps for arm in arms])
            return found if otherwise is None else (*found, otherwise)
        case _:
            return ()


def regions_of(step: Step) -> tuple[Region, ...]:
    """The regions that a step runs."""
    match step:
        case Parallel(branches=branches):
            return tuple(branch.region for branch in branches)
        case ForEach(region=region):
            return (region,)
        case _:
            return ()


def undo_of(step: Step) -> Undo | None:
    """How a step is undone."""
    return step.undo if isinstance(step, Do | Start) else None


def own_steps(steps: Steps) -> list[Step]:
    """The steps of a block and of the blocks inside, within one region."""
    found: list[Step] = []
    _own(steps, found)
    return found


def _own(steps: Steps, found: list[Step]) -> None:
    """A list that grows: generators inside each other would cost more than what is looked for."""
    for step in steps:
        found.append(step)
        if not isinstance(step, _SIMPLE):
            for block in blocks(step):
                _own(block, found)


def all_steps(steps: Steps, *, undos: bool = True) -> list[Step]:
    """The steps of a block, inner regions and undos included."""
    found: list[Step] = []
    _all(steps, found, undos=undos)
    return found


def _all(steps: Steps, found: list[Step], *, undos: bool) -> None:
    for step in steps:
        found.append(step)
        if isinstance(step, _SIMPLE):
            continue
        if isinstance(step, Do | Start):
            if undos and step.undo is not None:
                _all(step.undo.steps, found, undos=True)
            if isinstance(step, Do):
                for guard in step.guards:
                    _all(guard.steps, found, undos=undos)
            continue
        for region in regions_of(step):
            _within(region, found, undos=undos)
        for block in blocks(step):
            _all(block, found, undos=undos)


def region_steps(region: Region, *, undos: bool = True) -> list[Step]:
    """All steps of a region, of its nodes, guards and inner regions."""
    found: list[Step] = []
    _within(region, found, undos=undos)
    return found


def _within(region: Region, found: list[Step], *, undos: bool) -> None:
    for guard in region.guards:
        _all(guard.steps, found, undos=undos)
    if undos and region.undo is not None:
        _all(region.undo.steps, found, undos=True)
    _all(region.steps, found, undos=undos)
    for node in region.nodes:
        match node:
            case State(guards=guards, steps=steps):
                for guard in guards:
                    _all(guard.steps, found, undos=undos)
                _all(steps, found, undos=undos)
            case Scope(region=inner):
                _within(inner, found, undos=undos)


def regions(region: Region) -> Iterator[Region]:
    """A region and all regions inside it."""
    yield region
    inner: list[Steps] = [region.steps, *(guard.steps for guard in region.guards)]
    for node in region.nodes:
        match node:
            case State(guards=guards, steps=steps):
                inner.extend((steps, *(guard.steps for guard in guards)))
            case Scope(region=below):
                yield from regions(below)
    for block in inner:
        for step in own_steps(block):
            for below in regions_of(step):
                yield from regions(below)


def nodes(region: Region) -> Iterator[Node]:
    """All nodes of a region and of the regions inside it, in source order."""
    yield from _nodes_in(region.steps)
    for guard in region.guards:
        yield from _nodes_in(guard.steps)
    for node in region.nodes:
        yield node
        match node:
            case State(guards=guards, steps=steps):
                yield from _nodes_in(steps)
                for guard in guards:
                    yield from _nodes_in(guard.steps)
            case Scope(region=inner):
                yield from nodes(inner)


def _nodes_in(steps: Steps) -> Iterator[Node]:
    for step in own_steps(steps):
        for region in regions_of(step):
            yield from nodes(region)


def guards(step: Step) -> tuple[Guard, ...]:
    """The guards of a step."""
    return step.guards if isinstance(step, Do | Parallel | Await) else ()


def workflow_guards(workflow: Workflow) -> Iterator[Guard]:
    """All guards of a workflow: of its regions, its states and its steps."""
    for region in regions(workflow.region):
        yield from region.guards
    for node in nodes(workflow.region):
        if isinstance(node, State):
            yield from node.guards
    for step in region_steps(workflow.region):
        yield from guards(step)


def guard_expressions(guard: Guard) -> Iterator[Expr]:
    """What a guard reads itself."""
    for expr in (guard.amount, guard.when):
        if expr is not None:
            yield expr


def expressions(step: Step) -> Iterator[Expr]:
    """The expressions a step reads itself, its guards' triggers included; not those of blocks and regions."""
    for guard in guards(step):
        yield from guard_expressions(guard)
    found: tuple[Expr | None, ...]
    match step:
        case Do(args=args, key=key, assign=assign, undo=undo):
            found = (*args, key, assign, undo.when if undo else None)
        case Start(args=args, key=key, undo=undo):
            found = (*args, key, undo.when if undo else None)
        case Let(value=value) | SetVar(value=value) | Emit(value=value):
            found = (value,)
        case Wait(amount=amount):
            found = (amount,)
        case Parallel(count=count):
            found = (count,)
        case ForEach(items=items, limit=limit, count=count):
            found = (items, limit, count)
        case Repeat(times=times, until=until):
            found = (times, until)
        case Lock(resources=resources, wait=wait):
            found = (*(arg for _, args in resources for arg in args), wait)
        case Choose(subject=subject, arms=arms, value=value):
            found = (subject, *(e for arm in arms for e in _arm(arm)), value)
        case Audit(text=text):
            found = (text,)
        case Measure(value=measured):
            found = (measured,)
        case Done(value=given):
            found = (given,)
        case Fail(error=error):
            found = (error,)
        case Await() | UndoRegion() | Settle() | Goto():
            found = ()
    yield from (expr for expr in found if expr is not None)


def _arm(arm: Arm) -> tuple[Expr | None, Expr | None]:
    return arm.test, arm.value


def policy_expressions(policy: PolicyDef) -> tuple[Expr, ...]:
    """Every expression of a policy."""
    breaker = policy.breaker
    found = (
        policy.timeout,
        policy.overall,
        policy.attempts,
        policy.backoff,
        policy.factor,
        policy.max,
        policy.jitter,
        *((breaker.failures, breaker.within, breaker.probe) if breaker is not None else ()),
        *(policy.limit or ()),
        policy.concurrency,
        policy.heartbeat,
        policy.queue_value,
    )
    return tuple(expr for expr in found if expr is not None)


def is_constant(policy: PolicyDef) -> bool:
    """Whether a policy reads no names of the place where it is used."""
    read = (part for expr in policy_expressions(policy) for part in walk(expr) if isinstance(part, Ref))
    return all(part.kind in ("const", "queue") for part in read)


def region_expressions(region: Region) -> Iterator[Expr]:
    """The expressions of a region's own clauses."""
    for variable in region.variables:
        yield variable.value
    for guard in region.guards:
        yield from guard_expressions(guard)
    for sla in region.slas:
        yield sla.within
        if sla.warn is not None:
            yield sla.warn
    if region.undo is not None and region.undo.when is not None:
        yield region.undo.when
    for node in region.nodes:
        if isinstance(node, State):
            for guard in node.guards:
                yield from guard_expressions(guard)
            for sla in node.slas:
                yield sla.within
                if sla.warn is not None:
                    yield sla.warn


def workflow_expressions(workflow: Workflow) -> Iterator[Expr]:
    """Every expression of a workflow."""
    if workflow.key is not None:
        yield workflow.key
    for view in workflow.views:
        yield view.value
    for param in workflow.params:
        for expr in (param.default, param.where):
            if expr is not None:
                yield expr
    for region in regions(workflow.region):
        yield from region_expressions(region)
    for step in region_steps(workflow.region):
        yield from expressions(step)


def heard(region: Region) -> frozenset[str]:
    """The events for which a region, or anything inside it, has a guard or `ignore`."""
    found: set[str] = set()
    armed: list[Guard] = []
    for inner in regions(region):
        armed.extend(inner.guards)
        found.update(inner.ignore)
        for node in inner.nodes:
            if isinstance(node, State):
                armed.extend(node.guards)
                found.update(node.ignore)
    for step in region_steps(region):
        armed.extend(guards(step))
    return frozenset(found.union(guard.names[0] for guard in armed if guard.kind == "on"))
