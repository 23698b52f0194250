"""Chains of members and calls: what belongs together on a line when `a.b(..).c(..)` is broken."""

import re
from typing import NamedTuple

from wfc.backends.typescript.printer.nodes import (
    Array,
    Arrow,
    Call,
    Expression,
    Index,
    Literal,
    Member,
    Name,
    New,
    NonNull,
    Object,
    Property,
    Template,
    Unary,
)

_FACTORY = re.compile(r"[A-Z]|[$_]+$")
_EMBEDDED = re.compile(r"\$\{([^{}]*)\}")
_SIMPLE = re.compile(r"!?[\w.]+(?:\([\w.]*\))?")
TAB = 2
TWO = 2


class Chain(NamedTuple):
    """The links of a chain in groups, the first of which stands at its head."""

    groups: tuple[tuple[Expression, ...], ...]
    merged: bool  # whether the second group stands at the head too

    @property
    def short(self) -> bool:
        """Whether there is nothing to break at."""
        return len(self.groups) <= (3 if self.merged else 2)


def chain_of(call: Call, *, is_statement: bool) -> Chain:
    """The chain that ends with a call of a member."""
    links = _links(call)
    at = 1
    while at < len(links) and (_goes_along(links[at])):
        at += 1
    if not isinstance(links[0], Call):
        while at + 1 < len(links) and _is_member(links[at]) and _is_member(links[at + 1]):
            at += 1
    groups = [tuple(links[:at]), *_groups(links[at:])]
    merged = len(groups) > 1 and _stays(groups, is_statement=is_statement)
    return Chain(tuple(groups), merged)


def _links(call: Call) -> list[Expression]:
    found: list[Expression] = [call]
    each: Expression = call.callee
    while True:
        found.append(each)
        if isinstance(each, Call) and isinstance(each.callee, Member | Index | Call):
            each = each.callee
        elif isinstance(each, Member | Index):
            each = each.of
        elif isinstance(each, NonNull):
            each = each.value
        else:
            return found[::-1]


def _is_member(link: Expression) -> bool:
    return isinstance(link, Member | Index)


def _by_number(link: Expression) -> bool:
    return isinstance(link, Index) and isinstance(link.at, Literal) and link.at.kind == "number"


def _goes_along(link: Expression) -> bool:
    return isinstance(link, NonNull | Call) or _by_number(link)


def _groups(links: list[Expression]) -> list[tuple[Expression, ...]]:
    found: list[tuple[Expression, ...]] = []
    current: list[Expression] = []
    called = False
    for link in links:
        if called and _is_member(link):
            if _by_number(link):
                current.append(link)
                continue
            found.append(tuple(current))
            current, called = [], False
        called = called or isinstance(link, Call)
        current.append(link)
    if current:
        found.append(tuple(current))
    return found


def _stays(groups: list[tuple[Expression, ...]], *, is_statement: bool) -> bool:
    """Whether the head is so short, or so much a maker of things, that the first call stays with it."""
    computed = isinstance(groups[1][0], Index)
    head = groups[0]
    if len(head) == 1:
        first = head[0]
        if not isinstance(first, Name):
            return False
        short = is_statement and len(first.text) <= TAB
        return first.text == "this" or _FACTORY.match(first.text) is not None or short or computed
    last = head[-1]
    return isinstance(last, Member) and (_FACTORY.match(last.name) is not None or computed)


def is_simple(node: Expression, depth: int = 2) -> bool:
    """Whether an argument is so simple that a chain with it may stay on one line."""
    if depth <= 0:
        return False
    match node:
        case NonNull(value):
            return is_simple(value, depth)
        case Literal() | Name():
            return True
        case Template(text):
            return all(_SIMPLE.fullmatch(part) for part in _EMBEDDED.findall(text)) and text.count("${") == len(
                _EMBEDDED.findall(text)
            )
        case Object(items):
            return all(isinstance(each, Property) and _simple_property(each, depth) for each in items)
        case Array(items):
            return all(is_simple(each, depth - 1) for each in items)
        case Call(callee, _, args) | New(callee, _, args):
            return is_simple(callee, depth) and len(args) <= depth and all(is_simple(each, depth - 1) for each in args)
        case Member(of):
            return is_simple(of, depth)
        case Index(of, at):
            return is_simple(of, depth) and is_simple(at, depth)
        case Unary(_, value):
            return is_simple(value, depth)
        case _:
            return False


def _simple_property(each: Property, depth: int) -> bool:
    return not each.key.startswith("[") and (each.value is None or is_simple(each.value, depth - 1))


def composes(args: tuple[Expression, ...]) -> bool:
    """Whether arguments are functions put together, each of which wants a line of its own."""
    if len(args) < TWO:
        return False
    count = 0
    for each in args:
        if isinstance(each, Arrow):
            count += 1
            if count > 1:
                return True
        elif isinstance(each, Call) and any(isinstance(inner, Arrow) for inner in each.args):
            return True
    return False
