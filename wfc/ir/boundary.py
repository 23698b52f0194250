"""Values at the border of a process: what comes in is looked at, never believed; what goes out is data for JSON.

Inside a value is as `wfc.ir.evaluate` says. Outside a list is a list, a decimal number or an amount a text such as
`"12.50"`, a duration and an instant whole milliseconds. What comes in may also say a duration as `"2h30m"`, an instant
as `"2026-01-31T09:00:00Z"`, a case without fields as its name alone, and leave out a field that has a default or may be
`none`. A value from inside is taken as it is. A secret may stay outside: `{"secret": name}` is kept.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, NoReturn, TypeVar

from wfc.ir.dump import condition
from wfc.ir.forms import BUILT_IN, Forms
from wfc.ir.machine import FieldDef, Machine, OperationDef
from wfc.ir.samples import Samples
from wfc.ir.types import (
    NEVER,
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
)
from wfc.ir.types import TypeVar as TypeParameter
from wfc.ir.values import DECIMALS, EPOCH, MAX_INT, finite
from wfc.text.durations import parse_duration
from wfc.text.names import listed

Function = Callable[[Any], Any]
K = TypeVar("K")
F = TypeVar("F")

_KEPT = 10_000  # readers found by identity, at most
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAME = re.compile(r"\w+")
_MILLISECOND = timedelta(milliseconds=1)
_PLAIN_DIGITS = 34  # numbers of more digits before or behind the point are written with an exponent
_REQUIRED: Any = object()


class Misfit(ValueError):  # noqa: N818 - what a sender hears, no failure of ours
    """A value from outside does not fit its type: the path to it and what was expected."""

    def __init__(self, expected: str, path: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.path = path

    def within(self, step: str) -> None:
        """The value is a part of another: a step in front of the path."""
        self.path = step + self.path

    def __str__(self) -> str:
        """`lines[0].quantity: a whole number is expected`."""
        path = self.path.removeprefix(".")
        return f"{path}: {self.expected}" if path else self.expected


class Boundary:
    """Reads and writes the values of one machine's types."""

    def __init__(self, machine: Machine) -> None:
        self.forms = Forms(machine)
        self.samples = Samples(self.forms)
        self._reader: _Made[Type, Function] = _Made(self._read)
        self._writer: _Made[Type, Function] = _Made(self._write)
        self._answers: dict[str, Function] = {}
        self._groups: _Made[tuple[FieldDef, ...], _FieldReader] = _Made(self._group)

    def read(self, data: Any, type: Type | None, where: str = "") -> Any:  # noqa: ANN401 - values of the language
        """The value that data stands for; raises Misfit. Without a type, as of an answer without a result, `none`."""
        return None if type is None else _told(self._reader(type), data, where)

    def write(self, value: Any, type: Type | None) -> Any:  # noqa: ANN401 - values of the language
        """A value as data, which `read` takes back."""
        return None if type is None else self._writer(type)(value)

    def fields(self, defs: tuple[FieldDef, ...], data: Any, where: str = "") -> dict[str, Any]:  # noqa: ANN401 - data
        """The fields of an event or an error, the parameters of a workflow; raises Misfit."""
        found: dict[str, Any] = _told(self._groups(defs).read_all, data, where)
        return found

    def answer(self, operation: OperationDef, data: Any) -> Any:  # noqa: ANN401 - values of the language
        """What an operation answers; raises Misfit, also where its refinement does not hold."""
        if operation.result is None:
            return None
        if operation.where is None:
            return self.read(data, operation.result, operation.name)
        reader = self._answers.get(operation.name)
        if reader is None:
            _, reader, _ = self.field(FieldDef("value", operation.result, None, operation.where))
            self._answers[operation.name] = reader
        return _told(reader, data, operation.name)

    def sample(self, type: Type | None) -> Any:  # noqa: ANN401 - values of the language
        """The sample of a type."""
        return self.samples.value(type)

    def sample_fields(self, defs: tuple[FieldDef, ...]) -> dict[str, Any]:
        """The samples of fields or parameters."""
        return self.samples.fields(defs)

    # -- reading

    def _read(self, kind: Type) -> Function:
        """The reader of a type. Definitions are looked at when the first value comes: they may be in a circle."""
        match kind:
            case Basic("Assignee" | "Error") | Errors() | Named("enum", _, _):
                return _CaseReader(self, kind).read
            case Basic(name):
                return _BASIC[name]
            case Money():
                return _decimal
            case ListOf(item):
                return _list(self._reader(item))
            case MapOf(item):
                return _map(self._reader(item))
            case Optional(inner):
                return _nothing if inner == NEVER else _optional(self._reader(inner))
            case Secret(inner):
                return _secret(self._reader(inner))
            case Named():
                return _FieldReader(self, lambda: self.forms.fields(kind)).read_all
            case Fields(parts):
                return self._group(tuple(FieldDef(name, part) for name, part in parts)).read_all
            case OperationType() | TypeParameter():
                raise AssertionError(kind)

    def _group(self, defs: tuple[FieldDef, ...]) -> "_FieldReader":
        return _FieldReader(self, lambda: defs)

    def field(self, field: FieldDef) -> tuple[str, Function, Any]:
        """A field's name, its reader, and what it is where it is left out."""
        reader = self._reader(field.type)
        absent = None if isinstance(field.type, Optional) else _REQUIRED
        if field.default is not None:
            absent = self.forms.value(field.default)
        if field.where is None:
            return field.name, reader, absent
        shown = condition(field.where, field.name)
        return field.name, _refined(reader, self.forms.condition(field.where), shown), absent

    # -- writing

    def _write(self, kind: Type) -> Function:
        match kind:
            case Basic("Decimal") | Money():
                return _write_decimal
            case Basic("Assignee" | "Error") | Errors() | Named("enum", _, _):
                return _CaseWriter(self, kind).write
            case Basic() | OperationType() | TypeParameter():
                return _same
            case ListOf(item):
                each = self._writer(item)
                return list if each is _same else lambda value: [each(part) for part in value]
            case MapOf(item):
                each = self._writer(item)
                return lambda value: {key: each(part) for key, part in value.items()}
            case Optional(inner):
                write = self._writer(inner)
                return _same if write is _same else lambda value: None if value is None else write(value)
            case Secret(inner):
                write = self._writer(inner)
                return lambda value: value if _is_reference(value) else write(value)
            case Named():
                return _FieldWriter(self, lambda: self.forms.fields(kind)).write
            case Fields(parts):
                defs = tuple(FieldDef(name, part) for name, part in parts)
                return _FieldWriter(self, lambda: defs).write

    def writer(self, kind: Type) -> Function:
        """What writes the values of a type."""
        return self._writer(kind)


def _told(read: Function, data: Any, where: str) -> Any:  # noqa: ANN401 - values of the language
    """What is read; where it does not fit, the path begins with `where`."""
    try:
        return read(data)
    except Misfit as misfit:
        misfit.within(where)
        raise
    except RecursionError:
        raise Misfit("this is nested too deep", where) from None


class _Made(Generic[K, F]):
    """What was made of a type or of fields; found by identity first, since comparing them takes long."""

    def __init__(self, make: Callable[[K], F]) -> None:
        self._make = make
        self._known: dict[K, F] = {}
        self._same: dict[int, tuple[K, F]] = {}  # what is kept here keeps its id

    def __call__(self, key: K) -> F:
        found = self._same.get(id(key))
        return self._find(key) if found is None else found[1]

    def _find(self, key: K) -> F:
        made = self._known.get(key)
        if made is None:
            made = self._known[key] = self._make(key)
        if len(self._same) >= _KEPT:
            self._same.clear()
        self._same[id(key)] = (key, made)
        return made


# -------------------------------------------------------------------------------------------------- fields and cases


class _FieldReader:
    """Reads the fields of a record, a case, an event or an error."""

    def __init__(self, boundary: Boundary, defs: Callable[[], tuple[FieldDef, ...]]) -> None:
        self._boundary = boundary
        self._defs = defs

    @cached_property
    def table(self) -> tuple[tuple[str, Function, Any], ...]:
        """Names, readers, and what is there where nothing is given."""
        return tuple(self._boundary.field(field) for field in self._defs())

    def read_all(self, data: Any) -> dict[str, Any]:  # noqa: ANN401 - data
        """The fields of what must be an object with just these."""
        return self.read(_object(data), {})

    def read(self, data: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        """Adds the fields to what was found."""
        given = len(found)
        name = ""
        try:
            for name, reader, absent in self.table:
                if name in data:
                    found[name] = reader(data[name])
                    given += 1
                elif absent is _REQUIRED:
                    _missing()
                else:
                    found[name] = absent
        except Misfit as misfit:
            misfit.within(f".{name}")
            raise
        if given < len(data):
            raise self._surplus(next(str(key) for key in data if key not in found))
        return found

    def _surplus(self, name: str) -> Misfit:
        names = [known for known, _, _ in self.table]
        return Misfit(f"there is no such field{f', only {listed(names)}' if names else ''}", _step(name))


class _CaseReader:
    """Reads the cases of an enum, or errors: their name under `is`, with their fields."""

    def __init__(self, boundary: Boundary, kind: Type) -> None:
        self._boundary = boundary
        self._kind = kind

    @cached_property
    def table(self) -> dict[str, _FieldReader | None]:
        """The readers of the cases, none for errors of the system."""
        return {name: self._case(name, defs) for name, defs in (self._boundary.forms.cases(self._kind) or {}).items()}

    def _case(self, name: str, defs: tuple[FieldDef, ...]) -> _FieldReader | None:
        if name in BUILT_IN and (isinstance(self._kind, Errors) or self._kind == Basic("Error")):
            return None
        return _FieldReader(self._boundary, lambda: defs)

    def read(self, data: Any) -> dict[str, Any]:  # noqa: ANN401 - data
        """The case with its fields."""
        if isinstance(data, str):
            data = {"is": data}
        name = data.get("is") if isinstance(data, dict) else None
        if not isinstance(name, str) or name not in self.table:
            raise Misfit(f"{listed(self.table, 'or')} is expected")
        fields = self.table[name]
        return fields.read(data, {"is": name}) if fields is not None else _built_in(data)


def _built_in(data: dict[str, Any]) -> dict[str, Any]:
    """An error of the system, perhaps with a detail for the audit."""
    for key, item in data.items():
        if key == "is" or (key == "detail" and (item is None or isinstance(item, str))):
            continue
        raise Misfit(
            "a text is expected" if key == "detail" else "there is no such field, only detail", _step(str(key))
        )
    return {key: item for key, item in data.items() if item is not None}


class _FieldWriter:
    """Writes the fields of a record or an event."""

    def __init__(self, boundary: Boundary, defs: Callable[[], tuple[FieldDef, ...]]) -> None:
        self._boundary = boundary
        self._defs = defs

    @cached_property
    def table(self) -> dict[str, Function]:
        """Names and writers."""
        return {field.name: self._boundary.writer(field.type) for field in self._defs()}

    def write(self, value: dict[str, Any]) -> dict[str, Any]:
        """The fields as data."""
        return {name: write(value[name]) for name, write in self.table.items()}


class _CaseWriter:
    """Writes cases and errors."""

    def __init__(self, boundary: Boundary, kind: Type) -> None:
        self._boundary = boundary
        self._kind = kind

    @cached_property
    def table(self) -> dict[str, dict[str, Function]]:
        """The writers of each case's fields."""
        writer = self._boundary.writer
        cases = self._boundary.forms.cases(self._kind) or {}
        return {name: {field.name: writer(field.type) for field in defs} for name, defs in cases.items()}

    def write(self, value: dict[str, Any]) -> dict[str, Any]:
        """The case as data."""
        fields = self.table[value["is"]]
        return {key: item if key == "is" else fields[key](item) for key, item in value.items()}


# ------------------------------------------------------------------------------------------------------ basic types


def _step(name: str) -> str:
    """A field or key in a path."""
    return f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name)}]"


def _missing() -> NoReturn:
    raise Misfit("a value is missing")


def _object(data: Any) -> dict[str, Any]:  # noqa: ANN401 - data
    if isinstance(data, dict):
        return data
    raise Misfit("an object with fields is expected")


def _text(data: Any) -> str:  # noqa: ANN401 - data
    if isinstance(data, str):
        return data
    raise Misfit("a text is expected")


def _bool(data: Any) -> bool:  # noqa: ANN401 - data
    if isinstance(data, bool):
        return data
    raise Misfit("true or false is expected")


def _int(data: Any) -> int:  # noqa: ANN401 - data
    if type(data) is not int:
        raise Misfit("a whole number is expected")
    if -MAX_INT <= data <= MAX_INT:
        return data
    raise Misfit("a whole number from -(2^53-1) to 2^53-1 is expected")


def _decimal(data: Any) -> Decimal:  # noqa: ANN401 - data
    if isinstance(data, float):
        raise Misfit('a decimal number is expected as a text, as "12.50": a JSON number with a point loses digits')
    known = type(data) is int or isinstance(data, Decimal)
    if not known and not (isinstance(data, str) and _NUMBER.fullmatch(data)):
        raise Misfit('a decimal number as "12.50" is expected')
    found = DECIMALS.create_decimal(data)
    if found.is_nan():
        raise Misfit("a decimal number with fewer digits is expected")
    return finite(found)


def _duration(data: Any) -> int:  # noqa: ANN401 - data
    found = data
    if isinstance(data, str):
        found = parse_duration(data.removeprefix("-"))
        if found is not None and data.startswith("-"):
            found = -found
    if type(found) is int and -MAX_INT <= found <= MAX_INT:
        return found
    raise Misfit('a duration as "2h30m" is expected, or its milliseconds')


def _instant(data: Any) -> int:  # noqa: ANN401 - data
    found = _moment(data) if isinstance(data, str) else data
    if type(found) is int and -MAX_INT <= found <= MAX_INT:
        return found
    raise Misfit('an instant as "2026-01-31T09:00:00Z" is expected, or its milliseconds since 1970')


def _moment(text: str) -> int | None:
    """The milliseconds of an ISO instant, with `Z` or another offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((moment - EPOCH) / _MILLISECOND) if moment.tzinfo is not None else None


def _date(data: Any) -> str:  # noqa: ANN401 - data
    try:
        if isinstance(data, str) and _DATE.fullmatch(data):
            return date.fromisoformat(data).isoformat()
    except ValueError:
        pass
    raise Misfit('a date as "2026-01-31" is expected')


def _nothing(data: Any) -> None:  # noqa: ANN401 - data
    if data is not None:
        raise Misfit("null is expected")


_BASIC: dict[str, Function] = {
    "Text": _text,
    "Int": _int,
    "Decimal": _decimal,
    "Bool": _bool,
    "Duration": _duration,
    "Instant": _instant,
    "Date": _date,
    "Queue": _text,
    "Never": _nothing,
}


# ------------------------------------------------------------------------------------------------------- other types


def _list(item: Function) -> Function:
    def read(data: Any) -> tuple[Any, ...]:  # noqa: ANN401 - data
        if type(data) is not list and type(data) is not tuple:
            raise Misfit("a list is expected")
        found: list[Any] = []
        try:
            for part in data:
                found.append(item(part))  # noqa: PERF401 - how many there are tells the place
        except Misfit as misfit:
            misfit.within(f"[{len(found)}]")
            raise
        return tuple(found)

    return read


def _map(item: Function) -> Function:
    def read(data: Any) -> dict[str, Any]:  # noqa: ANN401 - data
        found: dict[str, Any] = {}
        for key, part in _object(data).items():
            try:
                found[_text(key)] = item(part)
            except Misfit as misfit:
                misfit.within(f"[{json.dumps(str(key))}]")
                raise
        return found

    return read


def _optional(inner: Function) -> Function:
    return lambda data: None if data is None else inner(data)


def _secret(inner: Function) -> Function:
    return lambda data: data if _is_reference(data) else inner(data)


def _is_reference(value: Any) -> bool:  # noqa: ANN401 - data
    """Whether a secret is there by its name only."""
    return isinstance(value, dict) and value.keys() == {"secret"} and isinstance(value["secret"], str)


def _refined(reader: Function, holds: Callable[[Any], bool], shown: str) -> Function:
    def read(data: Any) -> Any:  # noqa: ANN401 - data
        value = reader(data)
        if holds(value):
            return value
        raise Misfit(f"a value with `{shown}` is expected")

    return read


def _same(value: Any) -> Any:  # noqa: ANN401 - data
    return value


def _write_decimal(value: Decimal) -> str:
    return format(value, "f") if abs(value.adjusted()) <= _PLAIN_DIGITS else str(value)
