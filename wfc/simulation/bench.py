"""Where runs are looked for that show what checks claim; loaded when a check has something to show."""

from wfc.flow.ways import Ways
from wfc.ir.machine import Machine
from wfc.ir.runnable import runnable
from wfc.machine.program import Program
from wfc.machine.store import write_input
from wfc.problems.problem import Step, Trace
from wfc.simulation.claim import GHOST, Claim, Limits, Verdict
from wfc.simulation.haunted import haunted
from wfc.simulation.prove import Prover
from wfc.simulation.retrace import acts, retrace
from wfc.simulation.stage import Stage
from wfc.simulation.story import story


class Bench:
    """The machine under check made ready to run, as it is and with an undo for everything that has none."""

    def __init__(self, machine: Machine, ways: Ways) -> None:
        whole = runnable(machine)
        self.program = Program(whole)
        self.plain = Prover(ways, self.program)
        self.haunted = Prover(ways, haunted(whole))

    def show(
        self, claim: Claim, closing: tuple[Step, ...], limits: Limits, *, missing: bool
    ) -> tuple[Verdict, Trace | None, int]:
        """The verdict on a claim, a trace if there is one, and how many turns it took."""
        if claim.workflow not in self.program.workflows:
            return "open", None, 0
        found = (self.haunted if missing else self.plain).find(claim, limits)
        if found.run is None:
            return "impossible" if found.complete else "open", None, found.turns
        run = retrace(self.program, acts(found.run), skip=GHOST) if missing else found.run
        if run is None:
            return "open", None, found.turns
        self.plain.play_out(run)
        return "shown", trace_of(claim.workflow, run, closing), found.turns


def trace_of(workflow: str, run: Stage, closing: tuple[Step, ...]) -> Trace:
    """A run as a problem carries it."""
    data = tuple((identity, write_input(given), key) for identity, given, key in acts(run))
    return Trace(workflow, story(run, closing), data)
