"""A source that exists, but that the system does not let us read."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnreadableSource(Problem):
    """A file or folder exists but cannot be read.

    The reason is the one the operating system gives; most often the permissions of the file or of a folder above it.
    """

    reason: str

    def message(self) -> str:
        return f"cannot be read: {self.reason}"
