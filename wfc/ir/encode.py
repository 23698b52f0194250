"""The machine as plain data for JSON, and back. The classes are the format: nothing about them is written twice.

An object has its class in kebab case under `is` and its fields by name; a field that says nothing (None, empty, false)
is left out. Basic types are their name. The place in the source is `line`.
"""

import sys
import types
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from wfc.ir import expressions, machine
from wfc.ir import types as type_terms
from wfc.ir.types import Basic
from wfc.text.names import kebab
from wfc.text.source import Span
from wfc.text.value import Value

T = TypeVar("T", bound=Value)
FORMAT = 1
_MODULES = (machine, expressions, type_terms)
_HIDDEN = ("at", "extent", "place", "places", "written", "unheard")
_FIELDS: dict[type[Any], tuple[tuple[str, Any], ...]] = {}


def fields(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """The fields of a class with their types, places left out."""
    found = _FIELDS.get(kind)
    if found is None:
        found = _fields(kind)
        _FIELDS[kind] = found
    return found


def _fields(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    own = vars(sys.modules[kind.__module__])
    hints = get_type_hints(kind, {**own, **{name: item for module in _MODULES for name, item in vars(module).items()}})
    return tuple((f.name, hints[f.name]) for f in attrs.fields(kind) if f.name not in _HIDDEN)


@cache
def classes() -> dict[str, type[Any]]:
    """The classes of the format by their name under `is`."""
    found: dict[str, type[Any]] = {}
    for module in _MODULES:
        own = [item for item in vars(module).values() if getattr(item, "__module__", "") == module.__name__]
        found.update({tag(item): item for item in own if isinstance(item, type) and issubclass(item, Value)})
    return found


def tag(kind: type[Any]) -> str:
    """The name of a class under `is`; classes of different modules never share one."""
    name = kebab(kind.__name__)
    return f"type-{name}" if kind.__module__ == type_terms.__name__ else name


def encode(item: Any, *, places: bool = True) -> Any:  # noqa: ANN401 - any value of the machine
    """A value of the machine as data, with the lines where it stands unless `places` says otherwise."""
    if isinstance(item, Basic):
        return item.name
    if isinstance(item, tuple):
        return [encode(part, places=places) for part in item]
    if not isinstance(item, Value):
        return item
    found: dict[str, Any] = {"is": tag(type(item))}
    for name, hint in fields(type(item)):
        value = getattr(item, name)
        if isinstance(item, expressions.Lit) and name == "value":
            found[name] = value
        elif value != _left_out(hint):
            found[name] = encode(value, places=places)
    at = getattr(item, "at", None)
    if places and isinstance(at, Span):
        found["line"] = at.line
    return found


class BadMachineError(ValueError):
    """Data that is no machine; says where."""


def decode(data: Any) -> machine.Machine:  # noqa: ANN401 - whatever a file holds
    """The machine that data stands for; raises BadMachineError where it stands for none."""
    return decode_as(machine.Machine, data, "machine")


def decode_as(kind: type[T], data: Any, told: str) -> T:  # noqa: ANN401 - whatever a file holds
    """A value of a class, as `encode` wrote it; `told` names it where it is wrong."""
    found = _decode(data, kind, told)
    assert isinstance(found, kind)
    return found


def _decode(data: Any, hint: Any, path: str) -> Any:  # noqa: ANN401 - one case a kind of hint
    origin = get_origin(hint)
    if origin is tuple:
        return _decode_tuple(data, get_args(hint), path)
    if origin is Literal:
        if data not in get_args(hint):
            raise BadMachineError(f"{path}: {data!r} is none of {get_args(hint)}")
        return data
    if origin in (Union, types.UnionType):
        if data is None and type(None) in get_args(hint):
            return None
        options = [option for option in get_args(hint) if option is not type(None)]
        if isinstance(data, dict | list):
            named = classes().get(str(data.get("is"))) if isinstance(data, dict) else None
            return _decode(data, named if named in options else options[0], path)
        plain = next((o for o in options if o in (str, int, bool) and type(data) is o), None)
        return _decode(data, plain or (Basic if Basic in options else options[0]), path)
    if hint is Basic:
        if data not in get_args(type_terms.BasicName):
            raise BadMachineError(f"{path}: there is no type {data!r}")
        return Basic(data)
    if isinstance(hint, type) and issubclass(hint, Value):
        return _decode_object(data, hint, path)
    if type(data) is not hint:
        raise BadMachineError(f"{path}: {hint.__name__} expected")
    return data


def _decode_tuple(data: Any, hints: tuple[Any, ...], path: str) -> tuple[Any, ...]:  # noqa: ANN401 - whatever a file holds
    if not isinstance(data, list):
        raise BadMachineError(f"{path}: a list is expected")
    if len(hints) == 2 and hints[1] is Ellipsis:  # noqa: PLR2004 - tuple[T, ...]
        return tuple(_decode(part, hints[0], f"{path}[{i}]") for i, part in enumerate(data))
    if len(hints) != len(data):
        raise BadMachineError(f"{path}: {len(hints)} items are expected")
    return tuple(_decode(p, h, f"{path}[{i}]") for i, (p, h) in enumerate(zip(data, hints, strict=True)))


def _decode_object(data: Any, kind: type[Any], path: str) -> Any:  # noqa: ANN401 - whatever a file holds
    if not isinstance(data, dict) or data.get("is") != tag(kind):
        raise BadMachineError(f"{path}: {tag(kind)} expected")
    known = {name for name, _ in fields(kind)} | {"is", "line"}
    unknown = sorted(set(data) - known)
    if unknown:
        raise BadMachineError(f"{path}: {tag(kind)} has no {unknown[0]}")
    given = {
        name: _decode(data[name], hint, f"{path}.{name}") if name in data else empty(hint, f"{path}.{name}")
        for name, hint in fields(kind)
    }
    return kind(**given)


def empty(hint: Any, path: str = "") -> Any:  # noqa: ANN401 - a hint and its value
    """The value that a field left out has."""
    if get_origin(hint) is tuple:
        return ()
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        return None
    if hint is str:
        return ""
    if hint is bool:
        return False
    raise BadMachineError(f"{path} is missing")


@cache
def _left_out(hint: Any) -> Any:  # noqa: ANN401 - a hint and the value that is not written
    """The value that a field has when it is left out, or one that no field has."""
    try:
        return empty(hint)
    except BadMachineError:
        return ...


def may_be_empty(hint: Any) -> bool:  # noqa: ANN401 - a hint
    """Whether a field of that type may be left out."""
    try:
        empty(hint)
    except BadMachineError:
        return False
    return True
