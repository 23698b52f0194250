"""A process and its older versions: what the records tell, and what a migration does with each instance at rest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from wfc.flow.graph import Frame, Point
from wfc.flow.names import Names
from wfc.flow.program import Program, WorkflowFlow
from wfc.flow.resting import Rest, branches, is_inside, places, rests, same_places
from wfc.flow.ways import Ways
from wfc.ir.essence import policy_names, resolved
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Do, FieldDef, Machine, Region, Scope, Start, Undo, Workflow
from wfc.ir.scenario import Migration, MigrationRule
from wfc.ir.types import Errors, Fields, Named, Optional, Type, mentions
from wfc.ir.walk import all_steps, nodes, region_steps, regions, undo_of
from wfc.problems.problem import Edit, Fix
from wfc.text.source import Span

Fate = Literal["keep", "enter", "stay", "nowhere", "branch", "into branch", "watched"]


@dataclass(frozen=True)
class Way:
    """A migration; where the record of the version that it leads from lies, and its machine, if there is one."""

    migration: Migration
    path: str
    old: Machine | None


@dataclass(frozen=True)
class Version:
    """A process as it is now: its machine, what the record of its number says, and the migrations that lead to it.

    `raising` gives it the next free `number`.
    """

    machine: Machine
    path: str
    record: Machine | None
    number: int
    raising: Edit
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Plan:
    """What becomes of an instance that rests somewhere, by which rule: none, if its place is as it was."""

    rest: Rest
    fate: Fate
    rule: MigrationRule | None = None
    target: str = ""

    @property
    def moves(self) -> bool:
        """Whether the instance goes on in the new version."""
        return self.fate in ("keep", "enter")


@dataclass(frozen=True)
class Need:
    """A name of the new version that an instance must have, its type, and that of what it has, if anything."""

    name: str
    type: Type
    held: Type | None


class Move:
    """A migration over the record of the version that it leads from."""

    def __init__(self, way: Way, old: Machine, new: Machine) -> None:
        self.migration = way.migration
        self.path = way.path
        self.old, self.new = Program(old), Program(new)
        self.rules = {rule.source: rule for rule in way.migration.rules}

    @cached_property
    def before(self) -> WorkflowFlow:
        """The flow of the old version."""
        return self.old.flows[self.old.machine.workflow.name]

    @cached_property
    def after(self) -> WorkflowFlow:
        """The flow of the new version."""
        return self.new.flows[self.migration.workflow]

    @cached_property
    def ways(self) -> Ways:
        """Distances in the flow of the old version."""
        return Ways(self.old)

    @cached_property
    def names(self) -> tuple[Names, Names]:
        """The names of the old version and those of the new one."""
        old, new = self.before, self.after
        return (
            Names(old.graph, old.workflow, self.old.machine),
            Names(new.graph, new.workflow, self.new.machine),
        )

    @cached_property
    def old_places(self) -> frozenset[str]:
        """What a rule may begin with: states, scopes and branches of the old version."""
        return self._paths(self.before.workflow)

    @cached_property
    def new_places(self) -> frozenset[str]:
        """The states, scopes and branches of the new version."""
        return self._paths(self.after.workflow)

    def _paths(self, workflow: Workflow) -> frozenset[str]:
        return frozenset(path for path in places(workflow) if path)

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """What becomes of the instances that rest somewhere in the old version."""
        old, new = self.before.workflow, self.after.workflow
        same = same_places(self.old.machine, old, self.new.machine, new)
        closed = branches(new)
        return tuple(self._plan(rest, same, closed) for rest in rests(self.before))

    def _watched(self, rest: Rest) -> bool:
        """Whether the place has come to lie in a scope that new guards form, or lost one, though it is as it was."""
        old, new = self._formed
        if any(len(scopes) > len(old.get(path, ())) and is_inside(rest.place, path) for path, scopes in new.items()):
            return True
        gone = {id(each) for path, scopes in old.items() for each in scopes[len(new.get(path, ())) :]}
        return any(id(frame.subject) in gone for frame in rest.point.frame.outward())

    @cached_property
    def _formed(self) -> tuple[dict[str, list[Region]], dict[str, list[Region]]]:
        return _formed(self.before.workflow), _formed(self.after.workflow)

    def _plan(self, rest: Rest, same: frozenset[str], closed: frozenset[str]) -> Plan:
        rule = self._rule(rest.place)
        stays = rest.place in same and not self._watched(rest)
        if rule is None and rest.place in same:
            return Plan(rest, "keep" if stays else "watched")
        rule = rule or self.rules.get("")
        if rule is None:
            return Plan(rest, "nowhere")
        if rule.kind != "to":
            return Plan(rest, "stay", rule)
        target = rest.place if rule.source == rule.target else rule.target
        if target == rest.place and stays:
            return Plan(rest, "keep", rule, target)
        if rest.inside or rest.forks:
            return Plan(rest, "branch", rule, target)
        if any(is_inside(target, path) for path in closed):
            return Plan(rest, "into branch", rule, target)
        return Plan(rest, "enter" if target in self.new_places else "nowhere", rule, target)

    def _rule(self, place: str) -> MigrationRule | None:
        """The rule of a place, or of the innermost scope around it."""
        while place:
            if place in self.rules:
                return self.rules[place]
            place = place.rpartition(".")[0]
        return None

    # -- names

    def needs(self, plan: Plan) -> Iterator[Need]:
        """The names that are read where an instance goes on, and for which it has no value that fits."""
        names, point = self.names[1], self._arrival(plan)
        given = {name for name, _ in plan.rule.sets} if plan.rule is not None else set()
        wanted = {each: names.types[each] for each in names.wanted(point)} if point is not None else {}
        arrived = plan.target or plan.rest.place
        wanted.update((each, kind) for each, kind in names.variables.items() if is_inside(arrived, each[0]))
        for (region, name), kind in wanted.items():
            if name in given:
                continue
            held = self.held(plan.rest, name, region) if is_inside(plan.rest.place, region) else None
            absent = held is None and (region, name) not in names.variables
            if absent or (held is not None and not self.fits(held, kind)):
                yield Need(name, kind, held)

    def reader(self, plan: Plan, name: str) -> Span | None:
        """Where a name is read first behind the place at which an instance goes on."""
        point = self._arrival(plan)
        found = self.names[1].reader(point, name) if point is not None else None
        return found.step.at if found is not None and found.step is not None else None

    def _arrival(self, plan: Plan) -> Point | None:
        """The point of the new version at which an instance goes on."""
        if plan.fate == "enter":
            return self.entries.get(plan.target)
        before = self._points_at(self.before, plan.rest.place)
        after = self._points_at(self.after, plan.rest.place)
        return after[before.index(plan.rest.point)] if len(before) == len(after) else None

    @cached_property
    def entries(self) -> dict[str, Point]:
        """Where the nodes of the new version are entered, by their path."""
        graph = self.after.graph
        every = [n for n in nodes(self.after.workflow.region) if not (isinstance(n, Scope) and n.implicit)]
        return {node.path: graph.entries[id(node)] for node in every if id(node) in graph.entries}

    def _points_at(self, flow: WorkflowFlow, place: str) -> list[Point]:
        found = self._points.get((flow is self.after, place))
        return found if found is not None else []

    @cached_property
    def _points(self) -> dict[tuple[bool, str], list[Point]]:
        found: dict[tuple[bool, str], list[Point]] = {}
        for flow in (self.before, self.after):
            for rest in rests(flow):
                found.setdefault((flow is self.after, rest.place), []).append(rest.point)
        return found

    def held(self, rest: Rest, name: str, region: str | None = None) -> Type | None:
        """The type of a name that every instance at rest has there, in one region or in any around."""
        old = self.names[0]
        valued = old.valued(rest.point)
        for path in [region] if region is not None else _around(rest.place):
            if (path, name) in old.variables:
                return old.variables[path, name]
            if (path, name) in valued:
                return old.types[path, name]
        if region:
            return None
        return next((param.type for param in self.before.workflow.params if param.name == name), None)

    def unread(self, plan: Plan) -> Iterator[tuple[str, str]]:
        """The values of `set` that read a name which an instance does not have: each name, and what is read."""
        for name, expr in plan.rule.sets if plan.rule is not None else ():
            for other, kind in _names_in(expr):
                found = self.held(plan.rest, other)
                if found is None or not self.fits(found, kind):
                    yield name, other

    @cached_property
    def parameters(self) -> tuple[Need, ...]:
        """The parameters for which instances of the old version have no value that fits."""
        had = {param.name: param.type for param in self.before.workflow.params}
        absent = [p for p in self.after.workflow.params if p.name not in had and p.default is None]
        others = [p for p in self.after.workflow.params if p.name in had and not self.fits(had[p.name], p.type)]
        return tuple(Need(param.name, param.type, had.get(param.name)) for param in (*absent, *others))

    # -- rules in the source

    @property
    def at(self) -> Span:
        """The head of the migration."""
        at = self.migration.at
        assert at is not None
        return at.first(len(at.text.partition("{")[0].rstrip()))

    def stay(self, plan: Plan) -> Fix:
        """The rule that keeps an instance on its version, in place of the one that moves it."""
        return self.mend(plan, f"at {plan.rest.place} stay" if plan.rest.place else "otherwise stay")

    def mend(self, plan: Plan, text: str) -> Fix:
        """A rule for a place, in place of its own."""
        rule = plan.rule
        if rule is not None and rule.at is not None and rule.source == plan.rest.place:
            return Fix(f"write `{text}`", (Edit(rule.at, text),))
        return Fix(f"add `{text}`", (self._addition(text),))

    def _addition(self, text: str) -> Edit:
        at = self.migration.at
        assert at is not None
        alone = "\n" in at.text
        rules = [rule for rule in self.migration.rules if rule.at is not None]
        for rule in rules:
            if not rule.source and rule.at is not None:
                return Edit(Span(at.source, rule.at.start, rule.at.start), f"{text}\n  " if alone else f"{text}  ")
        if rules and rules[-1].at is not None:
            end = rules[-1].at.end
            return Edit(Span(at.source, end, end), f"\n  {text}" if alone else f"  {text}")
        start = at.text.index("{") + 1
        inner = Span(at.source, at.start + start, at.end - 1)
        return Edit(inner, f"\n  {text}\n" if alone else f" {text} ")

    # -- types

    def fits(self, old: Type, new: Type) -> bool:
        """Whether every value of a type of the old version is one of a type of the new version."""
        return self._fits(old, new, set())

    def _fits(self, old: Type, new: Type, seen: set[tuple[Type, Type]]) -> bool:
        if (old, new) in seen:
            return True
        seen.add((old, new))
        if isinstance(new, Optional):
            return self._fits(old.inner if isinstance(old, Optional) else old, new.inner, seen)
        if isinstance(old, Errors) and isinstance(new, Errors):
            return set(old.names) <= set(new.names)
        if isinstance(old, Fields) and isinstance(new, Fields):
            had = dict(old.fields)
            return all(name in had and self._fits(had[name], kind, seen) for name, kind in new.fields)
        if type(old) is not type(new):
            return False
        if isinstance(old, Named) and isinstance(new, Named):
            return (old.kind, old.name) == (new.kind, new.name) and self._parts(old, new, seen)
        inner, other = mentions(old), mentions(new)
        if not inner and not other:
            return old == new
        return len(inner) == len(other) and all(self._fits(a, b, seen) for a, b in zip(inner, other, strict=True))

    def _parts(self, old: Named, new: Named, seen: set[tuple[Type, Type]]) -> bool:
        """The fields of a record or an event, the cases of an enum, and the arguments."""
        if len(old.args) != len(new.args):
            return False
        arguments = all(self._fits(a, b, seen) for a, b in zip(old.args, new.args, strict=True))
        before, after = _forms(self.old.machine, old), _forms(self.new.machine, new)
        known = all(case in after and self._all_there(fields, after[case], seen) for case, fields in before.items())
        return arguments and known

    def _all_there(self, old: tuple[FieldDef, ...], new: tuple[FieldDef, ...], seen: set[tuple[Type, Type]]) -> bool:
        had = {field.name: field.type for field in old}
        return all(field.name in had and self._fits(had[field.name], field.type, seen) for field in new)

    # -- what has been done

    def gaps(self, plan: Plan) -> Iterator[tuple[str, Undo]]:
        """What an instance may have done and the new version cannot undo: its name, and how it was undone."""
        effects = self.before.effects
        point = plan.rest.point
        bits = effects.may.get(id(point), 0) | effects.beside(point.frame)
        alone, inside = self._suspects
        for (name, _), (mask, undo) in alone.items():
            if bits & mask:
                yield name, undo
        for call in inside:
            if bits & effects.bit[id(call)]:
                name, found = _undo(call, point)
                if found is not None and found.kind == "steps" and not self._knows(name, found):
                    yield name, found

    @cached_property
    def _suspects(self) -> tuple[dict[tuple[str, int], tuple[int, Undo]], list[Point]]:
        """The calls that the new version cannot undo, as bits; those that a region around may stand for."""
        alone: dict[tuple[str, int], tuple[int, Undo]] = {}
        inside: list[Point] = []
        effects = self.before.effects
        for call in effects.calls:
            if any(frame.covered for frame in call.frame.outward()):
                inside.append(call)
                continue
            assert isinstance(call.step, Do | Start)
            name, undo = call.step.target, undo_of(call.step)
            if undo is not None and undo.kind == "steps" and not self._knows(name, undo):
                same = resolved(undo, self._old_policies)
                mask, first = alone.get((name, hash(same)), (0, undo))
                alone[name, hash(same)] = mask | effects.bit[id(call)], first
        return alone, inside

    def _knows(self, name: str, undo: Undo) -> bool:
        """Whether the new version undoes something in the same way."""
        found = self._asked.get((name, id(undo)))
        if found is None:
            same = (name, resolved(undo, self._old_policies)) in self._known_undos
            found = self._asked[name, id(undo)] = same and self._callable(undo)
        return found

    @cached_property
    def _asked(self) -> dict[tuple[str, int], bool]:
        return {}

    @cached_property
    def _old_policies(self) -> dict[str, str]:
        return policy_names(self.old.machine)

    @cached_property
    def _known_undos(self) -> set[tuple[str, Undo]]:
        names = policy_names(self.new.machine)
        return {(name, resolved(undo, names)) for name, undo in undos(self.new.machine)}

    def _callable(self, undo: Undo) -> bool:
        """Whether what an undo calls takes what it took."""
        return not any(self.other_parameters(target) for target in called(undo))

    def other_parameters(self, target: str) -> bool:
        """Whether an operation or a workflow is gone, or takes something else."""
        before, after = _taken(self.old.machine, target), _taken(self.new.machine, target)
        if before is None or after is None:
            return True
        if [param.name for param in before] != [param.name for param in after]:
            return True
        return not all(self.fits(a.type, b.type) for a, b in zip(before, after, strict=True))


def _around(place: str) -> Iterator[str]:
    """A path and those of what is around it, from the inside out."""
    while place:
        yield place
        place = place.rpartition(".")[0]
    yield ""


def _undo(call: Point, at: Point) -> tuple[str, Undo | None]:
    """How a call is undone from a point: by itself, or as part of a region that has completed."""
    outer: Frame | None = None
    for frame in call.frame.outward():
        if frame.covered and not at.frame.inside(frame) and isinstance(frame.subject, Region):
            outer = frame
    if outer is not None and isinstance(outer.subject, Region):
        return outer.subject.path, outer.subject.undo
    assert isinstance(call.step, Do | Start)
    return call.step.target, undo_of(call.step)


def undos(machine: Machine) -> Iterator[tuple[str, Undo]]:
    """All compensations of a machine, by what they undo: an operation, a workflow, or the path of a region."""
    for workflow in machine.workflows:
        for region in regions(workflow.region):
            if region.undo is not None:
                yield region.path, region.undo
        for step in region_steps(workflow.region, undos=False):
            undo = undo_of(step)
            if undo is not None and isinstance(step, Do | Start):
                yield step.target, undo


def called(undo: Undo) -> list[str]:
    """What an undo calls."""
    return [step.target for step in all_steps(undo.steps) if isinstance(step, Do | Start)]


def _taken(machine: Machine, target: str) -> tuple[FieldDef, ...] | None:
    """The parameters of an operation or a workflow."""
    found = {operation.name: operation.params for operation in machine.operations}
    found.update((workflow.name, workflow.params) for workflow in machine.workflows)
    return found.get(target)


def _names_in(expr: Expr) -> Iterable[tuple[str, Type]]:
    return [(p.name, p.type) for p in walk(expr) if isinstance(p, Ref) and p.kind in ("local", "var", "param")]


def _forms(machine: Machine, kind: Named) -> dict[str, tuple[FieldDef, ...]]:
    """The cases of an enum with their fields; of a record or an event the fields, as one case."""
    for record in machine.records if kind.kind == "record" else ():
        if record.name == kind.name:
            return {"": record.fields}
    for event in machine.events if kind.kind == "event" else ():
        if event.name == kind.name:
            return {"": event.fields}
    for enum in machine.enums if kind.kind == "enum" else ():
        if enum.name == kind.name:
            return {case.name: case.fields for case in enum.cases}
    return {}


def _formed(workflow: Workflow) -> dict[str, list[Region]]:
    """The scopes that guards form, by the path of the region in which they do."""
    found: dict[str, list[Region]] = {}
    for node in nodes(workflow.region):
        if isinstance(node, Scope) and node.implicit:
            found.setdefault(node.region.path, []).append(node.region)
    return found
