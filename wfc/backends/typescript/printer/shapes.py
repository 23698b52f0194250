"""Types as documents."""

from wfc.backends.typescript.printer.nodes import (
    Field,
    Items,
    Members,
    Method,
    Modified,
    Param,
    Reference,
    Shape,
    Signature,
    Union,
    Word,
)
from wfc.text.doc import HARD, LINE, SOFT, Align, Doc, Group, IfBreak, Indent, join


def shape(kind: Shape, *, indented: bool = True) -> Doc:
    """A type; a union stands deeper when it breaks, unless what is around it sees to that."""
    match kind:
        case Word(text):
            return text
        case Reference(name, args):
            return [name, arguments(args)] if args else name
        case Items(of):
            return [["(", shape(of), ")"] if _in_parentheses(of) else shape(of), "[]"]
        case Modified(word, of):
            return [f"{word} ", shape(of)]
        case Members(items, is_open):
            return members(items, broken=is_open)
        case Signature(params, result):
            return Group([parameters(params), " => ", shape(result)])
        case Union():
            return _union(kind, indented=indented)


def _in_parentheses(kind: Shape) -> bool:
    return isinstance(kind, Union | Signature | Modified)


def hugs(kind: Shape) -> bool:
    """Whether a type needs no line of its own inside what it stands in."""
    if isinstance(kind, Word | Members) or (isinstance(kind, Reference) and not kind.args):
        return True
    return isinstance(kind, Union) and union_hugs(kind)


def union_hugs(kind: Union) -> bool:
    """Whether all of a union but one object is nothing."""
    types = [each for _, each in kind.types]
    likely = next((each for each in types if isinstance(each, Members | Reference)), None)
    if likely is None or any(above for above, _ in kind.types):
        return False
    return all(each is likely or (isinstance(each, Word) and each.text in ("void", "null")) for each in types)


def _union(kind: Union, *, indented: bool) -> Doc:
    if union_hugs(kind):
        return join(" | ", (shape(each) for _, each in kind.types))
    parts: list[Doc] = []
    for above, each in kind.types:
        bar: Doc = [LINE, above, "| "] if parts else [above, "| "] if above else IfBreak("| ")
        shown = shape(each)
        parts.append([bar, Align(2, ["(", shown, ")"] if isinstance(each, Signature) else shown)])
    printed = Group(parts)
    return Group(Indent([SOFT, printed])) if indented else printed


def arguments(args: tuple[Shape, ...]) -> Doc:
    """Type arguments."""
    if len(args) == 1 and hugs(args[0]):
        return ["<", shape(args[0]), ">"]
    shown = join([",", LINE], (shape(each, indented=False) for each in args))
    return Group(["<", Indent([SOFT, shown]), SOFT, ">"])


def parameter(given: Param) -> Doc:
    """A parameter with its type."""
    return given.name if given.type is None else [given.name, ": ", shape(given.type)]


def parameters(params: tuple[Param, ...]) -> Doc:
    """Parameters in parentheses."""
    if not params:
        return "()"
    if len(params) == 1 and isinstance(params[0].type, Members):
        return ["(", parameter(params[0]), ")"]
    rest = params[-1].name.startswith("...")
    shown = join([",", LINE], (parameter(each) for each in params))
    return ["(", Indent([SOFT, *shown]), "" if rest else IfBreak(","), SOFT, ")"]


def signature(params: tuple[Param, ...], result: Shape | None) -> list[Doc]:
    """Parameters and the type of what is given back; those break first."""
    shown = parameters(params)
    grouped = len(params) == 1 and isinstance(result, Members)
    return [Group(shown) if grouped else shown, "" if result is None else [": ", shape(result)]]


def members(items: tuple[Field | Method, ...], *, broken: bool) -> Doc:
    """Members in braces."""
    if not items:
        return "{}"
    parts: list[Doc] = []
    for each in items:
        if parts:
            parts += [";", LINE]
            if each.gap:
                parts.append(HARD)
        parts.append([each.above, _member(each)])
    return Group(["{", Indent([LINE, *parts]), IfBreak(";"), LINE, "}"], broken=broken)


def _member(each: Field | Method) -> Doc:
    if isinstance(each, Field):
        return [each.name, ": ", shape(each.type)]
    shown = parameters(each.params)
    grouped = len(each.params) == 1 and isinstance(each.result, Members)
    return Group([each.name, Group(shown) if grouped else shown, Group([": ", shape(each.result)])])
