"""The value of an expression: total, pure, the same everywhere.

Values: str for Text and Date, int for Int, and for Duration and Instant in milliseconds, Decimal for Decimal and Money,
bool, None for `none`, tuple for lists, dict for maps and records; a case of an enum and an error are a dict with the
case or error under `is`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from wfc.ir.expressions import (
    Apply,
    Expr,
    Fn,
    Get,
    If,
    Interp,
    Is,
    Items,
    Lit,
    Member,
    New,
    Now,
    Op,
    Ref,
    Who,
)
from wfc.ir.types import DATE, DECIMAL, DURATION, INSTANT, INT, Errors, ListOf, Money, Optional, Type
from wfc.text.durations import show_duration
from wfc.text.names import spaced

MAX_INT = 2**53 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECIMALS = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])

Names = Mapping[tuple[str, str], Any]  # by kind and name of the reference
Functions = Callable[[str], tuple[tuple[str, ...], Expr]]


class NotConstant(Exception):  # noqa: N818 - an answer, not a failure
    """An expression reads a name that has no value here."""


def _no_functions(name: str) -> tuple[tuple[str, ...], Expr]:
    raise NotConstant(name)


def evaluate(expr: Expr, names: Names, functions: Functions = _no_functions, now: int | None = None) -> Any:  # noqa: ANN401 - values of the language
    """The value of an expression under names; raises NotConstant where one has no value."""
    return _Evaluator(names, functions, now).value(expr)


def constant(expr: Expr) -> Any:  # noqa: ANN401 - values of the language
    """The value of an expression that reads nothing."""
    return evaluate(expr, {})


class _Evaluator:
    def __init__(self, names: Names, functions: Functions, now: int | None) -> None:
        self.names = names
        self.functions = functions
        self.now = now

    def value(self, expr: Expr) -> Any:  # noqa: ANN401 - one case a construct
        match expr:
            case Lit(kind, value):
                return _literal(kind, value)
            case Ref(_, kind, name):
                try:
                    return self.names[kind, name]
                except KeyError:
                    raise NotConstant(name) from None
            case Get(_, target, name, optional):
                of = self.value(target)
                return None if optional and of is None else of[name]
            case Op(_, "and", (left, right)):
                return self.value(left) and self.value(right)
            case Op(_, "or", (left, right)):
                return self.value(left) or self.value(right)
            case Op(_, "??", (left, right)):
                first = self.value(left)
                return self.value(right) if first is None else first
            case Op(kind, op, args):
                return _operate(op, kind, tuple(arg.type for arg in args), [self.value(arg) for arg in args])
            case Member(kind, name, target, args, optional):
                of = self.value(target)
                return None if optional and of is None else self.member(name, of, target.type, kind, args)
            case Apply(_, name, args):
                params, body = self.functions(name)
                given = {("param", param): self.value(arg) for param, arg in zip(params, args, strict=True)}
                consts = {key: value for key, value in self.names.items() if key[0] == "const"}
                return _Evaluator({**consts, **given}, self.functions, None).value(body)
            case New(kind, case, fields):
                made = {name: self.value(item) for name, item in fields}
                tag = case or (kind.names[0] if isinstance(kind, Errors) else "")
                return {"is": tag, **made} if tag else made
            case Is(_, target, "none", _):
                return self.value(target) is None
            case Is(_, target, _, name):
                of = self.value(target)
                return of is not None and of["is"] == name
            case If(_, test, yes, no):
                return self.value(yes if self.value(test) else no)
            case Items(_, items):
                return tuple(self.value(item) for item in items)
            case Interp(_, parts):
                return "".join(show(self.value(part), part.type) for part in parts)
            case Now():
                if self.now is None:
                    raise NotConstant("now")
                return self.now
            case Who(_, kind, name):
                return {"is": kind, "name": self.value(name)}
            case Fn():
                raise NotConstant("=>")

    def call(self, function: Fn, item: Any) -> Any:  # noqa: ANN401 - values of the language
        """The value of a list function's function for one element."""
        names = {**self.names, ("lambda", function.param): item}
        return _Evaluator(names, self.functions, self.now).value(function.body)

    def member(self, name: str, of: Any, kind: Type, result: Type, args: tuple[Expr, ...]) -> Any:  # noqa: ANN401 - a table of members
        function = args[0] if args and isinstance(args[0], Fn) else None
        seen = [self.call(function, item) for item in of] if function else None
        inner = kind.inner if isinstance(kind, Optional) else kind
        item_type = function.type if function else inner.item if isinstance(inner, ListOf) else inner
        match name:
            case "map":
                return tuple(seen or ())
            case "filter":
                return tuple(item for item, holds in zip(of, seen or (), strict=True) if holds)
            case "count":
                return len(of) if seen is None else sum(1 for holds in seen if holds)
            case "sum":
                return _sum(list(of) if seen is None else seen, item_type)
            case "any":
                return any(seen or ())
            case "all":
                return all(seen or ())
            case "find":
                return next((item for item, holds in zip(of, seen or (), strict=True) if holds), None)
            case "min" | "max":
                values = list(of) if seen is None else seen
                return (min if name == "min" else max)(values, default=None)
            case "sortBy":
                order = sorted(range(len(of)), key=lambda i: (seen or ())[i])
                return tuple(of[i] for i in order)
            case "first":
                return of[0] if of else None
            case "last":
                return of[-1] if of else None
            case "isEmpty":
                return len(of) == 0
            case "keys":
                return tuple(sorted(of))
            case "values":
                return tuple(of[key] for key in sorted(of))
            case "length":
                return len(of)
            case "lower":
                return of.lower()
            case "upper":
                return of.upper()
            case "trim":
                return of.strip()
            case "contains":
                return self.value(args[0]) in of
            case "startsWith":
                return of.startswith(self.value(args[0]))
            case "round" | "floor" | "ceil":
                mode = {"round": ROUND_HALF_EVEN, "floor": ROUND_FLOOR, "ceil": ROUND_CEILING}[name]
                return _bounded(int(of.to_integral_value(rounding=mode)))
            case "amount":
                return of
            case "date":
                return (EPOCH + timedelta(milliseconds=of)).date().isoformat()
            case "start":
                day = date.fromisoformat(of)
                return (day - EPOCH.date()).days * 86_400_000
            case "message":
                return message(of)
            case _:
                raise AssertionError((name, result))


def message(error: Mapping[str, Any]) -> str:
    """What an error says: its field `message`, else `reason`, if a Text; else its name in words with its arguments."""
    for name in ("message", "reason"):
        if isinstance(error.get(name), str):
            return str(error[name])
    words = spaced(str(error["is"]).rpartition(".")[2])
    shown = ", ".join(f"{name} {value}" for name, value in error.items() if name != "is")
    return f"{words} ({shown})" if shown else words


def _literal(kind: Type, value: Any) -> Any:  # noqa: ANN401 - values of the language
    if value is not None and (kind == DECIMAL or isinstance(kind, Money)):
        return Decimal(value)
    return value


def _bounded(value: int) -> int:
    return max(-MAX_INT, min(MAX_INT, value))


def _finite(value: Decimal) -> Decimal:
    if value.is_zero():
        return value.copy_abs()  # there is one zero
    if value.is_infinite():
        return DECIMALS.next_minus(Decimal("Infinity")).copy_sign(value)
    return value


def _sum(values: list[Any], kind: Type) -> Any:  # noqa: ANN401 - values of the language
    if kind == DECIMAL or isinstance(kind, Money):
        total = Decimal(0)
        for value in values:
            total = _finite(DECIMALS.add(total, value))
        return total
    return _bounded(sum(values))


def _operate(op: str, kind: Type, types: tuple[Type, ...], args: list[Any]) -> Any:  # noqa: ANN401 - a table of operators
    match op, args:
        case "not", [a]:
            return not a
        case "neg", [Decimal() as a]:
            return _finite(DECIMALS.minus(a))
        case "neg", [a]:
            return -a
        case "some", [a]:
            return a
        case "decimal", [a]:
            return None if a is None else Decimal(a)
        case "==", [a, b]:
            return a == b
        case "!=", [a, b]:
            return a != b
        case "<", [a, b]:
            return a < b
        case "<=", [a, b]:
            return a <= b
        case ">", [a, b]:
            return a > b
        case ">=", [a, b]:
            return a >= b
        case "in", [a, b]:
            return a in b
        case "index", [a, b]:
            return a.get(b) if isinstance(a, dict) else a[b] if 0 <= b < len(a) else None
        case "+", [tuple() as a, b]:
            return a + b
        case (("+" | "-" | "*" | "/"), [a, b]):
            return _compute(op, kind, types, a, b)
        case _:
            raise AssertionError(op)


def _compute(op: str, kind: Type, types: tuple[Type, ...], a: Any, b: Any) -> Any:  # noqa: ANN401 - numbers of the language
    """Arithmetic in 34 digits, half even; whole types are rounded back and stop at their bounds."""
    if op == "/" and b == 0:
        return None
    inner = kind.inner if isinstance(kind, Optional) else kind
    whole = inner in (INT, DURATION, INSTANT)
    if whole and op in ("+", "-"):
        return _bounded(a + b if op == "+" else a - b)
    if inner == INT:
        return _bounded(a * b)
    x, y = Decimal(a), Decimal(b)
    work = {"+": DECIMALS.add, "-": DECIMALS.subtract, "*": DECIMALS.multiply, "/": DECIMALS.divide}[op]
    found = _finite(work(x, y))
    if whole:
        return _bounded(int(found.to_integral_value(rounding=ROUND_HALF_EVEN)))
    _ = types
    return found


def show(value: Any, kind: Type) -> str:  # noqa: ANN401 - values of the language
    """A value as it appears in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(kind, Money):
        return f"{value:.2f} {kind.currency}" if value.as_tuple().exponent > -2 else f"{value:f} {kind.currency}"  # noqa: PLR2004 - cents
    if kind == DURATION:
        return show_duration(value) if value >= 0 else "-" + show_duration(-value)
    if kind == INSTANT:
        moment = EPOCH + timedelta(milliseconds=value)
        return moment.isoformat(timespec="milliseconds" if value % 1000 else "seconds").replace("+00:00", "Z")
    if kind == DATE or isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return str(value["is"])
    return str(value)
