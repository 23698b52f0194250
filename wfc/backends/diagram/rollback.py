"""What is undone where: the longest rollback as a sequence, and a table for every place that can fail."""

from dataclasses import dataclass

from wfc.backends.diagram.text import escape, table
from wfc.flow.effects import covered
from wfc.flow.graph import Abort, Point
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, Goto, Machine, Start, Step
from wfc.picture.words import ident

INDENT = "    "


@dataclass(frozen=True)
class Row:
    """A place that can fail, and what is undone then, newest first.

    `maybe` are done only on some ways, by id; `doubt` undoes the failing call itself, which may have happened; `path`
    are the calls undone on the shortest way.
    """

    place: str
    undone: tuple[Do, ...]
    maybe: frozenset[int]
    doubt: str
    path: tuple[Do, ...]
    ends: str


def rows(machine: Machine) -> list[Row]:
    """Every abort that undoes something, in the order of the flow."""
    flow = Program(machine).flows[machine.workflow.name]
    found: dict[tuple[str, str], Row] = {}
    for point in flow.graph.points:
        if not flow.effects.reached(point):
            continue
        for abort in point.aborts:
            row = _row(flow, point, abort)
            if row is None:
                continue
            older = found.get((row.place, row.ends))
            if older is None or len(row.undone) > len(older.undone):
                found[row.place, row.ends] = row
    return list(found.values())


def _row(flow: WorkflowFlow, point: Point, abort: Abort) -> Row | None:
    effects = flow.effects
    if abort.keep:
        return None
    place = _place(point, abort)
    if not place:
        return None
    bits = (effects.may[id(point)] | effects.beside(point.frame)) & effects.mask(abort.frame)
    must = effects.must[id(point)]
    calls = [c for c in effects.calls if bits & effects.bit[id(c)] and not covered(c, point, abort.frame)]
    undone = [c for c in reversed(calls) if _has_undo(c.step)]
    doubt = _doubt(point, abort)
    if not undone and not doubt and abort.frame.kind == "do":
        return None
    maybe = frozenset(id(c.step) for c in undone if not must & effects.bit[id(c)])
    trail = {id(p) for p in flow.story(point)}
    path = tuple(c.step for c in undone if isinstance(c.step, Do) and (id(c) in trail or _sure(c, maybe)))
    return Row(place, tuple(c.step for c in undone if isinstance(c.step, Do)), maybe, doubt, path, _ends(abort))


def _sure(call: Point, maybe: frozenset[int]) -> bool:
    """Whether a call belongs to the picture: done on every way, or once for each of a list."""
    return id(call.step) not in maybe or any(frame.kind == "each" for frame in call.frame.outward())


def _doubt(point: Point, abort: Abort) -> str:
    """The undo of a call that failed without saying whether it happened."""
    step = point.step
    if not isinstance(step, Do) or step.undo is None or not step.undo.steps or not step.undo.blind:
        return ""
    return undo_names(step) if abort.errors & {"Timeout", "Invalid"} and point.kind == "do" else ""


def _place(point: Point, abort: Abort) -> str:
    if abort.guard is not None and abort.guard.kind != "catch":
        return abort.guard.label
    step = point.step
    if isinstance(step, Do | Start) and abort.errors:
        return step.target
    if abort.errors and abort.guard is not None:
        return ", ".join(sorted(abort.errors))
    return ""


def _ends(abort: Abort) -> str:
    if abort.guard is None:
        return "the process fails" if abort.target is None else "goes on behind the join"
    steps = abort.guard.steps
    last = steps[-1] if steps else None
    return last.target if isinstance(last, Goto) else "goes on"


def _has_undo(step: Step | None) -> bool:
    return isinstance(step, Do) and step.undo is not None and step.undo.kind == "steps"


def undo_names(call: Do) -> str:
    """What runs to undo a call."""
    assert call.undo is not None
    names = [step.target for step in call.undo.steps if isinstance(step, Do | Start)]
    return ", ".join(names) or "a block"


def rollback_table(found: list[Row]) -> list[str]:
    """Where it fails, what is undone in which order, where it goes on."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in found:
        names = dict.fromkeys(undo_names(c) + (" (if done)" if id(c) in row.maybe else "") for c in row.undone)
        if row.doubt:
            names = {f"{row.doubt} (in doubt)": None, **names}
        shown = ", ".join(names) or "nothing"
        grouped.setdefault((shown, row.ends), []).append(row.place)
    cells = [(", ".join(dict.fromkeys(places)), shown, ends) for (shown, ends), places in grouped.items()]
    return table(("Fails at", "Undone, in this order", "Goes on at"), cells)


def longest(machine: Machine, found: list[Row]) -> list[str]:
    """The longest rollback as a sequence diagram; nothing where nothing is ever undone."""
    row = max(found, key=lambda item: len(item.path), default=None)
    if row is None or not row.path:
        return []
    services = {op.name: op.service for op in machine.operations}
    calls = list(reversed(row.path))
    names: dict[str, None] = dict.fromkeys(services.get(call.target, call.target) for call in calls)
    lines = ["sequenceDiagram", f"{INDENT}accTitle: {escape(machine.process)} longest rollback"]
    lines.append(f"{INDENT}participant w_self as {escape(machine.process)}")
    lines.extend(f"{INDENT}participant {ident('v', name)} as {escape(name)}" for name in names)
    for number, call in enumerate(calls, 1):
        who = ident("v", services.get(call.target, call.target))
        lines.append(f"{INDENT}w_self->>{who}: {number} {escape(call.target)}")
    lines.append(f"{INDENT}Note over w_self: {escape(row.place)}")
    lines.append(f"{INDENT}rect rgb(253, 236, 234)")
    for number, call in reversed(list(enumerate(calls, 1))):
        who = ident("v", services.get(call.target, call.target))
        lines.append(f"{INDENT}w_self-->>{who}: undo {number} {escape(undo_names(call))}")
    lines.append(f"{INDENT}end")
    lines.append(f"{INDENT}Note over w_self: {escape(row.ends)}")
    return lines
