"""Draws values of the machine's types, as `wfc.ir.evaluate` takes and gives them."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from wfc.ir.evaluate import MAX_INT, NotConstant, evaluate
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import FieldDef, Machine
from wfc.ir.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    TEXT,
    Errors,
    Fields,
    ListOf,
    MapOf,
    Money,
    Named,
    Optional,
    Secret,
    Type,
    settled,
    substitute,
)

INTEGERS = st.one_of(st.integers(-10, 10), st.integers(-MAX_INT, MAX_INT))
DECIMALS = st.one_of(
    st.integers(-10, 10).map(Decimal),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
)
DURATIONS = st.integers(-(10**10), 10**10)
INSTANTS = st.integers(0, 4_000_000_000_000)
DATES = st.dates().map(lambda day: day.isoformat())
_BASIC: dict[Type, st.SearchStrategy[Any]] = {
    INT: INTEGERS, DECIMAL: DECIMALS, BOOL: st.booleans(), TEXT: st.text(max_size=5), DURATION: DURATIONS,
    INSTANT: INSTANTS, DATE: DATES,
}  # fmt: skip
_DEEP = 3


class Values:
    """Values for the names of one machine's expressions; a name keeps its value."""

    def __init__(self, machine: Machine, data: st.DataObject) -> None:
        self.machine = machine
        self.data = data
        self._known: dict[tuple[str, str], Any] = {}
        functions = {f.name: (tuple(name for name, _ in f.params), f.body) for f in machine.functions}
        waiting = list(machine.constants)
        for _ in range(len(waiting)):
            for constant in list(waiting):
                try:
                    self._known["const", constant.name] = evaluate(constant.value, self._known, functions.__getitem__)
                except NotConstant:
                    continue  # it reads one that is still to come
                waiting.remove(constant)

    def names(self, expr: Expr) -> dict[tuple[str, str], Any]:
        """The values of what an expression reads."""
        for part in walk(expr):
            if isinstance(part, Ref) and part.kind != "lambda" and (part.kind, part.name) not in self._known:
                self._known[part.kind, part.name] = self.value(part.type)
        return self._known

    def value(self, kind: Type, depth: int = 0) -> Any:
        """A value of a type."""
        if kind in _BASIC:
            return self.data.draw(_BASIC[kind])
        match kind:
            case Money():
                return self.data.draw(DECIMALS)
            case Secret(inner):
                return self.value(inner, depth)
            case Optional(inner):
                return None if depth > _DEEP or self.data.draw(st.booleans()) else self.value(inner, depth + 1)
            case ListOf(item):
                return tuple(self.value(item, depth + 1) for _ in range(self._count(depth)))
            case MapOf(item):
                return {f"k{i}": self.value(item, depth + 1) for i in range(self._count(depth))}
            case Named():
                return self._named(kind, depth)
            case Errors(names):
                return self._error(self.data.draw(st.sampled_from(names)), depth)
            case Fields(fields):
                return {name: self.value(field, depth + 1) for name, field in fields}
            case _:
                return self._error("Timeout", depth)

    def _count(self, depth: int) -> int:
        return self.data.draw(st.integers(0, 2)) if depth <= _DEEP else 0

    def _named(self, kind: Named, depth: int) -> dict[str, Any]:
        if kind == settled(kind.args[0] if kind.args else TEXT):
            ok = self.data.draw(st.booleans())
            inner = self.value(kind.args[0], depth + 1) if ok else self._error("Timeout", depth)
            return {"is": "Ok", "value": inner} if ok else {"is": "Failed", "error": inner}
        if kind.kind == "enum":
            enum = next(e for e in self.machine.enums if e.name == kind.name)
            case = self.data.draw(st.sampled_from(enum.cases))
            return {"is": case.name, **self._fields(case.fields, dict(zip(enum.params, kind.args, strict=True)), depth)}
        if kind.kind == "event":
            return self._fields(next(e for e in self.machine.events if e.name == kind.name).fields, {}, depth)
        record = next(r for r in self.machine.records if r.name == kind.name)
        return self._fields(record.fields, dict(zip(record.params, kind.args, strict=True)), depth)

    def _fields(self, fields: tuple[FieldDef, ...], bound: dict[str, Type], depth: int) -> dict[str, Any]:
        return {field.name: self.value(substitute(field.type, bound), depth + 1) for field in fields}

    def _error(self, name: str, depth: int) -> dict[str, Any]:
        found = next((e for e in self.machine.errors if e.name == name), None)
        return {"is": name, **(self._fields(found.fields, {}, depth) if found is not None else {})}
