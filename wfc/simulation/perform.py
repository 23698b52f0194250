"""What can happen to a token, and making it happen: answers, failures, time, events, locks, operators."""

from typing import Any, Literal

import attrs

from wfc.ir.machine import Guard
from wfc.machine.instance import Call, Fiber, Instance
from wfc.machine.messages import Event, Locked, Operator, Time
from wfc.simulation.stage import Stage

ATTEMPTS = 40  # a call that has failed so often is taken to be tried for ever
MOMENTS = 300  # so often time is led to where something is due, for calls that need their last attempt

OptionKind = Literal[
    "value", "error", "system", "event", "time", "grant", "lock time", "supply", "stopped", "again", "late", "outlast",
    "cancel", "cancel child",
]  # fmt: skip


@attrs.frozen
class Option:
    """Something that can happen to a token. `cost`: how far the goal is then; `arrives`: it is the waypoint itself.

    `again`: an attempt fails with the name or error in `value`, the next one works. `late`: only the last attempt
    works. `outlast`: no attempt works, until something else ends the waiting. `cancel child`: an operator cancels the
    child that is waited for.
    """

    cost: int
    kind: OptionKind
    value: Any = None
    guard: Guard | None = None
    arrives: bool = False
    result: Any = None  # of `again`: what the next attempt answers


def perform(stage: Stage, inst: Instance, fiber: Fiber, option: Option) -> bool:
    """Makes it happen; whether the machine lets it."""
    return _Act(stage, inst, fiber).do(option)


def free(stage: Stage, inst: Instance, fiber: Fiber) -> bool:
    """Whether what a token asks for is held by nobody here, or there is room for one more."""
    asked = stage.locks.get((inst.id, fiber.lock))
    if asked is None:
        return True
    for resource in asked.resources:
        same = (resource.name, resource.key)
        held = sum((r.name, r.key) == same for r in asked.resources) - 1  # one lock may ask for it twice
        for (identity, name), lock in stage.locks.items():
            if (identity, name) != (inst.id, fiber.lock) and _granted(stage, identity, name):
                held += sum((r.name, r.key) == same for r in lock.resources)
        if held >= resource.capacity:
            return False
    return True


def _granted(stage: Stage, identity: str, name: str) -> bool:
    inst = stage.instances[identity]
    return not any(fiber.wait == "lock" and fiber.lock == name for fiber in inst.fibers.values())


class _Act:
    def __init__(self, stage: Stage, inst: Instance, fiber: Fiber) -> None:
        self.stage = stage
        self.inst = inst
        self.fiber = fiber

    def do(self, option: Option) -> bool:
        stage, inst, fiber = self.stage, self.inst, self.fiber
        call = fiber.call
        if call is not None and call.state == "queued":
            call.state = "sent"  # its turn has come
        match option.kind:
            case "value" | "error" as kind:
                return self._answer(kind, option.value)
            case "system":
                return self._fail(option.value)
            case "again":
                return self._again(option)
            case "late":
                return self._late(option.value)
            case "outlast":
                return self._outlast()
            case "supply":
                return self._operate("supply", option.value)
            case "stopped":
                return stage.answer(inst.id, fiber, "cancelled")
            case "event":
                return self._event(option)
            case "time" | "lock time":
                at = fiber.due[0].at if option.kind == "lock time" else option.value
                return stage.give(inst.id, Time(at=max(at, stage.now)), stage.step(fiber))
            case "grant":
                granted = Locked(at=stage.now, lock=fiber.lock, state="granted")
                return stage.give(inst.id, granted, stage.step(fiber))
            case "cancel":
                return stage.give(inst.id, Operator(at=stage.now, action="cancel"), stage.step(fiber))
            case "cancel child":
                return self._cancel_child()

    def _cancel_child(self) -> bool:
        call, stage = self.fiber.call, self.stage
        waits = self.inst.id, call.id if call is not None else ""
        child = next((name for name, caller in stage.callers.items() if caller[:2] == waits), None)
        return child is not None and stage.give(child, Operator(at=stage.now, action="cancel"), stage.step(self.fiber))

    def _event(self, option: Option) -> bool:
        """An event comes. If one like it waits in the inbox, nobody takes it here, and a second changes nothing."""
        assert option.guard is not None
        given = Event(at=self.stage.now, type=option.guard.names[0], data=option.value)
        if any(heard.type == given.type and heard.data == given.data for heard in self.inst.inbox):
            return False
        return self.stage.give(self.inst.id, given, self.stage.step(self.fiber))

    def _answer(self, kind: Literal["value", "error"], value: Any) -> bool:  # noqa: ANN401 - a value of the language
        call = self.fiber.call
        if kind == "error" and call is not None and call.state == "parked":
            return self._operate("raise", value)
        if call is not None and call.state == "pause" and not self._pass():
            return False
        return self.stage.answer(self.inst.id, self.fiber, kind, value)

    def _operate(self, action: Literal["supply", "raise"], value: Any) -> bool:  # noqa: ANN401 - a value of the language
        assert self.fiber.call is not None
        given = Operator(at=self.stage.now, action=action, key=self.fiber.call.key, value=value)
        return self.stage.give(self.inst.id, given, self.stage.step(self.fiber))

    def _pass(self) -> bool:
        """The pause before the next attempt ends."""
        due = [timer.at for timer in self.fiber.due if timer.what != "overall"]
        taken = bool(due) and self._until(min(due))
        return taken and self._waits() and self.fiber.call is not None and self.fiber.call.state == "sent"

    def _until(self, at: int) -> bool:
        taken = self.stage.give(self.inst.id, Time(at=max(at, self.stage.now)), self.stage.step(self.fiber))
        call = self._call()
        if call is not None and call.state == "queued":
            call.state = "sent"
        return taken

    def _call(self) -> Call | None:
        now = self.inst.fibers.get(self.fiber.id)
        return now.call if now is not None else None

    def _waits(self) -> bool:
        return self.fiber.id in self.inst.fibers and self.fiber.call is not None

    def _fail(self, name: str) -> bool:
        """All attempts of a call end so, whatever its policy says."""
        assert self.fiber.call is not None
        identity = self.fiber.call.id
        for _ in range(ATTEMPTS):
            call = self._call()
            if call is None or call.id != identity or call.state == "stopping":
                return True
            if call.state == "parked":
                return self._operate("raise", {"is": name})
            if call.state == "queued":
                call.state = "sent"
            if call.state == "pause":
                if not self._pass():
                    now = self._call()
                    return now is None or now.id != identity
                continue
            if not self.stage.answer(self.inst.id, self.fiber, "system", name, sent=name != "Unavailable"):
                return False
        return False

    def _again(self, option: Option) -> bool:
        """An attempt fails, and the next one works."""
        call = self.fiber.call
        if call is None or call.state != "sent":
            return False
        failed = option.value
        kind = "error" if isinstance(failed, dict) else "system"
        if not self.stage.answer(self.inst.id, self.fiber, kind, failed, sent=failed != "Unavailable"):
            return False
        now = self._call()
        return now is not None and now.id == call.id and now.state == "pause" and self._answer("value", option.result)

    def _late(self, value: Any) -> bool:  # noqa: ANN401 - a value of the language
        """Time passes until the last attempt is under way; that one works, unless the time was over before."""
        call = self.fiber.call
        assert call is not None
        identity, policy = call.id, call.policy
        attempts = policy.attempts if policy is not None and policy.timeout is not None else 1
        for _ in range(MOMENTS):
            now = self._call()
            if now is None or now.id != identity:
                return True
            if attempts is None or now.state == "parked":
                return False
            if now.state == "sent" and now.attempt >= attempts:
                return self.stage.answer(self.inst.id, self.fiber, "value", value)
            if self.inst.alarm is None or not self._until(self.inst.alarm):
                return False
        return False

    def _outlast(self) -> bool:
        """Time passes until the call is over, one way or the other, or a promise is broken."""
        call = self.fiber.call
        identity = call.id if call is not None else ""
        for _ in range(MOMENTS):
            now = self._call()
            if now is None or now.id != identity or now.state in ("stopping", "parked"):
                return True
            if self.inst.alarm is None or not self._until(self.inst.alarm):
                return False
            last = self.stage.last
            if last is not None and any(record.kind == "sla breached" for record in last.records):
                return True
        return False
