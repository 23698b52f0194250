"""What values do, whatever expression asks for it: arithmetic, members of lists and texts, how they show in a text.

Values: str for Text and Date, int for Int, and for Duration and Instant in milliseconds, Decimal for Decimal and Money,
bool, None for `none`, tuple for lists, dict for maps and records; a case of an enum and an error are a dict with the
case or error under `is`. What depends on a type only is decided once, by the functions that take a type and give a
function. Nothing fails: numbers stop at their bounds, and so does the calendar.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from functools import reduce
from typing import Any

from wfc.ir.types import Basic, ListOf, Money, Optional, Type
from wfc.text.durations import show_duration
from wfc.text.names import spaced

MAX_INT = 2**53 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (
    (end - EPOCH) // timedelta(milliseconds=1)
    for end in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC))
)
_DIGITS = 16  # of the largest whole number
_LARGEST = 999_999_999_999_999  # exponent: one that every engine can count with
DECIMALS = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-_LARGEST, Emax=_LARGEST, traps=[])

# ------------------------------------------------------------------------------------------------------------ operators

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _is(kind: Type, *names: str) -> bool:
    """Whether a type is one of some basic ones."""
    return isinstance(kind, Basic) and kind.name in names


def inner(kind: Type) -> Type:
    """A type without its `?`."""
    return kind.inner if isinstance(kind, Optional) else kind


def is_decimal(kind: Type) -> bool:
    """Whether values of a type are decimal numbers."""
    return isinstance(kind, Money) or _is(kind, "Decimal")


def literal(kind: Type, value: Any) -> Any:  # noqa: ANN401 - values of the language
    """The value of a constant."""
    if value is not None and is_decimal(kind):
        return finite(DECIMALS.create_decimal(value))
    return value


def _bounded(value: int) -> int:
    return value if -MAX_INT <= value <= MAX_INT else MAX_INT if value > 0 else -MAX_INT


def finite(value: Decimal) -> Decimal:
    """What arithmetic has found, as a number of the language."""
    if value and value.is_finite():
        return value
    if not value:
        return value.copy_abs()  # there is one zero
    return DECIMALS.next_minus(Decimal("Infinity")).copy_sign(value)


def _whole(value: Decimal, mode: str = ROUND_HALF_EVEN) -> int:
    if not value:
        return 0
    if value.adjusted() > _DIGITS:
        return MAX_INT if value > 0 else -MAX_INT
    return _bounded(int(value.to_integral_value(rounding=mode)))


def work(op: str, kind: Type) -> Callable[[Any, Any], Any]:
    """Arithmetic in 34 digits, half even; whole types are rounded back and stop at their bounds."""
    of = inner(kind)
    if isinstance(of, ListOf):
        return operator.add
    whole = _is(of, "Int", "Duration", "Instant")
    if whole and (op in ("+", "-") or _is(of, "Int")):
        plain = {"+": operator.add, "-": operator.sub, "*": operator.mul}[op]
        return lambda a, b: _bounded(plain(a, b))
    exactly = {"+": DECIMALS.add, "-": DECIMALS.subtract, "*": DECIMALS.multiply, "/": DECIMALS.divide}[op]
    fit: Callable[[Decimal], Any] = (lambda found: _whole(finite(found))) if whole else finite
    if op == "/":
        return lambda a, b: None if b == 0 else fit(exactly(a, b))
    return lambda a, b: fit(exactly(a, b))


def negation(kind: Type) -> Callable[[Any], Any]:
    """Unary minus: bounds are the same on both sides of zero."""
    return (lambda a: finite(DECIMALS.minus(a))) if is_decimal(kind) else operator.neg


def at(items: tuple[Any, ...], place: int) -> Any:  # noqa: ANN401 - values of the language
    """The element at a place, or `none`."""
    return items[place] if 0 <= place < len(items) else None


# -------------------------------------------------------------------------------------------------------------- members

_Over = Callable[[Any, Iterable[Any]], Any]  # of a list, and of what a function gives for each element


def total(kind: Type) -> _Over:
    """The sum of values of a type."""
    if is_decimal(kind):
        return lambda _, seen: reduce(work("+", kind), seen, Decimal(0))
    return lambda _, seen: _bounded(sum(seen))


def _sorted(of: tuple[Any, ...], seen: Iterable[Any]) -> tuple[Any, ...]:
    keys = list(seen)
    return tuple([of[i] for i in sorted(range(len(of)), key=keys.__getitem__)])


# Without a function, the second is the list itself.
OVER: Mapping[str, _Over] = {
    "map": lambda _, seen: tuple(seen),
    "filter": lambda of, seen: tuple([item for item, holds in zip(of, seen, strict=True) if holds]),
    "count": lambda _, seen: sum(1 for holds in seen if holds),
    "any": lambda _, seen: any(seen),
    "all": lambda _, seen: all(seen),
    "find": lambda of, seen: next((item for item, holds in zip(of, seen, strict=True) if holds), None),
    "min": lambda _, seen: min(seen, default=None),
    "max": lambda _, seen: max(seen, default=None),
    "sortBy": _sorted,
}
TEXTS: Mapping[str, Callable[[str, str], bool]] = {"contains": operator.contains, "startsWith": str.startswith}


def _moment(instant: int) -> datetime:
    """A time in the calendar, which stops at the years 1 and 9999."""
    return EPOCH + timedelta(milliseconds=max(_FIRST, min(_LAST, instant)))


SYSTEM: Mapping[str, str] = {  # what system errors say
    "Timeout": "the service did not answer in time",
    "Unavailable": "the service could not be reached",
    "Invalid": "the service gave an answer of the wrong form",
    "LockTimeout": "the lock did not become free in time",
    "LockLost": "the lock got lost",
    "AlreadyRunning": "this process already runs",
}


def message(error: Mapping[str, Any]) -> str:
    """What an error says: its field `message`, else `reason`, if a Text; else its name in words with its arguments.

    System errors have words of their own: their detail is for the audit only.
    """
    if error["is"] in SYSTEM:
        return SYSTEM[error["is"]]
    for name in ("message", "reason"):
        if isinstance(error.get(name), str):
            return str(error[name])
    words = spaced(str(error["is"]).rpartition(".")[2])
    shown = ", ".join(f"{name} {show_untyped(value)}" for name, value in error.items() if name != "is")
    return f"{words} ({shown})" if shown else words


PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "count": len,
    "length": len,
    "first": lambda of: of[0] if of else None,
    "last": lambda of: of[-1] if of else None,
    "isEmpty": lambda of: len(of) == 0,
    "keys": lambda of: tuple(sorted(of)),
    "values": lambda of: tuple([of[key] for key in sorted(of)]),
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "round": _whole,
    "floor": lambda of: _whole(of, ROUND_FLOOR),
    "ceil": lambda of: _whole(of, ROUND_CEILING),
    "amount": lambda of: of,
    "date": lambda of: _moment(of).date().isoformat(),
    "start": lambda of: (date.fromisoformat(of) - EPOCH.date()).days * 86_400_000,
    "message": message,
}


# ---------------------------------------------------------------------------------------------------------------- texts


def show(value: Any, kind: Type) -> str:  # noqa: ANN401 - values of the language
    """A value as it appears in a text."""
    return shower(kind)(value)


def shower(kind: Type) -> Callable[[Any], str]:
    """How values of a type appear in a text."""
    if isinstance(kind, Money):
        return lambda value: f"{_show_amount(value)} {kind.currency}"
    return _show_duration if _is(kind, "Duration") else _show_instant if _is(kind, "Instant") else show_untyped


def show_untyped(value: Any) -> str:  # noqa: ANN401 - values of the language
    """A value whose type does not matter, as in the message of an error or the key of a resource."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case None:
            return "none"
        case tuple():
            return ", ".join(map(show_untyped, value))
        case {"is": form}:
            return str(form)
        case dict():
            return ", ".join(f"{name} {show_untyped(item)}" for name, item in value.items())
        case _:
            return str(value)


def _show_amount(value: Decimal) -> str:
    shown = f"{value:f}"
    return shown if "." in shown[:-2] else f"{value:.2f}"  # at least the cents


def _show_duration(value: int) -> str:
    return show_duration(value) if value >= 0 else "-" + show_duration(-value)


def _show_instant(value: int) -> str:
    moment = _moment(value)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
