"""What goes into a turn and what comes out of it. Values are those of the language; a journal writes them as JSON."""

from typing import Any, Literal, NamedTuple

from wfc.text.value import Value, value

# -------------------------------------------------------------------------------------------------------------- inputs


@value(kw_only=True)
class Started(Value):
    """An instance begins. `data` has a field per parameter; a child keeps its log when it has completed."""

    at: int
    workflow: str
    instance: str
    data: Any
    child: bool = False


@value(kw_only=True)
class Answered(Value):
    """How an attempt of a call has ended.

    - `value`: it worked.
    - `error`: a business error, `{"is": name, ...}`.
    - `system`: Timeout, Unavailable or Invalid by name; `sent`: whether it may have reached the service.
    - `cancelled`: asked to stop, it stopped, and nothing was done.

    `chance` from 0 to 1 is drawn by the host, for the pause before the next attempt. `incomplete`: a child could not
    undo everything.
    """

    at: int
    call: str
    attempt: int = 1
    kind: Literal["value", "error", "system", "cancelled"]
    value: Any = None
    sent: bool = True
    chance: float = 0.5
    detail: str = ""
    incomplete: bool = False


@value(kw_only=True)
class Sent(Value):
    """A call that had to wait for its turn has been sent: its timeout begins."""

    at: int
    call: str
    attempt: int = 1


@value(kw_only=True)
class Beat(Value):
    """An attempt says that it is alive."""

    at: int
    call: str
    attempt: int = 1


@value(kw_only=True)
class Event(Value):
    """An event from outside."""

    at: int
    type: str
    data: Any


@value(kw_only=True)
class Time(Value):
    """Time has reached `at`."""

    at: int


@value(kw_only=True)
class Locked(Value):
    """A lock has been granted, or got lost; one that is waited for is lost if it will not be granted."""

    at: int
    lock: str
    state: Literal["granted", "lost"]


Action = Literal["cancel", "retry", "supply", "raise"]


@value(kw_only=True)
class Operator(Value):
    """An operator acts: `cancel` on the instance, the others on a parked step or a dead letter, by its key."""

    at: int
    action: Action
    key: str = ""
    value: Any = None


@value(kw_only=True)
class Undone(Value):
    """A completed child is to undo what it has done."""

    at: int


Input = Started | Answered | Sent | Beat | Event | Time | Locked | Operator | Undone

# ------------------------------------------------------------------------------------------------------------ commands


@value(kw_only=True)
class Send(Value):
    """Send an attempt.

    For `workflow` and `start` the key is the id of the child, for `undo` that of the completed one.
    """

    call: str
    attempt: int
    kind: str
    target: str
    key: str
    args: tuple[Any, ...]
    policy: str = ""
    timeout: int | None = None
    assign: Any = None
    effect: str = "none"  # what the call does: none, reversible, irreversible, unsaid
    undo: bool = False  # part of a compensation: it passes an open breaker
    breaker: tuple[int, int, int] | None = None  # failures, within, probe
    limit: tuple[int, int] | None = None  # so many, per time
    concurrency: int | None = None


@value(kw_only=True)
class Stop(Value):
    """Ask an attempt to stop. What it answers is heard only if the machine waits for it."""

    call: str
    attempt: int


@value(kw_only=True)
class Alarm(Value):
    """Tell when this instant has been reached; None: no more."""

    at: int | None


@value(kw_only=True)
class Resource(Value):
    """A resource that is asked for."""

    name: str
    key: str
    rank: int
    capacity: int
    lease: int


@value(kw_only=True)
class Lock(Value):
    """Ask for resources, all together."""

    lock: str
    resources: tuple[Resource, ...]
    wait: int


@value(kw_only=True)
class Unlock(Value):
    """Give back, or no longer ask for."""

    lock: str


@value(kw_only=True)
class Emitted(Value):
    """Deliver an event to others."""

    type: str
    data: Any


@value(kw_only=True)
class Measured(Value):
    """Feed a metric."""

    metric: str
    value: Any


@value(kw_only=True)
class DeadLetter(Value):
    """Write a dead letter."""

    queue: str
    key: str
    path: str
    operation: str
    args: tuple[Any, ...]
    errors: tuple[Any, ...]
    attempts: int


@value(kw_only=True)
class Ended(Value):
    """The instance has ended, or (`undone`) a completed child has undone itself."""

    kind: Literal["done", "failed", "undone"]
    value: Any = None
    incomplete: bool = False


Command = Send | Stop | Alarm | Lock | Unlock | Emitted | Measured | DeadLetter | Ended


class Record(NamedTuple):
    """An audit record. `detail` says more, by name."""

    at: int
    instance: str
    kind: str
    path: str
    detail: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str) -> Any:  # noqa: ANN401 - texts, numbers
        """A detail, or None."""
        return next((value for key, value in self.detail if key == name), None)


RefusalReason = Literal[
    "unknown-workflow", "wrong-input", "already-running", "not-running", "unknown-event", "wrong-event", "unknown-call",
    "unknown-lock", "unknown-step", "point-of-no-return", "wrong-value", "goes-back-in-time", "endless",
]  # fmt: skip


@value(kw_only=True)
class Refused(Value):
    """An input that changes nothing, and why."""

    reason: RefusalReason
    text: str
