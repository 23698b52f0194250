"""Applying the edits of fixes to a text."""

from collections.abc import Iterable, Sequence

from wfc.problems.problem import Edit, Fix, Problem
from wfc.text.source import SourceFile, Span


def at_top(body: Span, clause: str) -> Edit:
    """A clause as the first one of a body in braces: on a line of its own, unless the body has none."""
    text, start = body.source.text, body.start + 1
    end = text.find("\n", start)
    rest = text[start : end if end >= 0 else len(text)].strip()
    if rest and not rest.startswith("//"):
        return Edit(Span(body.source, start, start), f" {clause}")
    place = start if end < 0 or not rest else end
    line = text[text.rfind("\n", 0, body.start) + 1 : body.start]
    indent = line[: len(line) - len(line.lstrip())]
    return Edit(Span(body.source, place, place), f"\n{indent}  {clause}")


def apply_edits(source: SourceFile, edits: Iterable[Edit]) -> str:
    """The text of a source after the edits that concern it; they must not overlap."""
    pieces: list[str] = []
    done = 0
    for edit in in_order(edit for edit in edits if edit.at.source is source):
        pieces += [source.text[done : edit.at.start], edit.text]
        done = edit.at.end
    return "".join([*pieces, source.text[done:]])


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """Edits by place; insertions at one place keep their order."""
    return sorted(edits, key=lambda edit: (edit.at.start, edit.at.end))


def chosen_fixes(problems: Iterable[Problem], *, unsafe: bool) -> tuple[tuple[Problem, Fix], ...]:
    """The first allowed fix of each problem, leaving out those that touch an earlier one's text, or are the same."""
    chosen: list[tuple[Problem, Fix]] = []
    edits: list[Edit] = []
    for problem in problems:
        fix = next((fix for fix in problem.fixes if fix.safe or unsafe), None)
        if fix is None or any(edit in edits for edit in fix.edits):
            continue
        if not any(_touch(edit, other) for edit in fix.edits for other in edits):
            chosen.append((problem, fix))
            edits += fix.edits
    return tuple(chosen)


def chosen_edits(problems: Iterable[Problem], *, unsafe: bool) -> tuple[Edit, ...]:
    """The edits of the fixes that are chosen."""
    return tuple(edit for _, fix in chosen_fixes(problems, unsafe=unsafe) for edit in fix.edits)


def _touch(a: Edit, b: Edit) -> bool:
    return a.at.source is b.at.source and a.at.start <= b.at.end and b.at.start <= a.at.end


def all_sources(edits: Sequence[Edit]) -> tuple[SourceFile, ...]:
    """The sources that edits concern, in the order of the edits."""
    return tuple({id(edit.at.source): edit.at.source for edit in edits}.values())
