"""Attempts: each is an activity that always answers.

Only the loss of a worker shows as a failure of Temporal. Then the same attempt is sent again, with the same key, if
doing it twice does no harm; else it is an `Unavailable` of which nobody knows whether it was sent.
"""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.workflow import ActivityCancellationType

from wfc.engine.wire import Outcome
from wfc.engine.work import Work
from wfc.ir.machine import Do
from wfc.machine.code import Calling
from wfc.machine.instance import Call
from wfc.machine.messages import Send
from wfc.machine.store import pack, read, write

LOST = timedelta(seconds=10)  # silence after which a worker counts as lost
ENDLESS = timedelta(days=3650)  # the worker itself ends an attempt whose time is over, once it has begun
INNER = timedelta(seconds=30)  # an attempt of what the engine itself does
AGAIN = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
ONCE = RetryPolicy(maximum_attempts=1)


class Attempts:
    """The attempts of an instance that are under way."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.are_held_back = False  # until a long history has been left behind
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._begun: set[tuple[str, int]] = set()
        self._held_back: list[Send] = []

    def send(self, send: Send) -> None:
        """Makes an attempt."""
        if self.are_held_back:
            self._held_back.append(send)
        else:
            self._running[send.call, send.attempt] = self.work.spawn(self._attempt(send))

    def stop(self, call: str, attempt: int) -> bool:
        """Asks an attempt to stop: it answers when it has. False if there is none."""
        found = self._running.get((call, attempt))
        if found is not None:
            self._stop(found, call, attempt)
            return True
        if any(each.call == call for each in self._held_back):
            self._held_back = [each for each in self._held_back if each.call != call]
            self.work.answer({"kind": "cancelled"}, call=call, attempt=attempt)
            return True
        return False

    def _stop(self, found: "asyncio.Task[None]", call: str, attempt: int) -> None:
        if self.work.is_simulated:
            return  # a simulated service goes on, and is not stopped by being asked to
        found.cancel()
        if (call, attempt) not in self._begun:  # it never will
            del self._running[call, attempt]
            self.work.answer({"kind": "cancelled"}, call=call, attempt=attempt)

    async def _attempt(self, send: Send) -> None:
        self._begun.add((send.call, send.attempt))
        sent = self.work.home.now()
        try:
            outcome = await self.perform(send)
        except (CancelledError, asyncio.CancelledError):
            outcome = {"kind": "cancelled"}
        finally:
            self._running.pop((send.call, send.attempt), None)
            self._begun.discard((send.call, send.attempt))
        self.work.answer(outcome, call=send.call, attempt=send.attempt, sent=sent)

    async def perform(self, send: Send) -> Outcome:
        """How an attempt has ended."""
        home = self.work.home
        call = self.work.call(send.call)
        policy = call.policy if call is not None else None
        beat = policy.heartbeat if policy is not None else None
        safe = send.undo or self._is_safe(call)
        simulated = self.work.is_simulated  # then the machine and the simulation do all that
        try:
            found: Outcome = await workflow.execute_activity(
                send.target,
                {
                    "machine": home.begin["machine"],
                    "instance": home.id,
                    "target": send.target,
                    "key": send.key,
                    "call": send.call,
                    "attempt": send.attempt,
                    "args": pack(send.args),
                    "timeout": None if simulated else send.timeout,
                    "beats": beat is not None,
                    "undo": send.undo,
                    "breaker": None if simulated else send.breaker,
                    "limit": None if simulated else send.limit,
                    "concurrency": None if simulated else send.concurrency,
                },
                start_to_close_timeout=ENDLESS,
                heartbeat_timeout=timedelta(milliseconds=beat) if beat is not None else LOST,
                retry_policy=AGAIN if safe and beat is None else ONCE,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=call.path if call is not None else None,
            )
        except ActivityError as error:
            return _lost(error, again=safe, beats=beat is not None)
        return found

    def _is_safe(self, call: Call | None) -> bool:
        """Whether an attempt may be sent twice: the service honours the key, or nothing is done."""
        if call is None or call.pc < 0:
            return True
        instruction = self.work.home.program.code[call.pc]
        assert isinstance(instruction, Calling)
        step = instruction.call.step
        return instruction.call.keyed or (isinstance(step, Do) and step.effect == "none" and call.kind == "query")

    def goes(self) -> list[Any]:
        """What is held back, for the next run."""
        return [write(send) for send in self._held_back]

    def resume(self, goes: list[Any]) -> None:
        """Takes up what was held back."""
        for send in goes:
            self.send(read(Send, send))


def _lost(error: ActivityError, *, again: bool, beats: bool) -> Outcome:
    """An attempt that its worker has not answered."""
    if isinstance(error.cause, CancelledError):
        if not again:
            return {"kind": "cancelled"}  # no worker has begun with it
        # It may have been sent by a worker that was lost since, and Temporal does not say so.
        return {"kind": "system", "value": "Unavailable", "sent": True, "detail": "stopped before a worker answered"}
    if beats:
        return {"kind": "system", "value": "Timeout", "sent": True, "detail": "no heartbeat"}
    return {"kind": "system", "value": "Unavailable", "sent": True, "detail": "the worker was lost"}
