"""Expressions as documents, with the places where prettier breaks them.

Each function does what the one of prettier's `src/language-js/print` does for the same form: `assignment.js`,
`call-arguments.js`, `member-chain.js`, `arrow-function.js`, `binaryish.js`, `ternary-old.js`, `object.js`, `array.js`.
"""

from wfc.backends.typescript.printer import chains
from wfc.backends.typescript.printer.arguments import expands_first, expands_last, is_concise, is_short
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
    Index,
    Literal,
    Member,
    Members,
    Name,
    New,
    NonNull,
    Object,
    Property,
    Shape,
    Spread,
    Template,
    Unary,
    Union,
)
from wfc.backends.typescript.printer.parentheses import flattens, needs
from wfc.backends.typescript.printer.reader import LOGICAL
from wfc.backends.typescript.printer.shapes import arguments, parameters, shape, signature
from wfc.text.doc import (
    BREAK,
    HARD,
    LINE,
    SOFT,
    Align,
    Doc,
    Fill,
    Group,
    IfBreak,
    Indent,
    IndentIfBreak,
    breaks,
    choice,
    columns,
    join,
    without_lines,
)

_KEY = chains.TAB + 3  # a key shorter than this gains nothing from a value on the next line


class Printer:
    """Prints one statement. What is around an expression decides about some of its lines, so the way to it is kept."""

    def __init__(self) -> None:
        self._around: list[Expression | str] = []
        self._known: dict[int, Doc] = {}

    def root(self, node: Expression, place: str) -> Doc:
        """An expression that stands in a statement: `place` says where."""
        self._around.append(place)
        found = self.show(node)
        self._around.pop()
        return found

    def declared(self, left: Doc, value: Expression, place: str) -> Doc:
        """A declared name and its value; `place` is `complex` where its type is rather broken than the value."""
        self._around.append(place)
        found = self.assigned(place, left, " =", value)
        self._around.pop()
        return found

    def show(self, node: Expression) -> Doc:
        """An expression in what is around it, in parentheses where it needs them."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = self._made(node)
        return known

    def _made(self, node: Expression, *, last: bool = False, layout: str = "") -> Doc:
        parent = self._around[-1]
        self._around.append(node)
        found = self._form(node, last=last, layout=layout)
        self._around.pop()
        return ["(", found, ")"] if not isinstance(parent, str) and needs(node, parent) else found

    def _form(self, node: Expression, *, last: bool, layout: str) -> Doc:
        match node:
            case Name(text) | Literal(_, text) | Template(text):
                return text
            case Member() | Index():
                return self._member(node)
            case Call():
                return self._call(node)
            case New(callee, types, args):
                return ["new ", self.show(callee), arguments(types) if types else "", self._args(args)]
            case Arrow():
                return self._arrow(node, last=last, layout=layout)
            case Object():
                return self._object(node)
            case Array():
                return self._array(node)
            case Spread(value):
                return ["...", self.show(value)]
            case Unary(sign, value):
                return [sign, self.show(value)]
            case Await(value):
                return self._await(value)
            case Binary():
                return self._binary(node)
            case Conditional():
                return self._conditional(node)
            case Cast(value, word, kind):
                return [self.show(value), f" {word} ", shape(kind)]
            case NonNull(value):
                return [self.show(value), "!"]
            case Assign(target, sign, value):
                return self.assigned(node, self.show(target), f" {sign}", value)

    def _parent(self, level: int = 1) -> Expression | str:
        """What is around the expression in hand."""
        at = len(self._around) - 1 - level
        return self._around[at] if at >= 0 else ""

    # -- assignments

    def assigned(self, node: Expression | Property | str, left: Doc, sign: str, value: Expression) -> Doc:
        """Something and its value, with the place where that may go to the next line."""
        match self._layout(node, left, value):
            case "below":
                return Group([Group(left), sign, Group(Indent([LINE, self._valued(value, "below")]))])
            case "beside":
                return Group([Group(left), sign, " ", self._valued(value, "beside")])
            case "left":
                return Group([left, sign, " ", Group(self._valued(value, "left"))])
            case "tail":
                return [Group(left), sign, Indent([LINE, self._valued(value, "tail")])]
            case _:
                line = Group(Indent(LINE))
                return Group([Group(left), sign, line, IndentIfBreak(self._valued(value, "fluid"), line)])

    def _valued(self, value: Expression, layout: str) -> Doc:
        return self._made(value, layout=layout)

    def _layout(self, node: Expression | Property | str, left: Doc, value: Expression) -> str:
        short = isinstance(node, Property) and isinstance(left, str) and columns(left) < _KEY
        if isinstance(node, str) and node == "complex":
            return "left"
        if isinstance(node, str) and isinstance(value, Arrow) and _can_break(left):
            return "left"
        if self._goes_below(value, short=short):
            return "below"
        plain = isinstance(value, Template) or (isinstance(value, Literal) and value.kind != "text")
        return "beside" if not _can_break(left) and (short or plain) else "fluid"

    def _goes_below(self, value: Expression, *, short: bool) -> bool:
        if isinstance(value, Binary) and not _inlines(value):
            return True
        if isinstance(value, Conditional):
            return isinstance(value.test, Binary) and not _inlines(value.test)
        if short:
            return False
        while isinstance(value, Unary | Await | NonNull):
            value = value.value
        return (isinstance(value, Literal) and value.kind == "text") or self._hardly_breaks(value, deep=False)

    def _hardly_breaks(self, value: Expression, *, deep: bool) -> bool:
        """Whether a chain has no call worth breaking."""
        match value:
            case NonNull(inner):
                return self._hardly_breaks(inner, deep=deep)
            case Call(callee, types, args):
                if isinstance(callee, Member | Index) and not self._chain(value, is_statement=False).short:
                    return False
                if args and not (len(args) == 1 and is_short(args[0])):
                    return False
                if len(types) > 1 or (types and isinstance(types[0], Union | Members)):
                    return False
                return self._hardly_breaks(callee, deep=True)
            case Member(of) | Index(of):
                return self._hardly_breaks(of, deep=True)
            case _:
                return deep and isinstance(value, Name)

    # -- members and calls

    def _member(self, node: Member | Index) -> Doc:
        of = self.show(node.of)
        outer = next((each for each in self._outwards() if not isinstance(each, Member | Index | NonNull)), "")
        parent = next((each for each in self._outwards() if not isinstance(each, NonNull)), "")
        inline = (
            isinstance(node, Index)
            or (isinstance(outer, Assign) and not isinstance(outer.target, Name))
            or (isinstance(node.of, Name) and not isinstance(parent, Member | Index))
            or (self._is_assigned(parent) and self._has_calls(node.of))
        )
        found = self._link(node)
        return [of, found if inline else Group(Indent([SOFT, found]))]

    def _outwards(self) -> list[Expression | str]:
        return self._around[-2::-1]

    def _is_assigned(self, parent: Expression | str) -> bool:
        return isinstance(parent, Assign) or parent in ("declared", "complex")

    def _has_calls(self, node: Expression) -> bool:
        if isinstance(node, NonNull):
            return self._has_calls(node.value)
        return isinstance(node, Call) and (bool(node.args) or self._is_chain(node))

    def _link(self, node: Expression) -> Doc:
        """What a link adds to a chain."""
        match node:
            case Member(_, name, mark):
                return f"{mark}{name}"
            case Index(_, at, mark):
                shown = self._inside(node, at)
                if isinstance(at, Literal) and at.kind == "number":
                    return [mark, "[", shown, "]"]
                return Group([mark, "[", Indent([SOFT, shown]), SOFT, "]"])
            case Call(_, types, args):
                self._around.append(node)
                found: Doc = [arguments(types) if types else "", self._args(args)]
                self._around.pop()
                return found
            case NonNull():
                return "!"
            case _:
                return self.show(node)

    def _inside(self, around: Expression, node: Expression) -> Doc:
        self._around.append(around)
        found = self.show(node)
        self._around.pop()
        return found

    def _call(self, node: Call) -> Doc:
        if isinstance(node.callee, Member | Index):
            return self._chained(node)
        shown: list[Doc] = [self.show(node.callee), arguments(node.types) if node.types else "", self._args(node.args)]
        return Group(shown) if isinstance(node.callee, Call) else shown

    def _chain(self, node: Call, *, is_statement: bool) -> chains.Chain:
        return chains.chain_of(node, is_statement=is_statement)

    def _is_chain(self, node: Call) -> bool:
        return isinstance(node.callee, Member | Index) and not self._chain(node, is_statement=False).short

    def _chained(self, node: Call) -> Doc:
        chain = self._chain(node, is_statement=self._parent() == "statement")
        around = self._around.pop()
        shown: list[Doc] = []
        for i, group in enumerate(chain.groups):
            printed: list[Doc] = []
            for j, link in enumerate(group):
                first = i == 0 and j == 0
                printed.append(self._head(link, chain) if first else self._link(link))
            shown.append(printed)
        self._around.append(around)
        if chain.short:
            return Group(shown)
        kept = 2 if chain.merged else 1
        expanded: list[Doc] = [*shown[:kept], Indent([HARD, join(HARD, shown[kept:])])]
        calls = [link for group in chain.groups for link in group if isinstance(link, Call)]
        simple = all(chains.is_simple(arg) for call in calls for arg in call.args)
        functions = any(isinstance(arg, Arrow) for call in calls[:-1] for arg in call.args)
        if (
            (len(calls) > chains.TWO and not simple)
            or any(breaks(each) for each in shown[:-1])
            or (isinstance(chain.groups[-1][-1], Call) and breaks(shown[-1]) and functions)
        ):
            return Group(expanded)
        return [BREAK if breaks(shown) else "", choice(shown, expanded)]

    def _head(self, link: Expression, chain: chains.Chain) -> Doc:
        """The first link, which is what the next one belongs to."""
        following = [each for group in chain.groups for each in group][1]
        if isinstance(link, Call):
            return self._inside(following, link)
        return self._inside(following, link)

    def _args(self, args: tuple[Expression, ...]) -> Doc:
        if not args:
            return "()"
        if chains.composes(args):
            return _all_broken(self._listed(args))
        shown = self._listed(args)
        if expands_first(args):
            return self._first_expanded(args, shown)
        if expands_last(args):
            return self._last_expanded(args, shown)
        return Group(["(", Indent([SOFT, *shown]), IfBreak(","), SOFT, ")"], broken=any(map(breaks, shown)))

    def _listed(self, args: tuple[Expression, ...]) -> list[Doc]:
        return [[self.show(each), ",", LINE] if each is not args[-1] else self.show(each) for each in args]

    def _first_expanded(self, args: tuple[Expression, ...], shown: list[Doc]) -> Doc:
        if any(map(breaks, shown[1:])):
            return _all_broken(shown)
        first = self._made(args[0], last=True)
        expanded: Doc = ["(", Group(first, broken=True), ", ", *shown[1:], ")"]
        if breaks(first):
            return [BREAK, choice(expanded, _all_broken(shown))]
        return choice(["(", first, ", ", *shown[1:], ")"], expanded, _all_broken(shown))

    def _last_expanded(self, args: tuple[Expression, ...], shown: list[Doc]) -> Doc:
        before = shown[:-1]
        if any(map(breaks, before)):
            return _all_broken(shown)
        last = self._made(args[-1], last=True)
        expanded: Doc = ["(", *before, Group(last, broken=True), ")"]
        if breaks(last):
            return [BREAK, choice(expanded, _all_broken(shown))]
        return choice(["(", *before, last, ")"], expanded, _all_broken(shown))

    def _await(self, value: Expression) -> Doc:
        shown: list[Doc] = ["await ", self.show(value)]
        parent = self._parent()
        head = isinstance(parent, Member | Index) or (isinstance(parent, Call) and parent.callee is self._around[-1])
        return Group([Indent([SOFT, *shown]), SOFT]) if head else shown

    # -- functions

    def _arrow(self, node: Arrow, *, last: bool, layout: str) -> Doc:
        if isinstance(node.body, Arrow) and not last:
            return self._arrows(node, layout=layout)
        return Group([Group(self._signed(node, last=last)), " =>", Group(self._body(node, last=last))])

    def _signed(self, node: Arrow, *, last: bool) -> Doc:
        if last:
            shown = [without_lines(parameters(node.params)), "" if node.result is None else self._result(node.result)]
        else:
            shown = signature(node.params, node.result)
        return [node.head, Group([node.generics, *shown])]

    def _result(self, kind: Shape) -> Doc:
        return Group(without_lines([": ", shape(kind)]))

    def _body(self, node: Arrow, *, last: bool, chained: bool = False) -> Doc:
        body = node.body
        if isinstance(body, Block):
            return [" ", body.doc]
        shown = self._bodied(body, last=last)
        comma: Doc = IfBreak(",") if last else ""
        soft: Doc = SOFT if last else ""
        if isinstance(body, Object | Array | Arrow):
            return [" ", ["(", shown, ")"] if isinstance(body, Object) else shown]
        if isinstance(body, Conditional) and not chained:
            return [" ", Group([IfBreak("", "("), Indent([SOFT, shown]), IfBreak("", ")"), comma, soft])]
        opens = isinstance(body, Cast) and isinstance(body.value, Object)
        return [Indent([LINE, ["(", shown, ")"] if opens else shown]), comma, soft]

    def _bodied(self, body: Expression, *, last: bool) -> Doc:
        return self._made(body, last=last) if last and isinstance(body, Arrow) else self.show(body)

    def _arrows(self, node: Arrow, *, layout: str) -> Doc:
        """Functions that give functions: `(a) => (b) => ..`."""
        signed: list[Doc] = []
        broken = False
        inner: Expression | Block = node
        depth = 0
        last = node
        while isinstance(inner, Arrow):
            signed.append(self._signed(inner, last=False))
            broken = broken or bool((inner.result is not None and inner.params) or inner.generics)
            last, inner = inner, inner.body
            self._around.append(last)
            depth += 1
        body = self._body(last, last=False, chained=broken)
        del self._around[-depth:]
        heads = self._heads(signed, layout=layout, broken=broken)
        group = Group(Indent([SOFT, heads]) if layout else heads)
        return Group([group, " =>", IndentIfBreak(body, group)])

    def _heads(self, signed: list[Doc], *, layout: str, broken: bool) -> Doc:
        if isinstance(self._parent(), Call | New | Binary):
            rest = join([" =>", LINE], signed[1:])
            return Group([signed[0], " =>", Indent([LINE, rest])], broken=broken)
        shown = join([" =>", LINE], signed)
        return Group(shown if layout else Indent(shown), broken=broken)

    # -- objects and lists

    def _object(self, node: Object) -> Doc:
        if not node.items:
            return "{}"
        parts: list[Doc] = []
        for each in node.items:
            if parts:
                parts += [",", LINE]
            if isinstance(each, Spread):
                parts.append(self.show(each))
                continue
            if each.gap:
                parts.append(HARD)
            parts.append([each.above, self._property(each)])
        return Group(["{", Indent([LINE, *parts]), IfBreak(","), LINE, "}"], broken=node.is_open)

    def _property(self, each: Property | Definition) -> Doc:
        if isinstance(each, Definition):
            return [each.name, Group(parameters(each.params)), " ", each.body]
        return each.key if each.value is None else self.assigned(each, each.key, ":", each.value)

    def _array(self, node: Array) -> Doc:
        items = node.items
        if not items:
            return "[]"
        alike = len(items) > 1 and (_all_objects(items) or _all_arrays(items))
        if is_concise(items):
            whole = Group([])
            parts: list[Doc] = []
            for place, each in enumerate(items, 1):
                comma: Doc = "," if place < len(items) else IfBreak(",", of=whole)
                parts += [[self.show(each), comma], LINE]
            whole.contents = ["[", Indent([SOFT, Fill(parts[:-1])]), SOFT, "]"]
            return whole
        shown: list[Doc] = join([",", LINE], (Group(self.show(each)) for each in items))
        return Group(["[", Indent([SOFT, *shown]), IfBreak(","), SOFT, "]"], broken=alike)

    # -- operators

    def _binary(self, node: Binary) -> Doc:
        parent = self._parent()
        inside = parent == "test"
        parts = self._operands(node, parent, inside=inside)
        if inside:
            return parts
        if isinstance(parent, Unary | Member) or (isinstance(parent, Call | New) and parent.callee is node):
            return Group([Indent([SOFT, *parts]), SOFT])
        if self._stands_free(node, parent):
            return Group(parts)
        nested = isinstance(node.left, Binary) and flattens(node.sign, node.left.sign)
        assigned = isinstance(parent, Assign | Object) or parent in ("declared", "complex")
        if (_inlines(node) and not nested) or (not _inlines(node) and assigned):
            return Group(parts)
        at = next((i for i, part in enumerate(parts) if isinstance(part, Group)), 0) + 1
        return Group([*parts[:at], Indent(parts[at:])])

    def _stands_free(self, node: Binary, parent: Expression | str) -> bool:
        """Whether what is around has set the operands in already."""
        if isinstance(parent, str):
            return parent in ("return", "for")
        if isinstance(parent, Arrow):
            return parent.body is node
        if isinstance(parent, Conditional):
            around = self._parent(2)
            return around != "return" and not isinstance(around, Call | New)
        return False

    def _operands(self, node: Binary, parent: Expression | str, *, inside: bool) -> list[Doc]:
        parts: list[Doc]
        if isinstance(node.left, Binary) and flattens(node.sign, node.left.sign):
            self._around.append(node.left)
            parts = self._operands(node.left, node, inside=inside)
            self._around.pop()
        else:
            parts = [Group(self.show(node.left))]
        right: Doc = [node.sign, " " if _inlines(node) else LINE, self.show(node.right)]
        alike = (parent, node.left, node.right)
        same = any(isinstance(each, Binary) and _is_logical(each) == _is_logical(node) for each in alike)
        if not (inside and _is_logical(node)) and not same:
            right = Group(right)
        return [*parts, " ", right]

    def _conditional(self, node: Conditional) -> Doc:
        parent = self._parent()
        nested = isinstance(parent, Conditional)
        in_test = isinstance(parent, Conditional) and parent.test is node
        is_yes = isinstance(parent, Conditional) and parent.yes is node
        inner = isinstance(node.yes, Conditional)
        part: list[Doc] = [
            LINE,
            "? ",
            IfBreak("", "(") if inner else "",
            Align(2, self.show(node.yes)),
            IfBreak("", ")") if inner else "",
            LINE,
            ": ",
            Align(2, self.show(node.no)),
        ]
        test = self.show(node.test)
        shown: list[Doc] = [
            Align(2, test) if nested and not in_test and not is_yes else test,
            part if nested and not in_test else Indent(part),
            SOFT if isinstance(parent, Member) and not self._deepens(node) else "",
        ]
        result: Doc = shown if nested and not in_test else Group(shown)
        return Group([Indent([SOFT, result]), SOFT]) if in_test or self._deepens(node) else result

    def _deepens(self, node: Conditional) -> bool:
        """Whether a choice at the head of a chain that is a value stands deeper."""
        child: Expression = node
        for each in self._outwards():
            if isinstance(each, str):
                return child is not node and each in ("declared", "complex", "return")
            at_head = (isinstance(each, Call) and each.callee is child) or (
                isinstance(each, Member | Index) and each.of is child
            )
            if at_head or isinstance(each, NonNull):
                child = each
                continue
            return child is not node and isinstance(each, Assign | Unary | Await)
        return False


def _can_break(doc: Doc) -> bool:
    if isinstance(doc, str):
        return False
    if isinstance(doc, list):
        return any(_can_break(each) for each in doc)
    return not isinstance(doc, Group | Indent) or _can_break(doc.contents)


def _inlines(node: Expression) -> bool:
    """Whether an operand is an object or a list, which may begin beside its operator."""
    if not isinstance(node, Binary) or node.sign not in LOGICAL:
        return False
    return isinstance(node.right, Object | Array) and bool(node.right.items)


def _is_logical(node: Binary) -> bool:
    return node.sign in LOGICAL


def _all_objects(items: tuple[Expression, ...]) -> bool:
    return all(isinstance(each, Object) and len(each.items) > 1 for each in items)


def _all_arrays(items: tuple[Expression, ...]) -> bool:
    return all(isinstance(each, Array) and len(each.items) > 1 for each in items)


def _all_broken(shown: list[Doc]) -> Doc:
    return Group(["(", Indent([LINE, *shown]), IfBreak(","), LINE, ")"], broken=True)
