"""A program that keeps all rules has no errors."""

from hypothesis import given
from hypothesis import strategies as st

from tests.golden.program import checked
from tests.strategies.programs import ALL, Feature, Program, programs
from wfc.problems.problem import Severity
from wfc.problems.render.full import full


def no_errors(program: Program) -> None:
    problems = checked(program.files).problems
    wrong = [problem for problem in problems if problem.level() is Severity.ERROR]
    assert not wrong, full(wrong)


@given(programs())
def test_a_sound_program_has_no_errors(program: Program) -> None:
    no_errors(program)


@given(st.sets(st.sampled_from(Feature)).flatmap(lambda some: programs(features=frozenset(some))))
def test_constructs_can_be_switched_off(program: Program) -> None:
    no_errors(program)


@given(programs(max_nodes=3, features=ALL - {Feature.PARALLEL, Feature.LOCK}))
def test_what_is_switched_off_is_not_there(program: Program) -> None:
    assert not {"parallel", "lock", "resource"} & {
        line.split()[0] for line in program.text.splitlines() if line.split()
    }
