"""The border of a process: what is written is read back, and whatever comes in is either a value or a `Misfit`."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.program import loaded
from tests.strategies.compiled import machines
from tests.strategies.programs import Program, programs
from tests.strategies.values import Values
from wfc.driver import pipeline
from wfc.ir.boundary import Boundary, Misfit
from wfc.ir.machine import FieldDef, Machine
from wfc.ir.types import (
    ANY_ERROR,
    ASSIGNEE,
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    QUEUE,
    TEXT,
    Errors,
    Fields,
    ListOf,
    MapOf,
    Money,
    Named,
    Secret,
    Type,
    optional,
    settled,
)
from wfc.ir.values import finite
from wfc.project.sources import read_sources

SOURCE = """
type Quorum = Int where value >= 2
type Positive = Int where value > 0
const most: Int = 5
enum Size { Small, Large(by: Positive, why: Text?) }
enum Kind { Plain, Rich(of: Int, why: Text?) }
enum Tree { Fork(left: Tree, right: Tree), Leaf(of: Int) }
record Line { sku: Text, quantity: Int where quantity > 0, price: Money<EUR>, gift: Bool = false }
record Basket { lines: List<Line>, note: Text?, quorum: Quorum, share: Decimal where share > 0 and share < 1 }
record Pair<A, B> { first: A, second: B }
record Nest<T> { here: T, inside: Nest<List<T>>? }
record Kept {
  code: Text where code.startsWith("K-") and code.length >= 4,
  few: Int where few < most and few >= 3,
  some: List<Int> where not some.isEmpty,
  pause: Duration where pause >= 1h,
  amount: Money<EUR> where amount > 500EUR,
  size: Size = Large(3, none),
  wait: Duration = 90s
}
error Late(by: Duration, lines: List<Line>)
error Closed
event Sent(id: Text, pair: Pair<Int, Kind?>, tree: Tree) key id
service s {
  query a(basket: Basket, nest: Nest<Int>, kept: Kept) -> Pair<Tree, List<Pair<Text, Money<EUR>>>> raises Late, Closed
}
workflow W(id: Text, basket: Basket, nest: Nest<Int>, kept: Kept) -> Tree key id raises Closed, Late {
  on Sent -> B
  state A { do s.a(basket, nest, kept) as pair  done pair.first }
  state B { done Leaf(1) }
}
"""


def _machine() -> Machine:
    files, settings, report = loaded({"main.wf": SOURCE})
    sources = read_sources((), settings, files, report)
    found = pipeline.check(sources, settings, files, pipeline.Options())
    (root,) = pipeline.roots(found, pipeline.Options())
    assert found.report.is_runnable, [problem.message() for problem in found.report.problems]
    return pipeline.machine(root, found.model, settings, pipeline.Options())


MACHINE = _machine()
BOUNDARY = Boundary(MACHINE)
EUR = Money("EUR")
SIZE, TREE, LINE = Named("enum", "Size"), Named("enum", "Tree"), Named("record", "Line")
BASKET, KEPT, NEST = Named("record", "Basket"), Named("record", "Kept"), Named("record", "Nest", (INT,))
LEAVES: tuple[Type, ...] = (
    TEXT, INT, DECIMAL, BOOL, DURATION, INSTANT, DATE, EUR, Named("event", "Sent"), TREE, NEST,
    Errors(("Closed", "Timeout")), ANY_ERROR,
)  # fmt: skip
TYPES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(ListOf),
        inner.map(MapOf),
        inner.map(optional),
        inner.map(Secret),
        inner.map(settled),
        st.tuples(inner, inner).map(lambda args: Named("record", "Pair", args)),
        st.tuples(inner, inner).map(lambda args: Fields(tuple(zip(("One", "Two"), args, strict=True)))),
    ),
    max_leaves=4,
)
WORDS = ("is", "lines", "sku", "quantity", "note", "left", "of", "value", "first", "Leaf", "Fork", "Ok", "Small", "2h")
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(WORDS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), inner, max_size=4),
    ),
    max_leaves=8,
)


def through_json(data: Any) -> Any:
    return json.loads(json.dumps(data, allow_nan=False))


def come_back(boundary: Boundary, kind: Type, value: Any) -> None:
    written = through_json(boundary.write(value, kind))
    found = boundary.read(written, kind)
    assert found == value
    assert boundary.write(found, kind) == written
    assert boundary.read(value, kind) == value, "a value from inside is taken as it is"


@given(TYPES, st.data())
def test_what_is_written_is_read_back(kind: Type, data: st.DataObject) -> None:
    come_back(BOUNDARY, kind, Values(MACHINE, data).value(kind))


@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from((DECIMAL, EUR)))
def test_every_decimal_number_is_read_back(value: Decimal, kind: Type) -> None:
    come_back(BOUNDARY, kind, BOUNDARY.read(value, kind))


@given(programs(), st.data())
def test_values_of_generated_programs_come_back(program: Program, data: st.DataObject) -> None:
    for machine in machines(program):
        boundary = Boundary(machine)
        values = Values(machine, data)
        for defs in (machine.workflow.params, *(event.fields for event in machine.events)):
            sample = boundary.sample_fields(defs)
            assert boundary.fields(defs, sample, "sample") == sample
            value = {field.name: values.value(field.type) for field in defs}
            written = {field.name: boundary.write(value[field.name], field.type) for field in defs}
            try:
                assert boundary.fields(defs, through_json(written)) == value
            except Misfit as misfit:  # values are drawn without a look at conditions
                if "a value with `" not in str(misfit):
                    raise


def taken(data: Any, kind: Type) -> Any:
    """The value that data stands for, or why it stands for none."""
    try:
        return BOUNDARY.read(data, kind, "input")
    except Misfit as misfit:
        return misfit


@given(st.one_of(TYPES, st.sampled_from((BASKET, KEPT, LINE, SIZE, ASSIGNEE, QUEUE))), JSON)
def test_whatever_comes_in_is_a_value_or_a_misfit(kind: Type, data: Any) -> None:
    found = taken(data, kind)
    if isinstance(found, Misfit):
        assert str(found).startswith("input")
        assert "\n" not in str(found)
    else:
        come_back(BOUNDARY, kind, found)


@given(TYPES, st.sampled_from(WORDS), JSON, st.data())
def test_a_value_with_one_thing_wrong_is_a_value_or_a_misfit(
    kind: Type, key: str, wrong: Any, data: st.DataObject
) -> None:
    written = through_json(BOUNDARY.write(Values(MACHINE, data).value(kind), kind))
    inside = [written]
    for part in inside:
        inside.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
    part = data.draw(st.sampled_from(inside))
    if isinstance(part, dict):
        part[key] = wrong
    elif isinstance(part, list):
        part.append(wrong)
    found = taken(written, kind)
    if not isinstance(found, Misfit):
        come_back(BOUNDARY, kind, found)


@given(TYPES)
def test_a_sample_is_a_value(kind: Type) -> None:
    come_back(BOUNDARY, kind, BOUNDARY.sample(kind))


def test_samples_hold_their_conditions_and_take_defaults() -> None:
    assert BOUNDARY.sample(BASKET) == {"lines": (), "note": None, "quorum": 2, "share": Decimal("0.01")}
    assert BOUNDARY.sample(KEPT) == {
        "code": "K-xx",
        "few": 3,
        "some": (0,),
        "pause": 3_600_000,
        "amount": Decimal("500.01"),
        "size": {"is": "Large", "by": 3, "why": None},
        "wait": 90_000,
    }
    assert BOUNDARY.sample(TREE) == {"is": "Leaf", "of": 0}, "the first case has no end"
    assert BOUNDARY.sample(settled(LINE)) == {
        "is": "Ok",
        "value": {"sku": "", "quantity": 1, "price": Decimal(0), "gift": False},
    }
    assert BOUNDARY.sample(ANY_ERROR) == {"is": "Timeout"}
    assert BOUNDARY.sample(INSTANT) == 946_684_800_000
    assert BOUNDARY.sample(None) is None


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (DURATION, "2h30m", 9_000_000),
        (DURATION, "-2h", -7_200_000),
        (INSTANT, "2000-01-01T01:00:00+01:00", 946_684_800_000),
        (INSTANT, 5, 5),
        (DECIMAL, 12, Decimal(12)),
        (EUR, "12.50", Decimal("12.50")),
        (DECIMAL, "1e1000000000000000000", finite(Decimal("Infinity"))),
        (SIZE, "Small", {"is": "Small"}),
        (SIZE, {"is": "Large", "by": 1}, {"is": "Large", "by": 1, "why": None}),
        (ANY_ERROR, {"is": "Timeout", "detail": "503"}, {"is": "Timeout", "detail": "503"}),
        (Secret(LINE), {"secret": "token"}, {"secret": "token"}),
        (
            LINE,
            {"sku": "a", "quantity": 1, "price": 3},
            {"sku": "a", "quantity": 1, "price": Decimal(3), "gift": False},
        ),
        (ASSIGNEE, {"is": "role", "name": "clerk"}, {"is": "role", "name": "clerk"}),
        (None, {"anything": 1}, None),
    ],
)
def test_what_may_come_in(kind: Type | None, data: Any, value: Any) -> None:
    assert BOUNDARY.read(data, kind, "") == value


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (BASKET, {"lines": [{"sku": "a", "quantity": 1.5}]}, "lines[0].quantity: a whole number is expected"),
        (
            BASKET,
            {"lines": [{"sku": "a", "quantity": 0}]},
            "lines[0].quantity: a value with `quantity > 0` is expected",
        ),
        (BASKET, {"lines": []}, "quorum: a value is missing"),
        (INT, 2**53, "a whole number from -(2^53-1) to 2^53-1 is expected"),
        (INT, True, "a whole number is expected"),
        (DECIMAL, 0.5, 'a decimal number is expected as a text, as "12.50": a JSON number with a point loses digits'),
        (DECIMAL, "\N{ARABIC-INDIC DIGIT ONE}", 'a decimal number as "12.50" is expected'),
        (DECIMAL, Decimal("NaN"), "a decimal number with fewer digits is expected"),
        (DURATION, "30m2h", 'a duration as "2h30m" is expected, or its milliseconds'),
        (
            INSTANT,
            "2000-01-01T00:00:00",
            'an instant as "2026-01-31T09:00:00Z" is expected, or its milliseconds since 1970',
        ),
        (DATE, "2026-02-30", 'a date as "2026-01-31" is expected'),
        (SIZE, "Medium", "Small or Large is expected"),
        (SIZE, "Large", "by: a value is missing"),
        (SIZE, {"is": "Small", "by": 1}, "by: there is no such field"),
        (Errors(("Closed", "Timeout")), {"is": "Late"}, "Closed or Timeout is expected"),
        (MapOf(LINE), {"a b": {"sky": 1}}, '["a b"].sku: a value is missing'),
        (
            Named("record", "Pair", (INT, TEXT)),
            {"first": 1, "second": "", "third": 2},
            "third: there is no such field, only first and second",
        ),
        (Named("record", "Pair", (INT, TEXT)), {"first": "1", "second": ""}, "first: a whole number is expected"),
        (Fields((("a", INT),)), {"a": 1, "is": 2}, "is: there is no such field, only a"),
        (settled(INT), {"is": "Ok", "value": None}, "value: a whole number is expected"),
        (ANY_ERROR, {"is": "Timeout", "more": 1}, "more: there is no such field, only detail"),
    ],
)
def test_what_may_not(kind: Type, data: Any, text: str) -> None:
    with pytest.raises(Misfit) as found:
        BOUNDARY.read(data, kind)
    assert str(found.value) == text


def test_parameters_are_read_by_name() -> None:
    params = (FieldDef("id", TEXT), FieldDef("n", INT))
    assert BOUNDARY.fields(params, {"n": 1, "id": "a"}, "order") == {"id": "a", "n": 1}
    with pytest.raises(Misfit, match=r"^order\.n: a value is missing$"):
        BOUNDARY.fields(params, {"id": "a"}, "order")
    with pytest.raises(Misfit, match=r"^order: an object with fields is expected$"):
        BOUNDARY.fields(params, [], "order")


def test_what_is_too_deep_does_not_fit() -> None:
    data: Any = {"is": "Leaf", "of": 1}
    for _ in range(100_000):
        data = {"is": "Fork", "left": data, "right": "Leaf"}
    with pytest.raises(Misfit, match="nested too deep"):
        BOUNDARY.read(data, TREE)
    while isinstance(data, dict):  # freed from the outside in
        data = data.pop("left", None)
