"""Problems as SARIF 2.1.0, for code hosts and viewers: the run that shows a problem is a code flow.

Written after the specification (OASIS, Static Analysis Results Interchange Format 2.1.0, 2020). Columns count from 1 in
code points, which `columnKind` says. The fingerprint is that of the code, the file and the text around the place, so
that a problem keeps it when lines above it change.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from urllib.parse import quote

from wfc.problems.problem import UNSOUGHT, Fix, Problem, Severity, Step
from wfc.text.source import Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def render_sarif(problems: Iterable[Problem], version: str) -> str:
    """The document of some problems, with a line end."""
    every = tuple(problems)
    kinds = {problem.code: type(problem) for problem in every}
    rules = [_rule(code, kind) for code, kind in sorted(kinds.items())]
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "wfc", "version": version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places[problem.code]) for problem in every],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, kind: type[Problem]) -> dict[str, object]:
    first, _, rest = (kind.__doc__ or "").strip().partition("\n")
    more = " ".join(rest.split("```", 1)[0].split())
    return {
        "id": code,
        "shortDescription": {"text": first},
        **({"fullDescription": {"text": more}} if more else {}),
    }


def _result(problem: Problem, rule: int) -> dict[str, object]:
    found: dict[str, object] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": _LEVELS[problem.level()],
        "message": {"text": ". ".join((problem.message(), *problem.help()))},
        "locations": [_location(problem.at, problem.label())],
        "partialFingerprints": {"problem/v1": _fingerprint(problem)},
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
    place = {"artifactLocation": _artifact(at), "region": _region(at)}
    return {"physicalLocation": place, **({"message": {"text": text}} if text else {})}


def _artifact(at: Span) -> dict[str, str]:
    return {"uri": quote(at.source.path)}


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


def _fingerprint(problem: Problem) -> str:
    line = problem.at.source.line(problem.at.line).strip() if problem.at.source.text else ""
    told = f"{problem.code}\0{problem.at.source.path}\0{line}\0{problem.message()}"
    return sha256(told.encode()).hexdigest()[:20]
