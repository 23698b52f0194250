"""What the tables of a chart name: frames, guards, timers, calls and the slots in which values lie.

Everything is numbered when the chart is built. An instance has at most one of each at a time, for what would need
several (concurrent iterations, recursion) is refused.
"""

from typing import Any

import attrs

from wfc.ir.encode import encode
from wfc.ir.expressions import Expr

# Among all that falls on one instant; the runs page has the whole order.
ERRORS, DEADLINES, WAITS, BESIDE, SLAS = 2, 6, 7, 8, 9


@attrs.define(eq=False)
class Frame:
    """Something active: a region, a state with guards, a guarded call, a fork or one of its branches."""

    number: int
    kind: str
    parent: "Frame | None"
    path: str
    boundary: bool = False  # a region, whose token is at a node
    inside: bool = False  # the tails of its guards run in it
    slots: dict[str, str] | None = None  # where its names lie, if it holds names
    heard: bool = False  # has a guard or `ignore` for an event
    told: dict[str, Any] = attrs.field(factory=dict)  # what the adapter has to know besides

    @property
    def depth(self) -> int:
        """How many frames are around."""
        return 0 if self.parent is None else self.parent.depth + 1

    def outward(self) -> "list[Frame]":
        """The frame and those around it."""
        found = [self]
        while found[-1].parent is not None:
            found.append(found[-1].parent)
        return found


@attrs.define(eq=False)
class Timer:
    """Something that happens at an instant; its order among all that falls on one is known beforehand."""

    name: str
    rank: int
    frame: Frame
    place: int  # in the order of the source
    told: dict[str, Any]


@attrs.define
class Tables:
    """The tables of one chart."""

    frames: list[Frame] = attrs.field(factory=list)
    guards: list[dict[str, Any]] = attrs.field(factory=list)
    timers: list[Timer] = attrs.field(factory=list)
    calls: list[dict[str, Any]] = attrs.field(factory=list)
    listeners: list[tuple[tuple[int, int, int], dict[str, Any]]] = attrs.field(factory=list)
    slots: int = 0

    def frame(self, kind: str, parent: Frame | None, path: str) -> Frame:
        """A new frame."""
        made = Frame(len(self.frames), kind, parent, path)
        self.frames.append(made)
        return made

    def slot(self) -> str:
        """A place for a value, which no name in a source can clash with."""
        self.slots += 1
        return f"n{self.slots}"

    def timer(self, rank: int, frame: Frame, **told: Any) -> Timer:  # noqa: ANN401 - JSON
        """A new timer."""
        made = Timer(f"t{len(self.timers)}", rank, frame, len(self.timers), told)
        self.timers.append(made)
        return made

    def ordered(self) -> dict[str, dict[str, Any]]:
        """All timers by name, each with its place among what falls on one instant."""
        order = sorted(self.timers, key=lambda timer: (timer.rank, -timer.frame.depth, timer.place))
        places = {timer.name: number for number, timer in enumerate(order)}
        return {
            timer.name: {"order": places[timer.name], "rank": timer.rank, "frame": timer.frame.number, **timer.told}
            for timer in self.timers
        }


def value(expr: Expr, frame: Frame, own: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """An expression whose names have become slots; `own` are those of a block with names of its own."""
    return _named(encode(expr), frame, own or {})


def stored(expr: Expr) -> Any:  # noqa: ANN401 - JSON
    """An expression of an undo, which reads only what was stored when the thing completed."""
    return _stored(encode(expr))


def slot_of(name: str, frame: Frame, own: dict[str, str] | None = None) -> str:
    """Where a name lies that is read or bound at a frame."""
    if own is not None and name in own:
        return own[name]
    for each in frame.outward():
        if each.slots is not None and name in each.slots:
            return each.slots[name]
    raise LookupError(name)


def _named(item: Any, frame: Frame, own: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(item, list):
        return [_named(part, frame, own) for part in item]
    if not isinstance(item, dict):
        return item
    if item.get("is") == "ref" and item["kind"] in ("param", "local", "var"):
        return {"is": "ref", "type": item["type"], "kind": "slot", "name": slot_of(item["name"], frame, own)}
    return {key: _named(part, frame, own) for key, part in item.items() if key != "line"}


def _stored(item: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(item, list):
        return [_stored(part) for part in item]
    if not isinstance(item, dict):
        return item
    if item.get("is") == "ref" and item["kind"] in ("param", "local", "var", "operand", "result"):
        key = stored_key(item["kind"], item["name"])
        return {"is": "ref", "type": item["type"], "kind": "stored", "name": key}
    return {key: _stored(part) for key, part in item.items() if key != "line"}


def stored_key(kind: str, name: str) -> str:
    """Under which key a value that an undo reads is stored."""
    return f"operand.{name}" if kind == "operand" else "result." if kind == "result" else name
