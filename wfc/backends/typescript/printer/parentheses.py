"""Where an expression stands in parentheses: where it must, and where people would ask which binds first."""

from wfc.backends.typescript.printer.nodes import (
    Arrow,
    Assign,
    Await,
    Binary,
    Call,
    Cast,
    Conditional,
    Expression,
    Index,
    Member,
    New,
    NonNull,
    Spread,
    Unary,
)
from wfc.backends.typescript.printer.reader import LOGICAL, STRENGTH


def flattens(outer: str, inner: str) -> bool:
    """Whether operators of one strength are written one after another."""
    return STRENGTH[outer] == STRENGTH[inner] and outer not in ("===", "!==")


def needs(node: Expression, parent: Expression | None) -> bool:
    """Whether an expression stands in parentheses inside another."""
    if parent is None or not isinstance(node, Arrow | Conditional | Binary | Cast | Await | Unary | Assign):
        return False
    if isinstance(parent, Member | Index | NonNull) and _is_head(node, parent):
        return True
    if isinstance(parent, Call | New) and parent.callee is node:
        return True
    match node:
        case Unary(sign):
            return isinstance(parent, Unary) and parent.sign == sign == "-"
        case Await():
            test = isinstance(parent, Conditional) and parent.test is node
            return test or isinstance(parent, Unary | Binary | Spread | Cast)
        case Arrow() | Conditional():
            test = isinstance(parent, Conditional) and parent.test is node
            spread = isinstance(node, Conditional) and isinstance(parent, Spread)
            return test or spread or isinstance(parent, Unary | Binary | Await | Cast)
        case Cast():
            return isinstance(parent, Conditional | Spread | Await | Unary | Binary)
        case Binary():
            return _binary(node, parent)
        case Assign():
            return not isinstance(parent, Assign)


def _is_head(node: Expression, parent: "Member | Index | NonNull") -> bool:
    return parent.value is node if isinstance(parent, NonNull) else parent.of is node


def _binary(node: Binary, parent: Expression) -> bool:
    match parent:
        case Binary(outer):
            if outer in LOGICAL and node.sign in LOGICAL:
                return outer != node.sign
            if STRENGTH[outer] != STRENGTH[node.sign]:
                return STRENGTH[outer] > STRENGTH[node.sign]
            return parent.right is node or not flattens(outer, node.sign)
        case Conditional():
            return node.sign == "??"
        case _:
            return isinstance(parent, Cast | Spread | Await | Unary)
