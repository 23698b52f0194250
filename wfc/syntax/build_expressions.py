"""Builders of names, types and expressions: one function a rule of the grammar, called with its kept values."""

import re

from wfc import problems
from wfc.syntax.build import Context, Part, part, written_type
from wfc.syntax.nodes import (
    ActivityType,
    Apply,
    Argument,
    Binary,
    Cond,
    Expr,
    Index,
    IsExpr,
    Lambda,
    ListExpr,
    Member,
    Name,
    NameExpr,
    OptionalType,
    Plain,
    QName,
    TextLiteral,
    Token,
    TypeExpr,
    TypeRef,
    Unary,
)

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "{": "{", "}": "}"}
_PIECE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|(.))|\{|[^\\{]+", re.DOTALL)
_LAST_CODE_POINT = 0x10FFFF


# names and types


def qname(_: Context, start: int, end: int, *parts: Name) -> QName:
    return QName(start, end, parts)


def as_name(_: Context, start: int, end: int, name: Name) -> Part:
    return Part(start, end, "as", name)


def at_name(_: Context, start: int, end: int, name: Name) -> Part:
    return Part(start, end, "at", name)


def to_node(_: Context, start: int, end: int, name: Name) -> Part:
    return Part(start, end, "to", name)


def optional_type(_: Context, start: int, end: int, inner: TypeExpr) -> OptionalType:
    return OptionalType(start, end, inner)


def activity_type(_: Context, start: int, end: int, *args: object) -> ActivityType:
    return ActivityType(start, end, part("types", args), written_type(args))


def types(_: Context, start: int, end: int, *args: TypeExpr) -> Part:
    return Part(start, end, "types", args)


def type_args(_: Context, start: int, end: int, *args: TypeExpr) -> Part:
    return Part(start, end, "types", args)


def base_type(_: Context, start: int, end: int, name: QName, *args: Part) -> TypeRef:
    return TypeRef(start, end, name, part("types", args) or ())


# calls


def arg(_: Context, start: int, end: int, value: Expr) -> Argument:
    return Argument(start, end, None, value)


def named_arg(_: Context, start: int, end: int, name: Name, value: Expr) -> Argument:
    return Argument(start, end, name, value)


def args(_: Context, start: int, end: int, *items: Argument) -> Part:
    return Part(start, end, "args", items)


# literals


def int_(_: Context, start: int, end: int, token: Token) -> Expr:
    return Plain(start, end, "Int", token.text)


def decimal(_: Context, start: int, end: int, token: Token) -> Expr:
    return Plain(start, end, "Decimal", token.text)


def duration(context: Context, start: int, end: int, token: Token) -> Expr:
    units = re.findall(r"[a-z]+", token.text)
    ranks = ["w", "d", "h", "m", "s", "ms"]
    order = [ranks.index(unit) for unit in units]
    if sorted(set(order)) != order:
        context.damaged = True
        context.report(problems.BadLiteral(at=context.span(start, end), text=token.text, kind="duration"))
    return Plain(start, end, "Duration", token.text)


def money(_: Context, start: int, end: int, token: Token) -> Expr:
    return Plain(start, end, "Money", token.text)


def percent(_: Context, start: int, end: int, token: Token) -> Expr:
    return Plain(start, end, "Percent", token.text)


def true_(_: Context, start: int, end: int) -> Expr:
    return Plain(start, end, "Bool", "true")


def false_(_: Context, start: int, end: int) -> Expr:
    return Plain(start, end, "Bool", "false")


def none_(_: Context, start: int, end: int) -> Expr:
    return Plain(start, end, "None", "none")


def plain(context: Context, token: Token) -> str:
    """The text of a string that inserts nothing: `{` stands for itself."""
    return "".join(_piece(context, token.start + 1 + m.start(), m) for m in _PIECE.finditer(token.text[1:-1]))


def _piece(context: Context, at: int, match: re.Match[str]) -> str:
    """One run of plain text or one escape."""
    code, escape = match.group(1, 2)
    if code and int(code, 16) <= _LAST_CODE_POINT and not 0xD800 <= int(code, 16) <= 0xDFFF:  # noqa: PLR2004 - surrogates
        return chr(int(code, 16))
    if code or (escape and escape not in _ESCAPES):
        context.damaged = True
        context.report(problems.BadEscape(at=context.span(at, at + len(match.group())), text=match.group()))
        return match.group()
    return _ESCAPES[escape] if escape else match.group()


def text_literal(context: Context, token: Token) -> TextLiteral:
    """A string as its plain parts and inserted expressions."""
    body = token.text[1:-1]
    base = token.start + 1
    parts: list[str | Expr] = []
    text = ""
    at = 0
    while match := _PIECE.match(body, at):
        if match.group() != "{":
            text += _piece(context, base + at, match)
            at = match.end()
            continue
        close = body.find("}", at)
        if close < 0:
            context.damaged = True
            context.report(problems.UnclosedInsertion(at=context.span(base + at, token.end)))
            line_end = context.source.text.find("\n", token.end)
            context.quiet_until = line_end if line_end >= 0 else len(context.source.text)
            break
        if text:
            parts.append(text)
        text = ""
        parts.append(context.inner(context, base + at + 1, base + close))
        at = close + 1
    if text or not parts:
        parts.append(text)
    return TextLiteral(token.start, token.end, tuple(parts))


def string(context: Context, _start: int, _end: int, token: Token) -> Expr:
    return text_literal(context, token)


# operators


def name(_: Context, start: int, end: int, word: Name) -> Expr:
    return NameExpr(start, end, word.text)


def list_(context: Context, start: int, end: int, *items: Expr) -> Expr:
    return context.deepen(ListExpr(start, end, items), *items)


def group(context: Context, _start: int, _end: int, inner: Expr) -> Expr:
    return context.deepen(inner, inner)


def member(context: Context, start: int, end: int, target: Expr, word: Name) -> Expr:
    return context.deepen(Member(start, end, target, word, False), target)


def opt_member(context: Context, start: int, end: int, target: Expr, word: Name) -> Expr:
    return context.deepen(Member(start, end, target, word, True), target)


def apply(context: Context, start: int, end: int, target: Expr, args: Part) -> Expr:
    values: tuple[Argument, ...] = args.value
    return context.deepen(Apply(start, end, target, values), target, *(item.value for item in values))


def index(context: Context, start: int, end: int, target: Expr, at: Expr) -> Expr:
    return context.deepen(Index(start, end, target, at), target, at)


def lambda_(context: Context, start: int, end: int, param: Name, body: Expr) -> Expr:
    return context.deepen(Lambda(start, end, param, body), body)


def cond(context: Context, start: int, end: int, test: Expr, yes: Expr, no: Expr) -> Expr:
    return context.deepen(Cond(start, end, test, yes, no), test, yes, no)


def is_case(context: Context, start: int, end: int, operand: Expr, case: QName) -> Expr:
    return context.deepen(IsExpr(start, end, operand, case), operand)


def is_none(context: Context, start: int, end: int, operand: Expr) -> Expr:
    return context.deepen(IsExpr(start, end, operand, None), operand)


def not_(context: Context, start: int, end: int, operand: Expr) -> Expr:
    return context.deepen(Unary(start, end, "not", operand), operand)


def neg(context: Context, start: int, end: int, operand: Expr) -> Expr:
    return context.deepen(Unary(start, end, "-", operand), operand)


def _binary(op: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the builder of one operator
    def build(context: Context, start: int, end: int, left: Expr, right: Expr) -> Expr:
        return context.deepen(Binary(start, end, op, left, right), left, right)

    return build


or_ = _binary("or")
and_ = _binary("and")
eq = _binary("==")
ne = _binary("!=")
lt = _binary("<")
le = _binary("<=")
gt = _binary(">")
ge = _binary(">=")
contains = _binary("in")
coalesce = _binary("??")
add = _binary("+")
sub = _binary("-")
mul = _binary("*")
div = _binary("/")
