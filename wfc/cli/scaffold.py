"""Write a first version of the activities of workflows, once.

Each process gets a file with one method for each activity and query, all of them to be filled in: PROCESS.activities.ts
for the program that runs its TypeScript, or, with --target python, PROCESS_services.py for `wfc run --activities`. The
file is yours: one that is there is never written again. After a change of the workflow, tsc or mypy names the members
that are missing.
"""

import os
import sys
from argparse import ArgumentParser, Namespace

from wfc.backends.python import scaffold as python
from wfc.backends.typescript import scaffold as typescript
from wfc.cli.base.exits import FINE, WRONG_USE
from wfc.cli.base.input import add_path_arguments, exit_code, read_input
from wfc.cli.base.screen import add_color_option, complain, print_problems, print_summary
from wfc.driver import backends, pipeline
from wfc.ir.machine import Machine
from wfc.ir.python_names import is_plain
from wfc.problems.problem import Report
from wfc.problems.render.summary import summary
from wfc.project.files import join
from wfc.text.output import Output


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc scaffold` takes."""
    add_path_arguments(parser, standard_input=False)
    parser.add_argument(
        "--target",
        choices=("typescript", "python"),
        default="typescript",
        help="the language to write in (default: typescript)",
    )
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
    package = _package(compiled)
    if chosen.target == "python" and package is None:
        complain(f"`{compiled}` is no package that Python could import from here: name another with --compiled")
        return WRONG_USE
    if not roots:
        sys.stdout.write("no workflow here: nothing to write\n")
    for root in roots:
        machine = pipeline.machine(root, checked.model, given.settings, options)
        made, name = _made(chosen, machine, compiled, folder)
        if made is None:
            sys.stdout.write(f"{machine.process} calls no activity: it needs no {name}\n")
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


def _made(chosen: Namespace, machine: Machine, compiled: str, folder: str) -> tuple[Output | None, str]:
    """The file of a process, if it needs one, and its name."""
    if chosen.target == "python":
        return python.scaffold(machine, _package(compiled) or ""), python.path_of(machine)
    way = os.path.relpath(compiled, folder).replace(os.sep, "/")
    made = typescript.scaffold(machine, way if way.startswith(".") else f"./{way}", chosen.host)
    return made, f"{machine.process}{typescript.SUFFIX}"


def _package(compiled: str) -> str | None:
    """The package that the output folder is, as Python imports it from the current folder; empty for that folder."""
    parts = [part for part in os.path.relpath(compiled).split(os.sep) if part != os.curdir]
    return ".".join(parts) if all(part.isidentifier() and is_plain(part) for part in parts) else None


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
