"""Lines of a timeline as plain data, and how what repeats itself is told once."""

from collections.abc import Sequence
from typing import Literal

import attrs

Marker = Literal[
    "", "node", "call", "done", "error", "undo", "event", "time", "pivot", "wait", "operator", "note", "end", "failed",
    "difference",
]  # fmt: skip

LONGEST = 12  # lines of a round that is looked for
FEWEST = 5  # rounds that are told in full
FREELY = 12  # lines of rounds that are told in full


@attrs.frozen
class Lane:
    """A branch or iteration; those of one `group` run side by side. `depth` counts from the lane around it."""

    group: str
    depth: int
    label: str


@attrs.frozen
class Line:
    """A line of a timeline: when, how deep, in which branches; `marker` is what kind of line it is."""

    at: int
    depth: int
    marker: Marker
    text: str
    lanes: tuple[Lane, ...] = ()


def shortened(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, where the same happens again and again: the first rounds and the last one."""
    said = [(line.depth, line.marker, line.text.partition(", again in")[0], line.lanes) for line in lines]
    found: list[Line] = []
    at = 0
    while at < len(lines):
        fresh = at == 0 or lines[at - 1].at != lines[at].at
        length, rounds = _rounds(said, at, LONGEST if fresh else 1)
        if rounds <= FEWEST or rounds * length <= FREELY:
            found.append(lines[at])
            at += 1
            continue
        first = 3 if length == 1 else 2
        left_out = lines[at + first * length]
        found += lines[at : at + first * length]
        times = rounds - first - 1
        found.append(attrs.evolve(left_out, marker="note", text=f"the same {times} times more"))
        at += (rounds - 1) * length
        found += lines[at : at + length]
        at += length
    return tuple(found)


def _rounds(said: Sequence[object], at: int, longest: int) -> tuple[int, int]:
    """The length of the shortest round that begins here and repeats itself often enough, and how often it comes."""
    for length in range(1, min(longest, (len(said) - at) // 2) + 1):
        rounds = 1
        while said[at : at + length] == said[at + rounds * length : at + (rounds + 1) * length]:
            rounds += 1
        if rounds > FEWEST:
            return length, rounds
    return 1, 1
