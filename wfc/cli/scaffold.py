"""Write a first version of the activities of workflows, once.

Each process gets a file PROCESS.activities.ts, which implements what its TypeScript calls: one method for each activity
and query, all of them to be filled in. The file is yours: one that is there is never written again. After a change of
the workflow, tsc names the members that are missing.
"""

import os
import sys
from argparse import ArgumentParser, Namespace

from wfc.backends.typescript.scaffold import SUFFIX, scaffold
from wfc.cli.base.exits import FINE, WRONG_USE
from wfc.cli.base.input import add_path_arguments, exit_code, read_input
from wfc.cli.base.screen import add_color_option, complain, print_problems, print_summary
from wfc.driver import backends, pipeline
from wfc.problems.problem import Report
from wfc.problems.render.summary import summary
from wfc.project.files import join


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc scaffold` takes."""
    add_path_arguments(parser, standard_input=False)
    parser.add_argument(
        "-o", "--out", metavar="DIR", help="the folder of the new files (default: beside the output folder)"
    )
    parser.add_argument(
        "--compiled", metavar="DIR", help="the output folder of `wfc compile` (default: workflows, or as configured)"
    )
    parser.add_argument(
        "--host",
        choices=backends.HOSTS,
        default=backends.HOSTS[0],
        metavar="NAME",
        help="what is to run them, as for `wfc compile`: node (default), or temporal",
    )
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Writes the files that are not there."""
    given = read_input(chosen.paths)
    options = pipeline.Options()
    if not given.sources or given.report.has_errors:
        return _refuse(chosen, given.report, len(given.sources), WRONG_USE)
    checked = pipeline.check(given.sources, given.settings, given.files, options)
    roots = () if checked.report.has_errors else pipeline.roots(checked, options)
    code = exit_code(checked.report.problems, given, warnings_count=False)
    if code != FINE:
        return _refuse(chosen, checked.report, len(given.sources), code)
    compiled = chosen.compiled or given.settings.out_folder
    folder = chosen.out or os.path.dirname(compiled) or "."
    way = os.path.relpath(compiled, folder).replace(os.sep, "/")
    if not roots:
        sys.stdout.write("no workflow here: nothing to write\n")
    for root in roots:
        machine = pipeline.machine(root, checked.model, given.settings, options)
        made = scaffold(machine, way if way.startswith(".") else f"./{way}", chosen.host)
        if made is None:
            sys.stdout.write(f"{machine.process} calls no activity: it needs no {machine.process}{SUFFIX}\n")
            continue
        path = join(folder, made.path)
        try:
            is_new = _write(folder, path, made.text)
        except OSError as error:
            complain(f"`{path}` cannot be written: {error.strerror}")
            return WRONG_USE
        told = "is written, and yours from here on" if is_new else "is there already, and is not touched"
        sys.stdout.write(f"{path} {told}\n")
    return FINE


def _refuse(chosen: Namespace, report: Report, count: int, code: int) -> int:
    print_problems(report.problems, "full", chosen)
    print_summary(summary(report.problems, count))
    return code


def _write(folder: str, path: str, text: str) -> bool:
    """Whether the file is written: one that is there is not."""
    if os.path.lexists(path):
        return False
    os.makedirs(folder, exist_ok=True)
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return True
