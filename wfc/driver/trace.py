"""The run that shows a problem, as a file that replays."""

from wfc.driver import pipeline
from wfc.machine.messages import Record
from wfc.machine.program import Program
from wfc.machine.store import read_input
from wfc.problems.problem import Problem
from wfc.project.settings import Settings
from wfc.simulation.retrace import retrace
from wfc.simulation.trace import write_trace
from wfc.text.value import Value, value


@value
class _Recorded(Value):
    """A run as a trace is written from it."""

    now: int
    journal: tuple[tuple[str, object], ...]
    records: tuple[Record, ...]


def trace_text(problem: Problem, checked: pipeline.Checked, settings: Settings) -> str | None:
    """The trace of a problem; None if it has none, or its workflow does not run by itself."""
    trace = problem.trace
    if trace is None:
        return None
    every = checked.model.workflows.values()
    root = next((w for w in every if w.by_itself and w.decl.name.text == trace.workflow.rpartition(".")[2]), None)
    if root is None or root in pipeline.broken_workflows(checked.model):
        return None
    made = pipeline.machine(root, checked.model, settings, pipeline.Options(), sound=not checked.report.has_errors)
    program = Program(made)
    run = retrace(program, ((identity, read_input(given), key) for identity, given, key in trace.acts))
    if run is None or run.last is None:
        return None
    chain = run.last.chain()
    records = tuple(record for moment in chain for record in moment.records)
    journal = tuple((moment.instance, moment.given) for moment in chain)
    return write_trace(program, _Recorded(run.now, journal, records))  # type: ignore[arg-type]  # inputs of the machine
