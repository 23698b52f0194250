"""What XState does not check: that every name in a chart means something. A chart that fails is a bug of ours."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
FIELDS = frozenset({
    "after", "always", "description", "entry", "id", "initial", "meta", "on", "options", "states", "tags", "type",
})  # fmt: skip
EDGE = frozenset({"actions", "description", "guard", "reenter", "target"})
ACTIONS = frozenset({
    "abort", "again", "among", "answered", "audit", "begin", "beside", "branch", "broken", "call", "cancel", "catch",
    "choose", "close", "closing", "completed", "count", "drop", "dropped", "due", "emit", "enter", "fail",
    "failed", "fire", "fork", "give", "hear", "hold", "interrupted", "join", "keep", "measure", "note", "open",
    "outcome", "promise", "refused", "rejoin", "reraise", "reverse", "set", "settle", "tailed", "take", "tick", "wait",
    "yield",
})  # fmt: skip
GUARDS = frozenset({
    "cancelled", "caught", "due", "ended", "free", "holds", "ignored", "joined", "nobody", "offered", "over",
    "overdue", "passed", "past", "quiet", "reversed", "stopped", "tail", "taken", "undone", "unheard", "waits",
    "within", "worked",
})  # fmt: skip


class BadChartError(AssertionError):
    """A chart names what is not there."""


def check(chart: Json) -> None:
    """Raises BadChartError for the first name that means nothing."""
    tables = chart["meta"]["wfc"]
    nodes = list(_states(chart, "the chart"))
    identities = [state["id"] for _, state in nodes]
    _must(len(identities) == len(set(identities)), "an id is given twice")
    known = {f"#{identity}" for identity in identities}
    for path, state in nodes:
        _state(path, state, tables)
        for edge in _edges(state):
            _must(set(edge) <= EDGE, f"{path}: an edge has {sorted(set(edge) - EDGE)}")
            _must("target" not in edge or edge["target"] in known, f"{path}: no state {edge.get('target')}")
            guard = edge.get("guard")
            _must(guard is None or _named(guard, GUARDS), f"{path}: no guard {guard}")
            for item in (*edge.get("actions", ()), *([guard] if guard is not None else ())):
                _params(path, item.get("params", {}), tables)
        for action in _actions(state):
            _must(_named(action, ACTIONS), f"{path}: no action {action}")


def _states(state: Json, path: str) -> Iterator[tuple[str, Json]]:
    yield path, state
    for key, inner in state.get("states", {}).items():
        _must(KEY.fullmatch(key) is not None, f"{path}: the key {key}")
        yield from _states(inner, f"{path}.{key}")


def _state(path: str, state: Json, tables: Json) -> None:
    _must(set(state) <= FIELDS, f"{path}: {sorted(set(state) - FIELDS)}")
    kind, inner = state.get("type", "compound"), state.get("states", {})
    _must(kind in ("compound", "final", "parallel"), f"{path}: the type {kind}")
    if kind == "parallel":
        _must(bool(inner) and "initial" not in state, f"{path}: a parallel state without regions")
    elif inner:
        _must(state.get("initial") in inner, f"{path}: no initial state {state.get('initial')}")
    for delay in state.get("after", {}):
        _must(delay in tables["timers"], f"{path}: no delay {delay}")


def _edges(state: Json) -> Iterator[Json]:
    yield from state.get("always", ())
    for edges in (*state.get("on", {}).values(), *state.get("after", {}).values()):
        yield from edges


def _actions(state: Json) -> Iterator[Json]:
    for action in (*state.get("entry", ()), *(action for edge in _edges(state) for action in edge.get("actions", ()))):
        yield from _with_inner(action)


def _with_inner(action: Json) -> Iterator[Json]:
    yield action
    for arm in action.get("params", {}).get("arms", ()):
        for inner in arm["actions"]:
            yield from _with_inner(inner)


def _named(item: Json, names: frozenset[str]) -> bool:
    return str(item["type"]).removeprefix("wfc.") in names and item["type"].startswith("wfc.")


def _params(path: str, params: Json, tables: Json) -> None:
    for name, table in (("frame", "frames"), ("guard", "guards"), ("call", "calls")):
        number = params.get(name)
        _must(number is None or 0 <= number < len(tables[table]), f"{path}: no {name} {number}")
    _must(params.get("timer") is None or params["timer"] in tables["timers"], f"{path}: no timer {params}")


def _must(holds: bool, told: str) -> None:  # noqa: FBT001 - what must hold
    if not holds:
        raise BadChartError(told)
