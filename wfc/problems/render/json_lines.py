"""Problems as JSON, an object a line: a reader need not wait for the last one. The objects are those of `json`."""

import json

from wfc.problems.problem import Problem
from wfc.problems.render.json import problem_object
from wfc.problems.render.view import View


def render(problems: tuple[Problem, ...], view: View) -> str:
    """A line for each problem."""
    del view
    return "".join(f"{json.dumps(problem_object(problem))}\n" for problem in problems)
