"""What gives the names of a workflow their values: which have the same one in every run, and which depend on others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard

from wfc.ir.evaluate import folded
from wfc.ir.expressions import Expr, Get, Now, Ref, Who, walk
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
    once = {name: one.value for name, one in _once(workflow).items() if one.kind == "worked out"}
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


def _once(workflow: Workflow) -> dict[str, Binding]:
    """The names that are bound at one place only; with it."""
    places: dict[str, list[Binding]] = {}
    for binding in bindings(workflow):
        places.setdefault(binding.name, []).append(binding)
    return {name: found[0] for name, found in places.items() if len(found) == 1}


def other_names(workflow: Workflow) -> dict[str, Expr]:
    """The names that only stand for another one or a field of it; with what they stand for.

    Both are bound once. Whoever reads such a name has passed its `let` since the other got its value, or it would have
    none on some way; so both are the same wherever it is read.
    """
    once = _once(workflow)
    found: dict[str, Expr] = {}
    for name, binding in once.items():
        path = binding.value if binding.kind == "worked out" else None
        root = _root(path) if path is not None else None
        if path is None or root is None or root.name not in once:
            continue
        whole = with_fixed(path, found)  # what stands for a name further on comes after it
        if len(walk(whole)) <= LONGEST:
            found[name] = whole
    return found


def _root(path: Expr) -> Ref | None:
    """The name that a path of fields begins with; nothing if it is more than that, or may break off on the way."""
    while isinstance(path, Get) and not path.optional:
        path = path.target
    return path if isinstance(path, Ref) and path.kind in ("param", "local", "var") else None


class Sources:
    """What the names of a workflow are worked out from."""

    def __init__(self, workflow: Workflow) -> None:
        self._read: dict[str, set[str]] = {}
        for binding in bindings(workflow):
            if binding.kind in ("worked out", "part") and binding.value is not None:
                read = (part.name for part in walk(binding.value) if isinstance(part, Ref) and part.kind != "const")
                self._read.setdefault(binding.name, set()).update(read)
        self._known: dict[str, frozenset[str]] = {}

    def of(self, name: str) -> frozenset[str]:
        """A name, and all that have a part in its value."""
        found = self._known.get(name)
        if found is None:
            seen, waiting = {name}, [name]
            while waiting:
                new = self._read.get(waiting.pop(), set()) - seen
                seen |= new
                waiting += new
            found = self._known[name] = frozenset(seen)
        return found

    def apart(self, names: Iterable[str]) -> bool:
        """Whether each of some names may have any value, whatever the others have."""
        met: set[str] = set()
        for name in names:
            own = self.of(name)
            if not met.isdisjoint(own):
                return False
            met |= own
        return True


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
