"""States and transitions as XState reads them, and what all parts of a chart need to write some."""

import re
from collections.abc import Callable
from typing import Any

import attrs

from wfc.backends.xstate.calls import Calls
from wfc.backends.xstate.names import Frame, Tables
from wfc.flow.personal import Personal
from wfc.ir.machine import Machine, Step

Json = dict[str, Any]
Steps = tuple[Step, ...]
HOSTILE = frozenset(dir(object)) | {
    "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "constructor",
    "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
}  # fmt: skip
KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


@attrs.frozen
class Way:
    """How something is reached: by these actions, at this state."""

    actions: tuple[Json, ...]
    target: str

    def after(self, *actions: Json) -> "Way":
        """The same way with actions before."""
        return Way((*actions, *self.actions), self.target)

    def transition(self, guard: Json | None = None, *actions: Json, **more: Any) -> Json:  # noqa: ANN401 - JSON
        """A transition that goes this way."""
        return transition((*actions, *self.actions), self.target, guard, **more)


def transition(actions: tuple[Json, ...], target: str | None, guard: Json | None = None, **more: Any) -> Json:  # noqa: ANN401 - JSON
    """A transition; without a target it stays where it is."""
    made: Json = dict(more)
    if guard is not None:
        made["guard"] = guard
    if target is not None:
        made["target"] = f"#{target}"
    if actions:
        made["actions"] = list(actions)
    return made


def do(name: str, **params: Any) -> Json:  # noqa: ANN401 - JSON
    """An action or a guard of the adapter."""
    found = {key: item for key, item in params.items() if item is not None}
    return {"type": f"wfc.{name}", "params": found} if found else {"type": f"wfc.{name}"}


@attrs.define(eq=False)
class Around:
    """The region that a step belongs to: its frame, its nodes with the frames that are open there, and its end."""

    frame: Frame
    nodes: dict[str, tuple[Frame, str]]
    finish: Callable[["Here"], Way]


@attrs.frozen
class Here:
    """A place where states are written."""

    states: Json
    frame: Frame
    region: Around
    path: str
    own: tuple[Frame, ...] = ()  # the frames of a workflow's own guards


class States:
    """Writes states."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.tables = Tables()
        self.calls = Calls(machine, self.tables)
        self.personal = Personal(machine)
        self.hidden = self.personal.names(machine.workflow)
        self.modes = {event.name: event.mode for event in machine.events}
        self.ids = 0
        self.counters = 0
        self.fires: list[Json] = []
        self.root: Frame

    # -- what higher parts supply

    def _steps(self, steps: Steps, here: Here, follow: Way) -> Way:
        """Steps from the first on; `follow` is what comes behind them."""
        raise NotImplementedError

    def _action(self, step: Step, frame: Frame, path: str, own: dict[str, str] | None = None) -> Json:
        """A step that does not wait, as an action."""
        raise NotImplementedError

    # -- states

    def _id(self) -> str:
        self.ids += 1
        return f"${self.ids}"

    def _state(self, states: Json, key: str, identity: str | None = None, **title: Any) -> Json:  # noqa: ANN401 - JSON
        """A new state among others; a key that is taken, or that is no name for an object, gets a number."""
        key = f"{key}$" if key in HOSTILE else key
        assert KEY.fullmatch(key), key
        free, number = key, 1
        while free in states:
            number += 1
            free = f"{key}${number}"
        made: Json = {"id": identity or self._id()}
        told = {name: item for name, item in title.items() if item not in (None, "")}
        if told:
            made["meta"] = told
        states[free] = made
        return made

    def _leaf(self, here: Here, key: str, *always: Json, **title: Any) -> Way:  # noqa: ANN401 - JSON
        """A state that goes on by itself, or waits."""
        made = self._state(here.states, key, **title)
        if always:
            made["always"] = list(always)
        return Way((), made["id"])

    def _undoing(self, states: Json, frame: int, tails: list[Json]) -> str:
        """What stops first, then is undone, and then goes on; where that begins."""
        stop, undo, tail = (self._state(states, key) for key in ("$stop", "$undo", "$tail"))
        stop["always"] = [transition((do("interrupted", frame=frame),), undo["id"], do("stopped", frame=frame))]
        undo["always"] = [transition((), tail["id"], do("undone", frame=frame))]
        tail["always"] = tails
        return str(stop["id"])
