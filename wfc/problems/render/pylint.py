"""Problems as Pylint writes them in its format `parseable`: `path:line: [E(code), ] message`.

Jenkins and others read it. They take how much a problem matters from the letter: error, warning or information.
"""

from wfc.problems.problem import Problem, Severity
from wfc.problems.render.view import View
from wfc.text.terminal import visible

_LETTERS = {Severity.ERROR: "E", Severity.WARNING: "W", Severity.HINT: "I"}


def render(problems: tuple[Problem, ...], view: View) -> str:
    """A line for each problem."""
    del view
    return "".join(f"{_line(problem)}\n" for problem in problems)


def _line(problem: Problem) -> str:
    place = f"{visible(problem.at.source.path)}:{problem.at.line}"
    return f"{place}: [{_LETTERS[problem.level()]}({problem.code}), ] {visible(problem.message())}"
