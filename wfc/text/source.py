"""Source texts and places in them. Offsets count code points; lines and columns are 1-based."""

from bisect import bisect_right
from functools import cached_property

from wfc.text.value import Value, value


class SourceFile:
    """One text with the path it is shown under. Compared by identity."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    def __repr__(self) -> str:
        """Names the file."""
        return f"SourceFile({self.path!r})"

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line; a line ends with a line feed only."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Text of the line with that number (from 1), without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@value
class Span(Value):
    """A half-open range of offsets in one source."""

    source: SourceFile
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text it covers."""
        return self.source.text[self.start : self.end]

    @property
    def position(self) -> tuple[int, int]:
        """Line and column of its start."""
        return self.source.position(self.start)

    @property
    def line(self) -> int:
        """Line of its start."""
        return self.source.position(self.start)[0]

    @property
    def is_known(self) -> bool:
        """Whether it is a place in a text: a problem with a file that cannot be read has none."""
        return bool(self.source.text)

    def first(self, length: int) -> "Span":
        """The span of its first `length` characters at most."""
        return Span(self.source, self.start, min(self.end, self.start + length))

    def with_line(self) -> "Span":
        """With the lines it stands on and their end, if nothing else stands on them: what goes when it is removed."""
        text = self.source.text
        start = text.rfind("\n", 0, self.start) + 1
        stop = text.find("\n", self.end)
        stop = len(text) if stop < 0 else stop + 1
        alone = not text[start : self.start].strip() and not text[self.end : stop].strip()
        return Span(self.source, start, stop) if alone else self

    def __str__(self) -> str:
        """`path:line:column`."""
        line, column = self.position
        return f"{self.source.path}:{line}:{column}"
