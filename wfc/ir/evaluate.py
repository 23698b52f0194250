"""The value of an expression: total, pure, the same everywhere.

An expression is compiled, once, to a function of what its names mean; what depends on types only is decided then.
`wfc/ir/values.py` says what values are and what they do.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol

from wfc.ir import values
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
    RefKind,
    Who,
)
from wfc.ir.types import Basic, Errors, ListOf, MapOf, Money, Optional
from wfc.ir.values import DECIMALS, EPOCH, MAX_INT, SYSTEM, message, show

__all__ = [
    "DECIMALS", "EPOCH", "MAX_INT", "SYSTEM", "Code", "Env", "Evaluator", "Functions", "Names", "NotConstant",
    "constant", "evaluate", "message", "show",
]  # fmt: skip

Names = Mapping[tuple[str, str], Any]  # by kind and name of the reference
Functions = Callable[[str], tuple[tuple[str, ...], Expr]]


class NotConstant(Exception):  # noqa: N818 - an answer, not a failure
    """An expression reads a name that has no value here."""


class Env(Protocol):
    """What names mean where an expression is evaluated, and the time of the turn, if there is one."""

    @property
    def now(self) -> int | None: ...
    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        """The value of a name; raises NotConstant where it has none."""
        ...


Code = Callable[[Env], Any]


def _no_functions(name: str) -> tuple[tuple[str, ...], Expr]:
    raise NotConstant(name)


def evaluate(expr: Expr, names: Names, functions: Functions = _no_functions, now: int | None = None) -> Any:  # noqa: ANN401 - values of the language
    """The value of an expression under names; raises NotConstant where one has no value."""
    code = Evaluator(functions).compile(expr)
    return code(_Names(names, now))


def constant(expr: Expr) -> Any:  # noqa: ANN401 - values of the language
    """The value of an expression that reads nothing."""
    return evaluate(expr, {})


def folded(expr: Expr) -> Expr:
    """An expression that reads nothing as the literal of its value, if it has a plain one; else as it is."""
    if not isinstance(expr.type, Basic | Money):
        return expr
    try:
        value = constant(expr)
    except NotConstant:
        return expr
    if isinstance(value, Decimal):
        return Lit(expr.type, format(value, "f"))
    return Lit(expr.type, value) if isinstance(value, str | int | bool) else expr


# ---------------------------------------------------------------------------------------------------------------- names


class _Names:
    """Names with their values."""

    __slots__ = ("names", "now")

    def __init__(self, names: Names, now: int | None) -> None:
        self.names = names
        self.now = now

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        try:
            return self.names[kind, name]
        except KeyError:
            raise NotConstant(name) from None


class _Element:
    """Inside a list function's function: one more name, which stands for one element after the other."""

    __slots__ = ("around", "item", "now", "param")

    def __init__(self, around: Env, param: str) -> None:
        self.around = around
        self.param = param
        self.now = around.now
        self.item: Any = None

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        if kind == "lambda" and name == self.param:
            return self.item
        return self.around.read(kind, name)


class _Body:
    """Inside a function: its parameters and the constants, and no time."""

    __slots__ = ("around", "given")
    now = None

    def __init__(self, around: Env, given: Mapping[str, Any]) -> None:
        self.around = around
        self.given = given

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        if kind == "param" and name in self.given:
            return self.given[name]
        if kind == "const":
            return self.around.read(kind, name)
        raise NotConstant(name)


# ------------------------------------------------------------------------------------------------------------ compiling

_item: Code = operator.attrgetter("item")  # what the innermost `_Element` stands for


class Evaluator:
    """Compiles the expressions of a machine; `functions` are its functions, by name."""

    def __init__(self, functions: Functions = _no_functions) -> None:
        self.functions = functions
        self._compiled: dict[int, tuple[Expr, Code]] = {}  # by identity: an expression kept here keeps its id
        self._bodies: dict[str, tuple[tuple[str, ...], Code]] = {}

    def compile(self, expr: Expr) -> Code:
        """A function that gives the value of an expression; the same one when asked again."""
        found = self._compiled.get(id(expr))
        if found is None:
            found = self._compiled[id(expr)] = (expr, self._code(expr, None))
        return found[1]

    def _code(self, expr: Expr, param: str | None) -> Code:
        """`param` is the parameter of the innermost function around, whose element is at hand."""
        match expr:
            case Lit(kind, value):
                known = values.literal(kind, value)
                return lambda _: known
            case Ref():
                return _ref(expr.kind, expr.name, param)
            case Get():
                return self._get(expr, param)
            case Op():
                return self._op(expr, param)
            case Member():
                return self._member(expr, param)
            case Apply(_, name, args):
                return self._apply(name, [self._code(arg, param) for arg in args])
            case New(kind, case, fields):
                tag = case or (kind.names[0] if isinstance(kind, Errors) else "")
                return _new(tag, [(name, self._code(item, param)) for name, item in fields])
            case Is(_, target, "none", _):
                asked = self._code(target, param)
                return lambda env: asked(env) is None
            case Is(_, target, _, name):
                asked = self._code(target, param)
                return lambda env: (of := asked(env)) is not None and of["is"] == name
            case If(_, test, yes, no):
                asked, first, second = (self._code(part, param) for part in (test, yes, no))
                return lambda env: first(env) if asked(env) else second(env)
            case Items(_, items):
                codes = [self._code(item, param) for item in items]
                return lambda env: tuple([code(env) for code in codes])
            case Interp(_, parts):
                codes = [self._shown(part, param) for part in parts]
                return lambda env: "".join([code(env) for code in codes])
            case Now():
                return _now
            case Who(_, kind, name):
                return _new(kind, [("name", self._code(name, param))])
            case Fn():
                return _function

    def _get(self, expr: Get, param: str | None) -> Code:
        of, name = self._code(expr.target, param), expr.name
        if expr.optional:
            return lambda env: None if (found := of(env)) is None else found[name]
        return lambda env: of(env)[name]

    def _shown(self, part: Expr, param: str | None) -> Code:
        """A part of a text."""
        shown = values.shower(part.type)
        if isinstance(part, Lit):
            text = shown(values.literal(part.type, part.value))
            return lambda _: text
        code = self._code(part, param)
        return lambda env: shown(code(env))

    def _op(self, expr: Op, param: str | None) -> Code:
        if expr.op in ("+", "-", "*", "/"):
            left, right = (self._code(_as_it_is(arg), param) for arg in expr.args)
            return _both(values.work(expr.op, expr.type), left, right)
        args = [self._code(arg, param) for arg in expr.args]
        match expr.op, args:
            case "not", [a]:
                return lambda env: not a(env)
            case "neg", [a]:
                negated = values.negation(expr.type)
                return lambda env: negated(a(env))
            case "some", [a]:
                return a
            case "decimal", [a]:
                return lambda env: None if (found := a(env)) is None else Decimal(found)
            case "and", [a, b]:
                return lambda env: a(env) and b(env)
            case "or", [a, b]:
                return lambda env: a(env) or b(env)
            case "??", [a, b]:
                return lambda env: b(env) if (found := a(env)) is None else found
            case "in", [a, b]:
                return lambda env: a(env) in b(env)
            case "index", [a, b]:
                return _both(dict.get if isinstance(values.inner(expr.args[0].type), MapOf) else values.at, a, b)
            case op, [a, b]:
                return _both(values.COMPARE[op], a, b)
            case _:
                raise AssertionError(expr.op)

    def _apply(self, name: str, args: list[Code]) -> Code:
        def code(env: Env) -> Any:  # noqa: ANN401 - values of the language
            params, body = self._body(name)
            return body(_Body(env, dict(zip(params, [arg(env) for arg in args], strict=True))))

        return code

    def _body(self, name: str) -> tuple[tuple[str, ...], Code]:
        found = self._bodies.get(name)
        if found is None:
            params, body = self.functions(name)
            found = self._bodies[name] = (params, self._code(body, None))
        return found

    # -- members

    def _member(self, expr: Member, param: str | None) -> Code:
        of, use = self._code(expr.target, param), self._use(expr, param)
        if expr.optional:
            return lambda env: None if (found := of(env)) is None else use(env, found)
        return lambda env: use(env, of(env))

    def _use(self, expr: Member, param: str | None) -> Callable[[Env, Any], Any]:
        """What a member makes of its target."""
        name = expr.name
        kind = values.inner(expr.target.type)
        match expr.args:
            case (Fn() as function,):
                seen = self._seen(function)
                over = values.total(function.type) if name == "sum" else values.OVER[name]
                return lambda env, of: over(of, seen(env, of))
            case (arg,):
                text, test = self._code(arg, param), values.TEXTS[name]
                return lambda env, of: test(of, text(env))
            case _ if name in ("sum", "min", "max"):
                item = kind.item if isinstance(kind, ListOf) else kind
                total = values.total(item) if name == "sum" else values.OVER[name]
                return lambda _, of: total(of, of)
            case _:
                plain = values.PLAIN[name]
                return lambda _, of: plain(of)

    def _seen(self, function: Fn) -> Callable[[Env, Iterable[Any]], Iterator[Any]]:
        """The values of a list function's function for one element after the other."""
        param, body = function.param, self._code(function.body, function.param)

        def seen(env: Env, of: Iterable[Any]) -> Iterator[Any]:
            inner = _Element(env, param)
            for item in of:
                inner.item = item
                yield body(inner)

        return seen


def _ref(kind: RefKind, name: str, param: str | None) -> Code:
    return _item if kind == "lambda" and name == param else lambda env: env.read(kind, name)


def _both(work: Callable[[Any, Any], Any], left: Code, right: Code) -> Code:
    return lambda env: work(left(env), right(env))


def _new(tag: str, fields: list[tuple[str, Code]]) -> Code:
    def code(env: Env) -> dict[str, Any]:
        made = {"is": tag} if tag else {}
        for name, item in fields:
            made[name] = item(env)
        return made

    return code


def _now(env: Env) -> int:
    if env.now is None:
        raise NotConstant("now")
    return env.now


def _function(_: Env) -> Any:  # noqa: ANN401 - values of the language
    raise NotConstant("=>")


def _as_it_is(expr: Expr) -> Expr:
    """An operand without its widening: decimal arithmetic takes whole numbers as they are."""
    widened = isinstance(expr, Op) and expr.op == "decimal" and not isinstance(expr.type, Optional)
    return expr.args[0] if isinstance(expr, Op) and widened else expr
