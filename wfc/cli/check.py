"""Report what is wrong with workflows, and mend it."""

import re
import sys
from argparse import ArgumentParser, Namespace

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.input import Input, add_path_arguments, add_strictness_option, exit_code, read_input
from wfc.cli.base.screen import add_color_option, complain, print_problems, print_summary
from wfc.cli.base.watch import add_watch_option, watch
from wfc.driver import pipeline
from wfc.problems.problem import Problem
from wfc.problems.render.formats import FORMATS
from wfc.problems.render.summary import summary
from wfc.project.sources import STANDARD_INPUT

_PLACE = re.compile(r"(?P<code>[a-z][a-z0-9-]*)@(?:(?P<file>.*):)?(?P<line>\d+)")


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc check` takes."""
    add_path_arguments(parser, standard_input=True)
    parser.add_argument(
        "--output-format",
        choices=FORMATS,
        default="full",
        help="; ".join(["how problems are written", *(f"{name}: {what}" for name, what in FORMATS.items())]),
    )
    parser.add_argument(
        "--fix", action="store_true", help="apply the fixes that keep what you mean, until none is left"
    )
    parser.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: suggested fixes as well")
    parser.add_argument("--diff", action="store_true", help="write nothing, but show what --fix would change")
    parser.add_argument(
        "--trace",
        nargs=2,
        metavar=("CODE@LINE", "FILE"),
        help="write the run that shows a problem, for `wfc simulate --replay`",
    )
    parser.add_argument(
        "--times", action="store_true", help="tell of each deadline and promise how long what it watches may take"
    )
    add_watch_option(parser)
    add_strictness_option(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Checks the sources and reports the problems."""
    wrong = _wrong_use(chosen)
    if wrong:
        complain(wrong)
        return WRONG_USE
    if chosen.watch:
        return watch(chosen.paths, lambda: _once(chosen))
    return _once(chosen)


def _once(chosen: Namespace) -> int:
    given = read_input(chosen.paths, chosen.stdin_filename)
    if not given.sources or given.report.has_errors:
        return _report(given, (), chosen)
    if chosen.fix or chosen.diff:
        return _mend(given, chosen)
    checked = pipeline.check(given.sources, given.settings, given.files, pipeline.Options())
    if chosen.trace is not None:
        return _trace(given, checked, chosen)
    if chosen.times:
        _times(given, checked)
    return _report(given, checked.report.problems, chosen)


def _wrong_use(chosen: Namespace) -> str:
    """What does not go together on this command line, or nothing."""
    if STANDARD_INPUT in chosen.paths and len(chosen.paths) > 1:
        return "- stands alone: standard input cannot be checked together with files"
    if chosen.watch and (chosen.fix or chosen.diff or chosen.trace is not None or STANDARD_INPUT in chosen.paths):
        return "--watch reports what is wrong in files: it goes without -, --fix, --diff and --trace"
    if chosen.unsafe_fixes and not (chosen.fix or chosen.diff):
        return "--unsafe-fixes says which fixes are applied: it goes with --fix or --diff"
    if chosen.trace is not None and (chosen.fix or chosen.diff):
        return "--trace does not go with --fix or --diff"
    if chosen.times and (chosen.fix or chosen.diff or chosen.output_format not in ("full", "concise")):
        return "--times is for people: it goes with the formats full and concise, and without --fix and --diff"
    if chosen.trace is not None and _PLACE.fullmatch(chosen.trace[0]) is None:
        return f"`{chosen.trace[0]}` names no problem: write its code and line, such as missing-rollback@12"
    return ""


def _report(given: Input, found: tuple[Problem, ...], chosen: Namespace) -> int:
    code = exit_code(found, given, warnings_count=chosen.warnings_as_errors)
    for problem in found:
        given.report(problem)
    print_problems(given.report.problems, chosen.output_format, chosen)
    print_summary(summary(given.report.problems, len(given.sources)))
    return code


# ---------------------------------------------------------------------------------------------------------------- fixes


def _mend(given: Input, chosen: Namespace) -> int:
    from wfc.driver.mend import mend
    from wfc.driver.rewrite import difference, write

    mended = mend(given.sources, given.settings, given.files, pipeline.Options(), unsafe=chosen.unsafe_fixes)
    if chosen.diff:
        lines = list(difference(given.sources, mended.sources))
        sys.stdout.writelines(lines)
        print_summary(_count(mended.fixes, "would be applied"))
        return PROBLEMS if lines else FINE
    if chosen.paths == [STANDARD_INPUT]:
        sys.stdout.write(mended.sources[0].text)
        print_summary(_count(mended.fixes, "applied"))
        left = mended.checked.report.problems
        return exit_code(left, given, warnings_count=chosen.warnings_as_errors)
    try:
        write(given.sources, mended.sources)
    except OSError as error:
        complain(f"`{error.filename}` cannot be written: {error.strerror}")
        return WRONG_USE
    print_summary(_count(mended.fixes, "applied"))
    return _report(given, mended.checked.report.problems, chosen)


def _count(fixes: int, what: str) -> str:
    return f"{fixes or 'no'} {'fix' if fixes == 1 else 'fixes'} {what}"


# ---------------------------------------------------------------------------------------------------------------- trace


def _trace(given: Input, checked: pipeline.Checked, chosen: Namespace) -> int:
    """Writes the run that shows one problem."""
    from wfc.driver.trace import trace_text

    place, path = chosen.trace
    match = _PLACE.fullmatch(place)
    assert match is not None
    there = [p for p in checked.report.problems if p.code == match["code"] and p.at.line == int(match["line"])]
    if match["file"] is not None:
        there = [p for p in there if p.at.source.path == match["file"]]
    if not there:
        lines = sorted(
            {f"{p.code}@{p.at.line}" for p in checked.report.problems if p.trace is not None and p.trace.acts}
        )
        complain(
            f"there is no {match['code']} in line {match['line']}" + (f"; there is {', '.join(lines)}" if lines else "")
        )
        return WRONG_USE
    text = trace_text(there[0], checked, given.settings)
    if text is None:
        complain(f"no run was found that shows this {match['code']}")
        return PROBLEMS
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        complain(f"`{path}` cannot be written: {error.strerror}")
        return WRONG_USE
    runs = (there[0].trace.record if there[0].trace is not None else "") or there[0].at.source.path
    print_summary(f"the run is in {path}: see it with `wfc simulate {runs} --replay {path}`")
    return FINE


# ---------------------------------------------------------------------------------------------------------------- times


def _times(given: Input, checked: pipeline.Checked) -> None:
    """How long things may take, before the problems."""
    from wfc.driver.times import times

    lines = list(times(checked, given.settings))
    sys.stdout.writelines(f"{line}\n" for line in lines or ["there is no deadline and no promise"])
    sys.stdout.write("\n")
