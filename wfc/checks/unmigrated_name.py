"""Instances that go on in a new version without a value that it reads."""

from typing import ClassVar

from wfc.flow.versions import Move, Need, Plan
from wfc.ir.types import Type
from wfc.problems.problem import Label, Problem, Reporter
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class UnmigratedName(Problem):
    """An instance goes over to a new version, which reads a name for which the instance has no value, or a wrong one.

    Each name that is read at or behind the place where it goes on must have a value: from every way of the old version
    to the place where it rested, or by `set` in the rule. Variables that only the new version has begin with their
    first value, new parameters with their default. Where there is no value the instance stays behind, or the
    migration of it fails at night.

    Give the value in the rule, `at Bill -> Charge { set price = 100EUR }`, or keep such instances: `at Bill stay`.
    """

    arguable: ClassVar[bool] = True

    kind: str  # "absent", "misfit", "unread", "parameter"
    names: tuple[str, ...]
    place: str
    target: str
    old: int
    new: int
    sets: bool = False  # whether the rule sets something else
    held: Type | None = None
    type: Type | None = None

    @property
    def _shown(self) -> str:
        return listed(f"`{name}`" for name in self.names)

    def message(self) -> str:
        where = f" in `{self.place}`" if self.place else ""
        those = f"instances of version {self.old}{where}"
        if self.kind == "parameter" and self.held is None:
            return f"the parameter {self._shown} is new and has no default: {those} have no value for it"
        if self.held is not None and str(self.held) == str(self.type):
            return f"{self._shown} is another {self.type} in version {self.new}: what {those} have does not fit"
        if self.held is not None:
            types = f"{self.held} in version {self.old} and is {self.type} now"
            return f"{self._shown} was {types}: what {those} have does not fit"
        if self.kind == "unread":
            return f"`set {self.target}` reads {self._shown}, which {those} do not have"
        reader = f"`{self.target}`" if self.target and self.target != self.place else f"version {self.new}"
        return f"{reader} needs {self._shown}, which {those} do not have"

    def help(self) -> tuple[str, ...]:
        if self.kind == "parameter":
            if self.held is None:
                return (f"give it a default: `{self.names[0]}: {self.type} = ...`",)
            return ("let the running instances end as they are: `otherwise stay`, and no other rule",)
        if self.kind == "unread":
            return (f"give `{self.target}` a value that every instance in `{self.place}` has",)
        sets = " ".join(f"set {name} = ..." for name in self.names)
        rule = f"at {self.place} -> {self.target or self.place} {{ {sets} }}"
        lines = [f"give the value: {f'add `{sets}` to the rule' if self.sets else f'`{rule}`'}"] if self.place else []
        stay = f"`at {self.place} stay`" if self.place else "`otherwise stay`"
        return (*lines, f"or keep those instances on version {self.old}: {stay}")


def check(program: Inquiry, report: Reporter) -> None:
    """Reports the names that lack a value, together for each rule or place."""
    for move in program.moves:
        if any(plan.moves for plan in move.plans):
            for need in move.parameters:
                report(_problem(move, None, "parameter", (need,), move.at))
        told: set[tuple[str, str]] = set()
        for plan in move.plans:
            if plan.moves and (plan.rest.place, plan.target) not in told:
                told |= {(plan.rest.place, plan.target)} if _report(move, plan, report) else set()


def _report(move: Move, plan: Plan, report: Reporter) -> bool:
    """Whether something was missing."""
    at = plan.rule.at if plan.rule is not None and plan.rule.at is not None else move.at
    needs = list(move.needs(plan))
    parameters = {need.name for need in move.parameters}
    absent = tuple(need for need in needs if need.held is None)
    if absent:
        report(_problem(move, plan, "absent", absent, at))
    others = [need for need in needs if need.held is not None and need.name not in parameters]
    for need in others:
        report(_problem(move, plan, "misfit", (need,), at))
    unread = list(move.unread(plan))
    for name, read in unread:
        report(
            UnmigratedName(
                at=at,
                kind="unread",
                names=(read,),
                place=plan.rest.place,
                target=name,
                old=move.migration.old,
                new=move.migration.new,
            )
        )
    return bool(absent or others or unread)


def _problem(move: Move, plan: Plan | None, kind: str, needs: tuple[Need, ...], at: Span) -> UnmigratedName:
    return UnmigratedName(
        at=at,
        labels=_labels(move, plan, needs),
        fixes=(move.stay(plan),) if plan is not None else (),
        kind=kind,
        names=tuple(need.name for need in needs),
        place=plan.rest.place if plan is not None else "",
        target=plan.target if plan is not None else "",
        old=move.migration.old,
        new=move.migration.new,
        sets=plan is not None and plan.rule is not None and bool(plan.rule.sets),
        held=needs[0].held,
        type=needs[0].type,
    )


def _labels(move: Move, plan: Plan | None, needs: tuple[Need, ...]) -> tuple[Label, ...]:
    """Where the first of the names is read."""
    reader = move.reader(plan, needs[0].name) if plan is not None else None
    return (Label(reader, f"reads `{needs[0].name}`"),) if reader is not None else ()
