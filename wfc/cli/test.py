"""Run the scenarios of workflows, and tell those that go another way.

A scenario that fails is told as it ran, up to the difference. Passing ones are only counted. With --faults each passing
scenario runs again with every single fault at every step, and a table says how these runs end.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from time import perf_counter

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.faults import bad, in_short, print_matrix
from wfc.cli.base.input import Input, add_path_arguments, add_strictness_option, exit_code, read_input
from wfc.cli.base.results import Result, as_json, as_junit, passed, told
from wfc.cli.base.screen import add_color_option, complain, palette_for, print_problems, print_summary
from wfc.cli.base.timeline import Signs, print_timeline, signs_for
from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.ir.scenario import Scenario
from wfc.machine.program import Program
from wfc.problems.problem import Problem, Severity
from wfc.problems.render.palette import BOLD, RED, Palette
from wfc.problems.render.summary import summary
from wfc.simulation.faults import matrix
from wfc.simulation.lines import Line
from wfc.simulation.scenarios import tell
from wfc.simulation.timeline import timeline
from wfc.simulation.witness import Witness
from wfc.simulation.world import START
from wfc.text.names import counted, did_you_mean
from wfc.text.terminal import visible

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
    parser.add_argument(
        "--faults", action="store_true", help="run passing scenarios with every single fault at every step as well"
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
            if result.faults is not None:
                _tell_faults(result, chosen, palette, signs)
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
    matrices = [result.faults for result in results if result.faults is not None]
    if matrices:
        print_summary(in_short(matrices))
    if chosen.faults and failed:
        print_summary(f"{counted(failed, 'failing scenario')} {'was' if failed == 1 else 'were'} not tried with faults")
    print_summary(f"{of}: {outcome} in {perf_counter() - began:.2f} s")
    return PROBLEMS if failed or any(found.bad for found in matrices) else FINE


def _tell_faults(result: Result, chosen: Namespace, palette: Palette, signs: Signs) -> None:
    """The table of a scenario; concise, only what is wrong."""
    assert result.faults is not None
    if chosen.output_format == "full":
        print_matrix(result.process, result.faults, palette, signs)
        return
    place = palette.paint(BOLD, f"{visible(str(result.at))}:")
    for cell in result.faults.bad:
        title = visible(result.scenario.title)
        sys.stdout.write(f'{place} {palette.paint(RED, "error:")} scenario "{title}": {visible(bad(cell))}\n')


class _Progress:
    """A word about the progress now and then, on a terminal."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._live = sys.stderr.isatty()
        self._said = perf_counter()

    def say(self, more: str = "") -> None:
        """How far it is."""
        if self._live and perf_counter() - self._said > _OFTEN:
            self._said = perf_counter()
            sys.stderr.write(f"\r\x1b[K{self.done} of {counted(self.total, 'scenario')}{more} ")
            sys.stderr.flush()

    def faults(self, done: int, of: int) -> None:
        """How far the faults of a scenario are."""
        self.say(f", {done} of {counted(of, 'fault')}")

    def clear(self) -> None:
        """Takes the word away."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _results(selected: Selected, chosen: Namespace) -> Iterator[Result]:
    """Each scenario with its result. One that failed runs again, to be told."""
    progress = _Progress(sum(len(runs) for _, runs in selected))
    for machine, runs in selected:
        program = Program(machine)
        for scenario in runs:
            progress.say()
            result = _result(program, scenario, chosen, progress)
            progress.done += 1
            progress.clear()
            yield result


def _result(program: Program, scenario: Scenario, chosen: Namespace, progress: _Progress) -> Result:
    process = program.machine.process
    outcome = tell(program, scenario)
    faults = matrix(program, scenario, progress.faults) if chosen.faults and outcome.difference is None else None
    if outcome.difference is None and not (chosen.verbose and chosen.output_format == "json"):
        return Result(process, scenario, None, faults=faults)
    witness = Witness(program)
    again = tell(program, scenario, witness.attach)
    lines = timeline(witness.run(again.world))
    if outcome.difference is not None:
        at = again.world.now - START
        lines += (
            Line(at, 0, "difference", f"expected {outcome.difference.expected}"),
            Line(at, 0, "", f"  found    {outcome.difference.found}"),
        )
    return Result(process, scenario, outcome.difference, lines, tuple(again.world.records), faults)
