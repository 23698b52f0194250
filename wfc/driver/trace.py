"""The run that shows a problem, as a file that replays."""

from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.machine.messages import Record
from wfc.machine.program import Program
from wfc.machine.store import read_input
from wfc.problems.problem import Problem, Trace
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
    machine = machine_of(trace, checked, settings) if trace is not None else None
    if trace is None or machine is None:
        return None
    program = Program(machine)
    run = retrace(program, ((identity, read_input(given), key) for identity, given, key in trace.acts))
    if run is None or run.last is None:
        return None
    chain = run.last.chain()
    records = tuple(record for moment in chain for record in moment.records)
    journal = tuple((moment.instance, moment.given) for moment in chain)
    return write_trace(program, _Recorded(run.now, journal, records))  # type: ignore[arg-type]  # inputs of the machine


def machine_of(trace: Trace, checked: pipeline.Checked, settings: Settings) -> Machine | None:
    """The machine on which a trace runs: that of its workflow, or the record of an older version of it."""
    if trace.record:
        ways = (way for version in checked.past for way in version.ways)
        return next((way.old for way in ways if way.path == trace.record), None)
    every = checked.model.workflows.values()
    root = next((w for w in every if w.by_itself and w.decl.name.text == trace.workflow.rpartition(".")[2]), None)
    if root is None or root in pipeline.broken_workflows(checked.model):
        return None
    return pipeline.machine(root, checked.model, settings, pipeline.Options(), sound=not checked.report.has_errors)
