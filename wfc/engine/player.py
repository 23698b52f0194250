"""Does on Temporal what a scenario does from outside: sends its events, acts as its operators."""

from typing import Any

from temporalio.client import Client

from wfc.engine import wire
from wfc.engine.control import ControlError, find, operate, tell
from wfc.engine.live import Mirror
from wfc.ir import scenario as s
from wfc.machine.program import Program
from wfc.machine.store import pack
from wfc.simulation.scenarios import constant

ACTIONS = {"retries": "retry", "supplies": "supply", "raises": "raise", "cancels": "cancel"}


class Player:
    """Goes through the items of a scenario, each when the process has come to rest. Time is not moved here."""

    def __init__(self, client: Client, program: Program, scenario: s.Scenario, identity: str) -> None:
        self.client = client
        self.program = program
        self.identity = identity
        self.items = [item for item in scenario.items if isinstance(item, s.Send | s.Operate)]

    async def go_on(self, mirror: Mirror) -> None:
        """The next item, if nothing is in flight."""
        if not self.items or not self._rests(mirror):
            return
        item = self.items.pop(0)
        try:
            if isinstance(item, s.Send):
                told = {"type": item.event, "data": pack(constant(self.program, item.value))}
                await tell(await find(self.client, self.identity), wire.EVENT, told)
            elif item.action == "cancels":
                await operate(self.client, self.identity, "cancel")
            else:
                await self._operate(mirror, item)
        except ControlError:
            self.items.insert(0, item)  # it comes too early; the next look may find it at its place

    async def _operate(self, mirror: Mirror, item: s.Operate) -> None:
        value: Any = constant(self.program, item.value) if item.value is not None else None
        for identity, instance in mirror.instances.items():
            for fiber in instance.fibers.values():
                if fiber.call is not None and fiber.call.state == "parked" and fiber.call.target == item.target:
                    await operate(self.client, identity, ACTIONS[item.action], fiber.call.key, value)
                    return
            for key, letter in instance.letters.items():
                if item.target in (letter.operation, letter.name):
                    await operate(self.client, identity, ACTIONS[item.action], key, value)
                    return

    def _rests(self, mirror: Mirror) -> bool:
        """Whether nothing goes on by itself at once."""
        return not any(
            fiber.call is not None and fiber.call.state in ("sent", "queued", "stopping") and fiber.call.kind != "task"
            for instance in mirror.instances.values()
            for fiber in instance.fibers.values()
        )
