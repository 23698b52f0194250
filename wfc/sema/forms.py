"""The forms a value can have (cases, errors, present or not), what a condition tells of them, and how types widen."""

from wfc.ir.expressions import Expr, Get, Is, Lit, New, Op, Ref
from wfc.ir.types import ANY_ERROR, DECIMAL, INT, NEVER, UNKNOWN, Errors, Named, Optional, Type
from wfc.sema.env import Forms, Path
from wfc.sema.signatures import Signatures

SOME, NONE_FORM = "some", "none"


def universe(kind: Type, signatures: Signatures) -> Forms | None:
    """All forms of a type, or None for types without forms."""
    match kind:
        case Named("enum", _, _):
            return frozenset(signatures.cases(kind))
        case Optional(inner):
            inside = universe(inner, signatures)
            return frozenset((NONE_FORM, SOME)) if inside is None else inside | {NONE_FORM}
        case Errors(names):
            return frozenset(names)
        case _:
            return None


def path_of(expr: Expr) -> Path | None:
    """The name or field path that an expression reads, if it is one."""
    match expr:
        case Ref(_, "param" | "local" | "var" | "lambda" | "operand" | "view" | "value" | "result", name):
            return (name,)
        case Get(_, target, name, False):
            inner = path_of(target)
            return (*inner, name) if inner else None
        case Op(_, "some", (inner_expr,)):
            return path_of(inner_expr)
        case _:
            return None


def unwrapped(expr: Expr) -> Expr:
    """An expression without the mark that it is known to be present."""
    return expr.args[0] if isinstance(expr, Op) and expr.op == "some" else expr


def facts(expr: Expr, truth: bool, signatures: Signatures) -> dict[Path, Forms]:  # noqa: FBT001 - what the condition turned out to be
    """What is known where a condition has turned out so."""
    match expr:
        case Op(_, "not", (inner,)):
            return facts(inner, not truth, signatures)
        case Op(_, "and", (left, right)) if truth:
            return _both(facts(left, True, signatures), facts(right, True, signatures))
        case Op(_, "or", (left, right)) if not truth:
            return _both(facts(left, False, signatures), facts(right, False, signatures))
        case Op(_, "or", (left, right)):
            return _either(facts(left, True, signatures), facts(right, True, signatures))
        case Op(_, "and", (left, right)):
            return _either(facts(left, False, signatures), facts(right, False, signatures))
        case Op(_, "==" | "!=" as op, (left, right)):
            form = _form(right)
            return _has_form(left, form, truth == (op == "=="), signatures) if form else {}
        case Is(_, target, "none", _):
            return _has_form(target, NONE_FORM, truth, signatures)
        case Is(_, target, _, name):
            return _has_form(target, name, truth, signatures)
        case _:
            return {}


def _form(expr: Expr) -> str | None:
    """The form of a constant without fields."""
    match expr:
        case New(Named("enum", _, _), case, ()):
            return case
        case Lit(Optional(_), None):
            return NONE_FORM
        case _:
            return None


def _has_form(target: Expr, form: str, truth: bool, signatures: Signatures) -> dict[Path, Forms]:  # noqa: FBT001 - what the condition turned out to be
    path = path_of(target)
    every = universe(unwrapped(target).type, signatures)
    if path is None or every is None:
        return {}
    return {path: frozenset((form,)) & every if truth else every - {form}}


def _both(a: dict[Path, Forms], b: dict[Path, Forms]) -> dict[Path, Forms]:
    merged = dict(a)
    for path, forms in b.items():
        merged[path] = merged[path] & forms if path in merged else forms
    return merged


def _either(a: dict[Path, Forms], b: dict[Path, Forms]) -> dict[Path, Forms]:
    return {path: a[path] | b[path] for path in a.keys() & b.keys()}


def widened(a: Type, b: Type) -> Type | None:
    """The one type that two values have after widening, if there is one."""
    if b in (a, UNKNOWN, NEVER):
        return a
    if a in (UNKNOWN, NEVER):
        return b
    if {a, b} == {INT, DECIMAL}:
        return DECIMAL
    if isinstance(a, Optional) or isinstance(b, Optional):
        inner = widened(_inner(a), _inner(b))
        return Optional(inner) if inner is not None else None
    if isinstance(a, Errors) and isinstance(b, Errors):
        return Errors(tuple(sorted({*a.names, *b.names})))
    if ANY_ERROR in (a, b) and all(isinstance(t, Errors) or t == ANY_ERROR for t in (a, b)):
        return ANY_ERROR
    return None


def _inner(kind: Type) -> Type:
    return kind.inner if isinstance(kind, Optional) else kind
