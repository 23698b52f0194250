"""A pass changes how a machine is written, never what its expressions give."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.compiled import lowered
from tests.strategies.programs import Program, programs
from tests.strategies.values import Values
from wfc.ir.evaluate import NotConstant, evaluate, show
from wfc.ir.expressions import Expr
from wfc.ir.machine import Machine
from wfc.ir.types import Basic, Money
from wfc.ir.verify import verify
from wfc.ir.walk import workflow_expressions
from wfc.passes import PASSES


def expressions(machine: Machine) -> list[Expr]:
    """All expressions of a machine, in one order."""
    found = [expr for workflow in machine.workflows for expr in workflow_expressions(workflow)]
    return [*found, *(item.value for item in machine.constants), *(item.body for item in machine.functions)]


def result(expr: Expr, machine: Machine, values: Values) -> object:
    """What an expression gives. Where it stands behind a choice it may rely on more than is known here."""
    functions = {f.name: (tuple(name for name, _ in f.params), f.body) for f in machine.functions}
    try:
        return plain(evaluate(expr, values.names(expr), functions.__getitem__, now=1_000_000))
    except (NotConstant, KeyError, TypeError, AttributeError) as error:
        return f"fails with {type(error).__name__}"


def plain(value: object) -> object:
    """A value in which equal numbers are equal however many noughts they have."""
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("change", PASSES, ids=lambda change: str(change.__name__))
@given(program=programs(), data=st.data())
def test_a_pass_keeps_the_value_of_every_expression(change: object, program: Program, data: st.DataObject) -> None:
    assert callable(change)
    for machine in lowered(program):
        changed = change(machine)
        verify(changed)
        before, after = expressions(machine), expressions(changed)
        assert len(before) == len(after)
        values = Values(machine, data)
        for old, new in zip(before, after, strict=True):
            assert new.type == old.type
            if old is not new:
                assert result(old, machine, values) == result(new, changed, values), (old, new)


@given(program=programs(max_nodes=2), data=st.data())
def test_functions_and_constants_always_have_a_value(program: Program, data: st.DataObject) -> None:
    for machine in lowered(program):
        functions = {f.name: (tuple(name for name, _ in f.params), f.body) for f in machine.functions}
        values = Values(machine, data)
        for expr in (*(c.value for c in machine.constants), *(f.body for f in machine.functions)):
            found = evaluate(expr, values.names(expr), functions.__getitem__)
            assert show_is_total(found, expr)


def show_is_total(value: object, expr: Expr) -> bool:
    """Whether what can be inserted into a text can be shown."""
    basic = isinstance(expr.type, Basic | Money)
    return not basic or isinstance(show(value, expr.type), str)
