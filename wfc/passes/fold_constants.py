"""Arithmetic on constants is done once, at compile time: `5000 * 20%` in a policy becomes `1000`."""

from decimal import Decimal

from wfc.ir.evaluate import NotConstant, constant
from wfc.ir.expressions import Expr, If, Lit, Op
from wfc.ir.machine import Machine
from wfc.ir.rewrite import rewrite
from wfc.ir.types import Basic, Money


def fold_constants(machine: Machine) -> Machine:
    """Replaces operators and conditions whose operands are literals by their value."""
    return rewrite(machine, (Op, If), _fold)


def _fold(expr: Op | If) -> Expr:
    parts = expr.args if isinstance(expr, Op) else (expr.test, expr.yes, expr.no)
    if not all(isinstance(part, Lit) for part in parts) or not isinstance(expr.type, Basic | Money):
        return expr
    try:
        value = constant(expr)
    except NotConstant:
        return expr
    if isinstance(value, Decimal):
        return Lit(expr.type, format(value, "f"))
    return Lit(expr.type, value) if isinstance(value, str | int | bool) else expr
