"""Give sources their one layout."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import redirect_stdout

from wfc.cli.base.exits import FINE, PROBLEMS, WRONG_USE
from wfc.cli.base.input import add_path_arguments, read_input
from wfc.cli.base.screen import add_color_option, complain, print_problems, print_summary
from wfc.driver.rewrite import difference, write
from wfc.driver.tidy import tidied
from wfc.problems.problem import Problem
from wfc.project.sources import STANDARD_INPUT
from wfc.text.source import SourceFile


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc fmt` takes."""
    add_path_arguments(parser, standard_input=True)
    parser.add_argument("--check", action="store_true", help="write nothing, but name the files that would change")
    parser.add_argument("--diff", action="store_true", help="write nothing, but show what would change")
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Lays the sources out, or says which of them are not."""
    if STANDARD_INPUT in chosen.paths and len(chosen.paths) > 1:
        complain("- stands alone: standard input cannot be laid out together with files")
        return WRONG_USE
    given = read_input(chosen.paths, chosen.stdin_filename)
    _tell(given.report.problems, chosen)
    code = WRONG_USE if given.report.has_errors else FINE
    before: list[SourceFile] = []
    after: list[SourceFile] = []
    found: list[Problem] = []
    for source in given.sources:
        laid_out = tidied(source)
        if isinstance(laid_out, tuple):
            found += laid_out
            continue
        before.append(source)
        after.append(laid_out)
    _tell(found, chosen)
    code = max(code, PROBLEMS if found else FINE)
    left = len(given.sources) - len(before)
    if chosen.check or chosen.diff:
        return max(code, _compare(before, after, left, chosen))
    if chosen.paths == [STANDARD_INPUT]:
        sys.stdout.writelines(source.text for source in after)
        return code
    return max(code, _write(before, after, left))


def _tell(problems: Sequence[Problem], chosen: Namespace) -> None:
    """Shows problems on standard error: standard output is for the text."""
    if problems:
        with redirect_stdout(sys.stderr):
            print_problems(problems, "full", chosen)


def _compare(before: list[SourceFile], after: list[SourceFile], left: int, chosen: Namespace) -> int:
    changed = [new.path for old, new in zip(before, after, strict=True) if new is not old]
    if chosen.diff:
        sys.stdout.writelines(difference(before, after))
    else:
        sys.stdout.writelines(f"would change: {path}\n" for path in changed)
    print_summary(_count(len(changed), "would change", len(before) - len(changed), left))
    return PROBLEMS if changed else FINE


def _write(before: list[SourceFile], after: list[SourceFile], left: int) -> int:
    changed = failed = 0
    for old, new in zip(before, after, strict=True):
        try:
            changed += write([old], [new])
        except OSError as error:
            complain(f"`{new.path}` cannot be written: {error.strerror}")
            failed += 1
    print_summary(_count(changed, "changed", len(before) - changed - failed, left + failed))
    return WRONG_USE if failed else FINE


def _count(changed: int, what: str, fine: int, left: int) -> str:
    parts = [f"{_files(changed)} {what}"] if changed or not fine else []
    if fine:
        parts.append(f"{_files(fine)} already laid out")
    if left:
        parts.append(f"{_files(left)} left alone")
    return ", ".join(parts)


def _files(count: int) -> str:
    return f"{count or 'no'} {'file' if count == 1 else 'files'}"
