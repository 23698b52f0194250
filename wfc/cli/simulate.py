"""Run a workflow in simulated time, and tell what happens.

Services answer at once with samples, unless a flag or a script says otherwise. The run goes on until the workflow ends
or waits for something from outside.
"""

import sys
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from typing import Any

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.explored import print_explored, worst
from wfc.cli.base.flags import FlagError, answer_entry, delay_entry, event_entry, failure_entry
from wfc.cli.base.given import UseError, json_in, json_of, text_of, the_process, the_scenario
from wfc.cli.base.input import Input, exit_code, read_input
from wfc.cli.base.screen import add_color_option, complain, palette_for, print_problems, print_summary
from wfc.cli.base.timeline import print_timeline, signs_for
from wfc.driver import pipeline
from wfc.ir.encode import BadMachineError
from wfc.ir.load import load
from wfc.ir.machine import Machine
from wfc.ir.scenario import Scenario
from wfc.machine.program import Program
from wfc.problems.problem import Problem, Severity
from wfc.problems.render.summary import summary
from wfc.simulation.closing import one_attempt
from wfc.simulation.explore import Bounds, Explored, explore, follow
from wfc.simulation.lines import Line
from wfc.simulation.play import Played, play
from wfc.simulation.scenarios import tell
from wfc.simulation.script import ScriptError, read_script
from wfc.simulation.timeline import timeline
from wfc.simulation.trace import ReplayError, Trace, TraceError, read_trace, replay, write_trace
from wfc.simulation.witness import Witness
from wfc.simulation.world import START, World
from wfc.text.durations import parse_duration, spaced_duration
from wfc.text.names import listed


class _Entry(Action):
    """Collects entries of different flags in the order of the command line."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: object, option_string: str | None = None
    ) -> None:
        """Adds one."""
        _ = parser
        entries = list(getattr(namespace, self.dest) or ())
        setattr(namespace, self.dest, [*entries, (option_string or "", values)])


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc simulate` takes."""
    parser.add_argument("path", metavar="FILE", help="a .wf file, or the machine that compile wrote of one")
    parser.add_argument("--process", metavar="NAME", help="the workflow, if the file has several")
    parser.add_argument("--scenario", metavar="TEXT", help="tell the scenario of the file with this text in its title")
    parser.add_argument("--input", metavar="JSON", help="the parameters, as an object, or the path of a file with it")
    entries: tuple[tuple[str, str, str], ...] = (
        ("--answer", "OP=JSON", "what an attempt of an operation returns; again for the next attempt"),
        ("--fail", "OP=ERROR[:FIELDS][*N]", "the error that an attempt, or N attempts, end with"),
        ("--hang", "OP", "an attempt that is never answered"),
        ("--delay", "OP=DURATION", "how long each answer of an operation takes"),
        ("--event", "EVENT[=FIELDS][@DURATION]", "an event, so long after the start"),
        ("--cancel-at", "DURATION", "an operator cancels, so long after the start"),
    )
    for flag, form, help_text in entries:
        parser.add_argument(flag, dest="entries", action=_Entry, metavar=form, help=help_text)
    parser.add_argument(
        "--script", metavar="FILE", help="a file with a list of entries: input, answers, events, operators"
    )
    parser.add_argument(
        "--until", metavar="DURATION", type=_duration, help="how long to run; deadlines on the way fire"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, help="draw input, answers and events by lot; the same for the same N"
    )
    parser.add_argument("--trace", metavar="FILE", help="write all that is needed to replay the run")
    parser.add_argument(
        "--replay", metavar="FILE", help="feed the inputs of a trace to the workflow, and tell that run"
    )
    parser.add_argument(
        "--explore", action="store_true", help="try everything that can happen, and tell which ends can be reached"
    )
    parser.add_argument("--states", metavar="N", type=_number, help="explore: states to look at (20,000)")
    parser.add_argument("--events", metavar="N", type=_number, help="explore: how often each event may come (1)")
    parser.add_argument("--cancel", action="store_true", default=None, help="explore: an operator may cancel")
    parser.add_argument("--failing-undos", action="store_true", default=None, help="explore: undos may fail")
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Checks the file, then runs one of its workflows. A machine has been checked when it was written."""
    if chosen.path.endswith(".json"):
        return _tried(lambda: _machine_file(chosen), chosen)
    given = read_input([chosen.path])
    if not given.sources or given.report.has_errors:
        return _refuse(given.report.problems, given, WRONG_USE, chosen)
    checked = pipeline.check(given.sources, given.settings, given.files, pipeline.Options())
    code = exit_code(checked.report.problems, given, warnings_count=False)
    if code != FINE and not (chosen.replay is not None and not checked.model.undeclared):
        errors = [problem for problem in checked.report.problems if problem.level() is Severity.ERROR]
        return _refuse(errors, given, code, chosen)
    return _tried(lambda: _source_file(checked, given, chosen), chosen)


def _tried(work: Callable[[], int], chosen: Namespace) -> int:
    try:
        _compatible(chosen)
        return work()
    except (UseError, FlagError, ScriptError) as wrong:
        complain(str(wrong))
        return WRONG_USE


def _source_file(checked: pipeline.Checked, given: Input, chosen: Namespace) -> int:
    if chosen.replay is not None:
        return _replay(lambda trace: _same_program(checked, given, trace), chosen)
    if chosen.scenario is not None:
        return _scenario(checked, given, chosen)
    machine = _machine(checked, given, chosen.process)
    return _explore(machine, chosen) if chosen.explore else _play(machine, chosen)


def _machine_file(chosen: Namespace) -> int:
    """Runs what a `PROCESS.state-machine.json` or the record of a version holds; the source is not needed."""
    try:
        machine = load(text_of(chosen.path))
    except BadMachineError as wrong:
        raise UseError(f"{chosen.path}: {wrong}") from None
    if chosen.process not in (None, machine.process, machine.workflow.name):
        raise UseError(f"there is no process named `{chosen.process}`; this is the machine of `{machine.process}`")
    if chosen.scenario is not None:
        raise UseError("a machine has no scenarios: they stand in the source")
    if chosen.replay is not None:
        return _replay(lambda trace: _fitting(machine, trace), chosen)
    return _explore(machine, chosen) if chosen.explore else _play(machine, chosen)


def _refuse(found: Sequence[Problem], given: Input, code: int, chosen: Namespace) -> int:
    print_problems(found, "full", chosen)
    print_summary(summary(found, len(given.sources)))
    return code


def _compatible(chosen: Namespace) -> None:
    """A scenario and a trace say themselves what happens; the explorer tries everything."""
    bounds = {
        "--states": chosen.states,
        "--events": chosen.events,
        "--cancel": chosen.cancel,
        "--failing-undos": chosen.failing_undos,
    }
    lonely = [flag for flag, value in bounds.items() if value is not None]
    if lonely and not chosen.explore:
        raise UseError(f"{listed(lonely)} says how far --explore looks, which is not there")
    flags = {
        "--input": chosen.input,
        "--script": chosen.script,
        "--until": chosen.until,
        "--seed": chosen.seed,
        **{flag: flag for flag, _ in chosen.entries or ()},
    }
    if chosen.explore:
        flags |= {"--scenario": chosen.scenario, "--replay": chosen.replay}
        others = [flag for flag, value in flags.items() if value is not None]
        if others:
            raise UseError(f"--explore does not go with {listed(others)}: it tries everything that can happen")
        return
    alone = "--replay" if chosen.replay is not None else "--scenario" if chosen.scenario is not None else ""
    if alone == "--replay":
        flags |= {"--scenario": chosen.scenario, "--trace": chosen.trace}
    others = [flag for flag, value in flags.items() if value is not None]
    if alone and others:
        what = "a trace" if alone == "--replay" else "a scenario"
        raise UseError(f"{alone} does not go with {listed(others)}: {what} says itself what happens")


# ------------------------------------------------------------------------------------------------------- which workflow


def _machine(checked: pipeline.Checked, given: Input, name: str | None) -> Machine:
    """The machine of the workflow that is meant."""
    broken = pipeline.broken_workflows(checked.model)
    every = [root for root in pipeline.roots(checked, pipeline.Options()) if root not in broken]
    found = the_process([(root, root.process, root.decl.name.text) for root in every], name)
    sound = not checked.report.has_errors
    return pipeline.machine(found, checked.model, given.settings, pipeline.Options(), sound=sound)


def _told(checked: pipeline.Checked, given: Input, chosen: Namespace) -> tuple[Machine, Scenario]:
    """The scenario that is meant, with its machine."""
    every = [
        (machine, scenario)
        for machine, scenarios, _ in pipeline.scenarios(checked, given.settings, pipeline.Options())
        for scenario in scenarios
        if chosen.process is None or chosen.process in (machine.process, machine.workflow.name)
    ]
    return the_scenario([(each, each[1].title) for each in every], chosen.scenario)


# ----------------------------------------------------------------------------------------------------------------- runs


def _play(machine: Machine, chosen: Namespace) -> int:
    program = Program(machine)
    script = read_script(program, machine.workflow, _entries(chosen))
    played = play(program, machine.workflow.name, script, until=chosen.until, seed=chosen.seed)
    if played.refused:
        raise UseError(f"`{machine.process}` does not start: {played.refused}")
    print_timeline(timeline(played.witness.run(played.world)), palette_for(chosen, sys.stdout))
    _say(played, chosen)
    return _traced(program, played.world, chosen)


def _say(played: Played, chosen: Namespace) -> None:
    """Why the run stops where it does."""
    at = spaced_duration(played.world.now - START)
    match played.ending:
        case "ended":
            pass
        case "waits":
            print_summary("it waits: --event or --script say what comes, --until how long to wait")
        case "time":
            print_summary(f"left after {spaced_duration(chosen.until)}")
        case "endless":
            print_summary(f"left after {at}: it goes on and on; --until says how long to run")


def _scenario(checked: pipeline.Checked, given: Input, chosen: Namespace) -> int:
    machine, scenario = _told(checked, given, chosen)
    program = Program(machine)
    witness = Witness(program)
    outcome = tell(program, scenario, witness.attach)
    lines = timeline(witness.run(outcome.world))
    if outcome.difference is not None:
        at = outcome.world.now - START
        lines += (
            Line(at, 0, "difference", f"expected {outcome.difference.expected}"),
            Line(at, 0, "", f"  found    {outcome.difference.found}"),
        )
    print_timeline(lines, palette_for(chosen, sys.stdout))
    told = "goes another way" if outcome.difference is not None else "goes as told"
    print_summary(f'scenario "{scenario.title}" {told}')
    code = _traced(program, outcome.world, chosen)
    return code or (PROBLEMS if outcome.difference is not None else FINE)


def _explore(machine: Machine, chosen: Namespace) -> int:
    bounds = Bounds(
        states=chosen.states or Bounds().states,
        events=chosen.events or Bounds().events,
        cancel=bool(chosen.cancel),
        failing_undos=bool(chosen.failing_undos),
    )
    live = sys.stderr.isatty()

    def tick(states: int) -> None:
        if live and states % 500 == 0:
            sys.stderr.write(f"\r\x1b[K{states:,} of at most {bounds.states:,} states ")
            sys.stderr.flush()

    found = explore(machine, None, bounds, tick)
    if live:
        sys.stderr.write("\r\x1b[K")
    print_explored(found, bounds, palette_for(chosen, sys.stdout), signs_for(sys.stdout))
    if chosen.trace is not None:
        _trace_worst(machine, found, chosen)
    return PROBLEMS if found.stuck or found.broken else FINE


def _trace_worst(machine: Machine, found: Explored, chosen: Namespace) -> None:
    """Writes the way to the end that a person looks at first. It is one of the closed machine, and replays on that."""
    bad = worst(found)
    if bad is None:
        raise UseError("no end was reached, so there is no trace")
    program = Program(one_attempt(machine))
    end, trace = bad
    print_summary(f"the trace leads to: {end}")
    _write(write_trace(program, follow(program, trace)), chosen)


def _traced(program: Program, world: World, chosen: Namespace) -> int:
    """Writes the trace, if one is wanted."""
    if chosen.trace is not None:
        _write(write_trace(program, world), chosen)
    return FINE


def _write(text: str, chosen: Namespace) -> None:
    try:
        with open(chosen.trace, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UseError(f"`{chosen.trace}` cannot be written: {error.strerror}") from None
    print_summary(f"the trace is in {chosen.trace}")


def _replay(find: Callable[[Trace], Program], chosen: Namespace) -> int:
    try:
        trace = read_trace(text_of(chosen.replay))
        told = replay(find(trace), trace)
    except TraceError as wrong:
        raise UseError(f"{chosen.replay}: {wrong}") from None
    except ReplayError as wrong:
        complain(f"{chosen.replay}: {wrong}")
        return PROBLEMS
    print_timeline(timeline(told), palette_for(chosen, sys.stdout))
    return FINE


def _same_program(checked: pipeline.Checked, given: Input, trace: Trace) -> Program:
    """The program that a trace is of: a scenario brings definitions of its own into the machine."""
    try:
        return _fitting(_machine(checked, given, trace.process), trace)
    except TraceError:
        found = _of_scenario(checked, given, trace)
        if found is None:
            raise
        return found


def _fitting(machine: Machine, trace: Trace) -> Program:
    """The program of a machine as a trace wants it."""
    program = Program(machine)
    if program.digest == trace.machine:
        return program
    closed = Program(one_attempt(machine))
    if closed.digest == trace.machine:
        print_summary("this is a trace of --explore: each call is one attempt, whatever its policy says")
        return closed
    raise TraceError(f"it is of another version of `{trace.process}`: the workflow has changed since")


def _of_scenario(checked: pipeline.Checked, given: Input, trace: Trace) -> Program | None:
    for other, _, _ in pipeline.scenarios(checked, given.settings, pipeline.Options()):
        if other.process == trace.process and Program(other).digest == trace.machine:
            return Program(other)
    return None


# ----------------------------------------------------------------------------------------------------------- the script


def _entries(chosen: Namespace) -> list[tuple[str, Any]]:
    """All entries: of the script, then of the flags, in their order."""
    found: list[tuple[str, Any]] = []
    if chosen.script is not None:
        entries = json_in(text_of(chosen.script), chosen.script)
        if not isinstance(entries, list):
            raise UseError(f"{chosen.script}: a script is a list of entries")
        found += [(f"{chosen.script}: entry {place}", entry) for place, entry in enumerate(entries, 1)]
    if chosen.input is not None:
        found.append(("--input", {"input": json_of(chosen.input, "--input")}))
    for flag, text in chosen.entries or ():
        found.append((flag, _entry(flag, text)))
    return found


def _entry(flag: str, text: str) -> dict[str, Any]:
    match flag:
        case "--answer":
            return answer_entry(text)
        case "--fail":
            return failure_entry(text)
        case "--hang":
            return {"answer": text, "hangs": True}
        case "--delay":
            return delay_entry(text)
        case "--event":
            return event_entry(text)
        case _:
            return {"operator": "cancels", "at": text}


def _duration(text: str) -> int:
    milliseconds = parse_duration(text)
    if milliseconds is None:
        raise ArgumentTypeError(f"`{text}` is not a duration such as 30s or 2h30m")
    return milliseconds


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError(f"`{text}` is not a number from 1")
    return int(text)
