"""What instances share: a workflow for each resource that is locked, and for each service with a breaker or limits.

First come, first served, exactly as in a simulation, whose classes do the counting. A lock is renewed while its holder
runs; one that was terminated from outside is found out when a lease is over, and what it held is given to the next.
"""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from wfc.engine import wire
from wfc.machine.messages import Lock, Send
from wfc.machine.store import read, write
from wfc.simulation.services import Locks, Services

IDLE = timedelta(seconds=60)  # without work after which a keeper ends; the next one asked begins anew
CHECKED = timedelta(minutes=5)  # between two looks at whether those who use a service still run
INNER = timedelta(seconds=30)
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)  # what reading raises that no worker of ours has sent


@workflow.defn(name=wire.KEEPER, sandboxed=False)
class Keeper:
    """Keeps one resource, or one service."""

    @workflow.init
    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        self.locks = Locks(self)
        self.services = Services(self)
        self.tasks_of: dict[str, set[tuple[str, int]]] = {}  # permits that are out, by owner
        self._told: list[tuple[str, str, dict[str, Any]]] = []  # signals that wait to be sent
        self._names: dict[tuple[str, str], str] = {}
        self._permits: dict[tuple[str, str, int], bool | None] = {}  # None: it waits
        self._wakes: set[int] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._leases: dict[tuple[str, str], float] = {}
        if stored is not None:
            self._restore(stored)

    @property
    def now(self) -> int:
        """The recorded time."""
        return workflow.time_ns() // 1_000_000

    @workflow.run
    async def run(self, stored: dict[str, Any] | None = None) -> None:
        """Serves until nobody needs it."""
        _ = stored
        while True:
            await self._tell()
            self._show()
            if self._idle():
                try:
                    await workflow.wait_condition(lambda: not self._idle(), timeout=IDLE)
                except TimeoutError:
                    return
                continue
            if (
                workflow.info().is_continue_as_new_suggested()
                and not self._told
                and not self._working
                and workflow.all_handlers_finished()
            ):
                workflow.continue_as_new(self._stored())
            due = min((*self._leases.values(), workflow.time() + CHECKED.total_seconds()))
            try:
                await workflow.wait_condition(
                    lambda: bool(self._told) or self._idle() or workflow.info().is_continue_as_new_suggested(),
                    timeout=timedelta(seconds=max(0.001, due - workflow.time())),
                )
            except TimeoutError:
                await self._check()

    def _show(self) -> None:
        """Says of each service whether its breaker is open."""
        for each in self.services.told():
            gauge = workflow.metric_meter().create_gauge("wfc_breaker_open", "1 while a service is not called")
            gauge.set(int(each["breaker"] == "open"), {"service": each["service"]})

    def _idle(self) -> bool:
        return not (
            self._told
            or self._leases
            or self.tasks_of
            or self.locks.waits()
            or self._working
            or self.services.remembers()
        )

    async def _tell(self) -> None:
        """Tells those who wait; who is not there any more gives back what it has."""
        while self._told:
            owner, name, told = self._told.pop(0)
            try:
                await workflow.get_external_workflow_handle(owner).signal(name, told)
            except ApplicationError:
                self._gone(owner)

    async def _check(self) -> None:
        """Looks whether those who hold something still run."""
        now = workflow.time()
        holders = {owner for (owner, _), at in self._leases.items() if at <= now} | set(self.tasks_of)
        for owner in sorted(holders):
            alive = await workflow.execute_activity(
                "wfc.is-running", owner, start_to_close_timeout=INNER, result_type=bool
            )
            if not alive:
                self._gone(owner)
        for place, at in list(self._leases.items()):
            if at <= now:
                self._leases[place] = now + self._lease(place)

    def _gone(self, owner: str) -> None:
        for holder, lock in [*self._leases, *self.locks.waits()]:
            if holder == owner:
                self._leases.pop((holder, lock), None)
                self.locks.release(holder, lock)
        for call, attempt in sorted(self.tasks_of.get(owner, set())):
            self._forget(owner, call, attempt)
            self.services.stopped(owner, call, attempt)
            self.services.forget(owner, call)

    # -- what is asked

    @workflow.signal(name=wire.ASK)
    def ask(self, told: Any) -> None:  # noqa: ANN401 - data
        """Someone needs the resource. Who asks twice is heard once."""
        try:
            owner, name, once = str(told["owner"]), str(told["name"]), bool(told["once"])
            lock: Lock = read(Lock, told["lock"])
        except UNREADABLE:
            return
        self._names[owner, lock.lock] = name
        if (owner, lock.lock) in self._leases:
            self.grant(owner, lock.lock)
        elif (owner, lock.lock) not in self.locks.waits():
            self.locks.ask(owner, lock)
            if once and (owner, lock.lock) in self.locks.waits():
                self.locks.release(owner, lock.lock)
                self._told.append((owner, wire.GRANTED, {"lock": lock.lock, "resource": name, "free": False}))

    @workflow.signal(name=wire.PERMIT)
    def permit(self, told: Any) -> None:  # noqa: ANN401 - data
        """An attempt wants to be sent. Who asks twice is counted once."""
        try:
            owner, send = str(told["owner"]), read(Send, told["send"])
        except UNREADABLE:
            return
        place = owner, send.call, send.attempt
        if place not in self._permits:
            self._permits[place] = None
            self.tasks_of.setdefault(owner, set()).add(place[1:])
            self.services.send(owner, send)

    @workflow.query(name=wire.PERMITS)
    def permits(self, places: list[list[Any]]) -> list[str]:
        """Which of some attempts may be sent."""
        words = {True: wire.MAY, False: wire.MAY_NOT, None: wire.WAITS_FOR}
        found = ((owner, call, attempt) for owner, call, attempt in places)
        return [words[self._permits[place]] if place in self._permits else wire.UNKNOWN for place in found]

    @workflow.signal(name=wire.RELEASE)
    def release(self, told: Any) -> None:  # noqa: ANN401 - data
        """Something is given back, or no longer wanted."""
        try:
            owner, lock = str(told["owner"]), told.get("lock")
            if lock is not None:
                self._leases.pop((owner, str(lock)), None)
                self._names.pop((owner, str(lock)), None)
                self.locks.release(owner, str(lock))
                return
            send: Send = read(Send, told["send"])
            stopped, failed, error = bool(told["stopped"]), bool(told["failed"]), str(told["error"])
        except UNREADABLE:
            return
        call, attempt = send.call, send.attempt
        if (owner, call, attempt) not in self._permits:  # it was sent without asking
            self.services.note(owner, send)
        self._forget(owner, call, attempt)
        if stopped:
            self.services.stopped(owner, call, attempt)
            return
        self.services.ended(owner, call, attempt, failed=failed)
        if failed:
            self.services.failed(owner, call, error)
        self.services.forget(owner, call)

    def _forget(self, owner: str, call: str, attempt: int) -> None:
        self._permits.pop((owner, call, attempt), None)
        places = self.tasks_of.get(owner, set())
        places.discard((call, attempt))
        if not places:
            self.tasks_of.pop(owner, None)

    @workflow.query(name=wire.STATUS)
    def status(self) -> dict[str, Any]:
        """Who holds what, who waits, and how the service stands."""
        return {
            "held": [{"owner": owner, "lock": lock} for owner, lock in self._leases],
            "waiting": [{"owner": owner, "lock": lock} for owner, lock in self.locks.waits()],
            "services": self.services.told(),
        }

    # -- what the classes of the simulation need of their world

    def grant(self, instance: str, lock: str) -> None:
        """A resource goes to whom it is due."""
        self._leases[instance, lock] = workflow.time() + self._lease((instance, lock))
        self._told.append(
            (instance, wire.GRANTED, {"lock": lock, "resource": self._names[instance, lock], "free": True})
        )

    def _lease(self, place: tuple[str, str]) -> float:
        held = self.locks.held().get(place)
        return min((r.lease for r in held.resources), default=300_000) / 1000 if held is not None else 300.0

    def reply(self, instance: str, send: Send) -> None:
        """An attempt may be sent."""
        self._permits[instance, send.call, send.attempt] = True

    def refuse(self, instance: str, send: Send) -> None:
        """The breaker is open."""
        self._permits[instance, send.call, send.attempt] = False

    def sent_now(self, instance: str, send: Send) -> None:
        """The instance knows when it is permitted."""

    def wake_services(self, at: int) -> None:
        """Something that waits for its turn may be sent then."""
        if at in self._wakes:
            return
        self._wakes.add(at)
        task = asyncio.create_task(self._wake(at))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _wake(self, at: int) -> None:
        await asyncio.sleep(max(0, at - self.now) / 1000)
        self._wakes.discard(at)
        self.services.pump()

    # -- a long history

    def _stored(self) -> dict[str, Any]:
        return {
            "locks": self.locks.dump(write),
            "services": self.services.dump(write),
            "permits": [[*place, given] for place, given in self._permits.items()],
            "names": [[*place, name] for place, name in self._names.items()],
            "leases": [[*place, at] for place, at in self._leases.items()],
        }

    def _restore(self, stored: dict[str, Any]) -> None:
        self.locks.load(stored["locks"], lambda given: read(Lock, given))
        self.services.load(stored["services"], lambda given: read(Send, given))
        self._permits = {(owner, call, attempt): given for owner, call, attempt, given in stored["permits"]}
        for owner, call, attempt in self._permits:
            self.tasks_of.setdefault(owner, set()).add((call, attempt))
        self._names = {(owner, lock): name for owner, lock, name in stored["names"]}
        self._leases = {(owner, lock): at for owner, lock, at in stored["leases"]}
