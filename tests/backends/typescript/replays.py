"""Runs of the pure machine, given to its TypeScript: the same inputs must lead to the same commands and records.

What a world has delivered to an instance is its journal. The machine turns it again, input by input, and so does the
generated code, in one Node process for all runs. Turn by turn everything must be equal: each command, each audit record.
"""

import json
import subprocess
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from wfc.backends import typescript
from wfc.backends.typescript import host
from wfc.ir.machine import Machine
from wfc.machine import messages as m
from wfc.machine.program import Program
from wfc.machine.turn import Turned, apply
from wfc.text.value import Value, value

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "js" / "node_modules"
FOR_QUEUES = ("heartbeatMs", "path", "repeatable")  # what only a host wants to know that sends through a queue
_OUTSIDE = frozenset({"effect"})  # what only a simulation wants to know of a command


@value(kw_only=True)
class Replay(Value):
    """The inputs of one instance, and what each has led to."""

    name: str
    folder: str
    process: str
    started: m.Started
    version: int
    times_attempts: bool
    inputs: tuple[Any, ...]
    turns: tuple[Any, ...]


class Folder:
    """Where the TypeScript of many machines lies, each in a folder of its own, with one runtime."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._machines: dict[int, tuple[Machine, str]] = {}
        (root / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")

    def add(self, machine: Machine) -> str:
        """Writes the files of a machine; the name of its folder."""
        if id(machine) in self._machines:
            return self._machines[id(machine)][1]
        name = f"m{len(self._machines)}"
        self._machines[id(machine)] = machine, name
        shared = self.root / typescript.SHARED
        shared.mkdir(exist_ok=True)
        (self.root / name).mkdir()
        for output in typescript.emit(machine):
            if output.path.startswith(host.FOLDER):
                continue  # here the tests are the host
            if output.path.startswith(typescript.SHARED):
                place = self.root / output.path
                if place.exists():
                    continue
                text = output.text
            else:
                place = self.root / name / output.path
                text = output.text.replace(f'"./{typescript.SHARED}/', f'"../{typescript.SHARED}/')
            place.write_text(text, encoding="utf-8")
        return name

    def transpile(self) -> None:
        """Makes JavaScript of everything."""
        node("transpile.mjs", str(self.root), str(MODULES))

    def run(self, replays: Iterable[Replay]) -> list[dict[str, Any]]:
        """What the generated code makes of the inputs, run by run."""
        given = [
            {
                "runtime": f"{typescript.SHARED}/wfc-runtime.js",
                "module": f"{each.folder}/{each.process}.workflow.js",
                "workflow": each.started.workflow,
                "version": each.version,
                "timesAttempts": each.times_attempts,
                "instance": each.started.instance,
                "child": each.started.child,
                "inputs": each.inputs,
            }
            for each in replays
        ]
        found: list[dict[str, Any]] = json.loads(node("replay.mjs", str(self.root), given=json.dumps(given)))
        return found


def node(script: str, *args: str, given: str = "") -> str:
    """What a script of the host says."""
    command = ["node", str(HERE / "host" / script), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=given, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---------------------------------------------------------------------------------------------------------------- runs


def replays(name: str, folder: str, program: Program, journal: Iterable[tuple[str, m.Input]]) -> Iterator[Replay]:
    """The runs of each instance of a journal."""
    runs: dict[str, list[m.Input]] = {}
    over: list[list[m.Input]] = []
    for identity, given in journal:
        if isinstance(given, m.Started):
            runs[identity] = []
            over.append(runs[identity])
        runs[identity].append(given)
    for inputs in over:
        started = inputs[0]
        assert isinstance(started, m.Started)
        instance = None
        turns = []
        for given in inputs:
            found = apply(program, instance, given)
            assert isinstance(found, Turned), found
            instance = found.instance
            turns.append(_turn(program, found))
        yield Replay(
            name=f"{name}: {started.instance}",
            folder=folder,
            process=program.machine.process,
            started=started,
            version=program.workflows[started.workflow].version,
            times_attempts=program.host_times_attempts,
            inputs=tuple(_input(each) for each in inputs),
            turns=tuple(turns),
        )


def difference(replay: Replay, found: dict[str, Any]) -> str:
    """Where the generated code differs from the machine; nothing if it does not."""
    for number, (wanted, given) in enumerate(zip(replay.turns, found["turns"], strict=False)):
        got = _found(given)
        if got == wanted:
            continue
        for kind in ("refused", "records", "commands"):
            if got[kind] != wanted[kind]:
                return _told(replay, number, kind, wanted[kind], got[kind], str(found.get("defect", "")))
    if len(found["turns"]) != len(replay.turns):
        return f"{replay.name}: {found.get('defect')}"
    return ""


def _told(replay: Replay, number: int, kind: str, wanted: Any, got: Any, defect: str) -> str:
    lines = [f"{replay.name}: turn {number}, {json.dumps(replay.inputs[number])}: {kind}"]
    one, other = ([json.dumps(each, sort_keys=True) for each in side or []] for side in (wanted, got))
    lines += [f"  machine:    {each}" for each in one if each not in other]
    lines += [f"  typescript: {each}" for each in other if each not in one]
    if sorted(one) == sorted(other):
        lines += [f"  machine, in this order:    {each}" for each in one]
        lines += [f"  typescript, in this order: {each}" for each in other]
    return "\n".join([*lines, defect])


# -------------------------------------------------------------------------------------------------------------- values


def data(item: Any) -> Any:
    """A value as JSON."""
    match item:
        case Decimal():
            return f"{item:f}"
        case date():
            return item.isoformat()
        case dict():
            return {key: data(each) for key, each in item.items()}
        case list() | tuple():
            return [data(each) for each in item]
        case _:
            return item


def plain(item: Any) -> Any:
    """One form of the same value: what is not there is left out, and a case without fields is its name."""
    if isinstance(item, dict):
        found = {key: plain(each) for key, each in item.items() if each is not None}
        return found["is"] if list(found) == ["is"] else found
    return [plain(each) for each in item] if isinstance(item, list) else item


def _input(given: m.Input) -> dict[str, Any]:
    match given:
        case m.Started(at=at, data=params):
            return {"kind": "started", "at": at, "data": data(params)}
        case m.Answered():
            found: dict[str, Any] = {"kind": "answered", "at": given.at, "call": given.call, "attempt": given.attempt}
            found |= {"how": given.kind, "value": data(given.value), "sent": given.sent, "chance": given.chance}
            return found | {"detail": given.detail, "incomplete": given.incomplete}
        case m.Sent(at=at, call=call, attempt=attempt):
            return {"kind": "sent", "at": at, "call": call, "attempt": attempt}
        case m.Beat(at=at, call=call, attempt=attempt):
            return {"kind": "beat", "at": at, "call": call, "attempt": attempt}
        case m.Event(at=at, type=type_, data=fields):
            return {"kind": "event", "at": at, "event": {"type": type_, "data": data(fields)}}
        case m.Time(at=at):
            return {"kind": "time", "at": at}
        case m.Locked(at=at, lock=lock, state=state):
            return {"kind": "locked", "at": at, "lock": lock, "state": state}
        case m.Operator(at=at, action=action, key=key, value=item):
            return {"kind": "operator", "at": at, "action": action, "key": key, "value": data(item)}
        case m.Undone(at=at):
            return {"kind": "undone", "at": at}


def record(given: m.Record) -> Any:
    """An audit record."""
    found = {"at": given.at, "kind": given.kind, "path": given.path, "instance": given.instance}
    return plain({**found, "detail": data(dict(given.detail))})


def _turn(program: Program, found: Turned) -> dict[str, Any]:
    records = [record(each) for each in found.records]
    return {
        "refused": None,
        "records": records,
        "commands": [plain(_command(program, each)) for each in found.commands],
    }


def _found(given: dict[str, Any]) -> dict[str, Any]:
    """A turn of the generated code in the same form."""
    records = [plain(each["record"]) for each in given["out"] if each["kind"] == "record"]
    commands = [plain(each) for each in given["out"] if each["kind"] != "record"]
    for command in commands:
        for name in FOR_QUEUES:
            command.pop(name, None)
    return {"refused": given.get("refused"), "records": records, "commands": commands}


def _command(program: Program, command: m.Command) -> dict[str, Any]:
    match command:
        case m.Send():
            return _send(program, command)
        case m.Stop(call=call, attempt=attempt):
            return {"kind": "stop", "call": call, "attempt": attempt}
        case m.Alarm(at=at):
            return {"kind": "alarm", "at": at}
        case m.Lock(lock=lock, resources=resources, wait=wait):
            asked = [
                {"name": r.name, "key": r.key, "rank": r.rank, "capacity": r.capacity, "leaseMs": r.lease}
                for r in resources
            ]
            return {"kind": "lock", "lock": lock, "resources": asked, "waitMs": wait}
        case m.Unlock(lock=lock):
            return {"kind": "unlock", "lock": lock}
        case m.Emitted(type=type_, data=fields):
            return {"kind": "emitted", "event": {"type": type_, "data": data(fields)}}
        case m.Measured(metric=metric, value=item):
            return {"kind": "measured", "metric": metric, "value": data(item)}
        case m.DeadLetter():
            letter: dict[str, Any] = {
                "queue": command.queue,
                "key": command.key,
                "path": command.path,
                "operation": command.operation,
            }
            letter |= {"args": data(command.args), "errors": data(command.errors), "attempts": command.attempts}
            return {"kind": "dead letter", "letter": letter}
        case m.Ended(kind=kind, value=item, incomplete=incomplete):
            return {"kind": "ended", "how": kind, "value": data(item), "incomplete": incomplete}


def _send(program: Program, send: m.Send) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "send", "call": send.call, "attempt": send.attempt, "what": send.kind}
    found |= {"target": send.target, "key": send.key, "args": data(send.args), "policy": send.policy}
    found |= {"timeoutMs": send.timeout, "undo": send.undo, "assign": _assignees(send.assign)}
    if send.breaker is not None:
        found["breaker"] = dict(zip(("failures", "withinMs", "probeMs"), send.breaker, strict=True))
    if send.limit is not None:
        found["limit"] = dict(zip(("count", "perMs"), send.limit, strict=True))
    found["concurrency"] = send.concurrency
    if send.kind in ("workflow", "start"):  # generated code gives the parameters by name
        names = [param.name for param in program.workflows[send.target].params]
        found["args"] = [dict(zip(names, found["args"], strict=True))]
    return found


def _assignees(assign: Any) -> Any:
    if assign is None:
        return None
    given = assign if isinstance(assign, list | tuple) else [assign]
    return data(given)
