"""The checker says of small programs what their machine says when everything that can happen is tried.

Three verdicts are compared, on generated programs and on their mutants: an instance can get stuck, a node is never
entered, an effect can stay undone.
"""

import random

from hypothesis import given

from tests.mutants.judge import Judged, judge
from tests.mutants.kinds import mutants
from tests.strategies.programs import Program, programs
from wfc.problems.problem import Problem

STATES = 1_500
STUCK = {"dead-end", "non-exhaustive-choice", "event-deadlock"}


@given(programs(max_nodes=3, max_steps=6))
def test_verdicts_are_those_of_the_machine(program: Program) -> None:
    agree(program.text)
    lot = random.Random(program.text)  # noqa: S311 - to be drawn again
    every = list(mutants(program.text))
    for mutant in lot.sample(every, min(2, len(every))):
        agree(mutant.text)


def agree(text: str) -> None:
    """Fails where the verdicts differ."""
    judged = judge({"main.wf": text}, STATES)
    if judged.refused:
        return
    faults = judged.truth.faults
    for problem in told(judged, {"unreachable-state"}):
        workflow = problem.workflow  # type: ignore[attr-defined]
        assert f"{workflow}:{problem.name}" not in judged.truth.entered, (text, problem.message())  # type: ignore[attr-defined]
    if "choose" not in text:  # which values there are is another question
        lost = {name for kind, name in faults if kind == "never entered"}
        assert not lost or told(judged, {"unreachable-state", "dead-arm", "unheard-event", "never-finishes"}), (
            text,
            lost,
        )
    stuck = {fault for fault in faults if fault[0] in ("halted", "stuck")}
    assert not stuck or told(judged, STUCK), (text, stuck)
    undone = {name for kind, name in faults if kind == "not undone"}
    found = {problem.operation: problem for problem in judged.problems if problem.code == "missing-rollback"}  # type: ignore[attr-defined]
    assert undone <= set(found), (text, undone - set(found), faults)
    if not judged.truth.complete:
        return
    valued = "choose" in text  # a run has values that the checker does not work out
    if not stuck and not any(kind in ("endless turn", "never ends") for kind, _ in faults):
        claimed = [p for p in told(judged, STUCK) if p.code != "event-deadlock"]
        assert not [p for p in claimed if p.trace is not None or not valued], (text, claimed)
    # a run of the machine itself proves what one attempt in place of several cannot show
    unproved = {name for name in set(found) - undone if found[name].trace is None}
    assert not unproved, (text, unproved)


def told(judged: Judged, codes: set[str]) -> list[Problem]:
    """The problems with some codes."""
    return [problem for problem in judged.problems if problem.code in codes]
