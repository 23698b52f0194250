"""The results of scenarios on a screen and for programs.

As JSON, an object; the shape only ever grows:

    format      1
    passed      how many scenarios went as told
    failed      how many did not
    problems    list: what keeps the scenarios from running, as `wfc check` writes it
    workflows   list of {"process", "scenarios"}, in the order of the sources

A scenario is an object:

    title       text
    file        path, relative to the working folder where possible
    line        of the scenario, from 1; `column` as well
    result      text: `passed` or `failed`
    difference  null, or {"expected", "found", "file", "line", "column"}: the item that does not hold
    timeline    list of {"at", "depth", "kind", "text", "branches"}: the run as lines; `at` counts milliseconds
    records     list of {"at", "instance", "kind", "path", "detail"}: the audit records
    faults      list: how the scenario ends with each fault

`timeline` and `records` are there for scenarios that failed, and with --verbose for all; `faults` with --faults, for
scenarios that passed. A fault is an object:

    step        null for events that come late or twice, or {"operation", "attempt", "undo"}
    fault       text: what goes wrong; `name` is the error or the event
    end         text: `done`, `failed`, `waits`, `stuck` or `endless`; `text` says more
    undone      list of operations, in order
    stands      list of {"operation", "reason"}: effects that have not been undone
    letters     list of operations that a person has to look at
    broken      list of texts: laws of the machine that do not hold, which is a bug of ours
    cut         whether the run was left while it still went on
    also        number of later steps at which the same fault does the same, and was not run
"""

import json
from collections.abc import Iterator, Sequence

from wfc.cli.base.faults import matrix_cases, matrix_object
from wfc.cli.base.timeline import FULL, Signs, shown_timeline
from wfc.ir.scenario import Scenario
from wfc.machine.messages import Record
from wfc.machine.store import write_message
from wfc.problems.problem import Problem
from wfc.problems.render.concise import concise
from wfc.problems.render.json import problem_object
from wfc.problems.render.palette import BOLD, DIM, GREEN, PLAIN, RED, Palette
from wfc.simulation.cells import Matrix
from wfc.simulation.lines import Line
from wfc.simulation.scenarios import Difference
from wfc.text.source import Span
from wfc.text.terminal import visible
from wfc.text.value import Value, value
from wfc.text.xml import DECLARATION, escaped, tag


@value
class Result(Value):
    """A scenario that has run; lines and records are there if it is told."""

    process: str
    scenario: Scenario
    difference: Difference | None
    lines: tuple[Line, ...] = ()
    records: tuple[Record, ...] = ()
    faults: Matrix | None = None

    @property
    def at(self) -> Span | None:
        """The item that does not hold, or the scenario."""
        item = self.difference.item if self.difference is not None else None
        return item.at if item is not None and item.at is not None else self.scenario.at

    @property
    def message(self) -> str:
        """What is wrong."""
        assert self.difference is not None
        return f"expected {self.difference.expected}, found {self.difference.found}"


def told(result: Result, palette: Palette) -> str:
    """The one line of a scenario that failed."""
    place = palette.paint(BOLD, f"{visible(str(result.at))}:")
    kind = palette.paint(RED, "error:")
    title = palette.paint(BOLD, f'scenario "{visible(result.scenario.title)}":')
    return f"{place} {kind} {title} {visible(result.message)}"


def passed(result: Result, palette: Palette, signs: Signs) -> str:
    """The one line of a scenario that passed."""
    sign = palette.paint(GREEN, signs.of["done"])
    return f"{sign} {palette.paint(DIM, f'{result.process}:')} {visible(result.scenario.title)}"


# ----------------------------------------------------------------------------------------------------------------- JSON


def as_json(results: Sequence[Result], problems: Sequence[Problem] = ()) -> str:
    """The document of some results, with a line end."""
    groups: dict[str, list[object]] = {}
    for result in results:
        groups.setdefault(result.process, []).append(_object(result))
    failed = sum(1 for result in results if result.difference is not None)
    document = {
        "format": 1,
        "passed": len(results) - failed,
        "failed": failed,
        "problems": [problem_object(problem) for problem in problems],
        "workflows": [{"process": name, "scenarios": scenarios} for name, scenarios in groups.items()],
    }
    return json.dumps(document, indent=2) + "\n"


def _object(result: Result) -> dict[str, object]:
    difference = result.difference
    found: dict[str, object] = {
        "title": result.scenario.title,
        **_place(result.scenario.at),
        "result": "passed" if difference is None else "failed",
        "difference": None,
    }
    if difference is not None:
        found["difference"] = {"expected": difference.expected, "found": difference.found, **_place(result.at)}
    if result.records:
        found["timeline"] = [line_object(line) for line in result.lines]
        found["records"] = [write_message(record) for record in result.records]
    if result.faults is not None:
        found["faults"] = matrix_object(result.faults)
    return found


def line_object(line: Line) -> dict[str, object]:
    """A line of a timeline."""
    branches = [lane.label for lane in line.lanes]
    return {"at": line.at, "depth": line.depth, "kind": line.marker, "text": line.text, "branches": branches}


def _place(at: Span | None) -> dict[str, object]:
    if at is None:
        return {}
    line, column = at.position
    return {"file": at.source.path, "line": line, "column": column}


# ---------------------------------------------------------------------------------------------------------------- JUnit


def as_junit(results: Sequence[Result], problems: Sequence[Problem] = ()) -> str:
    """JUnit's XML, all ASCII. Problems that keep scenarios from running are errors in a suite `check`."""
    return "".join(f"{line}\n" for line in _junit(results, problems))


def _junit(results: Sequence[Result], problems: Sequence[Problem]) -> Iterator[str]:
    cases = [_counted(result) for result in results]
    tests, failed = (sum(each) for each in zip(*cases, strict=True)) if cases else (0, 0)
    counts = {"tests": tests + len(problems), "failures": failed, "errors": len(problems)}
    yield DECLARATION
    yield tag("testsuites", {"name": "wfc test", **counts})
    if problems:
        suite = {"name": "check", "tests": len(problems), "failures": 0, "errors": len(problems)}
        yield f"  {tag('testsuite', suite)}"
        for problem in problems:
            case = {"classname": "check", "name": problem.code, "file": problem.at.source.path, "line": problem.at.line}
            yield f"    {tag('testcase', case)}"
            text = f"{tag('error', {'message': problem.message()})}{escaped(concise(problem))}</error>"
            yield f"      {text}"
            yield "    </testcase>"
        yield "  </testsuite>"
    for process in dict.fromkeys(result.process for result in results):
        yield from _suite(process, [result for result in results if result.process == process])
    yield "</testsuites>"


def _suite(process: str, results: list[Result]) -> Iterator[str]:
    tests, failed = (sum(each) for each in zip(*map(_counted, results), strict=True))
    yield f"  {tag('testsuite', {'name': process, 'tests': tests, 'failures': failed, 'errors': 0})}"
    for result in results:
        place = _place(result.scenario.at)
        case = {
            "classname": process,
            "name": result.scenario.title,
            "file": place.get("file", ""),
            "line": place.get("line", 0),
        }
        if result.difference is None:
            yield f"    {tag('testcase', case, closed=True)}"
            yield from _faults(result, case)
            continue
        yield f"    {tag('testcase', case)}"
        text = "\n".join([told(result, PLAIN), "", *shown_timeline(result.lines, PLAIN, signs=FULL)])
        yield f"      {tag('failure', {'message': result.message})}{escaped(text)}</failure>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _counted(result: Result) -> tuple[int, int]:
    """How many cases a result makes, and how many of them have failed."""
    own = 1 if result.difference is not None else 0
    faults = list(matrix_cases(result.faults)) if result.faults is not None else []
    return 1 + len(faults), own + sum(1 for _, wrong in faults if wrong)


def _faults(result: Result, case: dict[str, object]) -> Iterator[str]:
    for name, wrong in matrix_cases(result.faults) if result.faults is not None else ():
        yield f"    {tag('testcase', {**case, 'name': name}, closed=not wrong)}"
        if wrong:
            yield f"      {tag('failure', {'message': wrong}, closed=True)}"
            yield "    </testcase>"
