"""What all builders share: the text, the problems, the doc comments, and small parts that rules hand upward."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from wfc import problems
from wfc.problems.problem import Reporter
from wfc.syntax.nodes import (
    ActivityType,
    Annotation,
    Block,
    ErrorExpr,
    Expr,
    Goto,
    Name,
    Node,
    OptionalType,
    Token,
    TypeExpr,
    TypeRef,
)
from wfc.syntax.tokens import NAME
from wfc.text.source import SourceFile, Span
from wfc.text.value import value

N = TypeVar("N")
MAX_DEPTH = 400  # of one expression; what comes after recurses
_KINDS = ("NAME", "STRING", "INT", "DECIMAL", "DURATION", "MONEY", "PERCENT")
Inner = Callable[["Context", int, int], Expr]


@value
class Part(Node):
    """An optional piece that a rule hands to the rule above: `as x`, `key e`, ... by kind."""

    kind: str
    value: Any


class Context:
    """One parse: its source, where problems go, doc comments by offset."""

    def __init__(self, source: SourceFile, report: Reporter, inner: Inner) -> None:
        self.source = source
        self.report = report
        self.inner = inner
        self.docs: dict[int, str] = {}
        self.strays: list[Annotation] = []
        self.damaged = False
        self.mistakes = 0
        self.last_mistake = -9
        self.quiet_until = 0
        self.text_open = False  # a text without its closing quote took the rest of its line, braces included
        self._depths: dict[int, int] = {}

    def span(self, start: int, end: int) -> Span:
        """A place in this source."""
        return Span(self.source, start, end)

    def at(self, node: Node) -> Span:
        """The place of a node."""
        return Span(self.source, node.start, node.end)

    def token(self, term: int, start: int, end: int) -> Node:
        """The value of a token that has one: a name, or the text of a literal."""
        text = self.source.text[start:end]
        return Name(start, end, text) if term == NAME else Token(start, end, _KINDS[term], text)

    def doc(self, start: int) -> str:
        """The doc comment directly before an offset."""
        return self.docs.get(start, "") if self.docs else ""

    def deepen(self, expr: Expr, *children: Expr) -> Expr:
        """Counts how deep an expression is; one that is too deep is reported and replaced."""
        depths = self._depths
        depth = 1 + max((depths.get(child.id, 0) for child in children), default=0)
        if depth > MAX_DEPTH:
            self.damaged = True
            self.report(problems.NestedTooDeep(at=self.span(expr.start, expr.start + 1), limit=MAX_DEPTH))
            return ErrorExpr(expr.start, expr.end)
        depths[expr.id] = depth
        return expr


def of(kind: type[N] | tuple[type[N], ...], args: Iterable[object]) -> tuple[N, ...]:
    """The arguments of a class, in order."""
    return tuple(arg for arg in args if isinstance(arg, kind))


def one(kind: type[N] | tuple[type[N], ...], args: Iterable[object]) -> N | None:
    """The first argument of a class, if there is one."""
    return next((arg for arg in args if isinstance(arg, kind)), None)


def first(kind: type[N] | tuple[type[N], ...], args: Iterable[object]) -> N:
    """The first argument of a class; the grammar promises that there is one."""
    return next(arg for arg in args if isinstance(arg, kind))


def written_type(args: Iterable[object]) -> TypeExpr:
    """The type among the arguments; the grammar promises that there is one."""
    return next(arg for arg in args if isinstance(arg, TypeRef | OptionalType | ActivityType))


def tail(args: Iterable[object]) -> Goto | Block:
    """The arrow or block among the arguments."""
    return next(arg for arg in args if isinstance(arg, Goto | Block))


def part(kind: str, args: Iterable[object]) -> Any:  # noqa: ANN401 - the kind says what it holds
    """The value of the part of a kind, or None."""
    return next((arg.value for arg in args if isinstance(arg, Part) and arg.kind == kind), None)
