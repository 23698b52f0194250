"""The built-in members of values: which there are for a type, what they take, what they give."""

from typing import Literal

from wfc.ir.expressions import MemberName
from wfc.ir.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    TEXT,
    Basic,
    Errors,
    ListOf,
    MapOf,
    Money,
    Type,
    optional,
)

# What stands in the parentheses: nothing and none, a function (perhaps), or a text.
Shape = Literal["plain", "function", "either", "text"]

_LIST: dict[MemberName, Shape] = {
    "map": "function",
    "filter": "function",
    "count": "either",
    "sum": "either",
    "any": "function",
    "all": "function",
    "find": "function",
    "min": "either",
    "max": "either",
    "sortBy": "function",
    "first": "plain",
    "last": "plain",
    "isEmpty": "plain",
}
_TEXT: dict[MemberName, Shape] = {
    "length": "plain",
    "isEmpty": "plain",
    "lower": "plain",
    "upper": "plain",
    "trim": "plain",
    "contains": "text",
    "startsWith": "text",
}


def members(kind: Type) -> dict[MemberName, Shape]:
    """The members of a type."""
    match kind:
        case ListOf():
            return _LIST
        case MapOf():
            return {"keys": "plain", "values": "plain"}
        case Money():
            return {"amount": "plain"}
        case Errors() | Basic("Error"):
            return {"message": "plain"}
        case Basic("Text"):
            return _TEXT
        case Basic("Decimal"):
            return {"round": "plain", "floor": "plain", "ceil": "plain"}
        case Basic("Instant"):
            return {"date": "plain"}
        case Basic("Date"):
            return {"start": "plain"}
        case _:
            return {}


def is_number(kind: Type) -> bool:
    """Whether a type is Int or Decimal."""
    return kind in (INT, DECIMAL)


def is_ordered(kind: Type) -> bool:
    """Whether `<` compares values of a type."""
    return kind in (INT, DECIMAL, DURATION, INSTANT, DATE, TEXT) or isinstance(kind, Money)


def is_summable(kind: Type) -> bool:
    """Whether `sum` adds values of a type."""
    return kind in (INT, DECIMAL, DURATION) or isinstance(kind, Money)


def result(kind: Type, name: MemberName, inner: Type | None) -> Type:
    """The type of a member; `inner` is what the function in the parentheses gives, if there is one."""
    match kind, name:
        case ListOf(), "map":
            assert inner is not None
            return ListOf(inner)
        case ListOf(), "filter" | "sortBy":
            return kind
        case ListOf(), "count":
            return INT
        case ListOf(item), "sum":
            return inner or item
        case ListOf(), "any" | "all" | "isEmpty":
            return BOOL
        case ListOf(item), "min" | "max":
            return optional(inner or item)
        case ListOf(item), _:
            return optional(item)
        case MapOf(), "keys":
            return ListOf(TEXT)
        case MapOf(item), _:
            return ListOf(item)
        case Basic("Text"), "length":
            return INT
        case Basic("Text"), "isEmpty" | "contains" | "startsWith":
            return BOOL
        case (Money(), _):
            return DECIMAL
        case Basic("Decimal"), _:
            return INT
        case Basic("Instant"), _:
            return DATE
        case Basic("Date"), _:
            return INSTANT
        case _:
            return TEXT
