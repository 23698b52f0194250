"""Breakers and limits, seen from a worker: what all workers share is kept by a workflow for each service.

A service with limits is asked for each attempt. One that has only a breaker is not, as long as that is closed: workers
look at it once in a while, and tell of failures. So an attempt costs nothing more while all is well. All that wait for
one service in a worker are looked after by one question in a while.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import attrs
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from wfc.engine import wire
from wfc.engine.wire import Outcome
from wfc.machine.messages import Send
from wfc.machine.store import write
from wfc.simulation.services import FAILURES

LOOKED = 1.0  # seconds that a look at a breaker counts
SOON, LATE = 0.02, 0.32  # seconds between two questions whether it is someone's turn: longer while nothing happens

AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)  # it may come back

Place = tuple[str, str, int]  # instance, call, attempt


@attrs.frozen
class Pass:
    """What an attempt needs in order to be sent."""

    keeper: str
    owner: str
    send: Send

    @property
    def place(self) -> Place:
        """What it is known by."""
        return self.owner, self.send.call, self.send.attempt

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
        self._asked: set[Place] = set()
        self._waiting: dict[str, dict[Place, tuple[Pass, asyncio.Future[bool]]]] = {}  # by keeper
        self._watches: dict[str, asyncio.Task[None]] = {}  # likewise
        self._pauses: dict[str, float] = {}

    async def enter(self, wanted: Pass) -> bool:
        """Waits until an attempt may be sent; False: the breaker is open."""
        if not wanted.is_limited and (wanted.send.undo or await self._is_closed(wanted.keeper)):
            return True
        self._asked.add(wanted.place)
        decided: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            await self._ask(wanted)
            self._waiting.setdefault(wanted.keeper, {})[wanted.place] = wanted, decided
            self._pauses[wanted.keeper] = SOON
            if wanted.keeper not in self._watches:
                self._watches[wanted.keeper] = asyncio.create_task(self._watch(wanted.keeper))
            return await decided
        except asyncio.CancelledError:
            self._waiting.get(wanted.keeper, {}).pop(wanted.place, None)
            await self.left(wanted, {"kind": "cancelled"})
            raise

    async def _watch(self, keeper: str) -> None:
        """Asks whose turn it is, as long as someone waits."""
        try:
            while waiting := self._waiting.get(keeper):
                places = list(waiting)
                for place, verdict in zip(places, await self._verdicts(keeper, places), strict=True):
                    if place not in waiting:
                        continue
                    wanted, decided = waiting[place]
                    if verdict == wire.UNKNOWN:
                        await self._ask(wanted)  # its keeper has ended since
                    elif verdict != wire.WAITS_FOR:
                        del waiting[place]
                        self._pauses[keeper] = SOON
                        if not decided.done():
                            decided.set_result(verdict == wire.MAY)
                await asyncio.sleep(self._pauses[keeper])
                self._pauses[keeper] = min(LATE, self._pauses[keeper] * 2)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to hear of it
            for _, decided in self._waiting.pop(keeper, {}).values():
                if not decided.done():
                    decided.set_exception(error)
        finally:
            del self._watches[keeper]

    async def _verdicts(self, keeper: str, places: list[Place]) -> list[str]:
        try:
            handle = self.client.get_workflow_handle(keeper)
            found: list[str] = await handle.query(wire.PERMITS, [list(place) for place in places], result_type=list)
            return found
        except WorkflowQueryFailedError:
            return [wire.WAITS_FOR] * len(places)  # it has just been started
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return [wire.UNKNOWN] * len(places)
            if error.status in AWAY:
                return [wire.WAITS_FOR] * len(places)
            raise

    async def left(self, wanted: Pass, outcome: Outcome) -> None:
        """An attempt has ended. Nobody needs to know if it went well and was not asked for."""
        place = wanted.place
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
        await self.tell(wanted.keeper, wire.RELEASE, told)

    async def _ask(self, wanted: Pass) -> None:
        await self.tell(wanted.keeper, wire.PERMIT, {"owner": wanted.owner, "send": write(wanted.send)})

    async def tell(self, keeper: str, signal: str, told: dict[str, Any]) -> None:
        """Tells a keeper something; it is started if it is not there."""
        await self.client.start_workflow(
            wire.KEEPER,
            None,
            id=keeper,
            task_queue=self.queue,
            start_signal=signal,
            start_signal_args=[told],
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
