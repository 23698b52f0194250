"""Run the scenarios of workflows, and tell those that go another way.

A scenario that fails is told as it ran, up to the difference. Passing ones are only counted.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from time import perf_counter

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.input import Input, add_path_arguments, add_strictness_option, exit_code, read_input
from wfc.cli.base.results import Result, as_json, as_junit, passed, told
from wfc.cli.base.screen import add_color_option, complain, palette_for, print_problems, print_summary
from wfc.cli.base.timeline import print_timeline, signs_for
from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.ir.scenario import Scenario
from wfc.machine.program import Program
from wfc.problems.problem import Problem, Severity
from wfc.problems.render.summary import summary
from wfc.simulation.lines import Line
from wfc.simulation.scenarios import tell
from wfc.simulation.timeline import timeline
from wfc.simulation.witness import Witness
from wfc.simulation.world import START
from wfc.text.names import counted, did_you_mean

FORMATS = ("full", "concise", "json", "junit")

Selected = list[tuple[Machine, tuple[Scenario, ...]]]

_OFTEN = 0.1  # seconds between two words about the progress


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc test` takes."""
    add_path_arguments(parser, standard_input=False)
    parser.add_argument("--scenario", metavar="TEXT", help="only scenarios with this text in their title")
    parser.add_argument("--process", metavar="NAME", help="only scenarios of this workflow")
    parser.add_argument(
        "--output-format",
        choices=FORMATS,
        default="full",
        help="full: failing scenarios with their runs; concise: one line each; json, junit: for programs",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="list passing scenarios as well")
    add_strictness_option(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Checks the sources, then runs their scenarios, unless there are errors."""
    given = read_input(chosen.paths)
    if not given.sources or given.report.has_errors:
        return _refuse(given.report.problems, given, WRONG_USE, chosen)
    checked = pipeline.check(given.sources, given.settings, given.files, pipeline.Options())
    found = checked.report.problems
    code = exit_code(found, given, warnings_count=chosen.warnings_as_errors)
    if code != FINE:
        counts = {Severity.ERROR, Severity.WARNING} if chosen.warnings_as_errors else {Severity.ERROR}
        return _refuse([problem for problem in found if problem.level() in counts], given, code, chosen)
    every = [(machine, runs) for machine, runs, _ in pipeline.scenarios(checked, given.settings, pipeline.Options())]
    known = [workflow.process for workflow in checked.model.workflows.values() if workflow.by_itself]
    selected = _selected(every, chosen)
    if not selected and (chosen.scenario or chosen.process):
        complain(_nothing(every, known, chosen))
        return WRONG_USE
    return _run(selected, given, chosen)


def _refuse(found: Sequence[Problem], given: Input, code: int, chosen: Namespace) -> int:
    """Says what keeps the scenarios from running, in the format that was asked for."""
    if chosen.output_format in ("json", "junit"):
        sys.stdout.write(as_json((), found) if chosen.output_format == "json" else as_junit((), found))
    else:
        print_problems(found, chosen.output_format, chosen)
    print_summary(summary(found, len(given.sources)))
    return code


def _selected(every: Selected, chosen: Namespace) -> Selected:
    """The scenarios that are meant, by workflow."""
    found: Selected = []
    for machine, runs in every:
        if chosen.process and chosen.process not in (machine.process, machine.workflow.name):
            continue
        meant = tuple(each for each in runs if chosen.scenario is None or _has(each.title, chosen.scenario))
        if meant:
            found.append((machine, meant))
    return found


def _has(title: str, text: str) -> bool:
    return text.casefold() in title.casefold()


def _nothing(every: Selected, known: Sequence[str], chosen: Namespace) -> str:
    """Why nothing is selected."""
    told = {name for machine, _ in every for name in (machine.process, machine.workflow.name)}
    if chosen.process and chosen.process not in told:
        if chosen.process in known:
            return f"the process `{chosen.process}` has no scenarios here"
        near = did_you_mean(chosen.process, known)
        return f"there is no process named `{chosen.process}`" + (f"; {near}" if near else "")
    titles = [each.title for _, runs in every for each in runs]
    near = did_you_mean(chosen.scenario, titles)
    where = f" of `{chosen.process}`" if chosen.process else ""
    return f"no scenario{where} has `{chosen.scenario}` in its title" + (f"; {near}" if near else "")


def _run(selected: Selected, given: Input, chosen: Namespace) -> int:
    """Runs scenarios, and tells how they went."""
    began = perf_counter()
    palette = palette_for(chosen, sys.stdout)
    signs = signs_for(sys.stdout)
    results: list[Result] = []
    for result in _results(selected, chosen):
        results.append(result)
        if chosen.output_format not in ("full", "concise"):
            continue
        if result.difference is None:
            if chosen.verbose:
                sys.stdout.write(f"{passed(result, palette, signs)}\n")
            continue
        sys.stdout.write(f"{told(result, palette)}\n")
        if chosen.output_format == "full":
            print_timeline(result.lines, palette, indent="  ")
            sys.stdout.write("\n")
    if chosen.output_format in ("json", "junit"):
        sys.stdout.write(as_json(results) if chosen.output_format == "json" else as_junit(results))
    failed = sum(1 for result in results if result.difference is not None)
    if not results:
        print_summary(f"no scenarios in {counted(len(given.sources), 'file')}")
        return FINE
    outcome = ", ".join(
        f"{count} {word}" for count, word in ((len(results) - failed, "passed"), (failed, "failed")) if count
    )
    of = f"{counted(len(results), 'scenario')} of {counted(len(selected), 'workflow')}"
    print_summary(f"{of}: {outcome} in {perf_counter() - began:.2f} s")
    return PROBLEMS if failed else FINE


def _results(selected: Selected, chosen: Namespace) -> Iterator[Result]:
    """Each scenario with its result. One that failed runs again, to be told."""
    total = sum(len(runs) for _, runs in selected)
    live = sys.stderr.isatty()
    done, said = 0, perf_counter()
    for machine, runs in selected:
        program = Program(machine)
        for scenario in runs:
            if live and perf_counter() - said > _OFTEN:
                said = perf_counter()
                sys.stderr.write(f"\r{done} of {counted(total, 'scenario')} ")
                sys.stderr.flush()
            outcome = tell(program, scenario)
            done += 1
            if outcome.difference is None and not (chosen.verbose and chosen.output_format == "json"):
                yield Result(machine.process, scenario, None)
                continue
            witness = Witness(program)
            again = tell(program, scenario, witness.attach)
            lines = timeline(witness.run(again.world))
            if outcome.difference is not None:
                at = again.world.now - START
                lines += (
                    Line(at, 0, "difference", f"expected {outcome.difference.expected}"),
                    Line(at, 0, "", f"  found    {outcome.difference.found}"),
                )
            if live:
                sys.stderr.write("\r\x1b[K")
            yield Result(machine.process, scenario, outcome.difference, lines, tuple(again.world.records))
    if live:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
