"""Statements and declarations: read and laid out one after another."""

import re

from wfc.backends.typescript.printer.arguments import WIDTH
from wfc.backends.typescript.printer.expressions import Printer
from wfc.backends.typescript.printer.nodes import Binary, Expression, Reference, Shape, Union
from wfc.backends.typescript.printer.reader import Reader
from wfc.backends.typescript.printer.shapes import members, shape, signature, union_hugs
from wfc.text.doc import HARD, LINE, SOFT, Doc, Group, IfBreak, Indent, Late, join, render

_RISKY = re.compile(  # what prettier may break though it fits, or put into parentheses
    r"=>|\}, \{|\], \[|\)\S?\.[^;]*\)\S?\.| \|\| .* && | && .* \|\| |\?\?.* (?:\|\||&&|\?) | \? .* (?:\?|\?\?) "
)

_OPEN: Doc = ["{", HARD, "}"]  # an empty block that belongs to no function or loop


def formatted(text: str) -> str:
    """TypeScript as we write it, laid out as prettier does."""
    return render(Statements(text).all(), WIDTH)


class Statements(Reader):
    """Reads statements, and lays each out."""

    def __init__(self, text: str, *, late: bool = True) -> None:
        self._late = late  # whether a line is only laid out if it does not fit
        super().__init__(text)

    def all(self) -> Doc:
        """The whole of a file."""
        return [*self._sequence(), HARD]

    def block(self) -> Doc:
        return self._braced(empty="{}")

    def _braced(self, *, empty: Doc) -> Doc:
        self.expect("{")
        parts = self._sequence()
        self.expect("}")
        return ["{", Indent([HARD, *parts]), HARD, "}"] if parts else empty

    def _sequence(self) -> list[Doc]:
        """Statements up to the end of what they are in; an empty line between two stays."""
        parts: list[Doc] = []
        while self.kind != "end" and not self.sees("}") and not self.sees("case"):
            if parts:
                parts.append(HARD)
                if self.after_gap:
                    parts.append(HARD)
            comments = self.comments()
            if self.kind == "end":  # a comment that nothing follows
                return [*parts, comments]
            parts += [comments, self._statement()] if comments else [self._statement()]
        return parts

    # -- one statement

    def _statement(self) -> Doc:
        return (self._late and self._line()) or self._whole()

    def _line(self) -> Doc:
        """A statement on one line in which nothing needs a look: it stays as it is if it fits."""
        end = self.text.find("\n", self.start)
        line = self.text[self.start : end if end >= 0 else len(self.text)]
        if not line.endswith(";") or _RISKY.search(line) or line.startswith(("for", "import")):
            return ""
        self.at = self.start + len(line)
        self.next()
        return Late(line, lambda: Statements(line, late=False).one())

    def one(self) -> Doc:
        """The only statement of a text."""
        return self._whole()

    def _whole(self) -> Doc:
        if self.kind != "name":
            return self._simple()
        match self.value:
            case "import":
                return self._import()
            case "export":
                self.next()
                return ["export ", self._whole()]
            case "const" | "let":
                return [self._declared(), self._end()]
            case "type":
                return self._alias()
            case "interface":
                return self._interface()
            case "function":
                return self._function("")
            case "async" if self.ahead() == "function":
                return self._function(f"{self.next()} ")
            case "if":
                return self._if()
            case "switch":
                return self._switch()
            case "for":
                return self._for()
            case "return" | "throw":
                return self._given()
            case "break" | "continue":
                word = self.next()
                return [f"{word} {self.next()}" if self.kind == "name" else word, self._end()]
            case _:
                return self._simple()

    def _end(self) -> str:
        self.expect(";")
        return ";"

    def _shown(self, node: Expression, place: str) -> Doc:
        return Printer().root(node, place)

    def _simple(self) -> Doc:
        if self.kind == "name" and self.ahead() == ":":
            label = self.next()
            self.next()
            return [f"{label}: ", self._whole()]
        return [self._shown(self.expression(), "statement"), self._end()]

    def _given(self) -> Doc:
        word = self.next()
        if self.takes(";"):
            return f"{word};"
        node = self.expression()
        shown = self._shown(node, "return")
        if isinstance(node, Binary):
            shown = Group([IfBreak("("), Indent([SOFT, shown]), SOFT, IfBreak(")")])
        return [f"{word} ", shown, self._end()]

    # -- declarations

    def _declared(self) -> Doc:
        kind = self.next()
        name = self.next()
        if self.takes("!"):
            name += "!"
        left: Doc = name
        place = "declared"
        if self.takes(":"):
            given = self.type()
            left = [name, ": ", shape(given)]
            place = "complex" if _is_complex(given) else place
        if not self.takes("="):
            return Group([f"{kind} ", left])
        return Group([f"{kind} ", Printer().declared(left, self.expression(), place)])

    def _alias(self) -> Doc:
        self.next()
        left = f"type {self.next()}{self._generics()}"
        self.expect("=")
        kind = self.type()
        if isinstance(kind, Union) and not union_hugs(kind):
            return [Group([left, " =", Group(Indent([LINE, shape(kind, indented=False)]))]), self._end()]
        return [Group([left, " = ", shape(kind)]), self._end()]

    def _generics(self) -> str:
        if not self.sees("<"):
            return ""
        return f"<{', '.join(each.name for each in self._type_arguments() if isinstance(each, Reference))}>"

    def _interface(self) -> Doc:
        self.next()
        head = f"interface {self.next()}{self._generics()} "
        return [head, members(self.members().items, broken=True)]

    def _function(self, head: str) -> Doc:
        self.next()
        name = f"{head}function {self.next()}{self._generics()}"
        params = self.params()
        result = self.type() if self.takes(":") else None
        return [name, Group(signature(params, result)), " ", self.block()]

    def _import(self) -> Doc:
        self.next()
        head = f"import {self.next()} " if self.sees("type") else "import "
        self.expect("{")
        names: list[Doc] = []
        while not self.sees("}"):
            names.append(f"{self.next()} {self.next()}" if self.sees("type") else self.next())
            if not self.takes(","):
                break
        self.expect("}")
        self.expect("from")
        tail = f" from {self.next()}"
        shown: Doc = ["{ ", *names, " }"]
        if len(names) > 1:
            shown = Group(["{", Indent([LINE, *join([",", LINE], names)]), IfBreak(","), LINE, "}"])
        return [head, shown, tail, self._end()]

    # -- control

    def _test(self) -> Doc:
        self.expect("(")
        test = self._shown(self.expression(), "test")
        self.expect(")")
        return Group([Indent([SOFT, test]), SOFT])

    def _clause(self) -> Doc:
        return [" ", self._braced(empty=_OPEN)] if self.sees("{") else Indent([LINE, self._whole()])

    def _if(self) -> Doc:
        self.next()
        test = self._test()
        braced = self.sees("{")
        opening = Group(["if (", test, ")", self._clause()])
        if not self.takes("else"):
            return opening
        other: Doc = [" ", self._if()] if self.sees("if") else self._clause()
        return [opening, " " if braced else HARD, "else", Group(other)]

    def _switch(self) -> Doc:
        self.next()
        parts: list[Doc] = [Group(["switch (", self._test(), ")"]), " {"]
        self.expect("{")
        cases: list[Doc] = []
        while not self.sees("}"):
            if cases:
                cases.append(HARD)
                if self.after_gap:
                    cases.append(HARD)
            cases.append([self.comments(), self._case()])
        self.expect("}")
        return [*parts, Indent([HARD, *cases]), HARD, "}"] if cases else [*parts, HARD, "}"]

    def _case(self) -> Doc:
        self.expect("case")
        test = self._shown(self.expression(), "case")
        self.expect(":")
        if self.sees("{"):
            return ["case ", test, ": ", self._braced(empty=_OPEN)]
        parts = self._cased()
        return ["case ", test, ":", Indent([HARD, *parts]) if parts else ""]

    def _cased(self) -> list[Doc]:
        """The statements of a case; comments in front of the next one are not theirs."""
        parts: list[Doc] = []
        while self.kind != "comment" and not self.sees("case") and not self.sees("}"):
            if parts:
                parts.append(HARD)
                if self.after_gap:
                    parts.append(HARD)
            parts.append(self._statement())
        return parts

    def _for(self) -> Doc:
        self.next()
        self.expect("(")
        if self.takes(";"):
            self.expect(";")
            self.expect(")")
            return Group(["for (;;) ", self.block()])
        first = self._declared()
        self.expect(";")
        test: Doc = "" if self.sees(";") else self._shown(self.expression(), "for")
        self.expect(";")
        step = self._shown(self.expression(), "for")
        self.expect(")")
        inside = Group([Indent([SOFT, first, ";", LINE, test, ";", LINE, step]), SOFT])
        return Group(["for (", inside, ") ", self.block()])


def _is_complex(kind: Shape) -> bool:
    """Whether a type has arguments with arguments of their own, at which it is rather broken than its value."""
    if not isinstance(kind, Reference) or len(kind.args) <= 1:
        return False
    return any(isinstance(each, Reference) and each.args for each in kind.args)
