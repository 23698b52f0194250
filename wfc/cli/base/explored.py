"""What the explorer has found, on a screen: which ends can be reached, what can be left standing, what gets stuck."""

import sys
from collections.abc import Iterator

from wfc.cli.base.timeline import Signs
from wfc.problems.render.palette import BOLD, DIM, GREEN, RED, YELLOW, Palette
from wfc.simulation.explore import Bounds, Choice, End, Explored
from wfc.text.names import counted, listed


def print_explored(found: Explored, bounds: Bounds, palette: Palette, signs: Signs) -> None:
    """Writes all answers, the bad ones first."""
    sys.stdout.writelines(f"{line}\n" for line in _lines(found, bounds, palette, signs))


def worst(found: Explored) -> tuple[End, tuple[Choice, ...]] | None:
    """The end that is looked at first, with a shortest trace: stuck, failed with most left standing, any other."""
    return max(found.ends.items(), key=lambda item: _badness(item[0]), default=None)


def _badness(end: End) -> tuple[int, int]:
    order = ("done", "failed", "stuck")
    return order.index(end.kind), sum(count for _, count in end.left)


def _lines(found: Explored, bounds: Bounds, palette: Palette, signs: Signs) -> Iterator[str]:
    error = palette.paint(RED, signs.of["error"])
    fine = palette.paint(GREEN, signs.of["done"])
    for law in found.broken:
        yield f"{error} {palette.paint(RED, f'this is a bug of wfc: {law}')}"
    if found.stuck:
        trace = min(found.stuck, key=len)
        yield f"{error} {palette.paint(RED, 'an instance can get stuck: nothing can happen to it any more, after')}"
        yield from (f"    {number}. {signs.shown(choice.text)}" for number, choice in enumerate(trace, 1))
    elif found.complete:
        yield f"{fine} no instance can get stuck"
    else:
        yield f"{fine} no instance has got stuck in what was explored"
    yield from _ends(found, palette, signs)
    missing = [path for path in found.paths if path not in found.nodes]
    if missing:
        word = "never reached" if found.complete else "not reached in what was explored"
        yield f"{palette.paint(YELLOW, signs.of['note'])} {word}: {listed(missing)}"
    yield from (palette.paint(DIM, line) for line in _extent(found, bounds))


def _ends(found: Explored, palette: Palette, signs: Signs) -> Iterator[str]:
    groups: dict[str, list[End]] = {}
    for end in found.ends:
        if end.kind != "stuck":
            groups.setdefault(str(end), []).append(end)
    if not groups:
        yield f"{palette.paint(YELLOW, signs.of['note'])} no end was reached"
        return
    width = max(map(len, groups))
    yield "  ends that can be reached, and effects that can be standing then"
    for name, ends in sorted(groups.items(), key=lambda item: (item[1][0].kind != "failed", item[0])):
        standing = dict.fromkeys(operation for end in ends for operation, _ in end.left)
        some = len({end.left for end in ends if end.left}) > 1
        told = f"some of {listed(standing)}" if some and len(standing) > 1 else listed(standing)
        bare = any(not end.left for end in ends)
        text = f"none, or {told}" if bare and standing else told or "none"
        failed = ends[0].kind == "failed"
        gap = " " * (width - len(name))
        shown = signs.shown(text)
        if not standing or failed:
            shown = palette.paint(RED if standing else DIM, shown)
        yield f"    {palette.paint(BOLD, signs.shown(name))}{gap}  {shown}"


def _extent(found: Explored, bounds: Bounds) -> Iterator[str]:
    """How much of it was seen."""
    if found.complete:
        yield f"everything was explored: {found.states:,} {'state' if found.states == 1 else 'states'}"
    else:
        yield f"not everything was explored: {listed(found.cut)}"
    times = "once" if bounds.events == 1 else counted(bounds.events, "time")
    cancel = "an operator may cancel" if bounds.cancel else "nobody cancels"
    undos = "undos may fail" if bounds.failing_undos else "undos work"
    yield f"in a world in which each event comes at most {times}, {cancel}, and {undos}"
