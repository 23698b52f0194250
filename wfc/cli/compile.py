"""Check workflows, then write the files of each.

A file in the output folder that was edited by hand is not overwritten without --force. When the whole project is
compiled, files of workflows that are gone are removed. The record of a version is written once, and never removed.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections import Counter

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.input import Input, add_path_arguments, add_strictness_option, exit_code, read_input
from wfc.cli.base.screen import add_color_option, complain, print_problems, print_summary
from wfc.cli.base.watch import add_watch_option, watch
from wfc.driver import backends, output, pipeline
from wfc.problems import UnknownName, UnwritableOutput
from wfc.problems.problem import Problem
from wfc.problems.render.summary import summary
from wfc.project.files import join
from wfc.text.durations import parse_duration
from wfc.text.names import counted, did_you_mean, listed

ALL = ("all",)


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc compile` takes."""
    add_path_arguments(parser, standard_input=False)
    parser.add_argument(
        "--target",
        type=_names,
        default=None,
        metavar="NAME,...",
        help="what to write: json, diagram, typescript (default: these three), dot, python, xstate, or all",
    )
    parser.add_argument(
        "--host",
        choices=backends.HOSTS,
        metavar="NAME",
        help="what is to run the TypeScript: node (default), or temporal, where it survives crashes",
    )
    parser.add_argument("-o", "--out", metavar="DIR", help="the output folder (default: workflows, or as configured)")
    parser.add_argument("--process", metavar="NAME", help="only this workflow")
    parser.add_argument(
        "--max-retries",
        type=_count,
        metavar="N",
        help="attempts after the first, for calls that no policy covers (default: 3)",
    )
    parser.add_argument(
        "--timeout",
        type=_duration,
        metavar="DURATION",
        help="how long an attempt may take, for calls that no policy covers (default: 30s)",
    )
    parser.add_argument(
        "--audit", action=BooleanOptionalAction, default=True, help="emit the audit trail of state transitions"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 with a diff if files would change")
    parser.add_argument("--force", action="store_true", help="overwrite files that were edited by hand")
    add_watch_option(parser)
    add_strictness_option(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Compiles the sources and writes the files, unless there are errors."""
    options = _options(chosen)
    if chosen.host is not None and backends.HOSTED not in options.targets:
        complain(f"--host is for the target {backends.HOSTED}, which is not asked for")
        return WRONG_USE
    if chosen.watch and chosen.check:
        complain("--check tells once whether files would change: it goes without --watch")
        return WRONG_USE
    if chosen.watch:
        return watch(chosen.paths, lambda: _once(chosen, options))
    return _once(chosen, options)


def _once(chosen: Namespace, options: pipeline.Options) -> int:
    given = read_input(chosen.paths)
    if not given.sources or given.report.has_errors:
        return _refuse(given.report.problems, given, WRONG_USE, chosen)
    compiled = pipeline.compile(given.sources, given.settings, given.files, options)
    found = compiled.report.problems
    unknown = next((p for p in found if isinstance(p, UnknownName) and p.kind == "process"), None)
    if unknown is not None:
        sys.stderr.write(f"wfc: {'; '.join((unknown.message(), *unknown.help()))}\n")
        return WRONG_USE
    code = exit_code(found, given, warnings_count=chosen.warnings_as_errors)
    if code != FINE:
        return _refuse(found, given, code, chosen)
    folder = chosen.out or given.settings.out_folder
    complete = not chosen.paths and not chosen.process
    if chosen.check:
        difference = output.differences(compiled.outputs, folder, records=compiled.records, complete=complete)
        sys.stdout.write(difference)
        return PROBLEMS if difference else FINE
    result = output.write(compiled.outputs, folder, records=compiled.records, force=chosen.force, complete=complete)
    if result.problems:
        unwritable = any(isinstance(problem, UnwritableOutput) for problem in result.problems)
        return _refuse((*found, *result.problems), given, WRONG_USE if unwritable else PROBLEMS, chosen)
    print_problems(found, "full", chosen)
    _tell(compiled, result, folder)
    if found:
        print_summary(summary(found, len(given.sources)))
    return FINE


def _refuse(found: tuple[Problem, ...], given: Input, code: int, chosen: Namespace) -> int:
    print_problems(found, "full", chosen)
    print_summary(summary(found, len(given.sources)))
    return code


def _tell(compiled: pipeline.Compiled, result: output.WriteResult, folder: str) -> None:
    """What was understood, then what was written, in the order of the targets."""
    if not compiled.outputs:
        sys.stdout.write("no workflow here: nothing to write\n")
        return
    lines = [*compiled.summary, "[Output] Files created:"]
    lines += [f"- {join(folder, path)}" for path in _listed(compiled)]
    if result.removed:
        lines += ["[Output] Files removed:", *(f"- {path}" for path in result.removed)]
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _listed(compiled: pipeline.Compiled) -> list[str]:
    """The files by name, those of a folder of their own together; then the new records of versions."""
    inside = Counter(made.path.partition("/")[0] for made in compiled.outputs if "/" in made.path)
    plain = [made.path for made in compiled.outputs if "/" not in made.path]
    folders = [f"{name}/ ({counted(count, 'file')})" for name, count in inside.items()]
    return [*plain, *folders, *(made.path for made in compiled.records)]


def _options(chosen: Namespace) -> pipeline.Options:
    return pipeline.Options(
        process=chosen.process,
        max_retries=chosen.max_retries,
        timeout_ms=chosen.timeout,
        audit=chosen.audit,
        targets=backends.names() if chosen.target == ALL else chosen.target or pipeline.Options().targets,
        host=chosen.host or pipeline.Options().host,
        lenient=chosen.target == ALL,
        out=chosen.out,
    )


def _names(text: str) -> tuple[str, ...]:
    """The targets of a list, each once; `all` stands for every one that can express a process."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if names == ALL:
        return names
    known = backends.names()
    for name in names:
        if name not in known:
            near = did_you_mean(name, known)
            raise ArgumentTypeError(f"there is no target `{name}`; {near or f'the targets are {listed(known)}'}")
    if not names:
        raise ArgumentTypeError("names at least one target")
    return names


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"`{text}` is not a whole number, 0 or more")
    return int(text)


def _duration(text: str) -> int:
    milliseconds = parse_duration(text)
    if not milliseconds:
        raise ArgumentTypeError(f"`{text}` is not a duration above zero, such as 30s or 2m30s")
    return milliseconds
