"""Values compute in JavaScript as they do in the reference: exact decimals, bounds, texts, times."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.backends.typescript.conftest import HERE, Built, machine_of, run_node
from wfc.ir.boundary import Boundary, Misfit
from wfc.ir.evaluate import evaluate, message, show
from wfc.ir.expressions import Expr, Items, Lit, Member, Op
from wfc.ir.types import BOOL, DATE, DECIMAL, DURATION, INSTANT, INT, TEXT, ListOf, Money, Type, optional

pytestmark = pytest.mark.js

EDGES = ["0", "0.00", "1", "-1", "0.5", "1.5", "2.5", "-0.5", "1e30", "1e-40", "3", "7", "0.1",
         "9" * 34, "9" * 33 + ".5", "1e100", "123456789.123456789", "-2.50", "9007199254740993", "5e33", "1e34"]  # fmt: skip
TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "\U0001f600",
    "\uffee",
    "\U0001f600a",
    "\u00e9",
    "Z",
    " x ",
    "\x1fq\u2003",
    "a\U0001f601",
    "\ufeffa",
]
ERRORS: list[dict[str, Any]] = [
    {"is": "CardDeclined", "reason": "expired"},
    {"is": "SuspectedFraud", "score": 81},
    {"is": "HTTPFailed"},
    {"is": "Odd", "message": 3, "reason": "why"},
    {"is": "Timeout", "detail": "for the audit only"},
    {"is": "Late", "detail": "a field of its own", "twice": True, "skus": ["a", "b"], "by": {"is": "Mail", "to": "x"}},
    {"is": "Lost", "what": {"id": "p", "toString": True, "size": {"is": "Small"}}, "many": [{"n": 1}, {"n": 2}]},
]


def _numbers() -> list[str]:
    chance = random.Random(7)  # noqa: S311 - a fixed sample
    found = list(EDGES)
    for _ in range(60):
        digits = "".join(chance.choice("0123456789") for _ in range(chance.randint(1, 34)))
        found.append(f"{chance.choice(['', '-'])}{int(digits)}e{chance.randint(-40, 10)}")
    return found


def _binary(op: str, a: str, b: str, kind: Type = DECIMAL) -> Any:
    result = optional(kind) if op == "/" else kind
    return evaluate(Op(result, op, (Lit(kind, a), Lit(kind, b))), {})  # type: ignore[arg-type]  # four operators


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.copy_abs() if value == 0 else value:f}"
    return value


def _member(name: str, kind: Type, value: Any, result: Type) -> Any:
    return evaluate(Member(result, name, Lit(kind, value)), {})  # type: ignore[arg-type]  # members that there are


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _list(kind: Type, values: list[Any]) -> Expr:
    return Items(ListOf(kind), tuple(Lit(kind, value) for value in values))


def _cases() -> list[tuple[list[Any], Any]]:
    numbers = _numbers()
    chance = random.Random(11)  # noqa: S311 - a fixed sample
    pairs = [(chance.choice(numbers), chance.choice(numbers)) for _ in range(500)]
    pairs += [(a, b) for a in EDGES[:14] for b in EDGES[:14]]
    cases: list[tuple[list[Any], Any]] = []
    for a, b in pairs:
        for op, name in (("+", "plus"), ("-", "minus"), ("*", "times"), ("/", "over")):
            cases.append(([name, a, b], _plain(_binary(op, a, b))))
        cases.append((["compare", a, b], int(Decimal(a).compare(Decimal(b)))))
    for a in numbers:
        cases += [(["whole", a, mode], _member(mode, DECIMAL, a, INT)) for mode in ("round", "floor", "ceil")]
    cases += [(["money", a], show(Decimal(a), Money("EUR"))) for a in numbers if Decimal(a).as_tuple().exponent != 0]
    cases += [(["duration", n], show(n, DURATION)) for n in (0, 1, 999, 90_000, 86_400_000, 788_645_001, -1500)]
    cases += [
        (["instant", n], show(n, INSTANT)) for n in (0, 946_684_800_000, 946_684_800_123, -1, 2**53 - 1, -(2**53))
    ]
    cases += [(["compareText", a, b], (a > b) - (a < b)) for a in TEXTS for b in TEXTS]
    cases += [(["trim", a], _member("trim", TEXT, a, TEXT)) for a in TEXTS]
    cases += [(["length", a], len(a)) for a in TEXTS]
    cases += [(["message", error], message({k: _value(v) for k, v in error.items()})) for error in ERRORS]
    most = 2**53 - 1
    for x, y in ((most, 1), (-most, -5), (3, 4), (94906267, 94906267), (most, -most), (0, -5)):
        cases.append((["add", x, y], evaluate(Op(INT, "+", (Lit(INT, x), Lit(INT, y))), {})))
        cases.append((["multiply", x, y], evaluate(Op(INT, "*", (Lit(INT, x), Lit(INT, y))), {})))
    lists: list[list[Any]] = [[], [1, 2], [most, most, -most]]
    cases += [(["sum", each], evaluate(Member(INT, "sum", _list(INT, each)), {})) for each in lists]
    amounts = ["0.10", "1e30", "0.005", "-3"]
    cases.append((["total", amounts], _plain(evaluate(Member(DECIMAL, "sum", _list(DECIMAL, amounts)), {}))))
    cases += [
        (["dateOf", n], _member("date", INSTANT, n, DATE)) for n in (0, 951_782_400_000, 951_868_799_999, -1, 2**53 - 1)
    ]
    cases += [(["startOf", n], _member("start", DATE, n, INSTANT)) for n in ("2000-02-29", "1999-12-31")]
    return cases


def test_values_are_those_of_the_reference(built: Built) -> None:
    cases = _cases()
    given = json.dumps([call for call, _ in cases])
    found = json.loads(run_node(str(HERE / "values.mjs"), str(built.folder / "programs-names"), given=given))
    wrong = [(call, want, got) for (call, want), got in zip(cases, found, strict=True) if want != got]
    assert wrong == []


def test_parsers_read_what_the_reference_reads(built: Built) -> None:
    """The same values, and of what does not fit the same is said."""
    boundary = Boundary(machine_of("workflow W() { state A { done } }"))
    kinds = {"int": INT, "text": TEXT, "bool": BOOL, "date": DATE, "decimal": DECIMAL, "duration": DURATION}
    kinds["instant"] = INSTANT
    given = [
        3, 0, -1, 1.5, 2**53, 2**53 - 1, "3", "x", "", None, True, "true", "2000-02-29", "2001-02-29", "2001-2-3", "1.50",
        "1,5", "NaN", "0.1", 0.1, "1e3", "2h30m", "-1w2d", "250ms", "2h 30m", "3m2h", "m", "2026-01-31T09:00:00Z",
        "2026-01-31T09:00:00.250+02:00", "2026-01-31T09:00:00", [], [1], {}, {"is": "A"},
    ]  # fmt: skip
    calls = [["parse", name, value] for name in kinds for value in given]
    found = json.loads(
        run_node(str(HERE / "values.mjs"), str(built.folder / "programs-names"), given=json.dumps(calls))
    )
    wrong = [
        (name, value, want, got)
        for (_, name, value), got in zip(calls, found, strict=True)
        if got != (want := _read(boundary, kinds[str(name)], value))
    ]
    assert wrong == []


def _read(boundary: Boundary, kind: Type, given: Any) -> Any:
    try:
        return _plain(boundary.read(given, kind))
    except Misfit as misfit:
        return f"Misfit: {misfit}"
