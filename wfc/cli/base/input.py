"""From the paths of a command line to settings and sources."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.problems.problem import Problem, Report, Severity
from wfc.project.files import SIZE_LIMIT, DiskFiles, Files
from wfc.project.settings import Settings, load_settings
from wfc.project.sources import STANDARD_INPUT, read_sources, source_from_input, start_folder
from wfc.text.source import SourceFile
from wfc.text.value import Value, value


@value(kw_only=True)
class Input(Value):
    """What a command works on. `report` has the problems of reading; with errors there nothing else can be trusted."""

    files: Files
    settings: Settings
    sources: tuple[SourceFile, ...]
    report: Report


def add_path_arguments(parser: ArgumentParser, *, standard_input: bool) -> None:
    """Adds PATH, and with `standard_input` what belongs to `-`."""
    more = ", or - for standard input" if standard_input else ""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help=f"a .wf file, a folder (the .wf files in it){more}; without any: the project around this folder",
    )
    if standard_input:
        parser.add_argument(
            "--stdin-filename",
            default="<stdin>",
            metavar="NAME",
            help="the path under which standard input is read and reported",
        )


def add_strictness_option(parser: ArgumentParser) -> None:
    """Adds `-W`."""
    parser.add_argument("-W", "--warnings-as-errors", action="store_true", help="exit 1 on warnings as well")


def read_input(paths: Sequence[str], stdin_filename: str | None = None) -> Input:
    """The settings and sources for the paths of a command line."""
    files = DiskFiles()
    report = Report()
    if list(paths) == [STANDARD_INPUT] and stdin_filename is not None:
        settings = load_settings(files, start_folder([stdin_filename], files), report)
        shown = stdin_filename if stdin_filename.startswith("<") else files.shown(stdin_filename)
        sources = source_from_input(sys.stdin.buffer.read(SIZE_LIMIT + 1), shown, report)
    else:
        settings = load_settings(files, start_folder(paths, files), report)
        sources = read_sources(paths, settings, files, report)
    return Input(files=files, settings=settings, sources=sources, report=report)


def exit_code(problems: Sequence[Problem], given: Input, *, warnings_count: bool) -> int:
    """Wrong use if the input could not be read, else whether there are problems that matter."""
    if given.report.has_errors:
        return WRONG_USE
    fatal = {Severity.ERROR, Severity.WARNING} if warnings_count else {Severity.ERROR}
    return PROBLEMS if any(problem.level() in fatal for problem in problems) else FINE
