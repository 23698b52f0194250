"""Typed expressions: total and pure. Each carries its type; widening from Int to Decimal is written out."""

from typing import Literal

from wfc.ir.types import Type
from wfc.text.value import Value, value

OpName = Literal[
    "not",
    "neg",
    "or",
    "and",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "??",
    "+",
    "-",
    "*",
    "/",
    "index",
    "decimal",
    "some",
]
RefKind = Literal["param", "local", "var", "const", "secret", "view", "queue", "lambda", "operand", "result", "value"]
MemberName = Literal[
    "map", "filter", "count", "sum", "any", "all", "find", "min", "max", "sortBy", "first", "last", "isEmpty", "keys",
    "values", "length", "lower", "upper", "trim", "contains", "startsWith", "round", "floor", "ceil", "amount", "date",
    "start", "message",
]  # fmt: skip


@value
class Lit(Value):
    """A constant.

    str for Text, Decimal, Money (the amount) and Date, int for Int, and for Duration and Instant in milliseconds, bool,
    or None for `none`.
    """

    type: Type
    value: str | int | bool | None


@value
class Ref(Value):
    """A name that is read.

    `operand` and `result` are the parameters and the answer of an operation, read by its own clauses; `value` is what
    a refinement looks at; `lambda` the parameter of a function around.
    """

    type: Type
    kind: RefKind
    name: str


@value
class Get(Value):
    """A field. With `optional` the target may be `none`, and then so is the value.

    `cases` are the cases of an enum (or the errors of a union) that the target is known to be among.
    """

    type: Type
    target: "Expr"
    name: str
    optional: bool = False
    cases: tuple[str, ...] = ()


@value
class Op(Value):
    """An operator.

    `decimal` turns an Int into a Decimal, `index` is `xs[i]` and `m[k]`, `some` is a `T?` known to be present, as a T.
    """

    type: Type
    op: OpName
    args: tuple["Expr", ...]


@value
class Member(Value):
    """A built-in member of a value: list functions, parts of texts and numbers, the message of an error.

    `args` holds what stands in the parentheses, a `Fn` for the list functions. With `optional` as for `Get`.
    """

    type: Type
    name: MemberName
    target: "Expr"
    args: tuple["Expr", ...] = ()
    optional: bool = False


@value
class Apply(Value):
    """A call of a pure function of the machine."""

    type: Type
    name: str
    args: tuple["Expr", ...]


@value
class New(Value):
    """A record, a case of an enum, an error or an event, with all its fields in order of declaration.

    `case` names the case of an enum and is empty otherwise.
    """

    type: Type
    case: str
    fields: tuple[tuple[str, "Expr"], ...]


@value
class Is(Value):
    """Asks for the form of a value: a case of an enum, an error, or `none`."""

    type: Type
    target: "Expr"
    kind: Literal["case", "error", "none"]
    name: str = ""


@value
class If(Value):
    """`if test then yes else no`."""

    type: Type
    test: "Expr"
    yes: "Expr"
    no: "Expr"


@value
class Fn(Value):
    """A function of one parameter, the argument of a list function; `type` is that of its body."""

    type: Type
    param: str
    param_type: Type
    body: "Expr"


@value
class Items(Value):
    """`[a, b]`."""

    type: Type
    items: tuple["Expr", ...]


@value
class Interp(Value):
    """A text with inserted values: plain parts are text literals."""

    type: Type
    parts: tuple["Expr", ...]


@value
class Now(Value):
    """The recorded time of the input of this turn."""

    type: Type


@value
class Who(Value):
    """`role("...")`, `person(e)`: who may do a task."""

    type: Type
    kind: Literal["role", "person"]
    name: "Expr"


Expr = Lit | Ref | Get | Op | Member | Apply | New | Is | If | Fn | Items | Interp | Now | Who


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression."""
    match expr:
        case Lit() | Ref() | Now():
            return ()
        case Get(_, target) | Is(_, target):
            return (target,)
        case Op(_, _, args) | Apply(_, _, args):
            return args
        case Member(_, _, target, args, _):
            return (target, *args)
        case New(_, _, fields):
            return tuple(item for _, item in fields)
        case If(_, test, yes, no):
            return (test, yes, no)
        case Fn(_, _, _, body):
            return (body,)
        case Items(_, items) | Interp(_, items):
            return items
        case Who(_, _, name):
            return (name,)


def walk(expr: Expr) -> list[Expr]:
    """An expression and all its parts, outside in."""
    found = [expr]
    for item in found:
        found.extend(children(item))
    return found
