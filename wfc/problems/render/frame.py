"""The source lines a problem is about, with marks below the places and a gutter of line numbers."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from wfc.text.source import SourceFile, Span
from wfc.text.terminal import cells, expanded, visible
from wfc.text.value import Value, field, value

LINE_LIMIT = 120

_BEFORE = 40  # code points kept before a place in a line that is cut
_NEIGHBOUR = 2  # a gap of one line is shown, a longer one is not


@value
class Mark(Value):
    """A place to underline: with which sign, what is written beside it, and how both are painted."""

    at: Span
    sign: str
    text: str
    paint: Callable[[str], str] = field(eq=False)


@value
class Gutter(Value):
    """The column of line numbers."""

    width: int
    paint: Callable[[str], str] = field(eq=False)

    def line(self, number: int | None, text: str, sign: str = "|") -> str:
        """A line of the frame."""
        label = "" if number is None else str(number)
        return f"{self.paint(f'{label:>{self.width}} {sign}')} {text}".rstrip()

    def gap(self) -> str:
        """What stands for lines left out."""
        return self.paint(f"{'...':>{self.width}}")


def gutter_for(lines: Sequence[int], paint: Callable[[str], str]) -> Gutter:
    """A gutter wide enough for those line numbers."""
    return Gutter(max(5, len(str(max(lines, default=0))) + 2), paint)


def frame(source: SourceFile, marks: Sequence[Mark], gutter: Gutter) -> Iterator[str]:
    """The lines of one source that have marks, from top to bottom."""
    placed = sorted(((*mark.at.position, mark) for mark in marks), key=lambda item: item[:2])
    before: int | None = None
    for number, group in groupby(placed, key=lambda item: item[0]):
        if before is not None and number == before + _NEIGHBOUR:
            yield gutter.line(before + 1, _cut(source.line(before + 1), 1)[0])
        elif before is not None and number > before + 1:
            yield gutter.gap()
        yield from _marked_line(source.line(number), number, [(column, mark) for _, column, mark in group], gutter)
        before = number


def _marked_line(line: str, number: int, marks: list[tuple[int, Mark]], gutter: Gutter) -> Iterator[str]:
    """A line and the marks below it; a line that must be cut is repeated for each place."""
    shown: str | None = None
    for column, mark in marks:
        text, start, end = _cut(line, column, mark.at.end - mark.at.start)
        if text != shown:
            yield gutter.line(number, text)
            shown = text
        pointer = mark.paint(f"{mark.sign * max(1, end - start)} {visible(mark.text)}".rstrip())
        yield gutter.line(None, f"{' ' * start}{pointer}")


def _cut(line: str, column: int, length: int = 0) -> tuple[str, int, int]:
    """A line as it is shown, and the first and last cell of the place in it. A long line is cut around the place."""
    first = column - 1
    last = min(first + length, len(line))
    if len(line) <= LINE_LIMIT:
        head, body, tail = line[:first], line[first:last], line[last:]
    else:
        begin = max(0, min(first, len(line)) - _BEFORE)
        last = min(last, begin + LINE_LIMIT)
        head = ("…" if begin else "") + line[begin:first]
        body = line[first:last]
        tail = line[last : begin + LINE_LIMIT] + ("…" if begin + LINE_LIMIT < len(line) else "")
    head = expanded(head)
    start = cells(head)
    body = expanded(body, start)
    end = start + cells(body)
    return (head + body + expanded(tail, end)).rstrip(), start, end
