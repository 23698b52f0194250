"""What holds for every golden input, whatever it is about. A law raises where it is broken."""

from collections.abc import Callable, Iterator

from tests.golden.document import Case
from tests.golden.program import checked, project
from wfc.problems.problem import Problem
from wfc.text.source import Span

Law = Callable[[Case], None]


def spans_lie_in_their_source(case: Case) -> None:
    """No place of a problem lies outside the text it names."""
    for problem in checked(project(case)).problems if case.files else ():
        for at in _spans(problem):
            assert 0 <= at.start <= at.end <= len(at.source.text), f"{problem.code}: {at!r}"


def _spans(problem: Problem) -> Iterator[Span]:
    yield problem.at
    yield from (label.at for label in problem.labels)
    yield from (edit.at for fix in problem.fixes for edit in fix.edits)


def messages_are_one_line(case: Case) -> None:
    """The first line of a problem is one line, and begins like one said aloud."""
    for problem in checked(project(case)).problems if case.files else ():
        text = problem.message()
        assert text, problem.code
        assert "\n" not in text, problem.code
        assert not text.endswith("."), f"{problem.code}: {text}"


LAWS: tuple[Law, ...] = (spans_lie_in_their_source, messages_are_one_line)
