"""Problems for reviewdog, in its Diagnostic Format (`DiagnosticResult` of reviewdog's `proto/rdf/reviewdog.proto`).

Columns count the bytes of UTF-8 from 1. A suggestion is one range and its new text, to be taken alone: so fixes with
several edits, or one in another file, are left out.
"""

import json

from wfc.problems.problem import Edit, Problem, Severity
from wfc.problems.render.view import View
from wfc.text.source import SourceFile, Span

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.HINT: "INFO"}


def render(problems: tuple[Problem, ...], view: View) -> str:
    """The document, with a line end."""
    del view
    document: dict[str, object] = {"source": {"name": "wfc"}}
    levels = {problem.level() for problem in problems}
    if levels:
        document["severity"] = next(_SEVERITIES[level] for level in Severity if level in levels)
    document["diagnostics"] = [_diagnostic(problem) for problem in problems]
    return json.dumps(document, indent=2) + "\n"


def _diagnostic(problem: Problem) -> dict[str, object]:
    at = problem.at
    found: dict[str, object] = {
        "message": "\n".join([problem.message(), *problem.help()]),
        "location": {"path": at.source.path, **({"range": _range(at)} if at.is_known else {})},
        "severity": _SEVERITIES[problem.level()],
        "code": {"value": problem.code},
    }
    edits = [fix.edits[0] for fix in problem.fixes if len(fix.edits) == 1]
    suggestions = [_suggestion(edit) for edit in edits if edit.at.source is at.source]
    if suggestions:
        found["suggestions"] = suggestions
    return found


def _suggestion(edit: Edit) -> dict[str, object]:
    return {"range": _range(edit.at), "text": edit.text}


def _range(at: Span) -> dict[str, object]:
    return {"start": _position(at.source, at.start), "end": _position(at.source, at.end)}


def _position(source: SourceFile, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    if not source.text.isascii():
        column = len(source.text[source.line_starts[line - 1] : offset].encode()) + 1
    return {"line": line, "column": column}
