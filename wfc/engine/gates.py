"""Breakers and limits, seen from a worker: what all workers share is kept by a workflow for each service.

A service with limits is asked for each attempt. One that has only a breaker is not, as long as that is closed: workers
look at it once in a while, and tell of failures. So an attempt costs nothing more while all is well.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import attrs
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from wfc.engine import wire
from wfc.engine.wire import Outcome
from wfc.machine.messages import Send
from wfc.machine.store import write
from wfc.simulation.services import FAILURES

LOOKED = 1.0  # seconds that a look at a breaker counts


@attrs.frozen
class Pass:
    """What an attempt needs in order to be sent."""

    keeper: str
    owner: str
    send: Send

    @property
    def is_limited(self) -> bool:
        """Whether it has to be asked for."""
        return self.send.limit is not None or self.send.concurrency is not None


def pass_of(told: Mapping[str, Any]) -> Pass | None:
    """The pass of an attempt, if its policy has a breaker or a limit."""

    def pair(name: str) -> Any:  # noqa: ANN401 - a tuple of numbers
        return tuple(told[name]) if told.get(name) is not None else None

    if told.get("breaker") is None and told.get("limit") is None and told.get("concurrency") is None:
        return None
    send = Send(
        call=told["call"],
        attempt=told["attempt"],
        kind="activity",
        target=told["target"],
        key=told["key"],
        args=(),
        undo=told["undo"],
        breaker=pair("breaker"),
        limit=pair("limit"),
        concurrency=told["concurrency"],
    )
    return Pass(f"wfc-service/{send.target.rpartition('.')[0]}", told["instance"], send)


class Gates:
    """The services with breakers and limits, as this worker sees them."""

    def __init__(self, client: Client, queue: str) -> None:
        self.client = client
        self.queue = queue
        self._looked: dict[str, tuple[float, bool]] = {}  # when, and whether the breaker was closed
        self._asked: set[tuple[str, str, int]] = set()

    async def enter(self, wanted: Pass) -> bool:
        """Waits until an attempt may be sent; False: the breaker is open."""
        if not wanted.is_limited and (wanted.send.undo or await self._is_closed(wanted.keeper)):
            return True
        send = wanted.send
        self._asked.add((wanted.owner, send.call, send.attempt))
        told = {"owner": wanted.owner, "send": write(send)}
        try:
            may: bool = await self.client.execute_update_with_start_workflow(
                wire.PERMIT, told, start_workflow_operation=self._keeper(wanted.keeper), result_type=bool
            )
        except asyncio.CancelledError:
            await self.left(wanted, {"kind": "cancelled"})
            raise
        return may

    async def left(self, wanted: Pass, outcome: Outcome) -> None:
        """An attempt has ended. Nobody needs to know if it went well and was not asked for."""
        place = wanted.owner, wanted.send.call, wanted.send.attempt
        failed = outcome.get("kind") == "system" and outcome.get("value") in FAILURES
        closed = self._looked.get(wanted.keeper, (0.0, True))[1]
        if place not in self._asked and not failed and closed:
            return
        told = {
            "owner": wanted.owner,
            "call": wanted.send.call,
            "attempt": wanted.send.attempt,
            "failed": failed,
            "error": str(outcome.get("value")) if failed else "",
            "stopped": outcome.get("kind") == "cancelled",
            "send": write(wanted.send),
        }
        self._asked.discard(place)
        self._looked.pop(wanted.keeper, None)
        await self.client.start_workflow(
            wire.KEEPER,
            None,
            id=wanted.keeper,
            task_queue=self.queue,
            start_signal=wire.RELEASE,
            start_signal_args=[told],
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

    def _keeper(self, name: str) -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            wire.KEEPER,
            None,
            id=name,
            task_queue=self.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

    async def _is_closed(self, keeper: str) -> bool:
        """Whether a breaker was closed a moment ago. Nobody keeps one that has never had to open."""
        at, closed = self._looked.get(keeper, (0.0, True))
        if time.monotonic() - at < LOOKED:
            return closed
        try:
            handle = self.client.get_workflow_handle(keeper)
            told = await handle.query(wire.STATUS, result_type=dict)
            closed = all(each["breaker"] == "closed" for each in told["services"])
        except WorkflowQueryFailedError:
            closed = True
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            closed = True
        self._looked[keeper] = time.monotonic(), closed
        return closed
