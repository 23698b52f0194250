"""Problems that their author answers for: `// allow CODE: reason` in the source, at the place itself."""

import re
from collections.abc import Iterable, Iterator

from wfc import problems
from wfc.driver.catalogue import problem_classes
from wfc.problems.problem import Edit, Fix, Problem, Severity
from wfc.text.source import SourceFile, Span
from wfc.text.value import Value, value

_BEFORE = re.compile(r'(?:[^"/\n]|"(?:[^"\\\n]|\\.)*"|/(?!/))*')
_COMMENT = re.compile(r"// allow (?P<codes>[a-z0-9-]+(?:, *[a-z0-9-]+)*)[ \t]*(?P<reason>:.*)?$")


@value
class Suppression(Value):
    """A comment: the codes it allows, the lines it speaks of, and whether it says why."""

    at: Span
    codes: tuple[str, ...]
    lines: range
    explained: bool


def suppressions(source: SourceFile) -> Iterator[Suppression]:
    """The comments of one source that allow something; what stands in a text is none."""
    for number, start in enumerate(source.line_starts, 1):
        text = source.line(number)
        before = _BEFORE.match(text)
        match = _COMMENT.fullmatch(text, before.end() if before is not None else 0)
        if match is None:
            continue
        alone = not text[: match.start()].strip()
        codes = tuple(code.strip() for code in match["codes"].split(","))
        at = Span(source, start + match.start(), start + len(text))
        reason = (match["reason"] or "").removeprefix(":").strip()
        lines = _following(source, number) if alone else range(number, number + 1)
        yield Suppression(at, codes, lines, bool(reason))


def _following(source: SourceFile, number: int) -> range:
    """The next line that holds more than a comment, and those that go on with it, up to one that ends with `{`."""
    first, indent, text = 0, 0, ""
    for later in range(number + 1, len(source.line_starts) + 1):
        line = source.line(later).expandtabs()
        if not line.strip() or line.lstrip().startswith("//"):
            continue
        deep = len(line) - len(line.lstrip())
        if first and (text.endswith("{") or (deep <= indent and line.lstrip()[0] not in ")]")):
            return range(first, later)
        if not first:
            first, indent = later, deep
        text = line.partition("//")[0].rstrip()
    return range(first, len(source.line_starts) + 1) if first else range(number, number + 1)


def judge(found: Iterable[Problem], sources: Iterable[SourceFile], *, whole: bool) -> Iterator[Problem]:
    """The problems without those that are allowed, and what is wrong with the comments that allow them.

    `whole`: every check has run, so that a comment without its problem is idle.
    """
    every = [comment for source in sources for comment in suppressions(source)]
    if not every:
        yield from found
        return
    used: set[tuple[int, str]] = set()
    kept: set[tuple[int, str]] = set()  # of problems that cannot be allowed
    for problem in found:
        comment = next((c for c in every if _speaks_of(c, problem)), None)
        if comment is None:
            yield problem
            continue
        key = (id(comment), problem.code)
        if problem.level() is Severity.ERROR and not problem.arguable:
            kept.add(key)
            yield problem
        elif comment.explained:
            used.add(key)
        else:
            used.add(key)
            yield problem
    codes = tuple(problem_classes())
    for comment in every:
        for code in comment.codes:
            if code not in codes:
                yield problems.UnknownName(at=comment.at, kind="problem", name=code, known=codes)
            elif (id(comment), code) in kept:
                yield problems.UnusedSuppression(at=comment.at, allowed=code, there=True)
            elif (id(comment), code) not in used and whole:
                yield problems.UnusedSuppression(at=comment.at, allowed=code, there=False, fixes=_removed(comment))
            elif not comment.explained:
                yield problems.UnexplainedSuppression(at=comment.at, allowed=code)


def _speaks_of(comment: Suppression, problem: Problem) -> bool:
    at = problem.at
    return at.source is comment.at.source and at.line in comment.lines and problem.code in comment.codes


def _removed(comment: Suppression) -> tuple[Fix, ...]:
    """The comment goes, with its line if there is nothing else on it."""
    if len(comment.codes) > 1:
        return ()
    text = comment.at.source.text
    start = comment.at.start
    while start and text[start - 1] in " \t":
        start -= 1
    alone = start == 0 or text[start - 1] == "\n"
    end = comment.at.end + 1 if alone and comment.at.end < len(text) else comment.at.end
    return (Fix("remove the comment", (Edit(Span(comment.at.source, start, end), ""),), safe=True),)
