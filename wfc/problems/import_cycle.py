"""The problem `import-cycle`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class ImportCycle(Problem):
    """Modules import each other in a circle.

    Move what both need into a module of its own.
    """

    cycle: tuple[str, ...]

    def message(self) -> str:
        return f"modules import each other in a circle: {' -> '.join(self.cycle)}"

    def help(self) -> tuple[str, ...]:
        return ("move what both need into a third module",)
