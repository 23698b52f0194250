"""Instances and messages as JSON, and back. The classes are the format.

Values of the language are self-describing: a Decimal is `{"#": "12.50"}`; a key of a map that begins with `#` gets one
more. What is left out is empty. Places in the code are written by their label, so that a stored instance does not
depend on how code is numbered.
"""

import types
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from wfc.machine import instance as data
from wfc.machine import messages
from wfc.machine.instance import FORMAT, Instance
from wfc.machine.messages import Input
from wfc.machine.program import Program
from wfc.text.names import kebab

Json = Any
MARK = "#"


class StoredWrongError(ValueError):
    """Data that is no stored instance, or not one of this machine; says where."""


# -------------------------------------------------------------------------------------------------------------- values


def pack(value: Any) -> Json:  # noqa: ANN401 - values of the language
    """A value of the language as JSON that tells its form."""
    match value:
        case Decimal():
            return {MARK: str(value)}
        case tuple() | list():
            return [pack(item) for item in value]
        case dict():
            return {(MARK + key if key.startswith(MARK) else key): pack(item) for key, item in value.items()}
        case _:
            return value


def unpack(given: Json) -> Any:  # noqa: ANN401 - values of the language
    """The value that `pack` wrote; raises StoredWrongError."""
    match given:
        case {"#": text}:
            try:
                return Decimal(str(text))
            except InvalidOperation:
                raise StoredWrongError(f"{text!r} is no number") from None
        case dict():
            return {key.removeprefix(MARK): unpack(item) for key, item in given.items()}
        case list():
            return tuple(unpack(item) for item in given)
        case _:
            return given


# ------------------------------------------------------------------------------------------------------------- classes

_PLAIN = (str, int, bool, float)


_KNOWN: dict[type[Any], tuple[tuple[str, Any, Any], ...]] = {}


def _fields(kind: type[Any]) -> tuple[tuple[str, Any, Any], ...]:
    """The fields of a class: name, type, what is left out."""
    found = _KNOWN.get(kind)
    if found is None:
        hints = get_type_hints(kind, {**vars(data), **vars(messages)})
        found = tuple((field.name, hints[field.name], _default(field)) for field in attrs.fields(kind))
        _KNOWN[kind] = found
    return found


def _default(field: Any) -> Any:  # noqa: ANN401 - an attrs attribute
    if field.default is attrs.NOTHING:
        return ...
    return field.default.factory() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]  # a class to mypy


def write(item: Any) -> Json:  # noqa: ANN401 - any class of the machine
    """An instance or a message as data; what has its default is left out."""
    found: dict[str, Any] = {}
    for name, hint, default in _fields(type(item)):
        value = getattr(item, name)
        if value != default or type(value) is not type(default):
            found[name] = _write(value, hint)
    return found


def _write(value: Any, hint: Any) -> Json:  # noqa: ANN401 - one case a kind of hint
    if value is None:
        return None
    if attrs.has(type(value)):
        return write(value)
    if hint is Any:
        return pack(value)
    origin = get_origin(hint)
    if origin is dict:
        return {str(key): _write(each, get_args(hint)[1]) for key, each in value.items()}
    if isinstance(value, tuple | list):
        args = get_args(hint)
        if len(args) == 1 or (len(args) == 2 and args[1] is Ellipsis):  # noqa: PLR2004 - tuple[T, ...]
            return [_write(each, args[0]) for each in value]
        if args and args[0] is not None and len(args) == len(value):
            return [_write(each, arg) for each, arg in zip(value, args, strict=True)]
        return pack(value)
    return pack(value)


def read(kind: type[Any], given: Json, where: str = "") -> Any:  # noqa: ANN401 - any class of the machine
    """What `write` wrote; raises StoredWrongError."""
    if not isinstance(given, dict):
        raise StoredWrongError(f"{where or 'this'}: an object is expected")
    known = {name for name, _, _ in _fields(kind)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise StoredWrongError(f"{where or 'this'}: there is no `{unknown[0]}`")
    found: dict[str, Any] = {}
    for name, hint, default in _fields(kind):
        if name in given:
            found[name] = _read(given[name], hint, f"{where}.{name}".lstrip("."))
        elif default is ...:
            raise StoredWrongError(f"{where or 'this'}: `{name}` is missing")
    return kind(**found)


def _read(given: Json, hint: Any, where: str) -> Any:  # noqa: ANN401 - one case a kind of hint
    if hint is Any:
        return unpack(given)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if given is None and type(None) in get_args(hint):
            return None
        return _read(given, next(arg for arg in get_args(hint) if arg is not type(None)), where)
    if origin is Literal:
        if given not in get_args(hint):
            raise StoredWrongError(f"{where}: {given!r} is not expected")
        return given
    if origin is dict:
        if not isinstance(given, dict):
            raise StoredWrongError(f"{where}: an object is expected")
        key, item = get_args(hint)
        return {
            (int(name) if key is int else name): _read(each, item, f"{where}.{name}") for name, each in given.items()
        }
    if origin in (tuple, list):
        if not isinstance(given, list):
            raise StoredWrongError(f"{where}: a list is expected")
        args = get_args(hint)
        if origin is list or (len(args) == 2 and args[1] is Ellipsis):  # noqa: PLR2004 - tuple[T, ...]
            items = [_read(each, args[0], f"{where}[{i}]") for i, each in enumerate(given)]
            return items if origin is list else tuple(items)
        return tuple(_read(each, arg, where) for each, arg in zip(given, args, strict=True))
    if attrs.has(hint):
        return read(hint, given, where)
    if hint in _PLAIN and type(given) is not hint and not (hint is float and isinstance(given, int)):
        raise StoredWrongError(f"{where}: {given!r} is not expected")
    return given


# ----------------------------------------------------------------------------------------------------------- instances


def store(program: Program, instance: Instance) -> Json:
    """An instance as JSON data."""
    found = write(instance)
    for fiber in found.get("fibers", {}).values():
        fiber["pc"] = program.labels[fiber["pc"]]
        if "call" in fiber and fiber["call"]["pc"] >= 0:
            fiber["call"]["pc"] = program.labels[fiber["call"]["pc"]]
    for frame in found.get("frames", {}).values():
        frame["spec"] = program.specs[frame["spec"]].name
        if frame.get("last") is not None and frame["last"]["pc"] >= 0:
            frame["last"]["pc"] = program.labels[frame["last"]["pc"]]
    return {"format": FORMAT, "machine": program.digest, **found}


def restore(program: Program, given: Json) -> Instance:
    """The instance that `store` wrote; raises StoredWrongError, also for one of another machine."""
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise StoredWrongError(f"this is no instance in format {FORMAT}")
    if given.get("machine") != program.digest:
        raise StoredWrongError("this instance belongs to another version of the machine")
    rest = {name: item for name, item in given.items() if name not in ("format", "machine")}
    try:
        rest["fibers"] = {key: _placed(program, fiber) for key, fiber in rest.get("fibers", {}).items()}
        rest["frames"] = {key: _specified(program, frame) for key, frame in rest.get("frames", {}).items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise StoredWrongError(f"this machine has no place {error}") from None
    found = _whole(rest)
    _connected(found)
    return found


def _whole(rest: Json) -> Instance:
    try:
        found = read(Instance, rest)
    except (ValueError, TypeError, KeyError) as error:
        raise StoredWrongError(str(error)) from None
    assert isinstance(found, Instance)
    return found


def _connected(inst: Instance) -> None:
    """Frames and tokens name each other: what they name has to be there."""
    for number, frame in inst.frames.items():
        near = [*frame.children, *([frame.parent] if frame.parent is not None else [])]
        if frame.id != number or any(each not in inst.frames for each in near):
            raise StoredWrongError(f"frames.{number}: a frame that it belongs to is not there")
    for number, fiber in inst.fibers.items():
        if fiber.id != number or fiber.frame not in inst.frames or fiber.base not in inst.frames:
            raise StoredWrongError(f"fibers.{number}: the frame it stands in is not there")


def _placed(program: Program, fiber: Json) -> Json:
    made = {**fiber, "pc": program.places[fiber["pc"]]}
    if fiber.get("call") is not None:
        made["call"] = _called(program, fiber["call"])
    return made


def _called(program: Program, call: Json) -> Json:
    return {**call, "pc": program.places[call["pc"]] if isinstance(call["pc"], str) else call["pc"]}


def _specified(program: Program, frame: Json) -> Json:
    made = {**frame, "spec": program.spec_names[frame["spec"]].source}
    if frame.get("last") is not None:
        made["last"] = _called(program, frame["last"])
    return made


# ------------------------------------------------------------------------------------------------------------- messages

_INPUTS: dict[str, type[Any]] = {kebab(kind.__name__): kind for kind in get_args(Input)}


def write_input(given: Input) -> Json:
    """An input as JSON data, with its kind under `is`."""
    return {"is": kebab(type(given).__name__), **write(given)}


def read_input(given: Json) -> Input:
    """The input that `write_input` wrote; raises StoredWrongError."""
    if not isinstance(given, dict) or given.get("is") not in _INPUTS:
        raise StoredWrongError(f"`is` names the kind of an input: {', '.join(_INPUTS)}")
    kind = _INPUTS[given["is"]]
    found: Input = read(kind, {name: item for name, item in given.items() if name != "is"})
    return found


def write_message(item: Any) -> Json:  # noqa: ANN401 - a command or a record
    """A command or an audit record as JSON data."""
    if isinstance(item, messages.Record):
        detail = {name: pack(each) for name, each in item.detail}
        return {
            "at": item.at,
            "instance": item.instance,
            "kind": item.kind,
            "path": item.path,
            **({"detail": detail} if detail else {}),
        }
    return {"is": kebab(type(item).__name__), **write(item)}
