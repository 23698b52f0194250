"""A generated file that somebody else changed."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class EditedOutput(Problem):
    """A file in the output folder is not as the compiler wrote it, and would be overwritten.

    The compiler remembers a digest of each file it writes, in `.wfc-manifest.json`. A file that differs was edited by
    hand, or comes from somewhere else altogether. What is in it would be lost, so nothing is written until you decide:
    take the change into the source, move the file out of the folder, or say `--force`.
    """

    foreign: bool = False

    def message(self) -> str:
        return "was not written by wfc" if self.foreign else "was edited by hand since wfc wrote it"

    def help(self) -> tuple[str, ...]:
        return ("move it elsewhere, or overwrite it with `--force`",)
