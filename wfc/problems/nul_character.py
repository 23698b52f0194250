"""A source with a NUL in it."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class NulCharacter(Problem):
    """A source file holds a NUL character.

    No text has one. The file is most likely something else, a picture or an archive, or it was saved as UTF-16. The
    offset counts bytes from the start of the file, beginning with 0.
    """

    offset: int
    line: int

    def message(self) -> str:
        return f"this is not text: a NUL character at offset {self.offset}, on line {self.line}"

    def help(self) -> tuple[str, ...]:
        return ("save the file as UTF-8",)
