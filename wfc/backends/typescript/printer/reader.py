"""Reads the TypeScript that we write: expressions and types as nodes.

It knows the forms that the rest of this backend writes, and no others. Where they are written on one line or on several
makes no difference, but that an object whose first property stands on a line of its own keeps that, as prettier has it.
"""

import re
from abc import ABC, abstractmethod

from wfc.backends.typescript.printer.nodes import (
    Array,
    Arrow,
    Assign,
    Await,
    Binary,
    Block,
    Call,
    Cast,
    Conditional,
    Definition,
    Expression,
    Field,
    Index,
    Items,
    Literal,
    Member,
    Members,
    Method,
    Modified,
    Name,
    New,
    NonNull,
    Object,
    Param,
    Property,
    Reference,
    Shape,
    Signature,
    Spread,
    Template,
    Unary,
    Union,
    Word,
)
from wfc.text.doc import HARD, Doc, join

_TOKEN = re.compile(
    r"""([ \n]*)(?:
    (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<sign>=>|\.\.\.|\?\?|\?\.|===|!==|<=|>=|&&|\|\||\+=|[-!{}()\[\]<>;:,.?=|+*])
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>\d[\d_]*(?:\.\d+)?)
    |(?P<template>`)
    |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"[ \n]*(//[^\n]*|/\*.*?\*/)", re.DOTALL)
_IN_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_EMBEDDED = re.compile(r"""(?:[^{}`"'])*""")
STRENGTH = {
    "??": 1, "||": 2, "&&": 3, "===": 8, "!==": 8, "<": 9, "<=": 9, ">": 9, ">=": 9, "+": 11, "-": 11, "*": 12,
}  # fmt: skip
LOGICAL = ("??", "||", "&&")
_CAST = 9
_KEYWORDS = frozenset("string number boolean undefined unknown never void null any object symbol bigint const".split())


class Reader(ABC):
    """Reads one text, a token at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0  # where the token in hand ends
        self.kind = ""
        self.value = ""
        self.start = 0
        self.gap = ""  # what stands between the token in hand and the one before
        self.next()

    @abstractmethod
    def block(self) -> Doc:
        """Statements in braces."""

    # -- tokens

    def next(self) -> str:
        """Goes on to the next token, and gives the text of the last."""
        last = self.value
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            if (comment := _COMMENT.match(self.text, self.at)) is None:
                raise ValueError(f"not TypeScript that we write: {self.text[self.at : self.at + 80]!r}")
            self.kind, self.value, self.start, self.at = "comment", comment[1], comment.start(1), comment.end()
            self.gap = self.text[comment.start() : self.start]
            return last
        kind = found.lastgroup or ""
        self.kind, self.value, self.gap = kind, found[kind], found[1]
        self.start, self.at = found.start(kind), found.end()
        if kind == "template":
            self.at = self._end_of_template(self.at)
            self.value = self.text[self.start : self.at]
        return last

    def _end_of_template(self, at: int) -> int:
        while True:
            at = _end(_IN_TEMPLATE, self.text, at)
            if self.text[at] == "`":
                return at + 1
            at = self._end_of_embedded(at + 2)

    def _end_of_embedded(self, at: int) -> int:
        depth = 1
        while depth:
            at = _end(_EMBEDDED, self.text, at)
            letter = self.text[at]
            if letter in "{}":
                depth += 1 if letter == "{" else -1
                at += 1
            elif letter == "`":
                at = self._end_of_template(at + 1)
            else:
                found = _TOKEN.match(self.text, at)
                assert found is not None
                at = found.end()
        return at

    def ahead(self) -> str:
        """The token behind the one in hand, if it is a name or a sign."""
        found = _TOKEN.match(self.text, self.at)
        return found[found.lastgroup or ""] if found is not None else ""

    def sees(self, sign: str) -> bool:
        """Whether the token in hand is this sign or word."""
        return self.value == sign and self.kind in ("sign", "name")

    def takes(self, sign: str) -> bool:
        """Goes on if the token in hand is this."""
        if self.sees(sign):
            self.next()
            return True
        return False

    def expect(self, sign: str) -> None:
        """Goes on over what must stand here."""
        if not self.takes(sign):
            near = self.text[max(0, self.start - 40) : self.start + 40]
            raise ValueError(f"not TypeScript that we write: {sign!r} is missing in {near!r}")

    def comments(self) -> Doc:
        """The comments in front of something, each on lines of its own."""
        found: list[Doc] = []
        while self.kind == "comment":
            found += [
                *join(HARD, (line.lstrip() if i == 0 else f" {line.lstrip()}" for i, line in self._lines())),
                HARD,
            ]
            self.next()
            if self.gap.count("\n") > 1:
                found.append(HARD)
        return found

    def _lines(self) -> list[tuple[int, str]]:
        return list(enumerate(self.value.split("\n")))

    @property
    def on_new_line(self) -> bool:
        """Whether the token in hand begins a line."""
        return "\n" in self.gap

    @property
    def after_gap(self) -> bool:
        """Whether an empty line stands before the token in hand."""
        return self.gap.count("\n") > 1

    # -- expressions

    def expression(self) -> Expression:
        """Any expression."""
        left = self._binary(0)
        if self.sees("?"):
            self.next()
            yes = self.expression()
            self.expect(":")
            return Conditional(left, yes, self.expression())
        if self.sees("=") or self.sees("+="):
            return Assign(left, self.next(), self.expression())
        return left

    def _binary(self, least: int) -> Expression:
        left = self._unary()
        while True:
            if self.kind == "name" and self.value in ("as", "satisfies") and least <= _CAST:
                left = Cast(left, self.next(), self.type())
                continue
            strength = STRENGTH.get(self.value, 0) if self.kind == "sign" else 0
            if strength <= least:
                return left
            left = _balanced(self.next(), left, self._binary(strength))

    def _unary(self) -> Expression:
        if self.kind == "sign" and self.value in "!-":
            return Unary(self.next(), self._unary())
        if self.sees("await"):
            self.next()
            return Await(self._unary())
        return self._postfix(self._primary())

    def _postfix(self, found: Expression) -> Expression:
        while self.kind == "sign":
            sign = self.value
            if sign == ".":
                self.next()
                found = Member(found, self.next(), ".")
            elif sign == "(":
                found = Call(found, (), self._args(), "")
            elif sign == "[" and not self.on_new_line:
                found = self._index(found, "")
            elif sign == "?.":
                self.next()
                found = self._index(found, "?.") if self.sees("[") else Member(found, self.next(), "?.")
            elif sign == "<" and not self.gap and isinstance(found, Name | Member):
                types = self._type_arguments()
                found = Call(found, types, self._args(), "")
            elif sign == "!" and not self.gap:
                self.next()
                found = NonNull(found)
            else:
                break
        return found

    def _index(self, found: Expression, mark: str) -> Expression:
        self.expect("[")
        at = self.expression()
        self.expect("]")
        return Index(found, at, mark)

    def _args(self) -> tuple[Expression, ...]:
        self.expect("(")
        return self._list(")")

    def _list(self, end: str) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while not self.sees(end):
            found.append(Spread(self.expression()) if self.takes("...") else self.expression())
            if not self.takes(","):
                break
        self.expect(end)
        return tuple(found)

    def _primary(self) -> Expression:
        if self.kind in ("text", "number"):
            kind = self.kind
            return Literal(kind, self.next())
        if self.kind == "template":
            return Template(self.next())
        if self.kind == "name":
            return self._named()
        if self.takes("["):
            return Array(self._list("]"))
        if self.sees("{"):
            return self._object()
        if self.sees("<") or self._begins_arrow():
            return self._arrow("")
        self.expect("(")
        inside = self.expression()
        self.expect(")")
        return inside

    def _named(self) -> Expression:
        if self.value == "async" and self.ahead() == "(":
            return self._arrow(f"{self.next()} ")
        if self.value == "new":
            self.next()
            callee = Name(self.next())
            types = self._type_arguments() if self.sees("<") else ()
            return New(callee, types, self._args())
        name = self.next()
        return Literal("boolean", name) if name in ("true", "false") else Name(name)

    def _begins_arrow(self) -> bool:
        """Whether a parenthesis holds parameters: we never write a lone name in parentheses."""
        first = _TOKEN.match(self.text, self.at)
        if first is None:
            return False
        if first["sign"] == ")":
            return True
        if not first["name"]:
            return False
        then = _TOKEN.match(self.text, first.end())
        return then is not None and then["sign"] in (":", ",", ")")

    def _arrow(self, head: str) -> Expression:
        generics = ""
        if self.sees("<"):
            names = self._type_arguments()
            generics = f"<{', '.join(name.name for name in names if isinstance(name, Reference))}>"
        params = self.params()
        result = self.type() if self.takes(":") else None
        self.expect("=>")
        if self.sees("{"):
            return Arrow(head, generics, params, result, Block(self.block()))
        return Arrow(head, generics, params, result, self.expression())

    def params(self) -> tuple[Param, ...]:
        """Parameters in parentheses."""
        self.expect("(")
        found: list[Param] = []
        while not self.sees(")"):
            name = f"{'...' if self.takes('...') else ''}{self.next()}"
            if self.takes("?"):
                name += "?"
            found.append(Param(name, self.type() if self.takes(":") else None))
            if not self.takes(","):
                break
        self.expect(")")
        return tuple(found)

    def _object(self) -> Object:
        self.expect("{")
        is_open = self.on_new_line
        found: list[Property | Definition | Spread] = []
        while not self.sees("}"):
            gap = self.after_gap and bool(found)
            above = self.comments()
            if self.takes("..."):
                found.append(Spread(self.expression()))
            else:
                found.append(self._property(above, gap=gap))
            if not self.takes(","):
                break
        self.expect("}")
        return Object(tuple(found), is_open)

    def _property(self, above: Doc, *, gap: bool) -> Property | Definition:
        if self.takes("["):
            key = f"[{self.next()}]"
            self.expect("]")
        else:
            key = self.next()
        if self.sees("("):
            return Definition(above, key, self.params(), self.block(), gap)
        return Property(above, key, self.expression() if self.takes(":") else None, gap)

    # -- types

    def type(self) -> Shape:
        """Any type."""
        self.takes("|")
        found: list[tuple[Doc, Shape]] = []
        while True:
            above = self.comments()
            self.takes("|")
            found.append((above, self._item_type()))
            if self.kind == "comment":
                continue
            if not self.takes("|"):
                break
        return found[0][1] if len(found) == 1 and not found[0][0] else Union(tuple(found))

    def _item_type(self) -> Shape:
        found = self._plain_type()
        while self.sees("[") and not self.gap:
            self.next()
            self.expect("]")
            found = Items(found)
        return found

    def _plain_type(self) -> Shape:
        if self.kind in ("text", "number"):
            return Word(self.next())
        if self.sees("("):
            return self._in_parentheses()
        if self.sees("{"):
            return self.members()
        name = self.next()
        if name in ("readonly", "keyof", "typeof") and self.kind in ("name", "sign") and self.value not in ";,)>":
            return Modified(name, self._item_type())
        if name in _KEYWORDS:
            return Word(name)
        while self.takes("."):
            name = f"{name}.{self.next()}"
        return Reference(name, self._type_arguments() if self.sees("<") else ())

    def _in_parentheses(self) -> Shape:
        if self._begins_arrow():
            params = self.params()
            self.expect("=>")
            return Signature(params, self.type())
        self.expect("(")
        inside = self.type()
        self.expect(")")
        return inside

    def _type_arguments(self) -> tuple[Shape, ...]:
        self.expect("<")
        found = [self.type()]
        while self.takes(","):
            found.append(self.type())
        self.expect(">")
        return tuple(found)

    def members(self) -> Members:
        """Members in braces, as of an interface."""
        self.expect("{")
        is_open = self.on_new_line
        found: list[Field | Method] = []
        while not self.sees("}"):
            gap = self.after_gap and bool(found)
            above = self.comments()
            found.append(self._member(above, gap=gap))
            if not self.takes(";"):
                break
        self.expect("}")
        return Members(tuple(found), is_open)

    def _member(self, above: Doc, *, gap: bool) -> Field | Method:
        name = self.next()
        if name == "readonly" and self.value not in (":", "?", "("):
            name += f" {self.next()}"
        if self.sees("("):
            params = self.params()
            self.expect(":")
            return Method(above, name, params, self.type(), gap)
        if self.takes("?"):
            name += "?"
        self.expect(":")
        return Field(above, name, self.type(), gap)


def _balanced(sign: str, left: Expression, right: Expression) -> Binary:
    """Two operands; `a || (b || c)` is `a || b || c`, since it means the same."""
    if sign in LOGICAL and isinstance(right, Binary) and right.sign == sign:
        return Binary(sign, _balanced(sign, left, right.left), right.right)
    return Binary(sign, left, right)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at
