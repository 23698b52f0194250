"""What the choices before and around a choice have decided: conditions that hold, or do not, where it stands."""

from collections.abc import Iterator

from wfc.flow.choices import Given
from wfc.ir.expressions import Expr, Now, Ref, walk
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    ForEach,
    Goto,
    Guard,
    Let,
    Lock,
    Parallel,
    Repeat,
    SetVar,
    State,
    Step,
    Workflow,
)
from wfc.ir.walk import WAITING_STEPS, Steps, regions, regions_of, undo_of

_MOST = 12  # facts that are kept: what was decided long ago seldom matters


def given_at(workflow: Workflow) -> dict[int, Given]:
    """What is given at each choice, by its id."""
    found: dict[int, Given] = {}
    for region in regions(workflow.region):
        _guards(region.guards, found)
        _block(region.steps, (), found)
        if region.undo is not None:
            _block(region.undo.steps, (), found)
        for node in region.nodes:
            if isinstance(node, State):
                _guards(node.guards, found)
                _block(node.steps, (), found)
    return found


def _guards(guards: tuple[Guard, ...], found: dict[int, Given]) -> None:
    for guard in guards:
        _block(guard.steps, (), found)


def _block(steps: Steps, facts: Given, found: dict[int, Given]) -> Given:
    """Goes through a block; what is given behind it."""
    for step in steps:
        facts = _step(step, facts, found)
    return facts


def _step(step: Step, facts: Given, found: dict[int, Given]) -> Given:
    match step:
        case Choose():
            return _choose(step, facts, found)
        case Repeat(steps=steps):
            around = _without(facts, set(_bound(steps)), waits=True)  # a later round finds what an earlier one has done
            _block(steps, around, found)
            return around
        case Lock(steps=steps):
            return _block(steps, _without(facts, set(), waits=True), found)
        case _:
            if isinstance(step, Do | Parallel | Await):
                _guards(step.guards, found)
            undo = undo_of(step)
            if undo is not None:
                _block(undo.steps, (), found)
            return _without(facts, set(_names(step)), waits=isinstance(step, WAITING_STEPS))


def _choose(choice: Choose, facts: Given, found: dict[int, Given]) -> Given:
    found[id(choice)] = facts
    before, behind = facts, facts
    leaving = True
    for arm in choice.arms:
        inside = _without((*before, (arm.test, True))[-_MOST:], {arm.bind or ""}, waits=False)
        _block(arm.steps, inside, found)
        before = (*before, (arm.test, False))[-_MOST:]
        leaving = leaving and _leaves(arm.steps)
        if leaving:
            behind = (*behind, (arm.test, False))[-_MOST:]
    _block(choice.otherwise or (), before, found)
    blocks = [*(arm.steps for arm in choice.arms), choice.otherwise or ()]
    going = [block for block in blocks if not _leaves(block)]
    changed = {name for block in going for name in _bound(block)} | {arm.bind or "" for arm in choice.arms}
    return _without(behind, changed, waits=any(_waits(block) for block in going))


def _leaves(steps: Steps) -> bool:
    """Whether a block surely ends in an exit."""
    return bool(steps) and isinstance(steps[-1], Goto | Done | Fail)


def _waits(steps: Steps) -> bool:
    return any(isinstance(step, WAITING_STEPS) or any(_waits(block) for block in _blocks(step)) for step in steps)


def _blocks(step: Step) -> Iterator[Steps]:
    match step:
        case Choose(arms=arms, otherwise=otherwise):
            yield from (arm.steps for arm in arms)
            yield otherwise or ()
        case Repeat(steps=steps) | Lock(steps=steps):
            yield steps
        case Do(guards=guards) | Parallel(guards=guards) | Await(guards=guards):
            yield from (guard.steps for guard in guards)
        case _:
            return


def _bound(steps: Steps) -> Iterator[str]:
    """The names that a block binds or changes, inner blocks included."""
    for step in steps:
        yield from _names(step)
        for block in _blocks(step):
            yield from _bound(block)
        if isinstance(step, Choose):
            yield from (arm.bind for arm in step.arms if arm.bind is not None)


def _names(step: Step) -> Iterator[str]:
    """What a step binds or changes by itself, and in the blocks of its guards."""
    match step:
        case Let(name=name) | SetVar(name=name):
            yield name
        case Do(bind=bind, guards=guards) | Parallel(bind=bind, guards=guards):
            yield from (bind,) if bind is not None else ()
            for guard in guards:
                yield from (guard.bind,) if guard.bind is not None else ()
                yield from _bound(guard.steps)
        case Await(guards=guards):
            for guard in guards:
                yield from (guard.bind,) if guard.bind is not None else ()
                yield from _bound(guard.steps)
        case ForEach(bind=bind):
            yield from (bind,) if bind is not None else ()
        case _:
            pass
    for region in regions_of(step):
        yield from (name for inner in regions(region) for name in _bound(inner.steps))


def _without(facts: Given, names: set[str], *, waits: bool) -> Given:
    """The facts that still hold when some names have new values, or time has passed."""
    return tuple((test, truth) for test, truth in facts if not _changed(test, names, waits=waits))


def _changed(test: Expr, names: set[str], *, waits: bool) -> bool:
    for part in walk(test):
        if isinstance(part, Ref) and (part.name in names or (waits and part.kind == "var")):
            return True
        if waits and isinstance(part, Now):
            return True
    return False
