"""Instances of an older version for which a migration has no place."""

from typing import ClassVar

from wfc.flow.versions import Move, Plan
from wfc.problems import UnknownName
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Step
from wfc.simulation.claim import standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed, nearest
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class UnmappedState(Problem):
    """A `migration` does not say where the instances go on that rest at some place of the old version.

    A state that is the same in both versions maps to itself. For each other one at which an instance can rest - in
    `await`, a task, a `wait`, a parked step, a request for a lock - a rule says where it goes on (`at Bill -> Charge`)
    or that it stays (`at Bill stay`). `otherwise` speaks for all the others. Without a rule the instance is left
    behind: nobody decided that a customer goes by the old terms, and nobody notices. Instances in branches stay where
    they are, or stay on their version: a rule leads neither out of branches that run nor into one.
    """

    arguable: ClassVar[bool] = True

    fate: str
    place: str
    why: str
    old: int
    new: int
    target: str
    needs: tuple[str, ...]
    gone: bool

    def message(self) -> str:
        if self.fate == "branch":
            return f"branches of `{self.place}` may be running, and no rule leads out of them to `{self.target}`"
        if self.fate == "into branch":
            return f"`{self.target}` lies inside a branch, into which no rule leads"
        return f"instances of version {self.old} that wait in {self._shown} have nowhere to go"

    def label(self) -> str:
        if self.fate == "branch":
            return f"an instance {self.why}"
        if self.fate == "into branch":
            return ""
        if self.fate == "watched":
            return f"says nothing about {self._shown}, around which guards form another part in version {self.new}"
        how = "has none of that name" if self.gone else "has changed them" if not self.place else "has changed it"
        return f"says nothing about {self._shown}, and version {self.new} {how}"

    @property
    def _shown(self) -> str:
        return f"`{self.place}`" if self.place else "the steps outside its states"

    def help(self) -> tuple[str, ...]:
        if self.fate == "into branch":
            return ("lead to the state around: it starts all of its branches",)
        stay = f"`at {self.place} stay`" if self.place else "`otherwise stay`"
        keep = f"keep those instances on version {self.old}: {stay}"
        if self.fate == "branch":
            return (keep,)
        lines = [f"there an instance {self.why}"]
        if self.target:
            sets = "".join(f" set {name} = ..." for name in self.needs)
            lines.append(f"say where it goes on: `at {self.place} -> {self.target}{f' {{{sets} }}' if sets else ''}`")
        if self.needs:
            lines.append(
                f"`{self.target}` needs {listed(f'`{n}`' for n in self.needs)}, which such an instance does not have"
            )
        return (*lines, keep)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each place without a rule, and each rule that no instance can follow."""
    for move in program.moves:
        unknown = _unknown_sources(move, report)
        told: set[str] = set()
        for plan in move.plans:
            rule = plan.rule
            if plan.fate in ("branch", "into branch") and rule is not None and rule.at is not None:
                if f"at {rule.source}" not in told:
                    told.add(f"at {rule.source}")
                    report(_astray(program, move, plan, rule.at))
            elif plan.fate in ("nowhere", "watched"):
                place = plan.rest.place
                around = any(place == other or place.startswith(f"{other}.") for other in told if other)
                meant = any(nearest(name, (place,)) for name in unknown)
                if not around and place not in told and not meant:
                    told.add(place)
                    report(_unmapped(program, move, plan))


def _unknown_sources(move: Move, report: Reporter) -> list[str]:
    """Rules that begin at something the old version does not have."""
    found = []
    for rule in move.migration.rules:
        if rule.source and rule.source not in move.old_places and rule.at is not None:
            found.append(rule.source)
            start = rule.at.start + max(rule.at.text.find(rule.source), 0)
            kind = f"place in version {move.migration.old} of `{move.migration.workflow}`"
            at = Span(rule.at.source, start, start + len(rule.source))
            report(UnknownName(at=at, kind=kind, name=rule.source, known=tuple(sorted(move.old_places))))
    return found


def _unmapped(program: Inquiry, move: Move, plan: Plan) -> UnmappedState:
    place = plan.rest.place
    free = not plan.rest.inside and not plan.rest.forks
    target = (place if place in move.entries else nearest(place, move.entries)) if free and place else None
    needs: tuple[str, ...] = ()
    fixes = [move.stay(plan)]
    if target is not None:
        needs = tuple(need.name for need in move.needs(Plan(plan.rest, "enter", None, target)))
        if not needs:
            fixes.insert(0, move.mend(plan, f"at {place} -> {target}"))
    return _problem(program, move, plan, move.at, tuple(fixes), target or "", needs)


def _astray(program: Inquiry, move: Move, plan: Plan, at: Span) -> UnmappedState:
    if plan.fate == "branch":
        return _problem(program, move, plan, at, (move.stay(plan),), plan.target)
    outer = next((path for path in sorted(move.entries, key=len) if plan.target.startswith(f"{path}.")), "")
    start = at.start + at.text.index("->") + at.text[at.text.index("->") :].find(plan.target)
    edit = Edit(Span(at.source, start, start + len(plan.target)), outer)
    return _problem(program, move, plan, at, (Fix(f"write `{outer}`", (edit,)),) if outer else (), plan.target)


def _problem(
    program: Inquiry,
    move: Move,
    plan: Plan,
    at: Span,
    fixes: tuple[Fix, ...],
    target: str,
    needs: tuple[str, ...] = (),
) -> UnmappedState:
    place = plan.rest.place
    now = move.entries.get(place)
    shown = now.node.at if now is not None and now.node is not None and plan.fate == "nowhere" else None
    return UnmappedState(
        at=at,
        labels=(Label(shown, f"as it is in version {move.migration.new}"),) if shown is not None else (),
        fixes=fixes,
        trace=program.show_before(move, (standing(move.before, plan.rest.point),), _closing(plan)),
        fate=plan.fate,
        place=place,
        why=plan.rest.why,
        old=move.migration.old,
        new=move.migration.new,
        target=target,
        needs=needs,
        gone=bool(place) and place not in move.new_places,
    )


def _closing(plan: Plan) -> tuple[Step, Step]:
    where = f"in {plan.rest.place} it " if plan.rest.place else ""
    moved = plan.fate in ("branch", "into branch")
    then = f"the rule would take it to {plan.target}" if moved else "the migration says nothing of it"
    return Step(f"{where}{plan.rest.why}"), Step(then)
