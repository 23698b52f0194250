"""The base of the syntax tree: nodes, names, expressions, written types, and the pieces that declarations share."""

from itertools import count

from wfc.text.value import Value, field, value

_next_id = count().__next__


@value
class Node(Value):
    """Base of all nodes: where it stands, and a number of its own."""

    start: int = field(eq=False)
    end: int = field(eq=False)
    id: int = field(factory=_next_id, init=False, eq=False)


# names


@value
class Token(Node):
    """A word, number or string as written."""

    kind: str
    text: str


@value
class Name(Node):
    """An identifier."""

    text: str


@value
class QName(Node):
    """One or more identifiers with dots between."""

    parts: tuple[Name, ...]

    @property
    def text(self) -> str:
        """As written, without white space."""
        return ".".join(part.text for part in self.parts)

    @property
    def last(self) -> Name:
        """The last identifier."""
        return self.parts[-1]


# expressions


@value
class Expr(Node):
    """Base of expressions."""


@value
class Plain(Expr):
    """A number, duration, amount, truth value or `none`, by kind and as written."""

    kind: str
    text: str


@value
class TextLiteral(Expr):
    """A string: plain parts (unescaped) and inserted expressions in turn."""

    parts: tuple["str | Expr", ...]


@value
class NameExpr(Expr):
    """A name that is read."""

    text: str


@value
class Member(Expr):
    """`target.name`, or `target?.name` when optional."""

    target: Expr
    name: Name
    optional: bool


@value
class Argument(Node):
    """An argument, by position or by name."""

    name: Name | None
    value: Expr


@value
class Apply(Expr):
    """`target(arguments)`."""

    target: Expr
    args: tuple[Argument, ...]


@value
class Index(Expr):
    """`target[index]`."""

    target: Expr
    index: Expr


@value
class Unary(Expr):
    """`not` and `-`."""

    op: str
    operand: Expr


@value
class Binary(Expr):
    """Two operands with `or and == != < <= > >= in ?? + - * /` between."""

    op: str
    left: Expr
    right: Expr


@value
class IsExpr(Expr):
    """`operand is Case`, or `operand is none` without a case."""

    operand: Expr
    case: QName | None


@value
class Cond(Expr):
    """`if test then yes else no`."""

    test: Expr
    yes: Expr
    no: Expr


@value
class Lambda(Expr):
    """`param => body`."""

    param: Name
    body: Expr


@value
class ListExpr(Expr):
    """`[items]`."""

    items: tuple[Expr, ...]


@value
class ErrorExpr(Expr):
    """Stands where no expression could be read; a problem has been reported."""


# types


@value
class TypeRef(Node):
    """A named type with its arguments."""

    name: QName
    args: tuple["TypeExpr", ...]


@value
class OptionalType(Node):
    """`T?`."""

    inner: "TypeExpr"


@value
class ActivityType(Node):
    """`activity(A, B) -> R`."""

    params: tuple["TypeExpr", ...]
    result: "TypeExpr"


TypeExpr = TypeRef | OptionalType | ActivityType


# pieces of declarations


@value
class Annotation(Node):
    """`@name(arguments)`."""

    name: Name
    args: tuple[Argument, ...]


@value
class Field(Node):
    """A field of a record, or a parameter."""

    annotations: tuple[Annotation, ...]
    name: Name
    type: TypeExpr
    default: Expr | None
    where: Expr | None
    doc: str


@value
class Decl(Node):
    """Base of declarations: a name and the doc comment before it."""

    name: Name
    doc: str


@value
class PolicyRef(Node):
    """A policy by name, with arguments."""

    name: QName
    args: tuple[Argument, ...]


@value
class PolicyItem(Node):
    """One line of a policy. Which values there are depends on the kind:

    timeout (t), overall (t), try (n, or none for ever), backoff (base, factor, max), jitter, breaker (n, t, p),
    limit (n, t), concurrency, heartbeat; `only`, `except` and `exhausted` have names and, for exhausted, a word:
    `fail`, `dead letter` or `park`.
    """

    kind: str
    values: tuple[Expr | None, ...] = ()
    names: tuple[QName, ...] = ()
    word: str = ""
