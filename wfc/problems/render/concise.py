"""One line a problem: `path:line:column: error[code]: message`."""

from wfc.problems.problem import Problem
from wfc.problems.render.palette import BOLD, PLAIN, Palette
from wfc.problems.render.view import View
from wfc.text.terminal import visible


def render(problems: tuple[Problem, ...], view: View) -> str:
    """A line for each problem."""
    return "".join(f"{concise(problem, view.palette)}\n" for problem in problems)


def concise(problem: Problem, palette: Palette = PLAIN) -> str:
    """The first line of a problem, which other formats begin with as well."""
    level = problem.level()
    kind = palette.severity(level, f"{level.value}[{problem.code}]")
    place = palette.paint(BOLD, visible(str(problem.at)))
    return f"{place}: {kind}: {palette.paint(BOLD, visible(problem.message()))}"
