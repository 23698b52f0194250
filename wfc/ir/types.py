"""Types as values. The checker computes with them and the machine carries them; they know no declarations.

Names of records, enums, events and errors are qualified by module in the checker (`shop.orders.Order`) and short and
unique within a machine (`Order`).
"""

from typing import Literal

from wfc.text.names import listed
from wfc.text.value import Value, value

BasicName = Literal[
    "Text", "Int", "Decimal", "Bool", "Duration", "Instant", "Date", "Queue", "Assignee", "Error", "Never", "Unknown"
]


@value
class Basic(Value):
    """A type without parts. `Error` is any error, `Never` the type of what has no value, `Unknown` of a mistake."""

    name: BasicName

    def __str__(self) -> str:
        return self.name


@value
class Money(Value):
    """Amounts of one currency, three capital letters."""

    currency: str

    def __str__(self) -> str:
        return f"Money<{self.currency}>"


@value
class ListOf(Value):
    """`List<T>`."""

    item: "Type"

    def __str__(self) -> str:
        return f"List<{self.item}>"


@value
class MapOf(Value):
    """`Map<Text, T>`."""

    item: "Type"

    def __str__(self) -> str:
        return f"Map<Text, {self.item}>"


@value
class Optional(Value):
    """`T?`; its inner type is never optional itself."""

    inner: "Type"

    def __str__(self) -> str:
        return "none" if self.inner == NEVER else f"{self.inner}?"


@value
class Secret(Value):
    """`Secret<T>`."""

    inner: "Type"

    def __str__(self) -> str:
        return f"Secret<{self.inner}>"


@value
class Named(Value):
    """A record, an enum (`Settled` among them) or the payload of an event."""

    kind: Literal["record", "enum", "event"]
    name: str
    args: tuple["Type", ...] = ()

    def __str__(self) -> str:
        short = self.name.rpartition(".")[2]
        return f"{short}<{', '.join(map(str, self.args))}>" if self.args else short


@value
class Errors(Value):
    """One error, or the union of several; names in order."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return listed([name.rpartition(".")[2] for name in self.names], "or")


@value
class Fields(Value):
    """The record without a name that a `parallel` gives: a field per branch."""

    fields: tuple[tuple[str, "Type"], ...]

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}: {kind}" for name, kind in self.fields) + "}"


@value
class OperationType(Value):
    """`activity(A, B) -> R`: an operation handed to a generic workflow."""

    params: tuple["Type", ...]
    result: "Type"

    def __str__(self) -> str:
        return f"activity({', '.join(map(str, self.params))}) -> {self.result}"


@value
class TypeVar(Value):
    """A type parameter, while a generic declaration is looked at by itself."""

    name: str

    def __str__(self) -> str:
        return self.name


Type = Basic | Money | ListOf | MapOf | Optional | Secret | Named | Errors | Fields | OperationType | TypeVar

TEXT, INT, DECIMAL, BOOL = Basic("Text"), Basic("Int"), Basic("Decimal"), Basic("Bool")
DURATION, INSTANT, DATE = Basic("Duration"), Basic("Instant"), Basic("Date")
QUEUE, ASSIGNEE, ANY_ERROR = Basic("Queue"), Basic("Assignee"), Basic("Error")
NEVER, UNKNOWN = Basic("Never"), Basic("Unknown")
NONE = Optional(NEVER)
BASICS: dict[str, Type] = {
    t.name: t for t in (TEXT, INT, DECIMAL, BOOL, DURATION, INSTANT, DATE, QUEUE, ASSIGNEE, ANY_ERROR)
}
SETTLED = "Settled"  # enum Settled<T> { Ok(value: T), Failed(error: Error) }, declared nowhere, known everywhere


def optional(inner: Type) -> Type:
    """`T?`, where `T??` is `T?`."""
    return inner if isinstance(inner, Optional) or inner == UNKNOWN else Optional(inner)


def settled(inner: Type) -> Type:
    """`Settled<T>`."""
    return Named("enum", SETTLED, (inner,))


def substitute(kind: Type, bound: dict[str, Type]) -> Type:
    """A type with its type parameters replaced."""
    if not bound:
        return kind
    match kind:
        case TypeVar(name):
            return bound.get(name, kind)
        case ListOf(item):
            return ListOf(substitute(item, bound))
        case MapOf(item):
            return MapOf(substitute(item, bound))
        case Optional(inner):
            return optional(substitute(inner, bound))
        case Secret(inner):
            return Secret(substitute(inner, bound))
        case Named(sort, name, args):
            return Named(sort, name, tuple(substitute(arg, bound) for arg in args))
        case Fields(fields):
            return Fields(tuple((name, substitute(field, bound)) for name, field in fields))
        case OperationType(params, result):
            return OperationType(tuple(substitute(p, bound) for p in params), substitute(result, bound))
        case Basic() | Money() | Errors():
            return kind


def mentions(kind: Type) -> tuple[Type, ...]:
    """The types that a type is made of, itself not among them."""
    match kind:
        case ListOf(inner) | MapOf(inner) | Optional(inner) | Secret(inner):
            return (inner,)
        case Named(_, _, args):
            return args
        case Fields(fields):
            return tuple(field for _, field in fields)
        case OperationType(params, result):
            return (*params, result)
        case Basic() | Money() | Errors() | TypeVar():
            return ()
