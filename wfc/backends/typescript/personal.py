"""Where personal data is: in arguments, so that dead letters leave it out, and in texts for the audit."""

from collections.abc import Iterator

from wfc.backends.typescript.types import Program
from wfc.ir.expressions import Expr, Get, Ref, walk
from wfc.ir.machine import Choose, FieldDef, Let, SetVar, Workflow
from wfc.ir.types import Errors, ListOf, MapOf, Named, Optional, Secret, Type
from wfc.ir.walk import region_steps, regions


def hidden(program: Program, params: tuple[FieldDef, ...]) -> list[str]:
    """Places such as `0.email` and `1.*.name`."""
    found: list[str] = []
    for index, param in enumerate(params):
        if param.pii:
            found.append(str(index))
        else:
            found += [f"{index}.{rest}" for rest in _inside(program, param.type, ())]
    return found


def _inside(program: Program, kind: Type, around: tuple[str, ...]) -> Iterator[str]:
    match kind:
        case ListOf(item) | MapOf(item):
            yield from (f"*.{rest}" for rest in _inside(program, item, around))
        case Optional(inner) | Secret(inner):
            yield from _inside(program, inner, around)
        case Named(_, name, _) if name not in around:
            for field in _fields(program, name):
                if field.pii:
                    yield field.name
                else:
                    yield from (f"{field.name}.{rest}" for rest in _inside(program, field.type, (*around, name)))
        case _:
            return


def _fields(program: Program, name: str) -> tuple[FieldDef, ...]:
    if name in program.records:
        return program.records[name].fields
    if name in program.enums:
        return tuple(field for case in program.enums[name].cases for field in case.fields)
    return ()


def personal_names(program: Program, workflow: Workflow) -> frozenset[str]:
    """The names of a workflow that are bound to something personal."""
    found = {param.name for param in workflow.params if param.pii}
    bound = list(_bindings(workflow))
    while True:
        more = {name for name, value in bound if name not in found and is_personal(program, value, found)}
        if not more:
            return frozenset(found)
        found |= more


def _bindings(workflow: Workflow) -> Iterator[tuple[str, Expr]]:
    for region in regions(workflow.region):
        yield from ((variable.name, variable.value) for variable in region.variables)
    for step in region_steps(workflow.region):
        match step:
            case Let(name=name, value=value) | SetVar(name=name, value=value):
                yield name, value
            case Choose(arms=arms):
                for arm in arms:
                    if arm.bind is not None and arm.value is not None:
                        yield arm.bind, arm.value
            case _:
                pass


def is_personal(program: Program, expr: Expr, names: frozenset[str] | set[str]) -> bool:
    """Whether an expression reads a personal field, or one of some names."""
    return any(
        (isinstance(part, Get) and _is_field(program, part.target.type, part.name))
        or (isinstance(part, Ref) and part.kind in ("param", "local", "var") and part.name in names)
        for part in walk(expr)
    )


def _is_field(program: Program, kind: Type, name: str) -> bool:
    match kind:
        case Optional(inner):
            return _is_field(program, inner, name)
        case Named("event", event, _):
            fields = program.events[event].fields
        case Named(_, named, _):
            fields = _fields(program, named)
        case Errors(names):
            known = (program.errors[error].fields for error in names if error in program.errors)
            fields = tuple(field for each in known for field in each)
        case _:
            return False
    return any(field.name == name and field.pii for field in fields)
