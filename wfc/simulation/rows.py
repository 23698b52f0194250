"""The lines of a timeline while it is told, and small questions about records."""

import attrs

from wfc.flow.personal import Personal
from wfc.ir.machine import Done, FieldDef
from wfc.ir.walk import region_steps
from wfc.machine.instance import Instance
from wfc.machine.messages import Record
from wfc.machine.program import Program
from wfc.simulation.lines import Line, Marker
from wfc.simulation.places import Position
from wfc.simulation.scenarios import shown


@attrs.define(eq=False)
class Row:
    """A line that may still change."""

    at: int
    place: Position
    marker: Marker
    text: str
    instance: str = ""
    parts: int = 0  # lines of a child that belong to it
    undoes: str = ""  # the key of what it undoes
    operation: str = ""
    error: str = ""
    path: str = ""
    taken: bool = False  # of an event: somebody has heard it
    gone: bool = False


@attrs.define(eq=False)
class Call:
    """A call under way. `row` is its last line."""

    row: Row
    operation: str
    instance: str
    path: str
    iteration: tuple[int, ...]
    key: str
    began: int
    attempts: int = 0
    pending: bool = True  # the row still stands for an attempt that has no answer


def iteration_of(record: Record) -> tuple[int, ...]:
    """The iterations of the `for each` around a record."""
    found: tuple[int, ...] = record.get("iteration") or ()
    return found


def slot_of(record: Record) -> tuple[str, str, tuple[int, ...], str]:
    """What the records of one call have in common."""
    return record.instance, record.path, iteration_of(record), str(record.get("operation"))


def repeated(names: list[str]) -> list[str]:
    """Names, those that follow themselves with their number."""
    found: list[tuple[str, int]] = []
    for name in names:
        if found and found[-1][0] == name:
            found[-1] = name, found[-1][1] + 1
        else:
            found.append((name, 1))
    return [name if count == 1 else f"{name} ({count} times)" for name, count in found]


def passes_on(before: Line, line: Line) -> bool:
    """Whether a node was only passed through on the way to the next."""
    same = (before.at, before.depth, before.lanes) == (line.at, line.depth, line.lanes)
    return same and before.marker == line.marker == "node"


def value_of(program: Program, instance: Instance | None) -> str:
    """What an instance has completed with, unless something personal may be in it."""
    if instance is None or instance.value is None:
        return ""
    workflow = program.workflows[instance.workflow]
    personal = Personal(program.machine)
    names = personal.names(workflow)
    for step in region_steps(workflow.region):
        if isinstance(step, Done) and step.value is not None and personal.reads(step.value, names):
            return ""
    if workflow.result is not None and personal.places((FieldDef("value", workflow.result),)):
        return ""
    return f" {shown(instance.value, workflow.result)}"
