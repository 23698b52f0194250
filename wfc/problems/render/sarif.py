"""Problems as SARIF 2.1.0, for code hosts and viewers: the run that shows a problem is a code flow.

Written after the specification (OASIS, Static Analysis Results Interchange Format 2.1.0, 2020). Columns count from 1 in
code points, which `columnKind` says. A file of which no text is known has no region.
"""

import json
from collections.abc import Sequence
from inspect import cleandoc
from urllib.parse import quote

from wfc import __version__
from wfc.problems.problem import UNSOUGHT, Fix, Problem, Severity, Step
from wfc.problems.render.fingerprint import fingerprints
from wfc.problems.render.view import View
from wfc.text.names import pascal
from wfc.text.source import Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def render(problems: tuple[Problem, ...], view: View) -> str:
    """The document, with a line end."""
    del view
    kinds = {problem.code: problem for problem in reversed(problems)}
    rules = [_rule(kind) for _, kind in sorted(kinds.items())]
    places = {code: index for index, code in enumerate(sorted(kinds))}
    run = {
        "tool": {"driver": {"name": "wfc", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(problem, places[problem.code], mark)
            for problem, mark in zip(problems, fingerprints(problems), strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(example: Problem) -> dict[str, object]:
    """What is true of all problems of a kind, out of its page. Code hosts show `help` beside a finding."""
    page = cleandoc(type(example).__doc__ or "")
    first, _, rest = page.partition("\n")
    more = " ".join(rest.split("```", 1)[0].split())
    return {
        "id": example.code,
        "name": pascal(example.code),
        "shortDescription": {"text": first},
        **({"fullDescription": {"text": more}} if more else {}),
        "help": {"text": f"{first} {more}".strip(), "markdown": _markdown(page)},
        "defaultConfiguration": {"level": _LEVELS[example.severity]},
    }


def _markdown(page: str) -> str:
    """A page with a line above each example for what its marks say."""
    return page.replace("```wf fails", "Reported:\n\n```wf").replace("```wf passes", "Fine:\n\n```wf")


def _result(problem: Problem, rule: int, fingerprint: str) -> dict[str, object]:
    found: dict[str, object] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": _LEVELS[problem.level()],
        "message": {"text": ". ".join((problem.message(), *problem.help()))},
        "locations": [_location(problem.at, problem.label())],
        "partialFingerprints": {"problem/v1": fingerprint},
    }
    if problem.labels:
        found["relatedLocations"] = [_location(label.at, label.text) for label in problem.labels]
    if problem.trace is not None and problem.trace != UNSOUGHT:
        found["codeFlows"] = [{"threadFlows": [{"locations": _flow(problem.trace.steps, problem.at)}]}]
    if problem.fixes:
        found["fixes"] = [_fix(fix) for fix in problem.fixes]
    return found


def _flow(steps: Sequence[Step], otherwise: Span) -> list[dict[str, object]]:
    """The steps of a run; one that happens nowhere in the text stays where the last one was."""
    found: list[dict[str, object]] = []
    at = next((step.at for step in steps if step.at is not None), otherwise)
    for step in steps:
        at = step.at or at
        found.append({"location": _location(at, step.text)})
    return found


def _location(at: Span, text: str) -> dict[str, object]:
    place = {"artifactLocation": _artifact(at), **({"region": _region(at)} if at.is_known else {})}
    return {"physicalLocation": place, **({"message": {"text": text}} if text else {})}


def _artifact(at: Span) -> dict[str, str]:
    # A path may hold bytes that are no UTF-8; Python shows them as surrogates.
    path = quote(at.source.path, errors="surrogateescape")
    return {"uri": f"file://{path}" if path.startswith("/") else path}


def _region(at: Span) -> dict[str, int]:
    line, column = at.position
    last, end = at.source.position(at.end)
    return {"startLine": line, "startColumn": column, "endLine": last, "endColumn": end}


def _fix(fix: Fix) -> dict[str, object]:
    by_file: dict[str, list[dict[str, object]]] = {}
    artifacts: dict[str, dict[str, str]] = {}
    for edit in fix.edits:
        artifacts[edit.at.source.path] = _artifact(edit.at)
        replacement = {"deletedRegion": _region(edit.at), "insertedContent": {"text": edit.text}}
        by_file.setdefault(edit.at.source.path, []).append(replacement)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": artifacts[path], "replacements": edits} for path, edits in by_file.items()
        ],
    }
