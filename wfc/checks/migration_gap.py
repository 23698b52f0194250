"""Instances that go on in a version which cannot undo what they have done."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.versions import Move, Plan, called, undos
from wfc.ir.machine import Do, Start, Undo
from wfc.problems.problem import Label, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign, Waypoint, standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class MigrationGap(Problem):
    """An instance goes over to a new version, which does not know how to undo what the instance may have done.

    What has been done goes along as it is: which operation, with which values. If it has to be undone later, the new
    version must have the same undo, of operations that take the same. If it is gone, money that was taken in the old
    version stays taken, however the new one ends. So the machine does not move such an instance.

    Keep the undo as it was as long as instances of the old version run, or let them end there: `at Pay stay`.
    """

    arguable: ClassVar[bool] = True

    operation: str
    place: str
    why: str
    old: int
    new: int

    def message(self) -> str:
        where = f" in `{self.place}`" if self.place else ""
        those = f"instances of version {self.old}{where}"
        return f"{those} may have done `{self.operation}`, which version {self.new} cannot undo"

    def label(self) -> str:
        return self.why

    def help(self) -> tuple[str, ...]:
        stay = f"`at {self.place} stay`" if self.place else "`otherwise stay`"
        return (
            f"keep the undo of `{self.operation}` as it was in version {self.old}",
            f"or let those instances end on version {self.old}: {stay}",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each operation once, at the first place from which instances go over."""
    for move in program.moves:
        told: set[str] = set()
        for plan in move.plans:
            for name, undo in move.gaps(plan) if plan.moves else ():
                if name not in told:
                    told.add(name)
                    report(_problem(program, move, plan, name, undo))


def _problem(program: Inquiry, move: Move, plan: Plan, name: str, undo: Undo) -> MigrationGap:
    at = plan.rule.at if plan.rule is not None and plan.rule.at is not None else move.at
    operation = next((op for op in move.new.machine.operations if op.name in (*called(undo), name)), None)
    place = operation.at if operation is not None else None
    return MigrationGap(
        at=at,
        labels=(Label(place, f"as it is in version {move.migration.new}"),) if place is not None else (),
        fixes=(move.stay(plan),),
        trace=program.show_before(move, _claims(move, plan, name), (_closing(move, name),)),
        operation=name,
        place=plan.rest.place,
        why=_why(move, name, undo),
        old=move.migration.old,
        new=move.migration.new,
    )


def _claims(move: Move, plan: Plan, name: str) -> Iterator[Claim]:
    """A run of the old version that has done it, and rests where the instance would go over."""
    flow, point = move.before, plan.rest.point
    for call in flow.effects.calls:
        done = move.ways.at(call.step)
        if done is not None and isinstance(call.step, Do | Start) and call.step.target == name:
            ways = (Waypoint("done", done), Waypoint("at", point))
            yield Claim(flow.workflow.name, ways, Sign("there"), stops=True)
    if name not in {operation.name for operation in move.old.machine.operations}:  # a scope that is undone as a whole
        yield standing(flow, point)


def _closing(move: Move, name: str) -> Step:
    return Step(f"version {move.migration.new} takes the process over here, and cannot undo {name}")


def _why(move: Move, name: str, undo: Undo) -> str:
    new = move.migration.new
    known = {operation.name for operation in move.new.machine.operations}
    known |= {workflow.name for workflow in move.new.machine.workflows}
    for target in called(undo):
        if target not in known:
            return f"`{target}`, which undoes it, is no part of version {new}"
        if move.other_parameters(target):
            return f"`{target}`, which undoes it, takes something else in version {new}"
    if name not in {other for other, _ in undos(move.new.machine)}:
        return f"version {new} does not undo it"
    return f"version {new} undoes it in another way"
