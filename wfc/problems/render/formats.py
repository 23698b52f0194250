"""The formats in which problems are written, in one table. Each has a file of its name with a function `render`."""

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

from wfc.problems.problem import Problem
from wfc.problems.render.view import View

# What each format is for, in the order in which they are told.
FORMATS = {
    "full": "with source and advice",
    "concise": "one line a problem",
    "json": "for programs",
    "json-lines": "an object a line, for programs",
    "github": "annotations of GitHub Actions",
    "gitlab": "a Code Quality report of GitLab",
    "junit": "JUnit's XML",
    "sarif": "SARIF 2.1.0, for code hosts",
    "rdjson": "for reviewdog",
    "pylint": "lines as Pylint's, for Jenkins and others",
}


class Renderer(Protocol):
    """The file of a format."""

    def render(self, problems: tuple[Problem, ...], view: View) -> str:
        """The whole text: lines with their ends, or nothing."""


def rendered(form: str, problems: Iterable[Problem], view: View) -> str:
    """Problems in a format. Only its file is loaded."""
    name = form.replace("-", "_")
    return cast("Renderer", import_module(f"{__package__}.{name}")).render(tuple(problems), view)
