"""Arithmetic on constants is done once, at compile time: `5000 * 20%` in a policy becomes `1000`."""

from wfc.ir.evaluate import folded
from wfc.ir.expressions import Expr, If, Lit, Op
from wfc.ir.machine import Machine
from wfc.ir.rewrite import rewrite


def fold_constants(machine: Machine) -> Machine:
    """Replaces operators and conditions whose operands are literals by their value."""
    return rewrite(machine, (Op, If), _fold)


def _fold(expr: Op | If) -> Expr:
    parts = expr.args if isinstance(expr, Op) else (expr.test, expr.yes, expr.no)
    return folded(expr) if all(isinstance(part, Lit) for part in parts) else expr
