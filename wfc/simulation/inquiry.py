"""What a check may ask: the flow of all workflows, what older versions were, and a run that shows what it claims."""

from collections.abc import Iterable
from functools import cached_property

import attrs

from wfc.flow.program import Program as Flow
from wfc.flow.versions import Move, Version
from wfc.flow.ways import Ways
from wfc.ir.machine import Machine
from wfc.problems.problem import UNSOUGHT, Step, Trace
from wfc.simulation.claim import Claim, Finder, Limits, Verdict

BUDGET = 4_000  # turns that all questions of one check run may cost together


@attrs.frozen
class Shown:
    """The answer: a trace; or that no run shows it; or that it was not found within the bounds."""

    verdict: Verdict
    trace: Trace | None = None


class Inquiry(Flow):
    """The program under check. Runs are looked for only when a check has something to show."""

    _spent = 0

    def __init__(self, machine: Machine, versions: tuple[Version, ...] = ()) -> None:
        super().__init__(machine)
        self.versions = versions

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The migrations whose old version is recorded."""
        every = ((version, way) for version in self.versions for way in version.ways)
        return tuple(Move(way, way.old, version.machine) for version, way in every if way.old is not None)

    @cached_property
    def ways(self) -> Ways:
        """Distances in the flow."""
        return Ways(self)

    @cached_property
    def _bench(self) -> Finder:
        from wfc.simulation.bench import Bench  # noqa: PLC0415 - a program in order needs no runs

        return Bench(self.machine, self.ways)

    def show(self, claim: Claim, closing: Iterable[Step] = (), limits: Limits | None = None) -> Shown:
        """Looks for a run that shows a claim."""
        return self._show(claim, closing, limits or Limits(), missing=False)

    def show_missing(self, claim: Claim, closing: Iterable[Step] = (), limits: Limits | None = None) -> Shown:
        """The same where every effect without an undo is seen to want one (`missing undo`)."""
        return self._show(claim, closing, limits or Limits(), missing=True)

    def first(self, claims: Iterable[tuple[Claim, tuple[Step, ...]]]) -> Shown:
        """The answer to the first of some claims, with what to say at the end, that a run shows."""
        asked, undecided = False, False
        for claim, closing in claims:
            shown = self.show(claim, closing)
            if shown.trace is not None:
                return shown
            asked, undecided = True, undecided or shown.verdict == "open"
        return Shown("open" if undecided or not asked else "impossible")

    def show_before(self, move: Move, claims: Iterable[Claim], closing: Iterable[Step] = ()) -> Trace | None:
        """A run of the version that a migration leads from, which shows the first of some claims that one shows."""
        for claim in claims:
            shown = self._show(claim, closing, Limits(), missing=False, bench=self._before(move))
            if shown.trace == UNSOUGHT:
                return UNSOUGHT
            if shown.trace is not None:
                found = shown.trace
                return Trace(found.workflow, found.steps, found.acts, found.sign, record=move.path)
        return None

    def _before(self, move: Move) -> Finder:
        from wfc.simulation.bench import Bench  # noqa: PLC0415 - a migration in order needs no runs

        bench = self._benches.get(move.path)
        if bench is None:
            bench = self._benches[move.path] = Bench(move.old.machine, move.ways)
        return bench

    @cached_property
    def _benches(self) -> dict[str, Finder]:
        return {}

    def _show(
        self, claim: Claim, closing: Iterable[Step], limits: Limits, *, missing: bool, bench: Finder | None = None
    ) -> Shown:
        if self._spent > BUDGET:
            return Shown("open", UNSOUGHT)
        try:
            finder = bench or self._bench
            verdict, trace, turns = finder.show(claim, tuple(closing), limits, missing=missing)
        except RecursionError:  # of a workflow that calls itself at once there is no run
            return Shown("open")
        self._spent += turns
        return Shown(verdict, trace)
