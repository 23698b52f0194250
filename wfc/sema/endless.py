"""Types of which there can be no value: each would hold another one of its own, without end.

A record can be made if all its fields can, an enum if all fields of some case can; what may be absent, a list and a map
can be made of nothing. Whatever cannot be made at last holds itself. (Horn clauses: Dowling and Gallier 1984.)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wfc import problems
from wfc.ir.types import Errors, Named, Secret, Type, TypeVar
from wfc.problems.problem import Label, Reporter
from wfc.sema.model import FieldInfo
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast

Key = tuple[str, str]  # the space of a declaration and its qualified name


@dataclass
class _Shape:
    """A declaration with fields: its type parameters, and the fields of each way to make a value of it."""

    symbol: Symbol
    params: tuple[str, ...]
    ways: list[tuple[FieldInfo, ...]]
    held: set[int] = field(default_factory=set)  # the type parameters of which every value holds one


def check_endless(modules: Iterable[ModuleInfo], signatures: Signatures, report: Reporter) -> None:
    """Reports types of which there can be no value, each circle of them once."""
    shapes = {key: shape for module in modules for key, shape in _shapes(module, signatures)}
    _hold_params(shapes)
    made = _makeable(shapes)
    told: set[Key] = set()
    for start in shapes:
        trail: dict[Key, FieldInfo] = {}
        key = start
        while key not in made and key not in told and key not in trail:
            trail[key], following = _stuck(shapes, key, made)
            key = following
        if key in trail:
            circle = list(trail)[list(trail).index(key) :]
            _tell([(shapes[at], trail[at]) for at in circle], report)
        told.update(trail)


def _shapes(module: ModuleInfo, signatures: Signatures) -> Iterator[tuple[Key, _Shape]]:
    symbols = [("types", s) for s in module.types.values()] + [("faults", s) for s in module.faults.values()]
    for space, symbol in symbols:
        if symbol.module is not module:
            continue
        decl = symbol.decl
        match decl:
            case ast.RecordDecl(params=params):
                owners: tuple[ast.RecordDecl | ast.EnumCase | ast.ErrorDecl | ast.EventDecl, ...] = (decl,)
            case ast.EnumDecl(params=params, cases=owners):
                pass
            case ast.ErrorDecl() | ast.EventDecl():
                params, owners = (), (decl,)
            case _:
                continue
        names = tuple(param.text for param in params)
        ways = [signatures.fields(module, owner, owner.fields, frozenset(names)) for owner in owners]
        yield (space, symbol.qualified), _Shape(symbol, names, ways)


def _parts(kind: Type, shapes: dict[Key, _Shape]) -> Iterator[Key | str]:
    """The declarations, and the type parameters by name, of which every value of a type holds one."""
    match kind:
        case Secret(inner):
            yield from _parts(inner, shapes)
        case TypeVar(name):
            yield name
        case Errors((name,)):
            yield "faults", name
        case Named(sort, name, args):
            key = ("faults" if sort == "event" else "types", name)
            yield key
            held = shapes[key].held if key in shapes else set()
            for number in sorted(held):
                yield from _parts(args[number], shapes) if number < len(args) else ()
        case _:
            return


def _hold_params(shapes: dict[Key, _Shape]) -> None:
    """Finds which type parameters each generic type holds; few types are generic."""
    generic = [shape for shape in shapes.values() if shape.params and shape.ways]
    more = True
    while more:
        more = False
        for shape in generic:
            every = [{part for info in way for part in _parts(info.type, shapes)} for way in shape.ways]
            held = {number for number, name in enumerate(shape.params) if all(name in parts for parts in every)}
            more = more or held != shape.held
            shape.held = held


def _makeable(shapes: dict[Key, _Shape]) -> set[Key]:
    """The declarations of which there are values."""
    made: set[Key] = set()
    new: list[Key] = []
    missing: dict[tuple[Key, int], int] = {}
    waiting: dict[Key, list[tuple[Key, int]]] = {}
    for key, shape in shapes.items():
        for number, way in enumerate(shape.ways):
            needed = {part for info in way for part in _parts(info.type, shapes) if part in shapes}
            missing[key, number] = len(needed)
            for part in needed:
                assert not isinstance(part, str)
                waiting.setdefault(part, []).append((key, number))
            if not needed:
                new.append(key)
    while new:
        key = new.pop()
        if key in made:
            continue
        made.add(key)
        for way_of in waiting.get(key, ()):
            missing[way_of] -= 1
            if not missing[way_of]:
                new.append(way_of[0])
    return made


def _stuck(shapes: dict[Key, _Shape], key: Key, made: set[Key]) -> tuple[FieldInfo, Key]:
    """A field for which there is no value, in the first way to make one, and what it would have to hold."""
    for info in shapes[key].ways[0]:
        for part in _parts(info.type, shapes):
            if not isinstance(part, str) and part in shapes and part not in made:
                return info, part
    raise AssertionError(key)


def _tell(circle: list[tuple[_Shape, FieldInfo]], report: Reporter) -> None:
    start = min(range(len(circle)), key=lambda number: circle[number][0].symbol.at.start)
    turned = circle[start:] + circle[:start]
    labels = []
    for number, (shape, info) in enumerate(turned):
        inner = turned[(number + 1) % len(turned)][0].symbol.name
        labels.append(Label(shape.symbol.module.at(info.node.name), f"`{shape.symbol.name}` holds `{inner}`"))
    first = turned[0][0].symbol
    text = f"there can be no value of `{first.name}`: each would hold another one, without end"
    advice = "let it end somewhere: with a `?`, a `List`, or a case of an enum without it"
    report(problems.MismatchedType(at=first.at, text=text, advice=advice, labels=tuple(labels)))
