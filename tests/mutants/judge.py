"""Whether the checker finds what is really wrong with a program, with the right words at the right place."""

from dataclasses import dataclass, field

from tests.golden.program import loaded
from tests.mutants.oracle import Fault, Truth, truth
from wfc.driver import pipeline
from wfc.driver.trace import trace_text
from wfc.ir.machine import Machine
from wfc.ir.runnable import runnable
from wfc.lower.lower import lower_all
from wfc.machine.program import Program
from wfc.problems.problem import Problem
from wfc.project.sources import read_sources
from wfc.simulation.trace import ReplayError, read_trace, replay

OPTIONS = pipeline.Options()

# By what goes wrong: the codes that say it.
ANSWERS: dict[str, frozenset[str]] = {
    "not undone": frozenset({"missing-rollback"}),
    "stuck": frozenset({"dead-end", "non-exhaustive-choice", "event-deadlock"}),
    "halted": frozenset({"dead-end", "non-exhaustive-choice"}),
    "never ends": frozenset(
        {"never-finishes", "endless-cycle", "dead-end", "non-exhaustive-choice", "dead-arm", "unheard-event"}
    ),
    "endless turn": frozenset({"endless-cycle"}),
    "never entered": frozenset(
        {"unreachable-state", "dead-arm", "unheard-event", "never-finishes", "dead-end", "non-exhaustive-choice"}
    ),
    "unhandled": frozenset({"unhandled-error"}),
    "crossed pivot": frozenset({"abort-after-pivot", "unordered-pivot", "pivot-may-give-up", "unhandled-error"}),
    "same key": frozenset({"key-in-cycle", "duplicate-key"}),
    "sent twice": frozenset({"unsafe-retry"}),
    "lock order": frozenset({"lock-order", "lock-upgrade"}),
}


@dataclass
class Judged:
    """A program as the checker sees it, and as it is. `refused`: it has no meaning at all (a name, a type)."""

    problems: tuple[Problem, ...] = ()
    refused: bool = False
    truth: Truth = field(default_factory=Truth)
    missed: dict[Fault, str] = field(default_factory=dict)
    checked: pipeline.Checked | None = None
    machine: Machine | None = None


def judge(files: dict[str, str], states: int = 3_000) -> Judged:
    """Checks and explores a program, and compares."""
    memory, settings, report = loaded(files)
    sources = read_sources((), settings, memory, report)
    checked = pipeline.check(sources, settings, memory, OPTIONS)
    found = Judged(problems=checked.report.problems, checked=checked)
    broken = any(workflow.broken for workflow in checked.model.workflows.values())
    if checked.model.undeclared or broken:
        found.refused = True
        return found
    found.machine = runnable(lower_all(checked.model, settings))
    found.truth = truth(found.machine, states)
    found.missed = {
        fault: trace for fault, trace in found.truth.faults.items() if not any(_says(p, fault) for p in found.problems)
    }
    return found


def _says(problem: Problem, fault: Fault) -> bool:
    """Whether a problem is about a fault: the right code, and the right thing where the code names one."""
    kind, name = fault
    if problem.code not in ANSWERS[kind]:
        return False
    if kind in ("not undone", "sent twice", "same key"):
        return getattr(problem, "operation", name) == name
    if kind == "halted" and name:
        told = getattr(problem, "name", name)  # a scope in a branch halts where the branches stand
        return told in (name, "") or name.startswith(f"{told}.") or told.startswith(f"{name}.")
    return True


def replays(files: dict[str, str], judged: Judged) -> tuple[int, list[str]]:
    """How many findings come with a run, and those whose run does not go that way again."""
    told = [problem for problem in judged.problems if problem.trace is not None]
    if not told or judged.checked is None:
        return 0, []
    _, settings, _ = loaded(files)
    astray = []
    for problem in told:
        text = trace_text(problem, judged.checked, settings)
        if text is None:
            continue  # its workflow does not run by itself
        root = next(w for w in judged.checked.model.workflows.values() if w.process == read_trace(text).process)
        try:
            machine = pipeline.machine(root, judged.checked.model, settings, OPTIONS, sound=False)
            replay(Program(machine), read_trace(text))
        except ReplayError as wrong:
            astray.append(f"{problem.code}: {wrong}")
    return len(told), astray
