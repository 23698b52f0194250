"""The words of the fault matrix: steps, faults, and how a run with a fault has ended."""

from typing import Literal

import attrs

from wfc.ir.scenario import Scenario
from wfc.simulation.ledger import Standing

FaultKind = Literal[
    "business error", "attempt timeout", "crash before the effect", "crash after the effect", "failed rollback",
    "operator cancels", "event", "duplicate event", "late event",
]  # fmt: skip
EndKind = Literal["done", "failed", "waits", "stuck", "endless"]


@attrs.frozen
class Step:
    """An attempt of the run without faults: the number among all attempts, and the one among those of its operation."""

    number: int
    operation: str
    turn: int
    undo: bool


@attrs.frozen
class Fault:
    """A fault at a step; at no step for events that come late or twice. `name` is the error or the event."""

    kind: FaultKind
    step: Step | None
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip() if self.name else self.kind


@attrs.frozen(kw_only=True)
class Ending:
    """How a run has ended.

    `undone` in order; `stands`: effects that took place and have not been undone; `letters`: those a person has to look
    at; `broken`: laws of the machine, always empty. `cut`: the run was left while it still went on.
    """

    end: EndKind
    text: str
    undone: tuple[str, ...]
    stands: tuple[Standing, ...]
    letters: tuple[str, ...]
    broken: tuple[str, ...] = ()
    cut: bool = False

    @property
    def is_bad(self) -> bool:
        """Whether the run hangs, or breaks a law."""
        return self.end in ("stuck", "endless") or bool(self.broken)

    @property
    def left(self) -> tuple[Standing, ...]:
        """What stands though it should not: all after a failure; what nobody looks after, at any other end."""
        if self.end == "failed":
            return self.stands
        return tuple(each for each in self.stands if each.calls_for_care)

    def is_like(self, other: "Ending") -> bool:
        """Whether another run has ended the same way."""
        return _outcome(self) == _outcome(other)


def _outcome(ending: Ending) -> tuple[object, ...]:
    return ending.end, ending.text, ending.undone, ending.stands, ending.letters, ending.broken, ending.cut


@attrs.frozen(kw_only=True)
class Cell(Ending):
    """How a run with a fault has ended. `also`: so many later steps are the same for this fault, and were not run."""

    fault: Fault
    also: int = 0


@attrs.frozen
class Matrix:
    """All single faults of one scenario. `plain`: the run without any."""

    scenario: Scenario
    plain: Ending
    steps: tuple[Step, ...]
    cells: tuple[Cell, ...]

    @property
    def bad(self) -> tuple[Cell, ...]:
        """Runs that hang or break a law."""
        return tuple(cell for cell in self.cells if cell.is_bad)

    @property
    def left_out(self) -> int:
        """Faults that were not run, for others in the same situation were."""
        return sum(cell.also for cell in self.cells)
