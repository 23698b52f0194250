"""Branches that never begin: they start one after another in one turn, and some before them are enough for the join."""

from collections.abc import Iterator

from wfc.flow.graph import Graph, Point
from wfc.flow.policies import Policies
from wfc.ir.machine import (
    Audit,
    Branch,
    Choose,
    Done,
    Emit,
    Goto,
    Let,
    Measure,
    Node,
    Parallel,
    Region,
    SetVar,
    State,
    Step,
)


def never_begun(graph: Graph, policies: Policies) -> Iterator[tuple[Point, Branch, Branch]]:
    """The branches that never begin, each with its `parallel` and the branch that is the last one needed before it."""
    for point in graph.points:
        step = point.step
        if point.kind == "fork" and isinstance(step, Parallel):
            done = [branch for branch in step.branches if _at_once(branch.region, policies)]
            needed = _needed(step, policies)
            if needed is not None and 0 < needed <= len(done):
                last = done[needed - 1]
                behind = step.branches[step.branches.index(last) + 1 :]
                yield from ((point, branch, last) for branch in behind)


def _needed(step: Parallel, policies: Policies) -> int | None:
    """How many branches a join waits for, where it does not wait for all."""
    if step.join == "first":
        return 1
    return policies.constants.whole(step.count) if step.join == "some" else None


def _at_once(region: Region, policies: Policies) -> bool:
    """Whether a region surely ends in the turn in which it begins. What it cannot tell easily it takes for slow."""
    return _block(region.steps, policies) and all(_node(node, policies) for node in region.nodes)


def _node(node: Node, policies: Policies) -> bool:
    return isinstance(node, State) and _block(node.steps, policies)


def _block(steps: tuple[Step, ...], policies: Policies) -> bool:
    return all(_step(step, policies) for step in steps)


def _step(step: Step, policies: Policies) -> bool:
    match step:
        case Let() | SetVar() | Audit() | Measure() | Emit() | Goto() | Done():
            return True
        case Choose(arms=arms, otherwise=otherwise) if otherwise:
            return all(_block(block, policies) for block in (otherwise, *(arm.steps for arm in arms)))
        case Parallel(branches=branches):
            ending = sum(_at_once(branch.region, policies) for branch in branches)
            needed = _needed(step, policies)
            return ending >= (len(branches) if needed is None else needed)
        case _:
            return False
