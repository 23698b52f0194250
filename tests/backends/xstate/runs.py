"""Runs of the machine, and the same inputs given to its chart under XState: are they record by record the same?"""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from wfc.backends import xstate
from wfc.ir.machine import Machine
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Beat, Event, Input, Operator, Record, Send, Sent, Started, Time
from wfc.machine.program import Program
from wfc.machine.turn import Turned, apply
from wfc.simulation.play import Played

HIDDEN = ("call", "entry")  # numbers of an engine's own
FREE = ("detail",)  # words of an engine's own


@attrs.frozen
class Case:
    """A chart with the inputs it is given, and what the machine makes of them, turn by turn."""

    line: str
    records: list[list[dict[str, Any]]]
    sends: list[list[dict[str, Any]]]
    ending: dict[str, Any]
    concurrent: bool


def started(run: Played) -> bool:
    """Whether a run has begun, and comes to rest each time."""
    return not run.refused and run.ending != "endless"


def case(machine: Machine, program: Program, journal: Iterable[tuple[str, Input]]) -> Case:
    """What the machine makes of the inputs of one instance, up to one that a chart does not take."""
    instance: Instance | None = None
    given: list[dict[str, Any]] = []
    records: list[list[dict[str, Any]]] = []
    sends: list[list[dict[str, Any]]] = []
    known: dict[tuple[str, int], Send] = {}
    start: dict[str, Any] = {}
    for _, each in journal:
        if instance is not None and not _taken(each):
            break
        found = apply(program, instance, each)
        assert isinstance(found, Turned)
        instance = found.instance
        if isinstance(each, Started):
            start = {"chart": xstate.chart(machine), "input": plain(each.data), "at": each.at, "id": each.instance}
        else:
            given.append(_given(each, known))
        sent = [command for command in found.commands if isinstance(command, Send)]
        known |= {(send.call, send.attempt): send for send in sent}
        records.append([record(each) for each in found.records])
        sends.append([_send(send) for send in sent])
    assert instance is not None
    ending = {"status": instance.status, "value": plain(instance.value), "error": plain(instance.error)}
    concurrent = any(frame["kind"] == "fork" for frame in start["chart"]["meta"]["wfc"]["frames"]) or any(
        guard["also"] for guard in start["chart"]["meta"]["wfc"]["guards"]
    )
    return Case(json.dumps(start | {"journal": given}), records, sends, ending, concurrent)


def _taken(given: Input) -> bool:
    return isinstance(given, Answered | Time | Event | Sent | Beat) or (
        isinstance(given, Operator) and given.action == "cancel"
    )


def _given(given: Input, known: dict[tuple[str, int], Send]) -> dict[str, Any]:
    match given:
        case Time():
            return {"is": "time", "at": given.at}
        case Operator():
            return {"is": "cancel", "at": given.at}
        case Event():
            return {"is": "event", "at": given.at, "type": given.type, "data": plain(given.data)}
        case Answered() | Sent() | Beat():
            send = known[given.call, given.attempt]
            made: dict[str, Any] = {"at": given.at, "target": send.target, "key": send.key, "attempt": send.attempt}
            if isinstance(given, Answered):
                return made | {
                    "is": "answered", "kind": given.kind, "value": plain(given.value), "sent": given.sent,
                    "chance": given.chance,
                }  # fmt: skip
            return made | {"is": "sent" if isinstance(given, Sent) else "beat"}
        case _:
            raise AssertionError(given)


def record(given: Record) -> dict[str, Any]:
    """A record without the numbers that are an engine's own."""
    detail = {key: plain(item) for key, item in given.detail if key not in HIDDEN}
    return {"at": given.at, "kind": given.kind, "path": given.path, **_shown(detail)}


def _shown(detail: dict[str, Any]) -> dict[str, Any]:
    return {key: True if key in FREE else item for key, item in detail.items() if item is not None}


def _send(send: Send) -> dict[str, Any]:
    found: dict[str, Any] = tidy({
        "attempt": send.attempt, "kind": send.kind, "target": send.target, "key": send.key, "args": plain(send.args),
        "policy": send.policy, "timeout": send.timeout, "assign": plain(send.assign), "effect": send.effect,
        "undo": send.undo, "breaker": plain(send.breaker), "limit": plain(send.limit), "concurrency": send.concurrency,
    })  # fmt: skip
    return found


def plain(value: Any) -> Any:
    """A value as JSON."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return {key: plain(item) for key, item in value.items() if item is not None}
        case tuple() | list():
            return [plain(item) for item in value]
        case _:
            return value


def tidy(item: Any) -> Any:
    """JSON without fields that say nothing."""
    if isinstance(item, dict):
        return {key: tidy(part) for key, part in item.items() if part is not None}
    return [tidy(part) for part in item] if isinstance(item, list) else item


def difference(wanted: Case, told: dict[str, Any]) -> str:
    """The first difference between a run of the machine and that of its chart, in words; empty if there is none."""
    if "crashed" in told:
        return str(told["crashed"])
    for number, turn in enumerate(told["turns"]):
        if turn["refused"] is not None:
            return f"turn {number}: refused as {turn['refused']}"
        got = [
            {"at": r["at"], "kind": r["kind"], "path": r["path"], **_shown(tidy(
                {key: item for key, item in r["detail"].items() if key not in HIDDEN}))}
            for r in (c["record"] for c in turn["commands"] if c["is"] == "record")
        ]  # fmt: skip
        sent = [
            tidy({key: item for key, item in c["send"].items() if key != "call"})
            for c in turn["commands"]
            if c["is"] == "send"
        ]
        for what, mine, theirs in (("records", wanted.records[number], got), ("sends", wanted.sends[number], sent)):
            if _order(mine, concurrent=wanted.concurrent) != _order(theirs, concurrent=wanted.concurrent):
                lines = [f"turn {number}, {what}", "machine:", *map(_line, mine), "chart:", *map(_line, theirs)]
                return "\n".join(lines)
    ending = {"status": told["status"], "value": tidy(told["value"]), "error": tidy(told["error"])}
    return "" if ending == tidy_ending(wanted.ending) else f"ends with {ending}, not {wanted.ending}"


def tidy_ending(ending: dict[str, Any]) -> dict[str, Any]:
    return {key: tidy(item) for key, item in ending.items()}


def _order(items: list[dict[str, Any]], *, concurrent: bool) -> list[str]:
    """Where tokens run side by side, the order of their steps within a turn is not defined."""
    lines = [_line(item) for item in items]
    return sorted(lines) if concurrent else lines


def _line(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, ensure_ascii=False)
