"""Show the page of a problem: why it matters, an example, and what to do."""

import sys
from argparse import ArgumentParser, Namespace

from wfc.cli.base.exits import FINE, WRONG_USE
from wfc.cli.base.screen import add_color_option, complain, palette_for
from wfc.driver.catalogue import documentation, level_of, problem_classes, summary
from wfc.problems.problem import Problem
from wfc.problems.render.palette import BOLD
from wfc.text.names import did_you_mean, kebab


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc explain` takes."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="the word in brackets of a problem; without: list all")
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Prints a page, or the list of all."""
    classes = problem_classes()
    if chosen.code is None:
        _print_list(classes, chosen)
        return FINE
    cls = classes.get(chosen.code) or classes.get(kebab(chosen.code))
    if cls is None:
        near = did_you_mean(kebab(chosen.code), classes)
        complain(f"there is no problem named `{chosen.code}`; {near or '`wfc explain` lists all'}")
        return WRONG_USE
    _print_page(cls, chosen)
    return FINE


def _print_list(classes: dict[str, type[Problem]], chosen: Namespace) -> None:
    palette = palette_for(chosen, sys.stdout)
    width = max(map(len, classes), default=0)
    for code, cls in classes.items():
        sys.stdout.write(f"{palette.paint(BOLD, code)}{' ' * (width - len(code))}  {summary(cls)}\n")


def _print_page(cls: type[Problem], chosen: Namespace) -> None:
    page = f"# {cls.code} ({level_of(cls)})\n\n{documentation(cls)}\n"
    if not palette_for(chosen, sys.stdout).colour:
        sys.stdout.write(page)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=sys.stdout, force_terminal=True)
    console.print(Markdown(page, code_theme="ansi_dark"))
