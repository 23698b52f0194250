"""Problems as JUnit's XML: a suite for each file, a case for each problem.

A case has failed if its problem makes the check fail; what else was found is its output. A check that finds nothing is
one case that has passed, since readers take a report without cases for a broken one.
"""

from collections.abc import Iterator

from wfc.problems.problem import Problem
from wfc.problems.render.full import full
from wfc.problems.render.view import View
from wfc.text.xml import DECLARATION, escaped, tag

_NAME = "wfc check"


def render(problems: tuple[Problem, ...], view: View) -> str:
    """The document, with a line end."""
    return "".join(f"{line}\n" for line in _document(problems, view))


def _document(problems: tuple[Problem, ...], view: View) -> Iterator[str]:
    yield DECLARATION
    suites: dict[str, list[Problem]] = {}
    for problem in problems:
        suites.setdefault(problem.at.source.path, []).append(problem)
    yield tag("testsuites", {"name": _NAME, **_counts(problems, view)})
    for path, found in suites.items():
        yield f"  {tag('testsuite', {'name': path, **_counts(found, view)})}"
        for problem in found:
            yield from _case(problem, view)
        yield "  </testsuite>"
    if not problems:
        yield f"  {tag('testsuite', {'name': _NAME, **_counts((), view)})}"
        yield f"    {tag('testcase', {'name': 'no problems', 'classname': _NAME}, closed=True)}"
        yield "  </testsuite>"
    yield "</testsuites>"


def _counts(problems: list[Problem] | tuple[Problem, ...], view: View) -> dict[str, int]:
    failures = sum(1 for problem in problems if view.fails(problem))
    return {"tests": len(problems) or 1, "failures": failures, "errors": 0}


def _case(problem: Problem, view: View) -> Iterator[str]:
    path, (line, column) = problem.at.source.path, problem.at.position
    place = {"line": line} if problem.at.is_known else {}
    name = f"{problem.code} at {line}:{column}" if problem.at.is_known else problem.code
    yield f"    {tag('testcase', {'name': name, 'classname': path, 'file': path, **place})}"
    text = escaped(full([problem]))
    if view.fails(problem):
        kind = {"message": problem.message(), "type": problem.level().value}
        yield f"      {tag('failure', kind)}{text}</failure>"
    else:
        yield f"      <system-out>{text}</system-out>"
    yield "    </testcase>"
