"""What gives the names of a workflow their values, and which of them have the same one in every run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard

from wfc.ir.evaluate import folded
from wfc.ir.expressions import Expr, Now, Ref, Who, walk
from wfc.ir.machine import Choose, Do, ForEach, Guard, Let, Parallel, Scope, SetVar, State, Workflow
from wfc.ir.rewrite import rewrite
from wfc.ir.types import Basic, Money
from wfc.ir.walk import guards, region_steps, regions

LONGEST = 100  # parts of a value that is written in the place of its name


@dataclass(frozen=True)
class Binding:
    """One place at which a name gets a value.

    `given`: from outside, by a parameter, an answer or an event. `worked out`: it is `value`. `part`: it is one of the
    items of `value`, or their number, or `value` where it is of some form. `other`: what a branch, a child or an error
    has left.
    """

    name: str
    kind: Literal["given", "worked out", "part", "other"]
    value: Expr | None = None


def bindings(workflow: Workflow) -> Iterator[Binding]:
    """All places at which names of a workflow get values, undos included."""
    yield from (Binding(param.name, "given") for param in workflow.params)
    armed: list[Guard] = []
    for region in regions(workflow.region):
        yield from (Binding(variable.name, "worked out", variable.value) for variable in region.variables)
        armed.extend(region.guards)
        for node in region.nodes:
            match node:
                case State():
                    armed.extend(node.guards)
                case Scope(bind=str() as bind):
                    yield Binding(bind, "other")
                case Scope():
                    pass
    for step in region_steps(workflow.region):
        armed.extend(guards(step))
        match step:
            case Let(name=name, value=value) | SetVar(name=name, value=value):
                yield Binding(name, "worked out", value)
            case Choose(arms=arms, bind=rest, value=left):
                pairs = ((rest, left), *((arm.bind, arm.value) for arm in arms))
                yield from (Binding(bound, "part", given) for bound, given in pairs if bound is not None)
            case ForEach(item=item, index=index, items=items, bind=result):
                yield from (Binding(bound, "part", items) for bound in (item, index) if bound is not None)
                if result is not None:
                    yield Binding(result, "other")
            case Do(kind="workflow", bind=str() as bind) | Parallel(bind=str() as bind):
                yield Binding(bind, "other")
            case Do(bind=str() as bind):
                yield Binding(bind, "given")
            case _:
                pass
    for guard in armed:
        if guard.bind is not None:
            yield Binding(guard.bind, "given" if guard.kind == "on" else "other")


def fixed(workflow: Workflow) -> dict[str, Expr]:
    """The names that are bound once, to what reads nothing but constants and names of this kind; with it.

    Plain values only: what may be absent, or has forms, is asked for them, and the arm that is not taken reads what is
    not there.
    """
    places: dict[str, list[Binding]] = {}
    for binding in bindings(workflow):
        places.setdefault(binding.name, []).append(binding)
    once = {name: found[0].value for name, found in places.items() if len(found) == 1 and found[0].kind == "worked out"}
    found: dict[str, Expr] = {}
    more = True
    while more:
        more = False
        for name, value in once.items():
            if name not in found and value is not None and is_plain(value) and _is_fixed(value, found):
                whole = folded(with_fixed(value, found))
                if len(walk(whole)) <= LONGEST:
                    found[name] = whole
                    more = True
    return found


def with_fixed(expr: Expr, known: Mapping[str, Expr]) -> Expr:
    """An expression with what is known in the place of names."""
    if not any(isinstance(part, Ref) and part.name in known for part in walk(expr)):
        return expr
    return rewrite(expr, (Ref,), lambda ref: known[ref.name] if _is_name(ref) and ref.name in known else ref)


def is_plain(value: Expr) -> bool:
    """Whether it is a number, a text, a flag, an amount or a time."""
    return isinstance(value.type, Basic | Money)


def _is_name(expr: Expr) -> TypeGuard[Ref]:
    return isinstance(expr, Ref) and expr.kind in ("local", "var")


def _is_fixed(value: Expr, known: dict[str, Expr]) -> bool:
    for part in walk(value):
        if isinstance(part, Now | Who):
            return False
        constant = not isinstance(part, Ref) or part.kind in ("const", "queue", "lambda")
        if not constant and not (_is_name(part) and part.name in known):
            return False
    return True
