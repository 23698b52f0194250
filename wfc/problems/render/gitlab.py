"""Problems as a Code Quality report of GitLab, for `artifacts: reports: codequality`.

Written after GitLab's documentation, "Code Quality report format". A file of which no text is known is told at its
first line, because GitLab wants one.
"""

import json

from wfc.problems.problem import Problem, Severity
from wfc.problems.render.fingerprint import fingerprints
from wfc.problems.render.view import View

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.HINT: "info"}


def render(problems: tuple[Problem, ...], view: View) -> str:
    """The document, with a line end."""
    del view
    found = [_violation(problem, mark) for problem, mark in zip(problems, fingerprints(problems), strict=True)]
    return json.dumps(found, indent=2) + "\n"


def _violation(problem: Problem, fingerprint: str) -> dict[str, object]:
    at = problem.at
    return {
        "description": problem.message(),
        "check_name": problem.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[problem.level()],
        "location": {
            "path": at.source.path.removeprefix("./"),
            "lines": {"begin": at.line, "end": at.source.position(at.end)[0]},
        },
    }
