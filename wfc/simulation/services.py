"""What all instances of a world share: breakers, limits and locks."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import attrs

from wfc.machine.messages import Lock, Send

FAILURES = ("Timeout", "Unavailable")


class Host(Protocol):
    """What services and locks need of the world."""

    @property
    def now(self) -> int:
        """The instant at which it is."""

    def reply(self, instance: str, send: Send) -> None:
        """An attempt goes out."""

    def refuse(self, instance: str, send: Send) -> None:
        """An attempt does not go out: the breaker is open."""

    def sent_now(self, instance: str, send: Send) -> None:
        """A call that had to wait is sent."""

    def grant(self, instance: str, lock: str) -> None:
        """A lock is granted."""

    def wake_services(self, at: int) -> None:
        """Something that waits for its turn may go on then."""


@attrs.define(slots=True)
class _Breaker:
    """Open, it lets nothing through until its time is over; then one attempt is a probe."""

    failures: list[tuple[int, str]] = attrs.field(factory=list)
    opened: int | None = None
    probing: str = ""


@attrs.define(slots=True)
class _Service:
    """The traffic of one service."""

    waiting: deque[tuple[str, Send]] = attrs.field(factory=deque)
    sent: deque[int] = attrs.field(factory=deque)
    flying: set[tuple[str, str]] = attrs.field(factory=set)
    breaker: _Breaker = attrs.field(factory=_Breaker)


class Services:
    """Sends attempts, within what policies allow."""

    def __init__(self, world: Host) -> None:
        self.world = world
        self.tasks: dict[tuple[str, str], int] = {}
        self._services: dict[str, _Service] = {}
        self._calls: dict[tuple[str, str], Send] = {}
        self._longest = 0  # milliseconds that a failure or a sent attempt counts

    def _service(self, send: Send) -> _Service:
        return self._services.setdefault(send.target.rpartition(".")[0], _Service())

    def forget(self, instance: str, call: str) -> None:
        """A call that is over for good."""
        self._calls.pop((instance, call), None)

    def remembers(self) -> bool:
        """Whether something that has been counts for what comes: an open breaker, failures, a limit that is used up."""
        now = self.world.now
        return any(
            service.breaker.opened is not None
            or any(at > now - self._longest for at, _ in service.breaker.failures)
            or any(at > now - self._longest for at in service.sent)
            for service in self._services.values()
        )

    def told(self) -> list[dict[str, Any]]:
        """How each service stands, in words for programs."""
        return [
            {
                "service": name,
                "breaker": "open" if service.breaker.opened is not None else "closed",
                "in flight": len(service.flying),
                "waiting": len(service.waiting),
            }
            for name, service in sorted(self._services.items())
        ]

    def dump(self, write: Callable[[Send], Any]) -> Any:  # noqa: ANN401 - JSON
        """Everything that is known, as data."""
        return {
            "longest": self._longest,
            "calls": [[*place, write(send)] for place, send in self._calls.items()],
            "services": [
                {
                    "name": name,
                    "waiting": [[instance, write(send)] for instance, send in service.waiting],
                    "sent": list(service.sent),
                    "flying": sorted(service.flying),
                    "failures": service.breaker.failures,
                    "opened": service.breaker.opened,
                    "probing": service.breaker.probing,
                }
                for name, service in self._services.items()
            ],
        }

    def load(self, stored: Any, read: Callable[[Any], Send]) -> None:  # noqa: ANN401 - JSON
        """What `dump` gave."""
        self._longest = stored["longest"]
        self._calls = {(instance, call): read(send) for instance, call, send in stored["calls"]}
        for each in stored["services"]:
            failures = [(at, name) for at, name in each["failures"]]
            self._services[each["name"]] = _Service(
                deque((instance, read(send)) for instance, send in each["waiting"]),
                deque(each["sent"]),
                {(instance, call) for instance, call in each["flying"]},
                _Breaker(failures, each["opened"], each["probing"]),
            )

    def form(self) -> tuple[object, ...]:
        """How breakers and limits stand, as seen from now."""
        now = self.world.now
        found = []
        for name, service in sorted(self._services.items()):
            breaker = service.breaker
            opened = breaker.opened - now if breaker.opened is not None else None
            failures = tuple(at - now for at, _ in breaker.failures)
            sent = tuple(at - now for at in service.sent)
            found.append(
                (name, len(service.waiting), sent, len(service.flying), failures, opened, bool(breaker.probing))
            )
        return tuple(found)

    def note(self, instance: str, send: Send) -> None:
        """An attempt that is sent."""
        self._calls[instance, send.call] = send
        self._longest = max(self._longest, send.breaker[1] if send.breaker else 0, send.limit[1] if send.limit else 0)

    def send(self, instance: str, send: Send) -> None:
        """Sends an attempt, now or when it is its turn."""
        service = self._service(send)
        self.note(instance, send)
        if send.breaker is not None and not send.undo and not self._lets_through(service, instance, send):
            self.world.refuse(instance, send)
            return
        if send.limit is None and send.concurrency is None:
            self.world.reply(instance, send)
            return
        service.waiting.append((instance, send))
        self.pump()

    def _lets_through(self, service: _Service, instance: str, send: Send) -> bool:
        assert send.breaker is not None
        breaker = service.breaker
        if breaker.opened is None:
            return True
        if breaker.probing or self.world.now < breaker.opened + send.breaker[2]:
            return False
        breaker.probing = f"{instance}/{send.call}"
        return True

    def pump(self) -> None:
        """Sends what may be sent now."""
        for service in self._services.values():
            while service.waiting:
                instance, send = service.waiting[0]
                if send.concurrency is not None and len(service.flying) >= send.concurrency:
                    break
                if send.limit is not None:
                    count, per = send.limit
                    while service.sent and service.sent[0] <= self.world.now - per:
                        service.sent.popleft()
                    if len(service.sent) >= max(1, count):
                        self.world.wake_services(service.sent[0] + per)
                        break
                service.waiting.popleft()
                service.sent.append(self.world.now)
                service.flying.add((instance, send.call))
                self.world.sent_now(instance, send)
                self.world.reply(instance, send)

    def ended(self, instance: str, call: str, attempt: int, *, failed: bool) -> None:
        """An attempt has been answered, by an error of the system or not: what reaches a service closes its breaker."""
        send = self._calls.get((instance, call))
        if send is not None and send.attempt == attempt:
            self._land(instance, send)
            breaker = self._service(send).breaker
            probe = send.undo or breaker.probing == f"{instance}/{call}"
            if breaker.opened is not None and probe and not failed:
                breaker.opened, breaker.probing, breaker.failures = None, "", []

    def stopped(self, instance: str, call: str, attempt: int) -> None:
        """An attempt is no longer waited for."""
        send = self._calls.get((instance, call))
        if send is not None and send.attempt == attempt:
            self._land(instance, send)
            breaker = self._service(send).breaker
            if breaker.probing == f"{instance}/{call}":
                breaker.probing = ""  # the next attempt is the probe

    def _land(self, instance: str, send: Send) -> None:
        service = self._service(send)
        service.flying.discard((instance, send.call))
        service.waiting = deque(each for each in service.waiting if each != (instance, send))
        if service.waiting:
            self.pump()

    def failed(self, instance: str, call: str, error: str) -> None:
        """An attempt has failed: consecutive ones of one call count once."""
        send = self._calls.get((instance, call))
        if send is None or send.breaker is None or error not in FAILURES:
            return
        breaker = self._service(send).breaker
        failures, within, _ = send.breaker
        name = f"{instance}/{call}"
        if breaker.opened is not None:
            if breaker.probing == name or send.undo:
                breaker.opened, breaker.probing = self.world.now, ""
            return
        if not breaker.failures or breaker.failures[-1][1] != name:
            breaker.failures.append((self.world.now, name))
        breaker.failures = [each for each in breaker.failures if each[0] > self.world.now - within]
        if len(breaker.failures) >= failures:
            breaker.opened, breaker.failures = self.world.now, []


class Locks:
    """Resources with their capacity: first come, first served, and each request gets all of its own together."""

    def __init__(self, world: Host) -> None:
        self.world = world
        self._held: dict[tuple[str, str], Lock] = {}
        self._waiting: list[tuple[str, Lock]] = []

    def ask(self, instance: str, lock: Lock) -> None:
        """Asks for resources."""
        self._waiting.append((instance, lock))
        self._grant()

    def release(self, instance: str, lock: str) -> None:
        """Gives resources back, or no longer asks for them."""
        self._held.pop((instance, lock), None)
        self._waiting = [each for each in self._waiting if each[0] != instance or each[1].lock != lock]
        self._grant()

    def waits(self) -> list[tuple[str, str]]:
        """Who waits, by instance and lock, in order."""
        return [(instance, lock.lock) for instance, lock in self._waiting]

    def dump(self, write: Callable[[Lock], Any]) -> Any:  # noqa: ANN401 - JSON
        """Everything that is known, as data."""
        return {
            "held": [[instance, write(lock)] for (instance, _), lock in self._held.items()],
            "waiting": [[instance, write(lock)] for instance, lock in self._waiting],
        }

    def load(self, stored: Any, read: Callable[[Any], Lock]) -> None:  # noqa: ANN401 - JSON
        """What `dump` gave."""
        held = [(instance, read(lock)) for instance, lock in stored["held"]]
        self._held = {(instance, lock.lock): lock for instance, lock in held}
        self._waiting = [(instance, read(lock)) for instance, lock in stored["waiting"]]

    def held(self) -> dict[tuple[str, str], Lock]:
        """The locks that are held, by instance and lock."""
        return dict(self._held)

    def _grant(self) -> None:
        wanted: set[tuple[str, str]] = set()
        for instance, lock in list(self._waiting):
            names = {(resource.name, resource.key) for resource in lock.resources}
            free = all(self._taken(r.name, r.key) < r.capacity for r in lock.resources)
            if free and not names & wanted:
                self._waiting.remove((instance, lock))
                self._held[instance, lock.lock] = lock
                self.world.grant(instance, lock.lock)
            else:
                wanted |= names

    def _taken(self, name: str, key: str) -> int:
        return sum(1 for lock in self._held.values() for r in lock.resources if (r.name, r.key) == (name, key))
