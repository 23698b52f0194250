"""A sample of each type: what a scenario takes where nothing is given, by section 29 of the language."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from wfc.ir.expressions import Expr, Lit, Ref, walk
from wfc.ir.forms import Forms
from wfc.ir.machine import FieldDef
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
    Fields,
    ListOf,
    MapOf,
    Money,
    Named,
    OperationType,
    Optional,
    Secret,
    Type,
    TypeVar,
)

START = 946_684_800_000  # the instant 2000-01-01T00:00:00Z
START_DATE = "2000-01-01"

_NEAR = 100  # whole numbers that are tried first, and lengths of texts
_LONG = 10  # lists are tried up to this length
_DEEP = 50  # types deeper than this have no finite value
_CENT = Decimal("0.01")
_SIGN = "x"

_BASIC: dict[Type, Any] = {TEXT: "", INT: 0, DECIMAL: Decimal(0), BOOL: False, DURATION: 0, INSTANT: START}
_BASIC[DATE] = START_DATE


class EndlessError(Exception):
    """A type whose values hold values of itself, without an end."""


class Samples:
    """Samples of the types of one machine."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms

    def value(self, kind: Type | None, inside: tuple[Type, ...] = ()) -> Any:  # noqa: ANN401 - values of the language
        """The sample of a type; `inside` are the types it is a part of."""
        if kind in _BASIC:
            return _BASIC[kind]
        match kind:
            case None | Optional():
                return None
            case Money():
                return Decimal(0)
            case ListOf():
                return ()
            case MapOf():
                return {}
            case Secret(inner):
                return self.value(inner, inside)
            case Fields(fields):
                return {name: self.value(each, inside) for name, each in fields}
            case Basic("Queue"):
                return next(iter(self.forms.queues), "")
            case Basic() | Errors() | Named():
                return self._named(kind, inside)
            case OperationType() | TypeVar():
                raise AssertionError(kind)

    def _named(self, kind: Basic | Errors | Named, inside: tuple[Type, ...]) -> Any:  # noqa: ANN401 - values of the language
        if kind in inside or len(inside) > _DEEP:
            raise EndlessError(str(kind))
        inside = (*inside, kind)
        cases = self.forms.cases(kind)
        if cases is not None:
            return next(self._cases(kind, inside))
        return self.fields(self.forms.fields(kind), inside) if isinstance(kind, Named) else None

    def _cases(self, kind: Type, inside: tuple[Type, ...]) -> Iterator[dict[str, Any]]:
        """The cases of an enum that have a sample, in order."""
        found = False
        for name, fields in (self.forms.cases(kind) or {}).items():
            try:
                made = self.fields(fields, inside)
            except EndlessError:
                continue
            found = True
            yield {"is": name, **{key: item for key, item in made.items() if key != "detail" or item is not None}}
        if not found:
            raise EndlessError(str(kind))

    def fields(self, fields: Iterable[FieldDef], inside: tuple[Type, ...] = ()) -> dict[str, Any]:
        """The samples of fields or parameters: their defaults, else the least that their conditions allow."""
        return {field.name: self._field(field, inside) for field in fields}

    def _field(self, field: FieldDef, inside: tuple[Type, ...]) -> Any:  # noqa: ANN401 - values of the language
        if field.default is not None:
            return self.forms.value(field.default)
        plain = self.value(field.type, inside)
        if field.where is None:
            return plain
        holds = self.forms.condition(field.where)
        tried = self._candidates(field.type, field.where, plain, inside)
        return next((value for value in tried if holds(value)), plain)

    # -- what a condition may allow

    def _candidates(self, kind: Type, where: Expr, plain: Any, inside: tuple[Type, ...]) -> Iterator[Any]:  # noqa: ANN401 - values of the language
        """Values of a type, the least first, and around those that a condition names."""
        yield plain
        match kind:
            case Optional(inner):
                yield from self._candidates(inner, where, self.value(inner, inside), inside)
            case Basic("Int" | "Duration" | "Instant"):
                yield from _whole(self._named_values(where, int))
            case Basic("Decimal") | Money():
                yield from _decimals(self._named_values(where, Decimal))
            case Basic("Text"):
                yield from _texts(self._named_values(where, str))
            case Basic("Date"):
                yield from self._named_values(where, str)
            case Basic("Bool"):
                yield True
            case ListOf(item):
                one = self.value(item, inside)
                yield from ((one,) * length for length in range(1, _LONG + 1))
            case MapOf(item):
                yield {_SIGN: self.value(item, inside)}
            case Named(_, _, _):
                yield from self._cases(kind, (*inside, kind)) if self.forms.cases(kind) is not None else ()
            case _:
                return

    def _named_values(self, where: Expr, sort: type) -> list[Any]:
        """The literals and constants of a condition that are of a sort, once each."""
        found: dict[Any, None] = {}
        for part in walk(where):
            if isinstance(part, Lit) or (isinstance(part, Ref) and part.kind == "const"):
                value = self.forms.value(part)
                if type(value) is sort:
                    found[value] = None
        return list(found)


def _rising(values: Iterable[Any]) -> list[Any]:
    """Numbers from zero up, then those below from the nearest on."""
    return sorted(set(values), key=lambda value: (value < 0, abs(value)))


def _whole(named: list[int]) -> Iterator[int]:
    yield from range(_NEAR + 1)
    yield from _rising(value + step for value in named for step in (-1, 0, 1))
    yield from range(-1, -_NEAR - 1, -1)


def _decimals(named: list[Decimal]) -> Iterator[Decimal]:
    yield from map(Decimal, range(_NEAR + 1))
    between = [(low + high) / 2 for low, high in pairwise(sorted(named))]
    steps = (-Decimal(1), -_CENT, Decimal(0), _CENT, Decimal(1))
    yield from _rising((*(value + step for value in named for step in steps), *between))


def _texts(named: list[str]) -> Iterator[str]:
    yield from named
    for length in range(1, _NEAR + 1):
        yield _SIGN * length
        yield from (text.ljust(length, _SIGN) for text in named)
        yield from (text.rjust(length, _SIGN) for text in named)
    yield from (f"{_SIGN}{text}{_SIGN}" for text in named)
