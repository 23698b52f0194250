"""Steps behind a choice that covers everything and whose arms all leave."""

from collections.abc import Iterator
from itertools import pairwise

from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Choose, Region, Scope, State, Step
from wfc.ir.walk import Steps, blocks, regions
from wfc.problems.problem import Reporter
from wfc.problems.unreachable_step import UnreachableStep


def check(program: Program, report: Reporter) -> None:
    """Reports the first step behind each such choice. What stands behind an exit is told when names are followed."""
    for flow in program.flows.values():
        reached = {id(point.step) for point in flow.graph.points if point.step is not None and flow.reached(point)}
        known = {id(point.step) for point in flow.graph.points if point.step is not None}
        for block in _blocks(flow):
            for choice, step in pairwise(block):
                told = id(choice) in reached and id(step) in known and id(step) not in reached
                if told and isinstance(choice, Choose) and step.at is not None:
                    report(UnreachableStep(at=step.at))


def _blocks(flow: WorkflowFlow) -> Iterator[Steps]:
    """All blocks of a workflow, compensations apart."""
    for region in regions(flow.workflow.region):
        for block in _outer(region):
            yield from _inside(block)


def _outer(region: Region) -> Iterator[Steps]:
    yield region.steps
    yield from (guard.steps for guard in region.guards)
    for node in region.nodes:
        match node:
            case State(steps=steps, guards=guards):
                yield steps
                yield from (guard.steps for guard in guards)
            case Scope():
                pass


def _inside(block: tuple[Step, ...]) -> Iterator[Steps]:
    yield block
    for step in block:
        for inner in blocks(step):
            yield from _inside(inner)
