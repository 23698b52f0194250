"""A file that the system does not let us write."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnwritableOutput(Problem):
    """A file of the output cannot be written.

    The reason is the one the operating system gives: a folder that may not be written to, a full disk, a file where a
    folder is needed. Nothing was changed: new files are written beside the old ones and take their place only when all
    of them are complete.
    """

    reason: str

    def message(self) -> str:
        return f"cannot be written: {self.reason}"

    def help(self) -> tuple[str, ...]:
        return ("nothing was changed; `--out DIR` writes to another folder",)
