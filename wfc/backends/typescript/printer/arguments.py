"""Arguments of a call: which of them may begin on the line of the call when it is broken."""

from wfc.backends.typescript.printer.chains import is_simple
from wfc.backends.typescript.printer.nodes import (
    Array,
    Arrow,
    Binary,
    Block,
    Call,
    Cast,
    Conditional,
    Expression,
    Literal,
    Members,
    Name,
    New,
    NonNull,
    Object,
    Reference,
    Template,
    Unary,
    Union,
)
from wfc.backends.typescript.printer.shapes import hugs

WIDTH = 100  # of a line; all else of the layout is prettier's default
_SHORT = WIDTH // 4  # a lone argument up to this is no reason to break a call
_TWO = 2


def is_short(node: Expression) -> bool:
    """Whether a lone argument is no reason to break its call."""
    match node:
        case Name(text):
            return len(text) <= _SHORT
        case Literal(kind, text):
            return kind != "text" or len(text) <= _SHORT
        case Template(text):
            return "${" not in text and len(text) - 2 <= _SHORT
        case Unary(_, value):
            return is_short(value)
        case Call(Name(text), _, ()):
            return len(text) <= _SHORT - 2
        case _:
            return False


def is_concise(items: tuple[Expression, ...]) -> bool:
    """Whether a list holds numbers only: those fill its lines."""
    numbers = (each.value if isinstance(each, Unary) and each.sign == "-" else each for each in items)
    return all(isinstance(each, Literal) and each.kind == "number" for each in numbers)


def _could_expand(node: Expression | Block, *, inner: bool = False) -> bool:
    match node:
        case Object(items) | Array(items):
            return bool(items)
        case Cast(value):
            return _could_expand(value)
        case Arrow():
            body = node.body
            if isinstance(body, Block | Object | Array):
                return True
            if isinstance(body, Arrow) and _could_expand(body, inner=True):
                return True
            while isinstance(body, NonNull):
                body = body.value
            return not inner and isinstance(body, Conditional | Call)
        case _:
            return False


def expands_last(args: tuple[Expression, ...]) -> bool:
    """Whether the last argument stays on the line of the call, all others too."""
    last = args[-1]
    if not _could_expand(last):
        return False
    if len(args) < _TWO:
        return True
    before = args[-2]
    if type(before) is type(last) or (isinstance(last, Array) and is_concise(last.items)):
        return False
    return not (len(args) == _TWO and isinstance(before, Arrow) and isinstance(last, Array))


def expands_first(args: tuple[Expression, ...]) -> bool:
    """Whether the first of two arguments stays on the line of the call, and the other follows its end."""
    if len(args) != _TWO:
        return False
    first, second = args
    if not (isinstance(first, Arrow) and isinstance(first.body, Block)):
        return False
    return not isinstance(second, Arrow | Conditional) and _is_hopefully_short(second) and not _could_expand(second)


def _is_hopefully_short(node: Expression) -> bool:
    match node:
        case Cast(value, _, kind):
            if isinstance(kind, Reference) and len(kind.args) == 1:
                kind = kind.args[0]
            return hugs(kind) and not isinstance(kind, Union | Members) and is_simple(value, 1)
        case Binary(_, left, right):
            return is_simple(left, 1) and is_simple(right, 1)
        case Call() | New():
            return len(node.args) <= 1 and is_simple(node)
        case _:
            return is_simple(node)
