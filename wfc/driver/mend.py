"""Applying fixes: round by round, until no problem has one that may be applied."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wfc.driver import pipeline
from wfc.problems.edits import apply_edits, chosen_fixes
from wfc.problems.problem import Fix, Problem, Severity
from wfc.project.files import Files
from wfc.project.settings import Settings
from wfc.text.source import SourceFile

ROUNDS = 20  # a fix may bring forth another; more rounds than these go in circles

Chosen = tuple[Problem, Fix]


@dataclass(frozen=True)
class Mended:
    """The sources after all fixes, what is still wrong with them, and how many fixes there were."""

    sources: tuple[SourceFile, ...]
    checked: pipeline.Checked
    fixes: int


def mend(
    sources: Sequence[SourceFile], settings: Settings, files: Files, options: pipeline.Options, *, unsafe: bool
) -> Mended:
    """Applies fixes to the given sources until nothing changes. What makes things worse is left out."""
    found = Mended(tuple(sources), pipeline.check(sources, settings, files, options), 0)
    seen = {_texts(found.sources)}
    for _ in range(ROUNDS):
        after = _Round(found, seen, settings, files, options, unsafe=unsafe).run()
        if after is found:
            return found
        found = after
    return found


class _Round:
    """The fixes of one round: all of them if that is well, else as many as are."""

    def __init__(
        self,
        start: Mended,
        seen: set[tuple[str, ...]],
        settings: Settings,
        files: Files,
        options: pipeline.Options,
        *,
        unsafe: bool,
    ) -> None:
        mine = {id(source) for source in start.sources}
        self.start = self.found = start
        self.problems = [p for p in start.checked.report.problems if _stays_in(p, mine)]
        self.unsafe = unsafe
        self.taken: list[Chosen] = []
        self.seen = seen
        self.settings, self.files, self.options = settings, files, options

    def run(self) -> Mended:
        """The sources after the round; the start itself if no fix was taken."""
        chosen = chosen_fixes(self.problems, unsafe=self.unsafe)
        self._take(sorted(chosen, key=lambda one: not _is_error(one[0])))
        if self.taken:
            self.seen.add(_texts(self.found.sources))
        return self.found

    def _take(self, group: Sequence[Chosen]) -> None:
        """Takes a group of fixes, or, where that makes things worse, of its halves what does not."""
        if not group:
            return
        after = self._with(group)
        if _texts(after.sources) not in self.seen and not _is_worse(self.found, after, group):
            self.taken += group
            self.found = after
        elif len(group) > 1:
            self._take(group[: len(group) // 2])
            self._take(group[len(group) // 2 :])

    def _with(self, group: Sequence[Chosen]) -> Mended:
        """What a group makes of the sources, beside what has been taken."""
        edits = [edit for _, fix in (*self.taken, *group) for edit in fix.edits]
        changed = tuple(
            SourceFile(source.path, apply_edits(source, edits))
            if any(edit.at.source is source for edit in edits)
            else source
            for source in self.start.sources
        )
        applied = sum(any(set(fix.edits) <= set(edits) for fix in problem.fixes) for problem in self.problems)
        checked = pipeline.check(changed, self.settings, self.files, self.options)
        return Mended(changed, checked, self.start.fixes + applied)


def _is_worse(before: Mended, after: Mended, group: Sequence[Chosen]) -> bool:
    """Whether fixes have brought errors. One that is mended may have hidden another; a warning hides none."""
    new = _errors(after) - _errors(before)
    hiding = len(group) if all(_is_error(problem) for problem, _ in group) else 0
    return new.total() > hiding


def _stays_in(problem: Problem, sources: set[int]) -> bool:
    """Whether the fixes of a problem change nothing but the given sources."""
    return all(id(edit.at.source) in sources for fix in problem.fixes for edit in fix.edits)


def _texts(sources: tuple[SourceFile, ...]) -> tuple[str, ...]:
    return tuple(source.text for source in sources)


def _errors(mended: Mended) -> Counter[tuple[str, str, str]]:
    """The errors by what they say: their places move, and their lines may be what a fix changes."""
    every = mended.checked.report.problems
    return Counter((p.at.source.path, p.code, p.message()) for p in every if _is_error(p))


def _is_error(problem: Problem) -> bool:
    return problem.level() is Severity.ERROR
