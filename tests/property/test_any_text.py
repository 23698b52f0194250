"""Whatever somebody types, and however far they have got with it: problems, never an exception."""

import json
import time

from hypothesis import given
from hypothesis import strategies as st

from tests.golden.program import checked
from tests.strategies.grammar_text import edited, expression_words, grammatical
from tests.strategies.programs import programs
from tests.strategies.projects import written_programs
from wfc.problems.problem import Problem
from wfc.problems.render.concise import concise
from wfc.problems.render.full import full
from wfc.problems.render.json import render_json

SECONDS = 5  # far beyond what any of these takes; what grows without bound passes it


def is_survived(text: str) -> None:
    begin = time.perf_counter()
    problems = checked({"main.wf": text}).problems
    assert time.perf_counter() - begin < SECONDS
    assert len(full(problems).splitlines()) >= len(problems)
    assert len(json.loads(render_json(problems))) == len(problems)
    for problem in problems:
        is_told(problem)


def is_told(problem: Problem) -> None:
    """A problem has a message, and each of its places lies in its text."""
    assert concise(problem)
    assert problem.message()
    assert all(problem.help())
    assert all(problem.story())
    assert isinstance(problem.label(), str)
    edits = [edit.at for fix in problem.fixes for edit in fix.edits]
    for at in (problem.at, *(label.at for label in problem.labels), *edits):
        assert 0 <= at.start <= at.end <= len(at.source.text), problem
        assert at.position >= (1, 1)


@given(st.text())
def test_any_text(text: str) -> None:
    is_survived(text)


@given(grammatical())
def test_text_of_the_grammar(text: str) -> None:
    is_survived(text)


@given(expression_words(), st.sampled_from(("Int", "Text", "Bool?", "List<Money<EUR>>")))
def test_any_words_of_an_expression(text: str, kind: str) -> None:
    is_survived(
        f'enum Order {{ a, b(x1: Text?) }}\nconst x: {kind} = {text}\nworkflow W(a: Order, b: {kind}) {{ audit "" }}'
    )


@given(edited(grammatical()))
def test_text_of_the_grammar_that_is_being_edited(text: str) -> None:
    is_survived(text)


@given(edited(written_programs()))
def test_a_program_that_is_being_edited(text: str) -> None:
    is_survived(text)


@given(edited(programs(max_nodes=4).map(lambda program: program.text), most=2))
def test_a_sound_program_that_is_being_edited(text: str) -> None:
    is_survived(text)


@given(written_programs(), st.integers(0, 20_000))
def test_a_program_typed_up_to_some_point(text: str, end: int) -> None:
    is_survived(text[:end])
