"""Documents: text that knows where it may be broken into lines, and the printer that decides.

The words and the algorithm are those of prettier (its `commands.md` and `src/document/printer`), which go back to
Oppen's "Prettyprinting" and Wadler's "A prettier printer": a group is printed on one line if it fits there, else its
own lines are broken, and the groups inside it are asked anew. Whether something fits is decided by looking ahead no
further than a line is wide, so that printing takes time linear in the text.

Knows no language.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeAlias

Doc: TypeAlias = "str | list[Doc] | Line | Indent | Align | Group | IfBreak | IndentIfBreak | Fill | Late | BreakParent"


class Line:
    """A place where a line may end: else a blank, or nothing if it is soft. A hard one always ends."""

    __slots__ = ("hard", "soft")

    def __init__(self, *, hard: bool = False, soft: bool = False) -> None:
        self.hard = hard
        self.soft = soft


class BreakParent:
    """Makes every group around it break."""

    __slots__ = ()


class Indent:
    """What is inside stands one step deeper."""

    __slots__ = ("breaks", "contents")

    def __init__(self, contents: Doc) -> None:
        self.contents = contents
        self.breaks = breaks(contents)


class Align:
    """What is inside stands some blanks deeper."""

    __slots__ = ("breaks", "contents", "width")

    def __init__(self, width: int, contents: Doc) -> None:
        self.width = width
        self.contents = contents
        self.breaks = breaks(contents)


class Group:
    """What is broken together or not at all.

    With `states`, one of several ways to write the same: the first that fits, and the last if none does. Such a group
    is not broken by what is inside its first way.
    """

    __slots__ = ("broken", "contents", "states")

    def __init__(self, contents: Doc, *, broken: bool = False, states: tuple[Doc, ...] = ()) -> None:
        self.contents = contents
        self.states = states
        self.broken = broken or (not states and breaks(contents))


class IfBreak:
    """One thing where the group around it, or the group `of`, is broken, another where it is not."""

    __slots__ = ("broken", "flat", "of")

    def __init__(self, broken: Doc, flat: Doc = "", of: Group | None = None) -> None:
        self.broken = broken
        self.flat = flat
        self.of = of


class IndentIfBreak:
    """What is inside stands one step deeper if the group `of` is broken."""

    __slots__ = ("breaks", "contents", "indented", "of")

    def __init__(self, contents: Doc, of: Group) -> None:
        self.contents = contents
        self.indented = Indent(contents)
        self.of = of
        self.breaks = self.indented.breaks


class Fill:
    """Contents and the places between them in turn: as many on each line as fit."""

    __slots__ = ("parts", "start")

    def __init__(self, parts: list[Doc], start: int = 0) -> None:
        self.parts = parts
        self.start = start  # those before are printed


class Late:
    """A whole line that is laid out only if it does not fit; it may stand only between hard lines."""

    __slots__ = ("make", "text")

    def __init__(self, text: str, make: Callable[[], Doc]) -> None:
        self.text = text
        self.make = make


LINE = Line()
SOFT = Line(soft=True)
HARD = Line(hard=True)
BREAK = BreakParent()
STEP = 2

_FLAT, _BROKEN = 0, 1  # how a group is printed


def breaks(doc: Doc) -> bool:
    """Whether a document holds something that makes what is around it break."""
    if isinstance(doc, str):
        return False
    if isinstance(doc, list):
        for part in doc:  # noqa: SIM110 - asked so often that a generator would be felt
            if not isinstance(part, str) and breaks(part):
                return True
        return False
    if isinstance(doc, Group):
        return doc.broken
    if isinstance(doc, Line):
        return doc.hard
    if isinstance(doc, IfBreak):
        return breaks(doc.broken) or breaks(doc.flat)
    if isinstance(doc, Fill):
        return any(breaks(part) for part in doc.parts)
    if isinstance(doc, Late):
        return False
    return isinstance(doc, BreakParent) or doc.breaks


def join(between: Doc, parts: Iterable[Doc]) -> list[Doc]:
    """Parts with something between each two."""
    found: list[Doc] = []
    for part in parts:
        if found:
            found.append(between)
        found.append(part)
    return found


def choice(*states: Doc) -> Group:
    """The first of several ways to write the same that fits, else the last."""
    return Group(states[0], states=states)


def without_lines(doc: Doc) -> Doc:
    """A document on one line, whatever it would break."""
    match doc:
        case list():
            return [without_lines(part) for part in doc]
        case Line():
            return "" if doc.soft else " "
        case Group():
            return without_lines(doc.states[0] if doc.states else doc.contents)
        case Indent() | Align() | IndentIfBreak():
            return without_lines(doc.contents)
        case IfBreak():
            return without_lines(doc.flat)
        case Fill():
            return [without_lines(part) for part in doc.parts]
        case _:
            return doc


def columns(text: str) -> int:
    """How many columns a text takes in a terminal: wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_column(letter) for letter in text)


def _column(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def render(doc: Doc, width: int) -> str:
    """A document as text, in lines of at most this width where that is possible."""
    return _Printer(width).render(doc)


_Command: TypeAlias = "tuple[int, int, Doc]"  # the indent, whether lines break here, and what is to be printed


class _Printer:
    def __init__(self, width: int) -> None:
        self.width = width
        self.found: list[str] = []
        self.position = 0
        self.remeasure = False
        self.modes: dict[Group, int] = {}  # others may ask for them
        self.commands: list[_Command] = []

    def render(self, doc: Doc) -> str:
        commands = self.commands
        commands.append((0, _BROKEN, doc))
        found = self.found
        while commands:
            indent, mode, doc = commands.pop()
            if isinstance(doc, str):
                found.append(doc)
                self.position += columns(doc)
            elif isinstance(doc, list):
                commands += [(indent, mode, part) for part in reversed(doc)]
            elif isinstance(doc, Line):
                self._line(indent, mode, doc)
            elif isinstance(doc, Group):
                self._group(indent, mode, doc)
            elif isinstance(doc, Indent):
                commands.append((indent + STEP, mode, doc.contents))
            elif isinstance(doc, Align):
                commands.append((indent + doc.width, mode, doc.contents))
            elif isinstance(doc, IfBreak):
                broken = self._asked(doc.of, mode)
                commands.append((indent, mode, doc.broken if broken else doc.flat))
            elif isinstance(doc, IndentIfBreak):
                broken = self._asked(doc.of, mode)
                commands.append((indent, mode, doc.indented if broken else doc.contents))
            elif isinstance(doc, Fill):
                self._fill(indent, mode, doc)
            elif isinstance(doc, Late):
                fits = self.position + columns(doc.text) <= self.width
                commands.append((indent, mode, doc.text if fits else doc.make()))
        return "".join(found)

    def _asked(self, of: Group | None, mode: int) -> int:
        return mode if of is None else self.modes.get(of, _FLAT)

    def _line(self, indent: int, mode: int, line: Line) -> None:
        if mode is _FLAT and not line.hard:
            if not line.soft:
                self.found.append(" ")
                self.position += 1
            return
        if mode is _FLAT:
            self.remeasure = True
        found = self.found
        while found:
            found[-1] = found[-1].rstrip(" ")
            if found[-1]:
                break
            found.pop()
        found.append("\n" + " " * indent)
        self.position = indent

    def _group(self, indent: int, mode: int, group: Group) -> None:
        made = self._way(indent, mode, group)
        if made[1] is _FLAT and not self.remeasure and not breaks(made[2]):
            self._flat(made[2])
            return
        self.commands.append(made)
        self.modes[group] = made[1]

    def _flat(self, doc: Doc) -> None:
        """Writes what is known to fit on its line."""
        if isinstance(doc, str):
            self.found.append(doc)
            self.position += columns(doc)
        elif isinstance(doc, list):
            for part in doc:
                self._flat(part)
        elif isinstance(doc, Line):
            self._line(0, _FLAT, doc)
        elif isinstance(doc, IfBreak):
            self._flat(doc.broken if self._asked(doc.of, _FLAT) else doc.flat)
        elif isinstance(doc, Fill):
            for part in doc.parts[doc.start :]:
                self._flat(part)
        elif isinstance(doc, Late):
            self._flat(doc.text)
        elif not isinstance(doc, BreakParent):
            self._flat(doc.contents)

    def _way(self, indent: int, mode: int, group: Group) -> _Command:
        if mode is _FLAT and not self.remeasure:
            return indent, _BROKEN if group.broken else _FLAT, group.contents
        self.remeasure = False
        left = self.width - self.position
        if not group.broken and self._fits(_FLAT, group.contents, left):
            return indent, _FLAT, group.contents
        if not group.states:
            return indent, _BROKEN, group.contents
        if not group.broken:
            for state in group.states[1:-1]:
                if self._fits(_FLAT, state, left):
                    return indent, _FLAT, state
        return indent, _BROKEN, group.states[-1]

    def _fill(self, indent: int, mode: int, fill: Fill) -> None:
        parts, start = fill.parts, fill.start
        if start >= len(parts):
            return
        left = self.width - self.position
        fits = self._fits(_FLAT, parts[start], left, alone=True)
        content: _Command = (indent, _FLAT if fits else _BROKEN, parts[start])
        if start + 2 >= len(parts):
            self.commands += [(indent, content[1], part) for part in reversed(parts[start + 1 :])]
            self.commands.append(content)
            return
        both = self._fits(_FLAT, parts[start : start + 3], left, alone=True)
        self.commands.append((indent, mode, Fill(parts, start + 2)))
        self.commands.append((indent, _FLAT if both else _BROKEN, parts[start + 1]))
        self.commands.append((indent, _FLAT, parts[start]) if both else content)

    def _fits(self, mode: int, doc: Doc, left: int, *, alone: bool = False) -> bool:
        """Whether a document, and what follows it up to the next place where a line ends, fits in what is left."""
        rest = 0 if alone else len(self.commands)
        stack: list[tuple[int, Doc]] = [(mode, doc)]
        blank = 0
        while left >= 0:
            if not stack:
                if rest == 0:
                    return True
                rest -= 1
                _, mode, doc = self.commands[rest]
            else:
                mode, doc = stack.pop()
            if isinstance(doc, str):
                if doc:
                    left -= blank + columns(doc)
                    blank = 0
            elif isinstance(doc, list):
                stack += [(mode, part) for part in reversed(doc)]
            elif isinstance(doc, Line):
                if mode is _BROKEN or doc.hard:
                    return True
                if not doc.soft:
                    blank = 1
            elif isinstance(doc, Group):
                if alone and doc.broken:
                    return False
                inner = _BROKEN if doc.broken else mode
                widest = doc.states and inner is _BROKEN
                stack.append((inner, doc.states[-1] if widest else doc.contents))
            elif isinstance(doc, IfBreak):
                broken = self._asked(doc.of, mode)
                stack.append((mode, doc.broken if broken else doc.flat))
            elif isinstance(doc, Fill):
                stack += [(mode, part) for part in reversed(doc.parts[doc.start :])]
            elif isinstance(doc, Late):
                left -= blank + columns(doc.text)
                blank = 0
            elif not isinstance(doc, BreakParent):
                stack.append((mode, doc.contents))
        return False
