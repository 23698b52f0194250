"""Where runs are looked for that show what checks claim; loaded when a check has something to show."""

from functools import cached_property
from typing import Any

from wfc.flow.ways import Ways
from wfc.ir.machine import Machine
from wfc.ir.runnable import runnable
from wfc.machine.program import Program
from wfc.machine.store import write_input
from wfc.problems.problem import Step, Trace
from wfc.simulation.claim import GHOST, Claim, Limits, Verdict
from wfc.simulation.decided import Decided
from wfc.simulation.haunted import exorcised, haunted
from wfc.simulation.prove import Prover
from wfc.simulation.retrace import acts, retrace
from wfc.simulation.stage import Stage, Watched
from wfc.simulation.story import story

FUEL = 50_000  # steps of one turn: a round without waiting is noticed soon
FEW = 8  # values that are told of a place


class Bench:
    """The machine under check made ready to run, as it is and with an undo for everything that has none."""

    def __init__(self, machine: Machine, ways: Ways) -> None:
        self.machine = runnable(machine)
        self.ways = ways

    @cached_property
    def program(self) -> Program:
        """The machine as it is."""
        return _watched(exorcised(self._haunted, self.machine))

    @cached_property
    def _haunted(self) -> Program:
        program = haunted(self.machine)
        program.fuel = FUEL
        return _watched(program)

    @cached_property
    def plain(self) -> Prover:
        """Looks for runs as they are."""
        return Prover(self.ways, self.program)

    @cached_property
    def haunted(self) -> Prover:
        """Looks for runs in which missing undos are seen."""
        return Prover(self.ways, self._haunted)

    @cached_property
    def _decided(self) -> Decided:
        return Decided(self.program, self.ways)

    @cached_property
    def _decided_haunted(self) -> Decided:
        return Decided(self._haunted, self.ways)

    def show(
        self, claim: Claim, closing: tuple[Step, ...], limits: Limits, *, missing: bool
    ) -> tuple[Verdict, Trace | None, int]:
        """The verdict on a claim, a trace if there is one, and how many turns it took."""
        if claim.workflow not in self.program.workflows:
            return "open", None, 0
        found = (self.haunted if missing else self.plain).find(claim, limits)
        if found.run is None:
            decided = self._decided_haunted if missing else self._decided
            none = found.complete and decided.all(found.passed, claim)
            return "impossible" if none else "open", None, found.turns
        run = retrace(self.program, acts(found.run), skip=GHOST) if missing else found.run
        if run is None:
            return "open", None, found.turns
        if not claim.stops:
            self.plain.play_out(run)
        return "shown", trace_of(claim, run, closing), found.turns + run.turns


def trace_of(claim: Claim, run: Stage, closing: tuple[Step, ...]) -> Trace:
    """A run as a problem carries it."""
    data = tuple((identity, write_input(given), key) for identity, given, key in acts(run))
    steps = story(run, (*_values(claim, run, closing), *closing))
    return Trace(claim.workflow, steps, data, (claim.sign.kind, claim.sign.path))


def _watched(program: Program) -> Program:
    program.code = Watched(program.code)
    return program


def _values(claim: Claim, run: Stage, closing: tuple[Step, ...]) -> tuple[Step, ...]:
    """What decides in the end, with its values."""
    found = next(((inst, fiber) for inst, fiber, path in run.halted() if path == claim.sign.path), None)
    if found is None or not claim.names:
        return ()
    known = run.names(*found)
    told = [f"{name} = {_shown(value)}" for name in claim.names if (value := _value(known, name)) is not _NONE]
    more = f" and {len(told) - FEW} more" if len(told) > FEW else ""
    return (Step(f"here {', '.join(told[:FEW])}{more}", closing[0].at if closing else None),) if told else ()


_NONE = object()


def _value(known: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - a value of the language
    """The value of `order.total`, if it is one that can be told in a word."""
    value: Any = known
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return _NONE
        value = value[part]
    simple = set(value) <= {"is"} if isinstance(value, dict) else not isinstance(value, tuple)
    return value if simple else _NONE


def _shown(value: Any) -> str:  # noqa: ANN401 - a value of the language
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case dict():
            return str(value["is"]).rpartition(".")[2]
        case str():
            return f'"{value}"'
        case _:
            return str(value)
