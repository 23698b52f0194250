"""Timelines on a screen: the time, the branch, a sign for the kind of line, and what happened."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import TextIO

from wfc.problems.render.palette import BLUE, BOLD, CYAN, DIM, GREEN, PLAIN, RED, YELLOW, Palette
from wfc.simulation.lines import Lane, Line, Marker
from wfc.text.durations import spaced_duration
from wfc.text.terminal import cells, visible
from wfc.text.value import Value, value

WIDTH = 100  # where the output is no terminal
NARROWEST = 60
STEP = 2  # columns of one step inwards
LABEL_LIMIT = 24  # of the name of a branch

_PARTS = 3  # of a duration in the column of times

_UNDONE = "31"  # red, but not as loud as an error


@value
class Signs(Value):
    """The characters of a timeline. Each sign takes one cell."""

    of: Mapping[Marker, str]
    bar: str
    instead: Mapping[str, str]  # what stands for other characters of the texts

    def shown(self, text: str) -> str:
        """A text as it can be shown."""
        shown = visible(text)
        for character, other in self.instead.items():
            shown = shown.replace(character, other)
        return shown


FULL = Signs(
    {
        "": "", "node": "", "call": "▸", "done": "✓", "error": "✗", "undo": "↶", "event": "✉", "time": "◷",
        "pivot": "◆", "wait": "…", "operator": "»", "note": "·", "end": "■", "failed": "■", "difference": "✗",
    },
    "│",
    {},
)  # fmt: skip
ASCII = Signs(
    {
        "": "", "node": "", "call": ">", "done": "+", "error": "x", "undo": "<", "event": "@", "time": "!",
        "pivot": "#", "wait": ".", "operator": "&", "note": "-", "end": "=", "failed": "=", "difference": "x",
    },
    "|",
    {"→": "->", "“": '"', "”": '"', "…": "~"},
)  # fmt: skip

# How a line is painted: its sign, and its text.
_STYLES: Mapping[Marker, tuple[str, str]] = {
    "": ("", ""),
    "node": ("", BOLD),
    "call": (DIM, DIM),
    "done": (GREEN, ""),
    "error": (RED, "31"),
    "undo": (_UNDONE, _UNDONE),
    "event": (BLUE, ""),
    "time": (BLUE, ""),
    "pivot": (YELLOW, YELLOW),
    "wait": (DIM, DIM),
    "operator": (CYAN, ""),
    "note": (DIM, ""),
    "end": (BOLD, BOLD),
    "failed": (RED, BOLD),
    "difference": (RED, RED),
}


def signs_for(stream: TextIO) -> Signs:
    """The signs that a stream can show."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        "".join([*FULL.of.values(), FULL.bar, *ASCII.instead]).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return FULL


def width_for(stream: TextIO) -> int:
    """How wide lines may be."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return max(NARROWEST, int(given))
    try:
        return max(NARROWEST, os.get_terminal_size(stream.fileno()).columns) if stream.isatty() else WIDTH
    except (OSError, ValueError):
        return WIDTH


def shown_timeline(
    lines: Iterable[Line], palette: Palette = PLAIN, *, width: int = WIDTH, signs: Signs = FULL, indent: str = ""
) -> Iterator[str]:
    """The lines as text. A time is shown where it changes, and so is the name of a branch."""
    every = tuple(lines)
    times = [_time(line.at) for line in every]
    column = max(map(len, times), default=0)
    labels = _label_widths(every, signs)
    before: Line | None = None
    for line, time in zip(every, times, strict=True):
        shown = time if before is None or line.at != before.at else ""
        head = f"{indent}{palette.paint(DIM, f'{shown:>{column}}') if shown else ' ' * column}  "
        taken = len(indent) + column + 2
        for index, lane in enumerate(line.lanes):
            same = before is not None and before.lanes[: index + 1] == line.lanes[: index + 1]
            label = "" if same else _label(lane, signs)
            gap = " " * (labels[lane.group] - cells(label))
            head += f"{' ' * (STEP * lane.depth)}{palette.paint(CYAN, label)}{gap} {palette.paint(DIM, signs.bar)} "
            taken += STEP * lane.depth + labels[lane.group] + 3
        yield from _body(line, head, taken, palette, width, signs)
        before = line


def print_timeline(lines: Iterable[Line], palette: Palette, indent: str = "") -> None:
    """Writes a timeline to standard output."""
    stream = sys.stdout
    shown = shown_timeline(lines, palette, width=width_for(stream), signs=signs_for(stream), indent=indent)
    stream.writelines(f"{text}\n" for text in shown)


def _body(line: Line, head: str, taken: int, palette: Palette, width: int, signs: Signs) -> Iterator[str]:
    """A line behind its head, on as many rows as it takes."""
    sign = signs.of[line.marker]
    inside = " " * (STEP * line.depth)
    hanging = " " * (len(sign) + 1 if sign else 0)
    sign_style, text_style = _STYLES[line.marker]
    room = max(NARROWEST // 3, width - taken - len(inside) - len(hanging))
    text = signs.shown(line.text)
    rows = wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    first = f"{palette.paint(sign_style, sign)} " if sign and sign_style else f"{sign} " if sign else ""
    yield f"{head}{inside}{first}{_painted(palette, text_style, rows[0])}".rstrip()
    for row in rows[1:]:
        yield f"{' ' * taken}{inside}{hanging}{_painted(palette, text_style, row)}"


def _painted(palette: Palette, style: str, text: str) -> str:
    return palette.paint(style, text) if style else text


def _time(at: int) -> str:
    """`0s`, `+2h 30m`; of a long time the small parts are left out."""
    return f"+{' '.join(spaced_duration(at).split()[:_PARTS])}" if at else "0s"


def _label(lane: Lane, signs: Signs) -> str:
    shown = signs.shown(lane.label)
    return shown if len(shown) <= LABEL_LIMIT else signs.shown(f"{shown[: LABEL_LIMIT - 1]}…")


def _label_widths(lines: tuple[Line, ...], signs: Signs) -> dict[str, int]:
    """Branches side by side have their bars below each other."""
    found: dict[str, int] = {}
    for line in lines:
        for lane in line.lanes:
            found[lane.group] = max(found.get(lane.group, 0), cells(_label(lane, signs)))
    return found
