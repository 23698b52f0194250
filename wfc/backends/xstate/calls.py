"""Calls as the adapter needs them: arguments, key, policy, and how they are undone."""

from collections.abc import Callable
from typing import Any

from wfc.backends.xstate.names import ERRORS, WAITS, Frame, Tables, slot_of, stored, stored_key, value
from wfc.ir.encode import encode
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Do, Machine, PolicyDef, Undo
from wfc.ir.undos import numbers, stored_names

Show = Callable[[Expr], Any]


class Calls:
    """Writes the table of calls."""

    def __init__(self, machine: Machine, tables: Tables) -> None:
        self.tables = tables
        self.operations = {operation.name: operation for operation in machine.operations}
        self.policies = {policy.name: policy for policy in machine.policies}

    def call(self, step: Do, frame: Frame, path: str) -> int:
        """A call of the program; its number in the table."""
        made = self._call(step, frame, path, step.id, lambda expr: value(expr, frame))
        made["bind"] = slot_of(step.bind, frame) if step.bind is not None else None
        made["optional"] = step.optional
        undo = step.undo
        if undo is not None and undo.kind == "steps":
            made["undo"] = self.undo(undo, frame, path, step.target, step.bind)
        return self._add(made)

    def undo(self, undo: Undo, frame: Frame, path: str, name: str, bind: str | None = None) -> dict[str, Any]:
        """How something is undone, and what must be stored for that when it completes."""
        (step,) = undo.steps
        assert isinstance(step, Do)
        made = self._call(step, frame, path, numbers(undo).get(id(step), ""), stored)
        own = ("local", bind)
        reads_result = undo.when is not None and any(
            isinstance(part, Ref) and (part.kind == "result" or (part.kind, part.name) == own)
            for part in walk(undo.when)
        )
        reads = stored_names(undo, bind, self.policies)
        return {
            "name": name,
            "call": self._add(made),
            "blind": undo.blind,
            "when": value(undo.when, frame) if undo.when is not None else None,
            "whenReadsResult": reads_result,
            "reads": [[stored_key(kind, each), self._read(kind, each, frame, bind)] for kind, each in reads],
            "bind": bind,
        }

    def _read(self, kind: str, name: str, frame: Frame, bind: str | None) -> dict[str, Any]:
        if kind in ("operand", "result"):
            return {"is": "ref", "kind": kind, "name": name}
        _ = bind
        return {"is": "ref", "kind": "slot", "name": slot_of(name, frame)}

    def _add(self, made: dict[str, Any]) -> int:
        says = {key: item for key, item in made.items() if item is not None and item is not False}
        self.tables.calls.append({key: item for key, item in says.items() if item not in ([], "")})
        return len(self.tables.calls) - 1

    def _call(self, step: Do, frame: Frame, path: str, number: str, show: Show) -> dict[str, Any]:
        operation = self.operations[step.target]
        timers = {
            what: self.tables.timer(rank, frame, of="call").name
            for what, rank in (("pause", WAITS), ("timeout", ERRORS))
        }
        return {
            "frame": frame.number,
            "path": path,
            "number": number,
            "kind": step.kind,
            "target": step.target,
            "args": [show(arg) for arg in step.args],
            "operands": [f"operand.{param.name}" for param in operation.params],
            "key": _clause(step.key, show),
            "ownKey": encode(operation.key) if operation.key is not None else None,
            "assign": _clause(step.assign if step.assign is not None else operation.assign, show),
            "effect": step.effect,
            "raises": sorted(step.raises),
            "partial": list(operation.partial),
            "keyed": operation.key is not None or operation.idempotent,
            "policy": self._policy(self.policies[step.policy], show) if step.policy is not None else None,
            "timers": timers,
        }

    def _policy(self, policy: PolicyDef, show: Show) -> dict[str, Any]:
        def maybe(expr: Expr | None) -> Any:  # noqa: ANN401 - JSON
            return show(expr) if expr is not None else None

        breaker, limit = policy.breaker, policy.limit
        made = {
            "name": policy.declared or policy.name,
            "timeout": maybe(policy.timeout),
            "overall": maybe(policy.overall),
            "attempts": maybe(policy.attempts),
            "backoff": show(policy.backoff),
            "factor": show(policy.factor),
            "max": show(policy.max),
            "jitter": maybe(policy.jitter),
            "heartbeat": maybe(policy.heartbeat),
            "concurrency": maybe(policy.concurrency),
            "limit": [show(part) for part in limit] if limit is not None else None,
            "breaker": [show(part) for part in (breaker.failures, breaker.within, breaker.probe)]
            if breaker is not None
            else None,
            "only": list(policy.only),
            "excepted": list(policy.excepted),
            "exhausted": policy.exhausted,
            "queue": show(policy.queue_value) if policy.queue_value is not None else policy.queue,
        }
        return {key: item for key, item in made.items() if item not in (None, [], "")}


def _clause(expr: Expr | None, show: Show) -> dict[str, Any] | None:
    """A clause of the call, or one that it has from its operation and that reads the operands."""
    if expr is None:
        return None
    operands = any(isinstance(part, Ref) and part.kind == "operand" for part in walk(expr))
    return {"operands": operands, "value": encode(expr) if operands else show(expr)}
