"""Problems as workflow commands of GitHub Actions, which shows them beside the lines they are about.

`::error file=...,line=...,col=...::message`, with the escapes of the `core` package of actions/toolkit. GitHub takes
columns only within one line.
"""

from wfc.problems.problem import Problem, Severity
from wfc.problems.render.view import View
from wfc.text.terminal import visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def render(problems: tuple[Problem, ...], view: View) -> str:
    """A command for each problem."""
    del view
    return "".join(f"{_command(problem)}\n" for problem in problems)


def _command(problem: Problem) -> str:
    properties = {"title": f"wfc ({problem.code})", "file": problem.at.source.path, **_range(problem)}
    shown = ",".join(f"{key}={_property(str(given))}" for key, given in properties.items())
    text = "\n".join([problem.message(), *problem.help()])
    return f"::{_COMMANDS[problem.level()]} {shown}::{_data(text)}"


def _range(problem: Problem) -> dict[str, int]:
    at = problem.at
    if not at.is_known:
        return {}
    line, column = at.position
    last, end = at.source.position(at.end)
    if line != last:
        return {"line": line, "endLine": last}
    return {"line": line, "col": column, "endLine": last, "endColumn": max(end - 1, column)}


def _data(text: str) -> str:
    """A text behind the colons. What would steer a terminal is shown, since a log is one."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "%0A".join(visible(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C")
