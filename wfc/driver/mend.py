"""Applying fixes: round by round, until no problem has one that may be applied."""

from collections.abc import Sequence
from dataclasses import dataclass

from wfc.driver import pipeline
from wfc.problems.edits import apply_edits, chosen_edits
from wfc.problems.problem import Problem, Severity
from wfc.project.files import Files
from wfc.project.settings import Settings
from wfc.text.source import SourceFile

ROUNDS = 20  # a fix may bring forth another; more rounds than these go in circles


@dataclass(frozen=True)
class Mended:
    """The sources after all fixes, what is still wrong with them, and how many fixes there were."""

    sources: tuple[SourceFile, ...]
    checked: pipeline.Checked
    fixes: int


def mend(
    sources: Sequence[SourceFile], settings: Settings, files: Files, options: pipeline.Options, *, unsafe: bool
) -> Mended:
    """Applies fixes to the given sources until nothing changes. A round that makes things worse is taken back."""
    found = Mended(tuple(sources), pipeline.check(sources, settings, files, options), 0)
    seen = {_texts(found.sources)}
    for _ in range(ROUNDS):
        mine = {id(source) for source in found.sources}
        problems = [p for p in found.checked.report.problems if _stays_in(p, mine)]
        edits = chosen_edits(problems, unsafe=unsafe)
        if not edits:
            return found
        changed = tuple(
            SourceFile(source.path, apply_edits(source, edits))
            if any(edit.at.source is source for edit in edits)
            else source
            for source in found.sources
        )
        if _texts(changed) in seen:
            return found
        seen.add(_texts(changed))
        applied = sum(any(set(fix.edits) <= set(edits) for fix in problem.fixes) for problem in problems)
        after = Mended(changed, pipeline.check(changed, settings, files, options), found.fixes + applied)
        if not unsafe and _errors(after) > _errors(found):
            return found
        found = after
    return found


def _stays_in(problem: Problem, sources: set[int]) -> bool:
    """Whether the fixes of a problem change nothing but the given sources."""
    return all(id(edit.at.source) in sources for fix in problem.fixes for edit in fix.edits)


def _texts(sources: tuple[SourceFile, ...]) -> tuple[str, ...]:
    return tuple(source.text for source in sources)


def _errors(mended: Mended) -> int:
    return sum(problem.level() is Severity.ERROR for problem in mended.checked.report.problems)
