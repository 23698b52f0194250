"""The fault matrix: every single fault at every step that a scenario reaches, and how each of these runs ends.

A run with a fault goes through the scenario's items without its expectations, and then on until it has ended or waits
for somebody. What a run leaves behind is told by effects: what services have really done, and what has been undone of
that, whatever the process believes.

A call that is tried hundreds of times makes hundreds of steps in one situation: nothing differs but the time and the
number of attempts. Of these the first and the last are run. Where both end the same way, so do those in between; where
they do not, what lies between them is halved and looked at in turn.
"""

from collections.abc import Callable, Iterator

import attrs

from wfc.ir import scenario as s
from wfc.machine.program import Program
from wfc.simulation.cells import Cell, Fault, Matrix, Step
from wfc.simulation.disturbed import Disturbed

FEW = 3  # steps in one situation that are all run

Tick = Callable[[int, int], None]  # so many faults are settled, of so many
Watch = Callable[[Fault | None, Disturbed], None]  # a run is over


def matrix(program: Program, scenario: s.Scenario, tick: Tick | None = None, watch: Watch | None = None) -> Matrix:
    """Runs a scenario once as it is, then with each fault. `watch` is told each run."""
    return _Matrix(program, scenario, tick, watch).made()


class _Matrix:
    def __init__(self, program: Program, scenario: s.Scenario, tick: Tick | None, watch: Watch | None) -> None:
        self.program = program
        self.scenario = scenario
        self.tick = tick
        self.watch = watch
        self.plain = Disturbed(program, scenario, None)
        self.done, self.total = 0, 0

    def made(self) -> Matrix:
        plain = self.plain.ending()
        if self.watch is not None:
            self.watch(None, self.plain)
        books = self.plain.books
        groups: dict[object, list[Fault]] = {}
        for fault in _faults(self.program, self.plain):
            at = books.situations[fault.step.number] if fault.step is not None else fault
            groups.setdefault((fault.kind, fault.name, at), []).append(fault)
            self.total += 1
        cells = [cell for group in groups.values() for cell in self._cells(group)]
        order = {fault: number for number, fault in enumerate(_faults(self.program, self.plain))}
        cells.sort(key=lambda cell: order[cell.fault])
        return Matrix(self.scenario, plain, tuple(books.steps), tuple(cells))

    def _cells(self, group: list[Fault]) -> list[Cell]:
        """The cells of faults that differ only in the time at which they strike."""
        if len(group) <= FEW:
            return [self._cell(fault) for fault in group]
        found = {0: self._cell(group[0]), len(group) - 1: self._cell(group[-1])}
        also: dict[int, int] = {}
        spans = [(0, len(group) - 1)]
        while spans:
            low, high = spans.pop()
            if high - low < 2:  # noqa: PLR2004 - nothing lies between neighbours
                continue
            if found[low].is_like(found[high]):
                also[low] = high - low - 1
                self._settled(also[low])
                continue
            middle = (low + high) // 2
            found[middle] = self._cell(group[middle])
            spans += [(low, middle), (middle, high)]
        return [attrs.evolve(cell, also=also.get(place, 0)) for place, cell in found.items()]

    def _cell(self, fault: Fault) -> Cell:
        run = Disturbed(self.program, self.scenario, fault)
        ending = run.ending()
        if self.watch is not None:
            self.watch(fault, run)
        self._settled(1)
        return Cell(fault=fault, **attrs.asdict(ending, recurse=False))

    def _settled(self, count: int) -> None:
        self.done += count
        if self.tick is not None:
            self.tick(self.done, self.total)


def _faults(program: Program, plain: Disturbed) -> Iterator[Fault]:
    heard = sorted(program.heard[plain.scenario.workflow])
    for step in plain.books.steps:
        operation = program.operations.get(step.operation)
        if operation is not None:
            for error in operation.raises:
                yield Fault("business error", step, error)
            if operation.kind != "task":
                yield Fault("attempt timeout", step)
                yield Fault("crash before the effect", step)
                yield Fault("crash after the effect", step)
        if not step.undo:
            yield Fault("operator cancels", step)
            if step.operation in plain.books.undoable:
                yield Fault("failed rollback", step)
        elif operation is not None:
            yield Fault("failed rollback", step)
        for event in heard:
            yield Fault("event", step, event)
    for item in plain.scenario.items:
        if isinstance(item, s.Send):
            yield Fault("duplicate event", None, item.event)
            yield Fault("late event", None, item.event)


__all__ = ["Cell", "Fault", "Matrix", "Step", "matrix"]
