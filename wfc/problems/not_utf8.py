"""A source that is not UTF-8 text."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class NotUtf8(Problem):
    """A source file holds bytes that are not UTF-8 text.

    Sources are UTF-8, with or without a byte order mark. An older editor may have saved the file in another encoding:
    open it there and save it again as UTF-8. The offset counts bytes from the start of the file, beginning with 0.
    """

    byte: int
    offset: int
    line: int

    def message(self) -> str:
        return f"this is not UTF-8 text: byte 0x{self.byte:02x} at offset {self.offset}, on line {self.line}"

    def help(self) -> tuple[str, ...]:
        return ("save the file as UTF-8",)
