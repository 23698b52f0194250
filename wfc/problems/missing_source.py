"""A path on the command line that leads nowhere."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MissingSource(Problem):
    """A file or folder was named that does not exist.

    Paths are read relative to the folder the command runs in. A folder stands for the `.wf` files in it; without any
    path the whole project around the current folder is taken.
    """

    near: str = ""

    def message(self) -> str:
        return "there is no such file or folder"

    def help(self) -> tuple[str, ...]:
        return (f"did you mean `{self.near}`?",) if self.near else ()
