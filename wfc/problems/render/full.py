"""A problem as a person reads it: what is wrong, where, a run that shows it, and what to do."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from wfc.problems.edits import apply_edits, in_order
from wfc.problems.problem import UNSOUGHT, Edit, Fix, Problem
from wfc.problems.render.concise import concise
from wfc.problems.render.frame import LINE_LIMIT, Gutter, Mark, frame, gutter_for
from wfc.problems.render.palette import BLUE, CYAN, DIM, GREEN, PLAIN, RED, Palette
from wfc.problems.render.view import View
from wfc.text.source import SourceFile, Span
from wfc.text.terminal import expanded, visible

_DIFF_LIMIT = 8  # lines of a fix that are shown


def render(problems: tuple[Problem, ...], view: View) -> str:
    """All problems, with a blank line behind each."""
    return f"{full(problems, view.palette)}\n" if problems else ""


def full(problems: Iterable[Problem], palette: Palette = PLAIN) -> str:
    """All problems, with a blank line between two."""
    return "\n".join("\n".join(lines(problem, palette)) + "\n" for problem in problems)


def lines(problem: Problem, palette: Palette = PLAIN) -> Iterator[str]:
    """The lines of one problem."""
    yield concise(problem, palette)
    marks = _marks(problem, palette)
    gutter = gutter_for([mark.at.line for mark in marks], lambda text: palette.paint(BLUE, text))
    yield from _frames(problem, marks, gutter)
    yield from _story(problem)
    for text in problem.help():
        yield from _help(text, palette)
    for fix in problem.fixes:
        yield from _fix(fix, gutter, palette)
    yield palette.paint(DIM, f"more: wfc explain {problem.code}")


def _marks(problem: Problem, palette: Palette) -> list[Mark]:
    level = problem.level()
    main = Mark(problem.at, "^", problem.label(), lambda text: palette.severity(level, text))
    others = [Mark(label.at, "-", label.text, lambda text: palette.paint(BLUE, text)) for label in problem.labels]
    return [main, *others]


def _frames(problem: Problem, marks: list[Mark], gutter: Gutter) -> Iterator[str]:
    """The problem's own source first, then each other one under its name."""
    own = problem.at.source
    sources = list(dict.fromkeys([own, *(mark.at.source for mark in marks)]))
    for source in sources:
        if not source.text:
            continue  # a file that could not be read
        if source is not own:
            yield f"  in {visible(source.path)}"
        yield from frame(source, [mark for mark in marks if mark.at.source is source], gutter)


def _story(problem: Problem) -> Iterator[str]:
    steps = problem.story()
    if not steps:
        if problem.trace == UNSOUGHT:
            yield "  No run was looked for any more: the search for the others took too long."
        return
    yield "  A run that shows it:"
    width = len(str(len(steps)))
    for number, step in enumerate(steps, 1):
        first, *rest = step.split("\n")
        yield f"    {number:>{width}}  {visible(first)}"
        yield from (f"    {'':>{width}}  {visible(line)}" for line in rest)


def _help(text: str, palette: Palette) -> Iterator[str]:
    first, *rest = text.split("\n")
    yield f"{palette.paint(CYAN, 'help:')} {visible(first)}"
    yield from (f"      {visible(line)}" for line in rest)


def _fix(fix: Fix, gutter: Gutter, palette: Palette) -> Iterator[str]:
    mark = "[fix]" if fix.safe else "[suggested fix]"
    yield f"{palette.paint(CYAN, 'help:')} {visible(fix.title)}  {palette.paint(GREEN, mark)}"
    shown = list(_differences(fix, gutter, palette))
    if len(shown) <= _DIFF_LIMIT:
        yield from shown


def _differences(fix: Fix, gutter: Gutter, palette: Palette) -> Iterator[str]:
    """The lines that a fix takes away and puts in their place."""
    by_place = sorted(fix.edits, key=lambda edit: (edit.at.source.path, edit.at.start))
    for _, edits in groupby(by_place, key=lambda edit: edit.at.source.path):
        for group in _on_common_lines(in_order(edits)):
            yield from _difference(group, gutter, palette)


def _on_common_lines(edits: list[Edit]) -> Iterator[list[Edit]]:
    """Edits in groups, so that no line belongs to two of them."""
    group: list[Edit] = []
    for edit in edits:
        if group and edit.at.line > _last_line(group[-1].at):
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _last_line(at: Span) -> int:
    return at.source.position(at.end)[0]


def _difference(edits: list[Edit], gutter: Gutter, palette: Palette) -> Iterator[str]:
    source = edits[0].at.source
    number = edits[0].at.line
    start = source.line_starts[number - 1]
    end = max(_end_of_line(source, edit.at.end) for edit in edits)
    old = source.text[start:end].split("\n")
    after = apply_edits(source, edits)
    new = after[start : end + len(after) - len(source.text)].split("\n")
    while old and new and old[0] == new[0]:
        del old[0], new[0]
        number += 1
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    minus = Gutter(gutter.width, lambda text: palette.paint(RED, text))
    plus = Gutter(gutter.width, lambda text: palette.paint(GREEN, text))
    yield from (minus.line(number + i, _short(line), "-") for i, line in enumerate(old))
    yield from (plus.line(number + i, _short(line), "+") for i, line in enumerate(new))


def _end_of_line(source: SourceFile, offset: int) -> int:
    end = source.text.find("\n", offset)
    return len(source.text) if end < 0 else end


def _short(line: str) -> str:
    shown = expanded(line[:LINE_LIMIT]).rstrip()
    return f"{shown}…" if len(line) > LINE_LIMIT else shown
