"""The algebra of expressions: total, ordered, exact within bounds, and as Python has it for lists."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.values import DATES, DECIMALS, DURATIONS, INSTANTS, INTEGERS
from wfc.ir.evaluate import DECIMALS as ARITHMETIC
from wfc.ir.evaluate import MAX_INT, Evaluator, NotConstant, constant, evaluate, message
from wfc.ir.expressions import (
    Apply,
    Expr,
    Fn,
    Get,
    If,
    Interp,
    Items,
    Lit,
    Member,
    MemberName,
    Now,
    Op,
    OpName,
    Ref,
    RefKind,
)
from wfc.ir.types import BOOL, DATE, DECIMAL, DURATION, INSTANT, INT, TEXT, ListOf, MapOf, Money, Type, optional

EUR = Money("EUR")
ORDERED: dict[Type, st.SearchStrategy[Any]] = {
    INT: INTEGERS, DECIMAL: DECIMALS, EUR: DECIMALS, DURATION: DURATIONS, INSTANT: INSTANTS, DATE: DATES,
    TEXT: st.text(max_size=4),
}  # fmt: skip
KINDS = st.sampled_from(tuple(ORDERED))
NUMBERS = st.lists(INTEGERS, max_size=6)
EXACT = Context(prec=34, rounding=ROUND_HALF_EVEN)


def op(name: OpName, kind: Type, *args: tuple[Type, Any]) -> Any:
    """The value of an operator on values."""
    names = {("param", f"p{i}"): value for i, (_, value) in enumerate(args)}
    parts: tuple[Expr, ...] = tuple(Ref(of, "param", f"p{i}") for i, (of, _) in enumerate(args))
    return evaluate(Op(kind, name, parts), names)


def member(name: MemberName, result: Type, of: Type, value: Any, function: Fn | None = None) -> Any:
    args = (function,) if function is not None else ()
    return evaluate(Member(result, name, Ref(of, "param", "xs"), args), {("param", "xs"): value})


X = Ref(INT, "lambda", "x")
POSITIVE = Fn(BOOL, "x", INT, Op(BOOL, ">", (X, Lit(INT, 0))))
NEGATED = Fn(INT, "x", INT, Op(INT, "neg", (X,)))


@given(KINDS, st.data())
def test_comparison_is_an_order(kind: Type, data: st.DataObject) -> None:
    a, b, c = (data.draw(ORDERED[kind]) for _ in range(3))

    def holds(name: OpName, left: Any, right: Any) -> bool:
        return bool(op(name, BOOL, (kind, left), (kind, right)))

    assert [holds("<", a, b), holds("==", a, b), holds(">", a, b)].count(True) == 1
    assert holds("<=", a, b) == (not holds(">", a, b))
    assert holds(">=", a, b) == holds("<=", b, a)
    assert holds("!=", a, b) == (not holds("==", a, b))
    if holds("<=", a, b) and holds("<=", b, c):
        assert holds("<=", a, c)


@given(INTEGERS, INTEGERS)
def test_whole_numbers_stop_at_their_bounds(a: int, b: int) -> None:
    for name, exact in (("+", a + b), ("-", a - b), ("*", a * b)):
        found = op(name, INT, (INT, a), (INT, b))  # type: ignore[arg-type]  # one of three operators
        assert found == max(-MAX_INT, min(MAX_INT, exact))
        assert type(found) is int
    assert op("+", INT, (INT, a), (INT, b)) == op("+", INT, (INT, b), (INT, a))
    assert op("neg", INT, (INT, a)) == -a


@given(DECIMALS, DECIMALS)
def test_decimals_have_34_digits_and_round_half_even(a: Decimal, b: Decimal) -> None:
    assert op("+", DECIMAL, (DECIMAL, a), (DECIMAL, b)) == EXACT.add(a, b)
    assert op("*", DECIMAL, (DECIMAL, a), (DECIMAL, b)) == EXACT.multiply(a, b)
    quotient = op("/", optional(DECIMAL), (DECIMAL, a), (DECIMAL, b))
    assert quotient == (None if b == 0 else EXACT.divide(a, b))


def test_ties_of_decimals_go_to_the_even_neighbour() -> None:
    third = Decimal(10) ** 34
    assert op("+", DECIMAL, (DECIMAL, third), (DECIMAL, Decimal("0.5"))) == third
    assert op("+", DECIMAL, (DECIMAL, third + 1), (DECIMAL, Decimal(0))) == third
    assert member("round", INT, DECIMAL, Decimal("2.5")) == 2
    assert member("round", INT, DECIMAL, Decimal("3.5")) == 4


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_decimal_arithmetic_is_total(a: Decimal, b: Decimal) -> None:
    for name in ("+", "-", "*", "/"):
        found = op(name, DECIMAL, (DECIMAL, a), (DECIMAL, b))
        assert found is None or found.is_finite()
    for rounding in ("round", "floor", "ceil"):
        whole = member(rounding, INT, DECIMAL, a)
        assert -MAX_INT <= whole <= MAX_INT


@given(DURATIONS, DECIMALS, INSTANTS)
def test_times_stay_whole(duration: int, factor: Decimal, instant: int) -> None:
    product = op("*", DURATION, (DURATION, duration), (DECIMAL, factor))
    assert type(product) is int
    assert product == op("*", DURATION, (DECIMAL, factor), (DURATION, duration))
    later = op("+", INSTANT, (INSTANT, instant), (DURATION, duration))
    assert op("-", DURATION, (INSTANT, later), (INSTANT, instant)) == duration


@given(st.one_of(st.none(), INTEGERS), INTEGERS)
def test_a_value_for_none(a: int | None, b: int) -> None:
    assert op("??", INT, (optional(INT), a), (INT, b)) == (b if a is None else a)


@given(st.booleans(), st.booleans())
def test_truth(a: bool, b: bool) -> None:  # noqa: FBT001 - the values in question
    assert op("and", BOOL, (BOOL, a), (BOOL, b)) == (a and b)
    assert op("or", BOOL, (BOOL, a), (BOOL, b)) == (a or b)
    assert op("not", BOOL, (BOOL, op("and", BOOL, (BOOL, a), (BOOL, b)))) == (not a or not b)
    assert evaluate(If(INT, Lit(BOOL, a), Lit(INT, 1), Lit(INT, 2)), {}) == (1 if a else 2)


@given(NUMBERS, NUMBERS)
def test_list_functions_are_those_of_python(some: list[int], more: list[int]) -> None:
    xs, kind = tuple(some), ListOf(INT)
    positive = [x for x in xs if x > 0]
    assert member("map", kind, kind, xs, NEGATED) == tuple(-x for x in xs)
    assert member("filter", kind, kind, xs, POSITIVE) == tuple(positive)
    assert member("count", INT, kind, xs) == len(xs)
    assert member("count", INT, kind, xs, POSITIVE) == len(positive)
    assert member("any", BOOL, kind, xs, POSITIVE) == any(x > 0 for x in xs)
    assert member("all", BOOL, kind, xs, POSITIVE) == all(x > 0 for x in xs)
    assert member("find", optional(INT), kind, xs, POSITIVE) == next(iter(positive), None)
    assert member("min", optional(INT), kind, xs) == min(xs, default=None)
    assert member("max", optional(INT), kind, xs) == max(xs, default=None)
    assert member("max", optional(INT), kind, xs, NEGATED) == max((-x for x in xs), default=None)
    assert member("sortBy", kind, kind, xs, NEGATED) == tuple(sorted(xs, key=lambda x: -x))
    assert member("first", optional(INT), kind, xs) == (xs[0] if xs else None)
    assert member("last", optional(INT), kind, xs) == (xs[-1] if xs else None)
    assert member("isEmpty", BOOL, kind, xs) == (not xs)
    assert op("+", kind, (kind, xs), (kind, tuple(more))) == (*xs, *more)


@given(NUMBERS, st.integers(-8, 8))
def test_places_in_lists(some: list[int], at: int) -> None:
    xs, kind = tuple(some), ListOf(INT)
    assert op("index", optional(INT), (kind, xs), (INT, at)) == (xs[at] if 0 <= at < len(xs) else None)
    assert op("in", BOOL, (INT, at), (kind, xs)) == (at in xs)


@given(st.lists(INTEGERS, max_size=6))
def test_a_sum_of_whole_numbers_stays_in_bounds(some: list[int]) -> None:
    found = member("sum", INT, ListOf(INT), tuple(some))
    assert found == max(-MAX_INT, min(MAX_INT, sum(some)))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers()), max_size=8))
def test_sorting_is_stable(pairs: list[tuple[int, int]]) -> None:
    rows = tuple({"a": a, "b": b} for a, b in pairs)
    key = Fn(INT, "x", TEXT, Get(INT, Ref(TEXT, "lambda", "x"), "a"))
    found = member("sortBy", ListOf(TEXT), ListOf(TEXT), rows, key)
    assert [(row["a"], row["b"]) for row in found] == sorted(pairs, key=lambda pair: pair[0])


@given(st.dictionaries(st.text(max_size=3), INTEGERS, max_size=5), st.text(max_size=3))
def test_maps_are_read_by_rising_key(table: dict[str, int], key: str) -> None:
    kind = MapOf(INT)
    assert member("keys", ListOf(TEXT), kind, table) == tuple(sorted(table))
    assert member("values", ListOf(INT), kind, table) == tuple(table[k] for k in sorted(table))
    assert op("index", optional(INT), (kind, table), (TEXT, key)) == table.get(key)
    assert op("in", BOOL, (TEXT, key), (kind, table)) == (key in table)


@given(st.sampled_from(tuple(ORDERED)), st.data())
def test_every_value_can_be_inserted_into_a_text(kind: Type, data: st.DataObject) -> None:
    value = data.draw(ORDERED[kind])
    parts = (Lit(TEXT, "<"), Ref(kind, "param", "x"), Lit(TEXT, ">"))
    shown = evaluate(Interp(TEXT, parts), {("param", "x"): value})
    assert shown.startswith("<")
    assert shown.endswith(">")
    assert "E" not in shown.replace("EUR", "") or kind == TEXT


@given(st.integers(-MAX_INT, MAX_INT))
def test_the_calendar_stops_at_the_years_1_and_9999(instant: int) -> None:
    day = member("date", DATE, INSTANT, instant)
    assert "0001-01-01" <= day <= "9999-12-31"
    assert member("start", INSTANT, DATE, day) <= instant or day == "0001-01-01"
    assert evaluate(Interp(TEXT, (Ref(INSTANT, "param", "x"),)), {("param", "x"): instant}).startswith(day)


def test_a_literal_is_a_decimal_like_any_other() -> None:
    assert constant(Lit(DECIMAL, "0." + "1" * 40)) == Decimal("0." + "1" * 34)
    assert constant(Lit(EUR, "9" * 34 + ".5")) == Decimal(10) ** 34


def test_whole_numbers_of_the_largest_decimals_are_found_at_once() -> None:
    largest = constant(Op(DECIMAL, "*", (Lit(DECIMAL, "9e999999999999999"), Lit(DECIMAL, "10"))))
    assert largest.adjusted() == 999_999_999_999_999
    assert member("round", INT, DECIMAL, largest) == MAX_INT
    assert member("floor", INT, DECIMAL, largest.copy_negate()) == -MAX_INT
    assert member("ceil", INT, DECIMAL, Decimal("0e999999999999999")) == 0


def test_functions_see_their_parameters_and_constants_only() -> None:
    bodies: dict[str, tuple[tuple[str, ...], Expr]] = {
        "twice": (("x",), Op(INT, "*", (Ref(INT, "param", "x"), Ref(INT, "const", "two")))),
        "four": ((), Apply(INT, "twice", (Apply(INT, "twice", (Lit(INT, 1),)),))),
        "around": ((), Ref(INT, "param", "y")),
        "clock": ((), Now(INSTANT)),
    }
    names = {("const", "two"): 2, ("param", "y"): 7}
    assert evaluate(Apply(INT, "four", ()), names, bodies.__getitem__) == 4
    for name in ("around", "clock"):
        with pytest.raises(NotConstant):
            evaluate(Apply(INT, name, ()), names, bodies.__getitem__, now=1)
    assert evaluate(Now(INSTANT), {}, now=1) == 1


def test_functions_inside_functions_of_lists_see_both_elements() -> None:
    rows = Ref(ListOf(ListOf(INT)), "param", "rows")
    row, cell, most = Ref(ListOf(INT), "lambda", "row"), Ref(INT, "lambda", "cell"), Ref(INT, "param", "most")
    size = Member(INT, "count", row)
    scaled = Op(INT, "+", (Op(INT, "*", (cell, size)), most))
    inner = Member(INT, "sum", row, (Fn(INT, "cell", INT, scaled),))
    total = Member(INT, "sum", rows, (Fn(INT, "row", ListOf(INT), inner),))
    names = {("param", "rows"): ((1, 2), (3,), ()), ("param", "most"): 10}
    assert evaluate(total, names) == (1 * 2 + 10) + (2 * 2 + 10) + (3 * 1 + 10)


class Counting:
    """An environment in which each reading is the next number."""

    now = None

    def __init__(self) -> None:
        self.reads = 0

    def read(self, kind: RefKind, name: str) -> int:
        assert (kind, name) == ("param", "x")
        self.reads += 1
        return self.reads


def test_an_expression_is_compiled_once_and_reads_only_what_it_needs() -> None:
    evaluator = Evaluator()
    x = Ref(INT, "param", "x")
    test = Op(BOOL, "or", (Op(BOOL, "<", (x, Lit(INT, 3))), Op(BOOL, "<", (x, Lit(INT, 0)))))
    code, env = evaluator.compile(test), Counting()
    assert evaluator.compile(test) is code
    assert [code(env), code(env), env.reads] == [True, True, 2]
    assert [code(env), env.reads] == [False, 4]


def test_what_errors_say() -> None:
    assert message({"is": "Timeout", "detail": "x"}) == "the service did not answer in time"
    assert message({"is": "shop.CardDeclined", "reason": "expired"}) == "expired"
    assert message({"is": "SuspectedFraud", "score": 81, "by": None}) == "suspected fraud (score 81, by none)"
    assert message({"is": "Dear", "price": Decimal("1e3"), "gift": True}) == "dear (price 1000, gift true)"


def test_the_parts_of_a_list_are_evaluated_in_order() -> None:
    assert evaluate(Items(ListOf(INT), (Lit(INT, 1), Lit(INT, 2))), {}) == (1, 2)
    assert ARITHMETIC.prec == 34
