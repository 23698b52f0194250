"""How problems are to be seen."""

from wfc.problems.problem import Problem, Severity
from wfc.problems.render.palette import PLAIN, Palette
from wfc.text.value import Value, value


@value(kw_only=True)
class View(Value):
    """What a format may want to know beside the problems: the colours, and whether warnings fail a check too."""

    palette: Palette = PLAIN
    strict: bool = False

    def fails(self, problem: Problem) -> bool:
        """Whether this problem makes the check fail."""
        level = problem.level()
        return level is Severity.ERROR or (self.strict and level is Severity.WARNING)
