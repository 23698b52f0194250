"""Problems as JSON, for programs. The shape only ever grows.

A list with an object for each problem, in the order of files and places:

    code       text      as in `wfc explain CODE`
    severity   text      `error`, `warning` or `hint`
    message    text      what is wrong
    file       text      path, relative to the working folder where possible
    range      Range     {"start": Position, "end": Position}; the end lies behind the last character
    label      text      a few words at the place itself; may be empty
    labels     list      {"text", "file", "range"}: other places, and what they have to do with it
    story      list      texts: the steps of a run that shows the problem
    trace      Trace     that run as data, or null
    help       list      texts: what to do about it
    fixes      list      {"title", "safe", "edits": [{"file", "range", "text"}]}

A Trace is {"workflow", "steps", "acts"}. A step is {"text"}, with "file" and "range" where it has a place; an act is
{"instance", "input", "call"}: what came from outside, as in the journal of a trace file, and the key of the call that
it answers.

A Position is {"line", "column", "offset"}: line and column count from 1, the offset from 0, all in code points.
The document is ASCII: other characters are escaped.
"""

import json
from collections.abc import Iterable

from wfc.problems.problem import UNSOUGHT, Edit, Fix, Problem, Trace
from wfc.problems.render.view import View
from wfc.text.source import SourceFile, Span


def render(problems: tuple[Problem, ...], view: View) -> str:
    """The document, with a line end."""
    del view
    return render_json(problems)


def render_json(problems: Iterable[Problem]) -> str:
    """The document of some problems, with a line end."""
    return json.dumps([problem_object(problem) for problem in problems], indent=2) + "\n"


def problem_object(problem: Problem) -> dict[str, object]:
    """One problem."""
    return {
        "code": problem.code,
        "severity": problem.level().value,
        "message": problem.message(),
        **_place(problem.at),
        "label": problem.label(),
        "labels": [{"text": label.text, **_place(label.at)} for label in problem.labels],
        "story": list(problem.story()),
        "trace": _trace(problem.trace) if problem.trace is not None and problem.trace != UNSOUGHT else None,
        "help": list(problem.help()),
        "fixes": [_fix(fix) for fix in problem.fixes],
    }


def _trace(trace: Trace) -> dict[str, object]:
    return {
        "workflow": trace.workflow,
        "steps": [{"text": step.text, **(_place(step.at) if step.at is not None else {})} for step in trace.steps],
        "acts": [{"instance": name, "input": given, "call": key} for name, given, key in trace.acts],
    }


def _place(at: Span) -> dict[str, object]:
    return {
        "file": at.source.path,
        "range": {"start": _position(at.source, at.start), "end": _position(at.source, at.end)},
    }


def _position(source: SourceFile, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "column": column, "offset": offset}


def _fix(fix: Fix) -> dict[str, object]:
    return {"title": fix.title, "safe": fix.safe, "edits": [_edit(edit) for edit in fix.edits]}


def _edit(edit: Edit) -> dict[str, object]:
    return {**_place(edit.at), "text": edit.text}
