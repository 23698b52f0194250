"""The fault matrix on a screen and for programs: what comes of every single fault at every step of a scenario."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from wfc.cli.base.timeline import Signs, width_for
from wfc.problems.render.palette import BOLD, DIM, RED, YELLOW, Palette
from wfc.simulation.cells import Cell, Ending, Fault, Matrix, Step
from wfc.simulation.ledger import LETTER, UNKNOWN
from wfc.text.names import counted, listed
from wfc.text.terminal import cells as cells_of
from wfc.text.terminal import visible
from wfc.text.value import Value, value

_TEXT = 80  # characters of how a run has ended
_NAMES = 6  # that are undone, before the rest is counted
_COLUMNS = ("fault", "ends", "undone, in order", "stays")
_GAP = "  "
_SAME = "no difference"
_LETTERS = "in dead letters"
_PHRASES = {
    "cannot be undone": "not undoable",
    "has no undo": "without an undo",
    "nothing to undo": "with nothing to undo",
    "its scope is not undone": "in scopes that are not undone",
    "its workflow has completed": "in workflows that have completed",
    UNKNOWN: "unknown to the process",
}


@value
class _Row(Value):
    """What comes of some faults at a step."""

    faults: str
    end: str
    undone: tuple[str, ...]
    left: tuple[str, ...]
    plain: bool
    failed: bool


# ---------------------------------------------------------------------------------------------------------- on a screen


def print_matrix(process: str, found: Matrix, palette: Palette, signs: Signs) -> None:
    """Writes what has gone wrong, then the table of a scenario."""
    out = sys.stdout
    title = visible(found.scenario.title)
    out.write(f"{palette.paint(BOLD, signs.shown(f'{process}: {title}'))}\n")
    for cell in found.bad:
        text = signs.shown(f"{bad(cell)}")
        out.write(f"  {palette.paint(RED, signs.of['error'])} {palette.paint(RED, text)}\n")
    out.write(f"  {palette.paint(DIM, signs.shown(f'without a fault: {_whole(found.plain)}'))}\n\n")
    if not found.cells:
        out.write(f"  {palette.paint(DIM, 'no step that a fault could strike')}\n\n")
        return
    for line in _table(_rows(found), palette, signs, width_for(out) - 2):
        out.write(f"  {line}\n" if line else "\n")
    for line in remarks(found):
        out.write(f"  {palette.paint(DIM, line)}\n")
    out.write("\n")


def _whole(cell: Ending) -> str:
    undone = f"; undone: {', '.join(_few(cell.undone))}" if cell.undone else ""
    left = f"; stays: {', '.join(_left(cell))}" if cell.left or cell.letters else ""
    return f"{_short(cell.text)}{undone}{left}"


def bad(cell: Cell) -> str:
    """What is wrong with a run, on one line."""
    at = f" at {_name(cell.fault.step)}" if cell.fault.step is not None else ""
    broken = f"; this is a bug of wfc: {'; '.join(cell.broken)}" if cell.broken else ""
    word = "stuck: " if cell.end == "stuck" else ""
    return f"{cell.fault}{at}: {word}{cell.text}{broken}"


def remarks(found: Matrix) -> Iterator[str]:
    """What was not run, and what was not run to its end."""
    cut = sum(1 for cell in found.cells if cell.cut)
    if cut:
        yield f"{_runs(cut)} left after 400 days: the process still went on by itself"
    if found.left_out:
        many = "1 more fault strikes" if found.left_out == 1 else f"{found.left_out:,} more faults strike"
        yield f"{many} in the same situation as others, between two that end alike: not run"


def _runs(number: int) -> str:
    return "1 run was" if number == 1 else f"{number} runs were"


def _rows(found: Matrix) -> Iterator[tuple[str, tuple[_Row, ...]]]:
    """The rows of each step, under its name; steps of one operation with the same rows are told once."""
    by_step: dict[Step | None, list[Cell]] = {}
    for cell in found.cells:
        by_step.setdefault(cell.fault.step, []).append(cell)
    folded: dict[tuple[str, bool, tuple[_Row, ...]], list[tuple[Step | None, int]]] = {}
    for step, cells in by_step.items():
        rows = tuple(_grouped(cells, found.plain))
        name = step.operation if step is not None else ""
        also = max(cell.also for cell in cells)
        folded.setdefault((name, step is not None and step.undo, rows), []).append((step, 1 + also))
    for (_, _, rows), steps in folded.items():
        count = sum(number for _, number in steps)
        first = steps[0][0]
        if first is None:
            yield "events", rows
        elif count > 1:
            yield f"{_name(first, turn=False)} ×{count}", rows  # noqa: RUF001 - times
        else:
            yield _name(first), rows


def _name(step: Step, *, turn: bool = True) -> str:
    sign = "↶ " if step.undo else ""
    number = f" #{step.turn}" if turn and step.turn > 1 else ""
    return f"{sign}{step.operation}{number}"


def _grouped(cells: Sequence[Cell], plain: Ending) -> Iterator[_Row]:
    """One row an outcome."""
    groups: dict[object, list[Cell]] = {}
    for cell in cells:
        same = cell.is_like(plain)
        groups.setdefault(same or (cell.end, cell.text, cell.undone, cell.left), []).append(cell)
    for group in groups.values():
        first = group[0]
        same = first.is_like(plain)
        yield _Row(
            faults=", ".join(_phrases([cell.fault for cell in group])),
            end=_SAME if same else _short(first.text),
            undone=() if same else _few(first.undone),
            left=tuple(_left(first)),
            plain=same,
            failed=first.is_bad,
        )


def _left(ending: Ending) -> Iterator[str]:
    yield from map(str, ending.left)
    if ending.letters and not any(each.reason.startswith(LETTER) for each in ending.left):
        yield f"nothing, but a dead letter: {listed(ending.letters)}"


def _phrases(faults: Sequence[Fault]) -> Iterator[str]:
    """Several faults in few words."""
    kinds: dict[str, list[str]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).extend([fault.name] if fault.name else [])
    both = "crash before the effect" in kinds and "crash after the effect" in kinds
    for kind, names in kinds.items():
        if both and kind.startswith("crash"):
            if kind == "crash before the effect":
                yield "crash before or after the effect"
            continue
        yield f"{kind} {listed(names, 'or')}".rstrip()


def _short(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _TEXT else f"{shown[: _TEXT - 1]}…"


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) <= _NAMES:
        return names
    return (*names[: _NAMES - 1], f"{len(names) - _NAMES + 1} more")


def _table(steps: Iterable[tuple[str, tuple[_Row, ...]]], palette: Palette, signs: Signs, width: int) -> Iterator[str]:
    """Below the name of each step a line an outcome, on as many rows as it takes."""
    every = [(_shown(name, signs), [(row, _cells(row, signs)) for row in rows]) for name, rows in steps]
    told = [cells for _, rows in every for row, cells in rows if not row.plain]
    there = [place for place in range(len(_COLUMNS)) if any(cells[place] for cells in told)]
    widths = _widths([[_COLUMNS[place], *(cells[place] for cells in told)] for place in there], width - 2)
    if told:
        heads = (f"{_COLUMNS[place]:<{size}}" for place, size in zip(there, widths, strict=True))
        yield f"  {palette.paint(DIM, _GAP.join(heads).rstrip())}"
    for name, rows in every:
        yield palette.paint(BOLD, name)
        for row, cells in sorted(rows, key=lambda each: each[0].plain):
            if row.plain:
                for line in _wrapped(f"{_SAME}: {cells[0]}", width - 2):
                    yield f"  {palette.paint(DIM, line)}"
                continue
            parts = [_wrapped(cells[place], size) for place, size in zip(there, widths, strict=True)]
            for at in range(max(map(len, parts))):
                line = ""
                for place, part, size in zip(there, parts, widths, strict=True):
                    text = f"{part[at] if at < len(part) else '':<{size}}"
                    style = _style(row, place)
                    line += (palette.paint(style, text) if style and text.strip() else text) + _GAP
                yield f"  {line}".rstrip()


def _cells(row: _Row, signs: Signs) -> tuple[str, ...]:
    return tuple(_shown(text, signs) for text in (row.faults, row.end, ", ".join(row.undone), ", ".join(row.left)))


def _style(row: _Row, place: int) -> str:
    if row.failed:
        return RED
    return YELLOW if place == len(_COLUMNS) - 1 else ""


def _widths(columns: list[list[str]], room: int) -> list[int]:
    """As wide as the texts are, or less: the widest gives way first, and words are broken last."""
    widths = [max(map(cells_of, texts)) for texts in columns]
    least = [max((cells_of(word) for text in texts for word in text.split()), default=1) for texts in columns]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > room:
        places = [place for place, size in enumerate(widths) if size > least[place]] or range(len(widths))
        widest = max(places, key=lambda place: widths[place])
        widths[widest] -= 1
    return widths


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False) or [""]


def _shown(text: str, signs: Signs) -> str:
    if signs.bar != "│":
        text = text.replace("↶", signs.of["undo"]).replace("×", "x")  # noqa: RUF001 - times
    return signs.shown(text)


# -------------------------------------------------------------------------------------------------------- in a sentence


def in_short(every: Sequence[Matrix]) -> str:
    """The sum of all matrices."""
    cells = [cell for found in every for cell in found.cells]
    left = [each for cell in cells for each in cell.left]
    counts = (
        (sum(1 for cell in cells if cell.end == "done"), "done", True),
        (sum(1 for cell in cells if cell.end == "failed" and not cell.left), "failed and undone", True),
        (sum(1 for cell in cells if cell.end == "failed" and cell.left), "failed with something left", False),
        (sum(1 for cell in cells if cell.end == "waits"), "waiting", False),
        (sum(1 for cell in cells if cell.end == "stuck"), "stuck", True),
        (sum(1 for cell in cells if cell.end == "endless"), "endless", False),
        (sum(1 for cell in cells if cell.broken), "against the laws of the machine", False),
    )
    told = ", ".join(f"{count:,} {word}" for count, word, always in counts if count or always)
    runs = f"{len(cells):,} {'run' if len(cells) == 1 else 'runs'} with one fault{' each' if len(cells) != 1 else ''}"
    standing = f"effects left standing: {len(left):,} ({_reasons(left)})" if left else "no effects left standing"
    return f"{runs}: {told}; {standing}"


def _reasons(left: Iterable[object]) -> str:
    reasons = Counter(_reason(getattr(each, "reason", "")) for each in left)
    if len(reasons) == 1:
        return f"{'all ' if reasons.total() > 1 else ''}{next(iter(reasons))}"
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())


def _reason(reason: str) -> str:
    return _LETTERS if reason.startswith(LETTER) else _PHRASES.get(reason, reason)


# --------------------------------------------------------------------------------------------------------- for programs


def matrix_object(found: Matrix) -> list[object]:
    """The cells as JSON has them."""
    return [_cell(cell) for cell in found.cells]


def _cell(cell: Cell) -> dict[str, object]:
    step = cell.fault.step
    return {
        "step": {"operation": step.operation, "attempt": step.turn, "undo": step.undo} if step is not None else None,
        "fault": cell.fault.kind,
        "name": cell.fault.name,
        "end": cell.end,
        "text": cell.text,
        "undone": list(cell.undone),
        "stands": [{"operation": each.operation, "reason": each.reason} for each in cell.stands],
        "letters": list(cell.letters),
        "broken": list(cell.broken),
        "cut": cell.cut,
        "also": cell.also,
    }


def matrix_cases(found: Matrix) -> Iterator[tuple[str, str]]:
    """The cases of JUnit: a name, and what is wrong. What is well is one case."""
    well = len(found.cells) - len(found.bad)
    yield f"{found.scenario.title}: {counted(well, 'run')} with one fault", ""
    for cell in found.bad:
        at = f" at {_name(cell.fault.step)}" if cell.fault.step is not None else ""
        yield f"{found.scenario.title}: {cell.fault}{at}", bad(cell)
