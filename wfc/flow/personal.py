"""Where a machine's personal data is: in arguments and fields, in the names of a workflow, in expressions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from wfc.ir.expressions import Apply, Expr, Get, Interp, Lit, Member, Ref, walk
from wfc.ir.machine import (
    Choose,
    Do,
    Done,
    FieldDef,
    ForEach,
    Let,
    Machine,
    Parallel,
    Region,
    Scope,
    SetVar,
    State,
    Step,
    Workflow,
)
from wfc.ir.types import ANY_ERROR, TEXT, Errors, ListOf, MapOf, Named, Optional, Secret, Type
from wfc.ir.walk import nodes, own_steps, region_steps, regions

_NAMES = ("param", "local", "var")
MASK = "***"
HIDDEN = Lit(TEXT, MASK)


class Personal:
    """What `@pii` means in one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.records = {record.name: record.fields for record in machine.records}
        self.records |= {enum.name: tuple(f for case in enum.cases for f in case.fields) for enum in machine.enums}
        self.events = {event.name: event.fields for event in machine.events}
        self.errors = {error.name: error.fields for error in machine.errors}
        self.workflows = {workflow.name: workflow for workflow in machine.workflows}
        self.bodies = {function.name: function.body for function in machine.functions}
        self._functions: dict[str, bool] = {}

    def places(self, params: tuple[FieldDef, ...]) -> list[str]:
        """The places in arguments, such as `0.email` and `1.*.name`."""
        found: list[str] = []
        for index, param in enumerate(params):
            if param.pii:
                found.append(str(index))
            else:
                found += [f"{index}.{rest}" for rest in self._inside(param.type, ())]
        return found

    def _inside(self, kind: Type, around: tuple[str, ...]) -> Iterator[str]:
        match kind:
            case ListOf(item) | MapOf(item):
                yield from (f"*.{rest}" for rest in self._inside(item, around))
            case Optional(inner) | Secret(inner):
                yield from self._inside(inner, around)
            case Named(_, name, _) if name not in around:
                for field in self.records.get(name, ()):
                    if field.pii:
                        yield field.name
                    else:
                        yield from (f"{field.name}.{rest}" for rest in self._inside(field.type, (*around, name)))
            case _:
                return

    def names(self, workflow: Workflow) -> frozenset[str]:
        """The names of a workflow that are bound to something personal."""
        return self._names[workflow.name]

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        """The same of all workflows: what one completes with may be bound in another."""
        found: dict[str, frozenset[str]] = dict.fromkeys(self.workflows, frozenset())
        while True:
            more = {name: self._bound(workflow, found) for name, workflow in self.workflows.items()}
            if more == found:
                return found
            found = more

    def _bound(self, workflow: Workflow, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
        found = {param.name for param in workflow.params if param.pii}
        for step in region_steps(workflow.region):
            if isinstance(step, Do) and step.kind == "workflow" and step.bind is not None:
                values = _given(self.workflows[step.target].region)
                if any(self.reads(value, known[step.target]) for value in values):
                    found.add(step.bind)
        bound = list(self._bindings(workflow))
        while True:
            more = {name for name, value in bound if name not in found and self.reads(value, found)}
            if not more:
                return frozenset(found)
            found |= more

    def _bindings(self, workflow: Workflow) -> Iterator[tuple[str, Expr]]:
        """The names of a workflow with what they are bound to, or made from."""
        for region in regions(workflow.region):
            yield from ((variable.name, variable.value) for variable in region.variables)
        for node in nodes(workflow.region):
            if isinstance(node, Scope) and node.bind is not None:
                yield from ((node.bind, value) for value in _given(node.region))
        for step in region_steps(workflow.region):
            match step:
                case Let(name=name, value=value) | SetVar(name=name, value=value):
                    yield name, value
                case Choose(arms=arms, bind=rest, value=left):
                    pairs = ((rest, left), *((arm.bind, arm.value) for arm in arms))
                    yield from ((bind, value) for bind, value in pairs if bind is not None and value is not None)
                case ForEach(item=name, items=items, bind=bind, region=region):
                    yield name, items
                    yield from ((bind, value) for value in _given(region) if bind is not None)
                case Parallel(branches=branches, bind=str() as bind):
                    yield from ((bind, value) for branch in branches for value in _given(branch.region))
                case _:
                    pass

    def shown(self, text: Expr, names: Collection[str]) -> Expr:
        """A text for the audit: what is personal in it has become `***`."""
        if isinstance(text, Interp):
            return Interp(TEXT, tuple(HIDDEN if self.reads(part, names) else part for part in text.parts))
        return HIDDEN if self.reads(text, names) else text

    def reads(self, expr: Expr, names: Collection[str]) -> bool:
        """Whether an expression reads something personal: a field, or one of some names."""
        return any(self._is_personal(part, names) for part in walk(expr))

    def _is_personal(self, part: Expr, names: Collection[str]) -> bool:
        match part:
            case Ref(_, kind, name):
                return kind in _NAMES and name in names
            case Get(_, target, name, _):
                return any(field.name == name and field.pii for field in self._fields(target.type))
            case Member(_, "message", target, _, _):
                return any(field.pii for field in self._fields(target.type))
            case Apply(_, name, _):
                return self._opened(name)
            case _:
                return False

    def _opened(self, function: str) -> bool:
        """Whether a function reads something personal itself, whatever its arguments are."""
        if function not in self._functions:
            self._functions[function] = self.reads(self.bodies[function], frozenset())
        return self._functions[function]

    def _fields(self, kind: Type) -> tuple[FieldDef, ...]:
        match kind:
            case Optional(inner):
                return self._fields(inner)
            case Named("event", event, _):
                return self.events[event]
            case Named(_, named, _):
                return self.records.get(named, ())
            case Errors(errors):
                return tuple(field for error in errors for field in self.errors.get(error, ()))
            case _ if kind == ANY_ERROR:
                return tuple(field for fields in self.errors.values() for field in fields)
            case _:
                return ()


def _given(region: Region) -> Iterator[Expr]:
    """What a region completes with."""
    yield from _done(region.steps)
    for guard in region.guards:
        yield from _done(guard.steps)
    for node in region.nodes:
        match node:
            case State(guards=guards, steps=steps):
                yield from _done(steps)
                for guard in guards:
                    yield from _done(guard.steps)
            case Scope(implicit=implicit, region=inner):
                if implicit:  # its completion is that of the region around
                    yield from _given(inner)


def _done(steps: tuple[Step, ...]) -> Iterator[Expr]:
    yield from (step.value for step in own_steps(steps) if isinstance(step, Done) and step.value is not None)


def masked(value: Any, place: Sequence[str]) -> Any:  # noqa: ANN401 - values of the language
    """A value with what lies at a place hidden; `*` stands for every element."""
    if not place:
        return MASK
    head, *rest = place
    match value:
        case tuple():
            return tuple(masked(item, rest) if head in ("*", str(i)) else item for i, item in enumerate(value))
        case dict():
            return {name: masked(item, rest) if head in ("*", name) else item for name, item in value.items()}
        case _:
            return value
