"""The checker says of small programs what their machine says when everything that can happen is tried.

Three verdicts are compared, on generated programs and on their mutants: an instance can get stuck, a node is never
entered, an effect can stay undone. The first two ways round, but for one thing: both try samples of what comes from
outside. Where a text or a date decides, the checker tells what it cannot exclude, and the explorer may not have met it;
where a run shows it, the explorer meets it when it has more to try. To the explorer children are calls that may answer at
any time; the checker knows how long they take, and whether they ever complete.
"""

import random

from hypothesis import given

from tests.mutants.judge import Judged, judge
from tests.mutants.kinds import mutants
from tests.mutants.oracle import truth
from tests.strategies.programs import Program, programs
from wfc.flow.bindings import bindings
from wfc.ir.expressions import Expr, Now, Ref, walk
from wfc.ir.machine import Choose, Do, Start, Workflow
from wfc.ir.walk import nodes, region_steps, workflow_guards
from wfc.problems.problem import Problem
from wfc.simulation.deciding import decisions

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
        answers = {"unreachable-state", "dead-arm", "unheard-event", "never-finishes", "dead-end"}
        assert not lost or told(judged, answers), (text, lost)
    stuck = {fault for fault in faults if fault[0] in ("halted", "stuck")}
    assert not stuck or told(judged, STUCK) or never_answered(judged), (text, stuck)
    undone = {name for kind, name in faults if kind == "not undone"}
    found = {problem.operation: problem for problem in judged.problems if problem.code == "missing-rollback"}  # type: ignore[attr-defined]
    assert undone <= set(found), (text, undone - set(found), faults)
    if not judged.truth.complete:
        return
    if not stuck and not any(kind in ("endless turn", "never ends") for kind, _ in faults):
        claimed = [p for p in told(judged, STUCK) if p.code != "event-deadlock"]
        claimed = [p for p in claimed if not (dated if p.trace is not None else sampled)(workflow_of(judged, p))]
        assert not claimed or met(judged, claimed), (text, claimed)
    # a run of the machine itself proves what one attempt in place of several cannot show
    unproved = {name for name in set(found) - undone if found[name].trace is None}
    unproved = {name for name in unproved if not any(sampled(workflow) for workflow in doing(judged, name))}
    assert not unproved, (text, unproved)


def never_answered(judged: Judged) -> bool:
    """Whether a child never completes, or takes longer than a deadline lets it. To the explorer it may always answer."""
    assert judged.machine is not None
    steps = [step for workflow in judged.machine.workflows for step in region_steps(workflow.region)]
    children = {step.target for step in steps if isinstance(step, Do) and step.kind == "workflow"}
    if judged.truth.complete and children - judged.truth.completing:
        return True
    return bool(children) and bool(told(judged, {"retry-exceeds-deadline"}))


def met(judged: Judged, claimed: list[Problem]) -> bool:
    """Whether the explorer meets what runs are said to show, if events may come twice and it has more values to try."""
    assert judged.machine is not None
    found = truth(judged.machine, 4 * STATES, more=True)
    stuck = any(kind in ("halted", "stuck") for kind, _ in found.faults)
    return all(problem.trace is not None for problem in claimed) and stuck


def workflow_of(judged: Judged, problem: Problem) -> Workflow:
    """The workflow in which a problem is told."""
    assert judged.machine is not None
    for workflow in judged.machine.workflows:
        places = {node.at for node in nodes(workflow.region)}
        places |= {step.at for step in region_steps(workflow.region) if isinstance(step, Choose)}
        if problem.at in places:
            return workflow
    raise AssertionError(problem)


def doing(judged: Judged, name: str) -> list[Workflow]:
    """The workflows in which something is done, and those that run them: what decides may stand in any."""
    assert judged.machine is not None
    wanted, found = {name}, dict[str, Workflow]()
    while True:
        more = [w for w in judged.machine.workflows if w.name not in found and _calls(w) & wanted]
        if not more:
            return list(found.values())
        found.update((workflow.name, workflow) for workflow in more)
        wanted |= set(found)


def _calls(workflow: Workflow) -> set[str]:
    return {step.target for step in region_steps(workflow.region) if isinstance(step, Do | Start)}


def sampled(workflow: Workflow) -> bool:
    """Whether what comes from outside, or the date, decides anything: of that the explorer tries samples only."""
    bound = list(bindings(workflow))
    outside = {binding.name for binding in bound if binding.kind != "worked out"}
    while True:
        more = {b.name for b in bound if b.value is not None and _reads(b.value, outside)} - outside
        if not more:
            break
        outside |= more
    return dated(workflow) or any(_reads(expr, outside) for expr in decisions(workflow))


def dated(workflow: Workflow) -> bool:
    """Whether the date decides anything: the explorer begins on one day, and calls do not last for years there."""
    at = any(guard.kind == "at" for guard in workflow_guards(workflow))
    return at or any(_reads(expr, set()) for expr in decisions(workflow))


def _reads(expr: Expr, names: set[str]) -> bool:
    return any(isinstance(part, Now) or (isinstance(part, Ref) and part.name in names) for part in walk(expr))


def told(judged: Judged, codes: set[str]) -> list[Problem]:
    """The problems with some codes."""
    return [problem for problem in judged.problems if problem.code in codes]
