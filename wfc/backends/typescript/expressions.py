"""Expressions of the language as expressions of TypeScript, with the same value for every input."""

import re
from collections.abc import Callable, Mapping

from wfc.backends.typescript import layout
from wfc.backends.typescript.types import Program, Types, Uses
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
    walk,
)
from wfc.ir.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    TEXT,
    Errors,
    ListOf,
    Money,
    Named,
    Optional,
    Type,
)

Renames = Mapping[tuple[str, str], str]  # by kind and name of the reference

# How strongly a form binds; a weaker one inside a stronger one stands in parentheses.
ARROW, CONDITIONAL, NULLISH, OR, AND, EQUAL, LESS, UNARY, CALL, PLAIN = range(10)
_WHOLE = (INT, DURATION, INSTANT)
_NUMBERS = {"+": "add", "-": "subtract", "*": "multiply"}
_DECIMALS = {"+": "plus", "-": "minus", "*": "times", "/": "over"}
_IT = "?."  # no name of the language: the value that is there
_SAME = (INT, TEXT, DURATION, INSTANT, DATE)


def inner(kind: Type) -> Type:
    """A type without its `?`."""
    return kind.inner if isinstance(kind, Optional) else kind


def is_decimal(kind: Type) -> bool:
    """Whether values of a type are decimal numbers."""
    return inner(kind) == DECIMAL or isinstance(inner(kind), Money)


_ALONE = re.compile(r"\$\{(String\([\w.]+\)|[\w.]+)\}")  # all of a text: it needs no template


class Expressions:
    """Writes expressions for one place: what names are called there, and how the time of the turn is read."""

    def __init__(self, program: Program, uses: Uses, renames: Renames | None = None) -> None:
        self.program = program
        self.uses = uses
        self.types = Types(program, uses)
        self.renames = dict(renames or {})
        self.now: Callable[[], str] = lambda: "wf.now"

    def renamed(self, more: Renames) -> "Expressions":
        """The same place, with some names called otherwise."""
        other = Expressions(self.program, self.uses, {**self.renames, **more})
        other.now = self.now
        return other

    def helper(self, name: str) -> str:
        """A function on values."""
        return f"{self.uses.value('runtime', 'val')}.{name}"

    def show(self, expr: Expr, least: int = ARROW) -> str:
        """The text of an expression, in parentheses where it binds less than it must."""
        text, strength = self._form(expr)
        return f"({text})" if strength < least else text

    def _beside(self, expr: Expr, bare: tuple[int, ...]) -> str:
        """An operand: in parentheses unless it binds like one of these, or more than all operators of choice."""
        text, strength = self._form(expr)
        return text if strength in bare or strength > AND else f"({text})"

    def typed(self, expr: Expr, kind: Type) -> str:
        """An expression whose text alone would make the type checker think of less than its type."""
        weak = isinstance(expr, Lit | If | New) or (isinstance(expr, Op) and expr.op == "??")
        shown = self.show(expr)
        if weak and isinstance(kind, Optional):
            return f"{self.helper('of')}<{self.types.show(kind)}>({shown})"
        return shown

    def _form(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Lit(kind, value):
                return self.literal(kind, value)
            case Ref(kind, sort, name):
                return self._ref(kind, sort, name), PLAIN
            case Get():
                return self._get(expr)
            case Op():
                return self._op(expr)
            case Member():
                return self._member(expr)
            case Apply(_, name, args):
                called = self.uses.value("types", self.program.names.values[name])
                return f"{called}({self._args(args)})", CALL
            case New():
                return self._new(expr), PLAIN
            case Is(_, target, "none", _):
                return f"{self.helper('isNone')}({self.show(target)})", CALL
            case Is(_, target, _, name):
                return f"{self.helper('is')}({self.show(target)}, {layout.quoted(name)})", CALL
            case If(_, test, yes, no):
                shown = (self.show(test, OR), self.show(yes, OR), self._beside(no, (CONDITIONAL, OR, AND)))
                return f"{shown[0]} ? {shown[1]} : {shown[2]}", CONDITIONAL
            case Fn():
                return self._function(expr), ARROW
            case Items(_, items):
                return f"[{self._args(items)}]", PLAIN
            case Interp(_, parts):
                text = "".join(self._part(part) for part in parts)
                alone = _ALONE.fullmatch(text)
                return (alone[1], CALL) if alone is not None else (f"`{text}`", PLAIN)
            case Now():
                return self.now(), CALL
            case Who(_, kind, name):
                return f'{{ is: "{kind}", name: {self.show(name)} }}', PLAIN

    def _args(self, args: tuple[Expr, ...]) -> str:
        return ", ".join(self.show(arg) for arg in args)

    # -- names and constants

    def literal(self, kind: Type, value: object) -> tuple[str, int]:
        """A constant."""
        if value is None:
            return "undefined", PLAIN
        if isinstance(value, bool):
            return ("true" if value else "false"), PLAIN
        if isinstance(value, int):
            return layout.number(value), PLAIN if value >= 0 else UNARY
        if is_decimal(kind):
            return f'{self.uses.value("runtime", "Decimal")}.of("{value}")', CALL
        return layout.quoted(str(value)), PLAIN

    def _ref(self, kind: Type, sort: str, name: str) -> str:
        renamed = self.renames.get((sort, name))
        if renamed is not None:
            return renamed
        match sort:
            case "const":
                return self.uses.value("types", self.program.names.values[name])
            case "secret":
                of = self.types.show(kind.inner if hasattr(kind, "inner") else kind)
                return f"{self.helper('secret')}<{of}>({layout.quoted(name)})"
            case "queue":
                return layout.quoted(name)
            case "value":
                return "it"
            case "result":
                return "reply"
            case _:
                return self.program.names.local(name)

    # -- fields and forms

    def _get(self, expr: Get) -> tuple[str, int]:
        target = expr.target
        if expr.optional and expr.cases:
            known = self._known("it", inner(target.type), expr.cases)
            then = layout.member(known, expr.name)
            return f"{self.helper('whenSome')}({self.show(target)}, (it) => {then})", CALL
        if expr.optional:
            shown = self.show(target, CALL)
            return f"{shown}?.{expr.name}", CALL
        if expr.cases:
            return layout.member(self._known(self.show(target), target.type, expr.cases), expr.name), CALL
        return layout.member(self.show(target, CALL), expr.name), CALL

    def _known(self, target: str, kind: Type, cases: tuple[str, ...]) -> str:
        """A value of which the checker knows the cases."""
        if isinstance(inner(kind), Named):
            wanted = " | ".join(f'"{case}"' for case in cases)
            return f"{self.helper('narrow')}<{self.types.show(inner(kind))}, {wanted}>({target})"
        if kind == Errors(cases):
            return target
        return f"{self.helper('known')}<{self.types.show(Errors(cases))}>({target})"

    def _new(self, expr: New) -> str:
        kind = inner(expr.type)
        if isinstance(kind, Named) and kind.kind == "enum" and self.program.is_plain(kind.name):
            return layout.quoted(expr.case)
        tag = expr.case or (kind.names[0] if isinstance(kind, Errors) else "")
        items = [f"is: {layout.quoted(tag)}"] if tag else []
        for name, item in expr.fields:
            shown = self.show(item)
            items.append(shown if shown == name else f"{layout.key(name)}: {shown}")
        return f"{{ {', '.join(items)} }}" if items else "{}"

    def _function(self, expr: Fn) -> str:
        used = any(isinstance(p, Ref) and p.kind == "lambda" and p.name == expr.param for p in walk(expr.body))
        body = self.show(expr.body, NULLISH)
        made = any(isinstance(part, New | Lit) for part in walk(expr.body))
        result = f": {self.types.show(expr.type)}" if made and expr.type != BOOL else ""
        shown = f"({body})" if body.startswith("{") else body
        return f"({self.program.names.local(expr.param) if used else ''}){result} => {shown}"

    # -- operators

    def _op(self, expr: Op) -> tuple[str, int]:
        match expr.op, expr.args:
            case "not", (a,):
                return f"!{self.show(a, UNARY)}", UNARY
            case "neg", (a,):
                return self._negative(a)
            case "some", (a,):
                of = f"<{self.types.show(expr.type)}>" if isinstance(a, Ref) else ""
                return f"{self.helper('some')}{of}({self.show(a)})", CALL
            case "decimal", (a,):
                return self._to_decimal(a)
            case "and", (a, b):
                return f"{self.show(a, AND)} && {self.show(b, AND)}", AND
            case "or", (a, b):
                return f"{self._beside(a, (OR,))} || {self._beside(b, (OR,))}", OR
            case "??", (a, b):
                if isinstance(a, Lit | New | Items | Interp | Op | If) and not _is_missing(a):
                    return f"{self.helper('orElse')}({self.show(a)}, {self.show(b)})", CALL
                return f"{self._beside(a, (NULLISH,))} ?? {self._beside(b, (NULLISH,))}", NULLISH
            case (("==" | "!="), (a, b)):
                return self._equal(a, b, "!" if expr.op == "!=" else "=")
            case (("<" | "<=" | ">" | ">="), (a, b)):
                return self._ordered(expr.op, a, b)
            case "in", (a, b):
                test = "includes" if isinstance(inner(b.type), ListOf) else "hasKey"
                return f"{self.helper(test)}({self.show(b)}, {self.show(a)})", CALL
            case "index", (a, b):
                if isinstance(inner(a.type), ListOf):
                    return f"{self.show(a, CALL)}[{self.show(b)}]", CALL
                return f"{self.helper('lookUp')}({self.show(a)}, {self.show(b)})", CALL
            case _, (a, b):
                return self._compute(expr, a, b)
            case _:
                raise AssertionError(expr.op)

    def _negative(self, a: Expr) -> tuple[str, int]:
        if is_decimal(a.type):
            return f"{self.show(a, CALL)}.negated()", CALL
        return f"{self.helper('subtract')}(0, {self.show(a)})", CALL

    def _to_decimal(self, a: Expr) -> tuple[str, int]:
        decimal = self.uses.value("runtime", "Decimal")
        if isinstance(a, Lit) and isinstance(a.value, int):
            return f"{decimal}.of({self.show(a)})", CALL
        if isinstance(a.type, Optional):
            return f"{self.helper('whenSome')}({self.show(a)}, (it) => {decimal}.of(it))", CALL
        return f"{decimal}.of({self.show(a)})", CALL

    def _equal(self, a: Expr, b: Expr, sign: str) -> tuple[str, int]:
        """Literals go through a function: the type checker would otherwise remember them, and object later."""
        literal = isinstance(a, Lit) or isinstance(b, Lit)
        if a.type == b.type and a.type in _SAME and not literal:
            return f"{self.show(a, LESS)} {sign}== {self.show(b, LESS)}", EQUAL
        test = f"{self.helper('equal')}({self.show(a)}, {self.show(b)})"
        return (f"!{test}", UNARY) if sign == "!" else (test, CALL)

    def _ordered(self, op: str, a: Expr, b: Expr) -> tuple[str, int]:
        if is_decimal(a.type) or is_decimal(b.type):
            return f"{self.decimal(a)}.compare({self.decimal(b, ARROW)}) {op} 0", LESS
        if a.type == TEXT:
            return f"{self.helper('compare')}({self.show(a)}, {self.show(b)}) {op} 0", LESS
        return f"{self.show(a, UNARY)} {op} {self.show(b, UNARY)}", LESS

    def decimal(self, expr: Expr, least: int = CALL) -> str:
        """A number as a decimal number."""
        if is_decimal(expr.type):
            return self.show(expr, least)
        return f"{self.uses.value('runtime', 'Decimal')}.of({self.show(expr)})"

    def _compute(self, expr: Op, a: Expr, b: Expr) -> tuple[str, int]:
        kind = inner(expr.type)
        if isinstance(kind, ListOf):
            return f"[...{self.show(a, NULLISH)}, ...{self.show(b, NULLISH)}]", PLAIN
        if kind == INT or (kind in _WHOLE and expr.op in ("+", "-")):
            return f"{self.helper(_NUMBERS[expr.op])}({self.show(a)}, {self.show(b)})", CALL
        shown = f"{self.decimal(a)}.{_DECIMALS[expr.op]}({self.decimal(b, ARROW)})"
        if kind not in _WHOLE:
            return shown, CALL
        whole = self.helper("whole")
        if expr.op == "/":
            return f"{self.helper('whenSome')}({shown}, {whole})", CALL
        return f"{whole}({shown})", CALL

    # -- members

    def _member(self, expr: Member) -> tuple[str, int]:
        if expr.optional:
            found = Member(inner(expr.type), expr.name, Ref(inner(expr.target.type), "lambda", _IT), expr.args)
            then = self.renamed({("lambda", _IT): "it"})._built_in(found)[0]  # noqa: SLF001 - of this very class
            return f"{self.helper('whenSome')}({self.show(expr.target)}, (it) => {then})", CALL
        return self._built_in(expr)

    def _built_in(self, expr: Member) -> tuple[str, int]:
        of = self.show(expr.target, CALL)
        plain = self.show(expr.target)
        args = [self.show(arg) for arg in expr.args]
        kind = inner(expr.target.type)
        match expr.name:
            case "map" | "filter" | "find":
                return f"{of}.{expr.name}({args[0]})", CALL
            case "any" | "all":
                return f"{of}.{'some' if expr.name == 'any' else 'every'}({args[0]})", CALL
            case "count":
                return (f"{self.helper('count')}({plain}, {args[0]})" if args else f"{of}.length"), CALL
            case "sum" | "min" | "max":
                seen = f"{of}.map({args[0]})" if args else plain
                item = expr.args[0].type if expr.args else kind.item if isinstance(kind, ListOf) else kind
                total = "total" if is_decimal(item) else "sum"
                name = {"sum": total, "min": "least", "max": "greatest"}[expr.name]
                return f"{self.helper(name)}({seen})", CALL
            case "first":
                return f"{of}[0]", CALL
            case "last":
                return f"{of}.at(-1)", CALL
            case "isEmpty":
                items = of if isinstance(kind, ListOf) or kind == TEXT else f"{self.helper('keys')}({plain})"
                return f"{items}.length < 1", LESS
            case "lower" | "upper":
                return f"{of}.to{expr.name.capitalize()}Case()", CALL
            case "contains":
                return f"{of}.includes({args[0]})", CALL
            case "startsWith":
                return f"{of}.startsWith({args[0]})", CALL
            case "round" | "floor" | "ceil":
                return f'{self.decimal(expr.target)}.whole("{expr.name}")', CALL
            case "amount":
                return self._form(expr.target)
            case "date" | "start":
                return f"{self.helper('dateOf' if expr.name == 'date' else 'startOf')}({plain})", CALL
            case _:
                return f"{self.helper(expr.name)}({', '.join([plain, *args])})", CALL

    # -- texts

    def _part(self, part: Expr) -> str:
        """A part of a text: literal parts as they are, others as the language shows them."""
        if isinstance(part, Lit) and isinstance(part.value, str) and part.type == TEXT:
            return layout.in_template(part.value)
        kind = part.type
        shown = self.show(part)
        if isinstance(kind, Money):
            shown = f'{self.helper("showMoney")}({shown}, "{kind.currency}")'
        elif kind == DURATION:
            shown = f"{self.helper('showDuration')}({shown})"
        elif kind == INSTANT:
            shown = f"{self.helper('showInstant')}({shown})"
        elif isinstance(kind, Named | Errors):
            shown = f"{self.helper('showCase')}({shown})"
        elif kind not in (TEXT, DATE):
            shown = f"String({shown})"
        return f"${{{shown}}}"


def _is_missing(expr: Expr) -> bool:
    """Whether the text of an operator may be nothing: `/` and `xs[i]`."""
    return isinstance(expr, Op) and expr.op in ("/", "index") and not isinstance(inner(expr.type), ListOf)
