"""Locks, as an instance sees them: a keeper for each resource is asked, one after another."""

import asyncio
from typing import Any

import attrs
from temporalio import workflow

from wfc.engine import wire
from wfc.engine.attempts import AGAIN, INNER
from wfc.engine.work import Work
from wfc.machine.messages import Lock, Locked
from wfc.machine.steps import DISTANT
from wfc.machine.store import write

ONCE_ASKED = (1, DISTANT)  # what a lock waits that is only to be asked for once


class Resources:
    """The locks that an instance holds or waits for."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._grants: dict[tuple[str, str], asyncio.Future[bool]] = {}
        self._locks: dict[str, tuple[asyncio.Task[None] | None, tuple[str, ...]]] = {}  # with the keepers asked

    def lock(self, lock: Lock) -> None:
        """Asks for what a block needs."""
        self._locks[lock.lock] = self.work.spawn(self._lock(lock)), ()

    async def _lock(self, lock: Lock) -> None:
        """Asks for one resource after another, in their order: nobody waits in a circle."""
        home, once = self.work.home, lock.wait in ONCE_ASKED
        asked: tuple[str, ...] = ()
        if once:
            self.work.undecided.add(lock.lock)
        for resource in lock.resources:
            name = f"{resource.name}/{resource.key}"
            place = lock.lock, name
            asked += (f"wfc-resource/{name}",)
            self._locks[lock.lock] = self._locks[lock.lock][0], asked
            self._grants[place] = asyncio.get_running_loop().create_future()
            part = write(attrs.evolve(lock, resources=(resource,)))  # type: ignore[misc]  # attrs to mypy only by the decorator
            told = {"lock": part, "owner": home.id, "name": name, "once": once}
            try:
                await workflow.execute_activity(
                    wire.ASK,
                    {"keeper": asked[-1], "told": told},
                    start_to_close_timeout=INNER,
                    retry_policy=AGAIN,
                )
                if not await self._grants[place]:
                    home.arrive(Locked(at=0, lock=lock.lock, state="lost"))
                    return
            finally:
                self._grants.pop(place, None)
        self._locks[lock.lock] = None, asked
        home.arrive(Locked(at=0, lock=lock.lock, state="granted"))

    def granted(self, lock: str, resource: str, *, free: bool) -> None:
        """A resource is ours; or it was not free, and we did not want to wait."""
        waiting = self._grants.get((lock, resource))
        if waiting is not None and not waiting.done():
            waiting.set_result(free)

    def unlock(self, lock: str) -> None:
        """Gives back what a block held, or waited for."""
        task, asked = self._locks.pop(lock, (None, ()))
        if task is not None:
            task.cancel()
        for keeper in asked:
            self.work.do(self.work.signal(keeper, wire.RELEASE, {"owner": self.work.home.id, "lock": lock}))

    def look(self) -> None:
        """After a turn: locks that do not wait may have been decided."""
        instance = self.work.home.instance
        assert instance is not None
        self.work.decided({fiber.lock for fiber in instance.fibers.values() if fiber.wait == "lock"})

    def goes(self) -> dict[str, Any]:
        """What is held, for the next run."""
        return {lock: asked for lock, (_, asked) in self._locks.items()}

    def resume(self, goes: dict[str, Any]) -> None:
        """Takes up what is held."""
        self._locks = {lock: (None, tuple(asked)) for lock, asked in goes.items()}
