"""Types of comparisons and arithmetic, and what a refinement makes of a constructor call."""

from functools import reduce
from typing import Protocol

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.evaluate import NotConstant, evaluate
from wfc.ir.rewrite import rewrite
from wfc.ir.types import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    NEVER,
    QUEUE,
    UNKNOWN,
    Basic,
    Errors,
    ListOf,
    Money,
    Named,
    Optional,
    Secret,
    Type,
    TypeVar,
    optional,
)
from wfc.problems.problem import Reporter
from wfc.sema.env import Env
from wfc.sema.forms import widened
from wfc.sema.members import is_number, is_ordered
from wfc.sema.model import FieldInfo
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo
from wfc.syntax import nodes as ast


class Types(Protocol):
    """What typing an expression needs of the one who types its parts."""

    module: ModuleInfo
    signatures: Signatures
    report: Reporter

    def infer(self, node: ast.Expr, env: Env, wanted: Type | None = None) -> ir.Expr: ...
    def typed(self, node: ast.Expr, env: Env, wanted: Type) -> ir.Expr: ...
    def coerce(self, found: ir.Expr, wanted: Type, node: ast.Expr) -> ir.Expr: ...
    def public(self, found: ir.Expr, node: ast.Expr) -> ir.Expr: ...


def _refuse(node: ast.Node, text: str, types: Types, advice: str = "") -> ir.Expr:
    types.report(problems.MismatchedType(at=types.module.at(node), text=text, advice=advice))
    return ir.Lit(UNKNOWN, None)


def _literal_case(node: ast.Expr) -> bool:
    """Whether an expression is a bare name that the other side may have to explain."""
    return isinstance(node, ast.NameExpr | ast.ListExpr)


def compared(node: ast.Binary, env: Env, types: Types) -> ir.Expr:
    """`== != < <= > >=`."""
    left = types.infer(node.left, env)
    right = types.infer(node.right, env, left.type)
    if UNKNOWN in (left.type, right.type):
        return ir.Op(BOOL, node.op, (left, right))  # type: ignore[arg-type]  # one of the six
    for side, part in ((left, node.left), (right, node.right)):
        if isinstance(side.type, Secret):
            types.public(side, part)
            return ir.Lit(BOOL, False)
    kind = widened(left.type, right.type)
    shown = f"`{left.type}` and `{right.type}`"
    if kind is None:
        advice = ""
        if isinstance(left.type, Money) and isinstance(right.type, Money):
            advice = "amounts of two currencies have no common measure: convert one with an operation first"
        return _refuse(node, f"{shown} cannot be compared", types, advice)
    if node.op in ("==", "!="):
        if kind == QUEUE or kind == Basic("Error") or isinstance(kind, Errors):
            return _refuse(node, f"values of type `{kind}` cannot be compared", types, "ask for a form with `is`")
    elif not is_ordered(kind):
        advice = "give a value for `none` with `??` first" if isinstance(kind, Optional) else ""
        return _refuse(node, f"`{node.op}` does not compare values of type `{kind}`", types, advice)
    sides = (types.coerce(left, kind, node.left), types.coerce(right, kind, node.right))
    return ir.Op(BOOL, node.op, sides)  # type: ignore[arg-type]  # one of the six


def computed(node: ast.Binary, env: Env, types: Types, wanted: Type | None) -> ir.Expr:
    """`+ - * /`."""
    hope = wanted if isinstance(wanted, ListOf) else None
    left = types.infer(node.left, env, hope)
    right = types.infer(node.right, env, hope)
    a, b = left.type, right.type
    if UNKNOWN in (a, b):
        return ir.Lit(UNKNOWN, None)
    kind = _result(node.op, a, b)
    if kind is None:
        return _refuse(node, f"`{node.op}` does not work on `{a}` and `{b}`", types, _advice(node.op, a, b))
    if isinstance(kind, ListOf):
        return ir.Op(kind, "+", (types.coerce(left, kind, node.left), types.coerce(right, kind, node.right)))
    if kind != INT:  # a factor or divisor of an amount, and either side of decimal arithmetic
        left, right = (ir.Op(DECIMAL, "decimal", (x,)) if x.type == INT else x for x in (left, right))
    return ir.Op(kind, node.op, (left, right))  # type: ignore[arg-type]  # one of the four


def _result(op: str, a: Type, b: Type) -> Type | None:
    numbers = is_number(a) and is_number(b)
    both = INT if a == b == INT else DECIMAL
    if op == "/":
        if numbers:
            return optional(DECIMAL)
        if (isinstance(a, Money) or a == DURATION) and is_number(b):
            return optional(a)
        if a == b and (isinstance(a, Money) or a == DURATION):
            return optional(DECIMAL)
        return None
    if op == "*":
        if numbers:
            return both
        for one, other in ((a, b), (b, a)):
            if is_number(one) and (isinstance(other, Money) or other == DURATION):
                return other
        return None
    if numbers:
        return both
    if a == b and (isinstance(a, Money) or a == DURATION):
        return a
    if a == INSTANT and b == DURATION:
        return INSTANT
    if op == "+" and a == DURATION and b == INSTANT:
        return INSTANT
    if op == "-" and a == b == INSTANT:
        return DURATION
    if op == "+" and isinstance(a, ListOf) and isinstance(b, ListOf):
        item = widened(a.item, b.item)
        return ListOf(item) if item is not None and item != NEVER else a
    return None


def _advice(op: str, a: Type, b: Type) -> str:
    if Optional in (type(a), type(b)):
        return "give a value for `none` with `??` first"
    if op == "+" and "Text" in (str(a), str(b)):
        return 'texts are joined by insertion: `"{a} {b}"`'
    if isinstance(a, Money) and isinstance(b, Money):
        return "amounts of two currencies cannot be added: convert one with an operation first"
    return ""


def refined(
    made: ir.New, fields: tuple[FieldInfo, ...], bound: dict[str, Type], node: ast.Apply, types: Types
) -> ir.Expr:
    """A constructor call under refinements: sure to fit, sure not to, or `none` where it does not."""
    tests: list[ir.Expr] = []
    for info, (_, value) in zip(fields, made.fields, strict=False):
        for test in info.where:
            verdict = _fits(test, value)
            if verdict is False:
                text = f"this value of `{info.name}` breaks the `where` of its declaration"
                types.report(problems.MismatchedType(at=types.module.at(node), text=text))
            elif verdict is None and not _same_refinement(info, value, types):
                tests.append(_asked(test, value, bound))
    if not tests:
        return made
    kind = optional(made.type)
    whole = reduce(lambda one, other: ir.Op(BOOL, "and", (one, other)), tests)
    return ir.If(kind, whole, ir.New(kind, "", made.fields), ir.Lit(kind, None))


def _asked(test: ir.Expr, value: ir.Expr, bound: dict[str, Type]) -> ir.Expr:
    """A refinement that asks about a value: what it calls by the same name as the value does is renamed."""
    taken = {part.name for part in ir.walk(value) if isinstance(part, ir.Ref) and part.kind == "lambda"}
    longer = "_" * max(map(len, taken), default=0)

    def change(part: ir.Ref | ir.Fn | TypeVar) -> ir.Expr | Type:
        match part:
            case TypeVar(name):
                return bound.get(name, part)
            case ir.Ref(_, "value", _):
                return value
            case ir.Ref(kind, "lambda", name):
                return ir.Ref(kind, "lambda", name + longer)
            case ir.Ref():
                return part
            case ir.Fn(kind, name, of, body):
                return ir.Fn(kind, name + longer, of, body)

    return rewrite(test, (ir.Ref, ir.Fn, TypeVar), change)


def _fits(test: ir.Expr, value: ir.Expr) -> bool | None:
    """Whether a constant fits a refinement; None where the value is no constant."""
    if any(part.type == UNKNOWN for part in (*ir.walk(value), *ir.walk(test))):
        return None
    try:
        return bool(evaluate(test, {("value", "value"): evaluate(value, {})}))
    except NotConstant:
        return None


def _same_refinement(info: FieldInfo, value: ir.Expr, types: Types) -> bool:
    """Whether the value is read from a field or parameter with the same refinement."""
    if not isinstance(value, ir.Get) or value.optional:
        return False
    target = value.target.type
    if not isinstance(target, Named) or target.kind == "enum":
        return False
    source = next((f for f in types.signatures.record(target) if f.name == value.name), None)
    return source is not None and source.where == info.where
