"""Where events go that are `outgoing`: to a function of the user's, or to an address as CloudEvents.

Each is handed over at least once: until the other side has taken it, and perhaps again if a worker is lost meanwhile.
"""

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, Protocol

from wfc.activities import OutgoingEvent
from wfc.engine.services import plain
from wfc.machine.program import Program
from wfc.machine.store import unpack


class Publisher(Protocol):
    """Takes events that are sent out."""

    async def publish(self, program: Program, told: Mapping[str, Any], once: str) -> None:
        """Hands one over; whatever it raises, it is tried again. `once` is the same for the same event."""


class PythonPublisher:
    """A function of the user's, `async` or not."""

    def __init__(self, function: Callable[[OutgoingEvent], Any]) -> None:
        self.function = function

    async def publish(self, program: Program, told: Mapping[str, Any], once: str) -> None:
        """Calls it; one that is not `async` runs in a thread."""
        _ = program
        event = OutgoingEvent(told["type"], plain(unpack(told["data"])), told["from"], once)
        if inspect.iscoroutinefunction(self.function):
            await self.function(event)
            return
        found = await asyncio.to_thread(copy_context().run, self.function, event)
        if inspect.isawaitable(found):
            await found


class HttpPublisher:
    """`POST` to an address, in the structured form of CloudEvents 1.0 (https://cloudevents.io).

    Anything but 2xx counts as not taken.
    """

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        import httpx  # noqa: PLC0415 - only where something is sent over HTTP

        self.address = address
        self.client = httpx.AsyncClient(headers=dict(headers), timeout=20, follow_redirects=False)

    async def publish(self, program: Program, told: Mapping[str, Any], once: str) -> None:
        """Sends it."""
        data, write = unpack(told["data"]), program.boundary.write
        fields = {field.name: write(data[field.name], field.type) for field in program.events[told["type"]].fields}
        event = {
            "specversion": "1.0",
            "id": once,
            "source": f"/{told['from']}",
            "type": told["type"],
            "datacontenttype": "application/json",
            "data": fields,
        }
        headers = {"Content-Type": "application/cloudevents+json", "Idempotency-Key": once}
        answer = await self.client.post(self.address, content=json.dumps(event), headers=headers)
        answer.raise_for_status()
