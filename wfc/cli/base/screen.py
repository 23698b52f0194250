"""Writing to the two standard streams: results to output, summaries and complaints to error, in colour or not."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from typing import TextIO

from wfc.problems.problem import Problem
from wfc.problems.render.palette import COLOURED, PLAIN, Palette


def add_color_option(parser: ArgumentParser) -> None:
    """Adds `--color`."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours on the screen (auto: on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise)",
    )


def palette_for(chosen: Namespace, stream: TextIO) -> Palette:
    """The colours for a stream: `--color` stands over NO_COLOR, that over FORCE_COLOR, that over what the stream is."""
    return COLOURED if _wants_colour(chosen.color, stream) else PLAIN


def _wants_colour(mode: str, stream: TextIO) -> bool:
    if mode != "auto":
        return mode == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def print_problems(problems: Iterable[Problem], form: str, chosen: Namespace) -> None:
    """Writes problems to standard output in one of the formats."""
    every = tuple(problems)
    if not every and form == "full":
        return  # the usual end of a check: nothing of this is loaded
    from wfc.problems.render.formats import rendered
    from wfc.problems.render.view import View

    strict = getattr(chosen, "warnings_as_errors", False)
    sys.stdout.write(rendered(form, every, View(palette=palette_for(chosen, sys.stdout), strict=strict)))


def print_summary(text: str) -> None:
    """Writes the last line of a command, after all results."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def complain(text: str) -> None:
    """Says on standard error what is wrong with the use of a command."""
    sys.stdout.flush()
    sys.stderr.write(f"wfc: {text}\n")
