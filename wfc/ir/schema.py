"""The JSON Schema (2020-12) of the machine's format, read off its classes."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from wfc.ir.encode import FORMAT, classes, fields, may_be_empty, tag
from wfc.ir.expressions import Expr, Lit
from wfc.ir.machine import Machine, Node, Step
from wfc.ir.types import Basic, BasicName, Type
from wfc.text.value import Value

Schema = dict[str, Any]
_UNIONS: dict[str, Any] = {"expression": Expr, "step": Step, "node": Node, "type": Type}
_PLAIN: dict[type, str] = {str: "string", int: "integer", bool: "boolean", type(None): "null"}


def schema() -> Schema:
    """The schema of a whole file."""
    defs = {tag(kind): _object(kind) for kind in classes().values() if kind is not Basic}
    defs["basic"] = {"enum": list(get_args(BasicName))}
    for name, union in _UNIONS.items():
        defs[name] = {"oneOf": [_hint(option) for option in get_args(union)]}
    whole = defs.pop(tag(Machine))
    properties = {
        "$comment": {"type": "string"},
        "format": {"const": FORMAT},
        **whole["properties"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A process compiled by wfc",
        "description": "See the page of this format in the reference. Fields that say nothing are left out.",
        "type": "object",
        "properties": properties,
        "required": ["format", *whole["required"]],
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _object(kind: type[Any]) -> Schema:
    doc = (kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    properties: Schema = {"is": {"const": tag(kind)}}
    required = ["is"]
    for name, hint in fields(kind):
        properties[name] = _hint(hint)
        if not may_be_empty(hint) or (kind is Lit and name == "value"):
            required.append(name)
    properties["line"] = {"type": "integer", "minimum": 1}
    return {
        "description": " ".join(doc.split()),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _hint(hint: Any) -> Schema:  # noqa: ANN401 - a type of a field
    origin = get_origin(hint)
    if origin is tuple:
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:  # noqa: PLR2004 - tuple[T, ...]
            return {"type": "array", "items": _hint(inner[0])}
        return {"type": "array", "prefixItems": [_hint(item) for item in inner], "items": False}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin in (Union, types.UnionType):
        options = get_args(hint)
        objects = frozenset(options) - {type(None)}
        known = next((name for name, union in _UNIONS.items() if frozenset(get_args(union)) == objects), None)
        if known is not None:
            return {"$ref": f"#/$defs/{known}"}
        plain = [_PLAIN[option] for option in options if option in _PLAIN]
        others = [_hint(option) for option in options if option not in _PLAIN]
        if not others:
            return {"type": plain}
        if plain == ["null"]:  # left out instead
            plain = []
        every = [*({"type": name} for name in plain), *others]
        return every[0] if len(every) == 1 else {"oneOf": every}
    if hint is Basic:
        return {"$ref": "#/$defs/basic"}
    if isinstance(hint, type) and issubclass(hint, Value):
        return {"$ref": f"#/$defs/{tag(hint)}"}
    return {"type": _PLAIN[hint]}
