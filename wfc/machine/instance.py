"""An instance: all there is to know of one run between two turns. Plain data: copied, compared, stored as JSON.

The configuration is a tree of frames, with tokens standing in it. What is undoable lies in the logs of the frames.
"""

from typing import Any, Literal

import attrs

from wfc.text.value import Value, value

FORMAT = 1  # of a stored instance

EntryKind = Literal["call", "region", "child", "fork", "held", "release", "again"]


@value
class Entry(Value):
    """Something that has been done, or may have been.

    - `call`: `state` is started, done or doubt. `undo` is the place of its compensation, `stored` what that reads.
    - `region`: a completed region that is undone by a compensation of its own.
    - `child`: a completed child workflow, undone by itself; `key` is its id.
    - `fork`: `branches` that were done side by side, at most `limit` at once.
    - `held`: what was done under the lock `key`, which is still held; `release` gives it back.
    - `again`: a forward call that an operator has repeated; in no log.
    """

    kind: EntryKind
    id: int = 0
    path: str = ""
    name: str = ""
    key: str = ""
    state: Literal["started", "done", "doubt"] = "done"
    undo: str = ""
    stored: tuple[tuple[str, Any], ...] = ()
    log: tuple["Entry", ...] = ()
    branches: tuple[tuple["Entry", ...], ...] = ()
    limit: int | None = None


@value
class Timer(Value):
    """Something that happens at an instant. `rank` is its place among all that falls on one instant."""

    at: int
    rank: int
    what: str
    index: int = 0
    number: int = 0


@value
class Cause(Value):
    """Why a frame is stopped: one of its guards has fired, an error crosses it, or something around it has ended."""

    kind: Literal["guard", "error", "stop"]
    guard: int = 0
    value: Any = None


@value
class Then(Value):
    """What goes on when an undo has ended."""

    kind: Literal["guard", "step", "branch", "losers", "list", "letter", "failed", "child"]
    id: int = 0
    index: int = 0


@attrs.define(slots=True)
class BranchState:
    """A branch or iteration: `slot` is its frame while it runs."""

    state: Literal["waiting", "running", "value", "undoing", "failed", "stopped"] = "waiting"
    slot: int = 0
    value: Any = None
    error: Any = None
    won: bool = False
    log: list[Entry] = attrs.field(factory=list)

    def copy(self) -> "BranchState":
        return BranchState(self.state, self.slot, self.value, self.error, self.won, list(self.log))


@attrs.define(slots=True)
class ForkState:
    """A `parallel` or `for each` under way. `need` is how many must complete, `over` that it is decided."""

    join: str
    need: int
    limit: int | None
    items: tuple[Any, ...]
    branches: list[BranchState]
    over: bool = False
    reason: Any = None
    started: int = 0  # how many have begun; the others wait for their turn
    running: int = 0
    won: int = 0
    failed: int = 0

    def copy(self) -> "ForkState":
        return ForkState(
            self.join,
            self.need,
            self.limit,
            self.items,
            [branch.copy() for branch in self.branches],
            self.over,
            self.reason,
            self.started,
            self.running,
            self.won,
            self.failed,
        )


FrameState = Literal["active", "closing", "stopping", "undoing", "closed", "dead"]


@attrs.define(slots=True)
class Frame:
    """Something active. `closed`: its guards are gone for good; `dead`: something around it stops it.

    `sealed`: a point of no return has disarmed the guards that interrupt it. `node` is the node of a region that its
    token is at. `entry` is what a compensation undoes, `rest` and `logs` what an undo has still to do.
    """

    id: int
    spec: int
    parent: int | None
    fiber: int
    depth: int
    entered: int
    state: FrameState = "active"
    names: dict[str, Any] | None = None
    node: str = ""
    log: list[Entry] = attrs.field(factory=list)
    beside: list[tuple[Entry, ...]] = attrs.field(factory=list)
    children: list[int] = attrs.field(factory=list)
    due: list[Timer] = attrs.field(factory=list)
    cause: Cause | None = None
    sealed: bool = False
    iteration: tuple[int, ...] = ()
    counters: dict[str, int] = attrs.field(factory=dict)
    waiting: dict[int, int] = attrs.field(factory=dict)  # ticks of `every` that wait for the block that still runs
    guard: int = -1  # of a block beside: the guard it belongs to; of a branch: its number
    lock: str = ""
    fork: ForkState | None = None
    entry: Entry | None = None
    rest: list[Entry] = attrs.field(factory=list)
    logs: list[tuple[Entry, ...]] = attrs.field(factory=list)
    limit: int | None = None
    then: Then | None = None
    errors: list[Any] = attrs.field(factory=list)
    last: "Call | None" = None

    def copy(self) -> "Frame":
        return Frame(
            self.id,
            self.spec,
            self.parent,
            self.fiber,
            self.depth,
            self.entered,
            self.state,
            None if self.names is None else self.names.copy(),
            self.node,
            self.log.copy(),
            self.beside.copy(),
            self.children.copy(),
            self.due.copy(),
            self.cause,
            self.sealed,
            self.iteration,
            self.counters.copy(),
            self.waiting.copy(),
            self.guard,
            self.lock,
            None if self.fork is None else self.fork.copy(),
            self.entry,
            self.rest.copy(),
            self.logs.copy(),
            self.limit,
            self.then,
            self.errors.copy(),
            self.last,
        )


CallState = Literal["queued", "sent", "pause", "parked", "stopping"]


@value
class Policy(Value):
    """A policy with its values at one call; milliseconds. `attempts` None is for ever."""

    name: str
    timeout: int | None
    overall: int | None
    attempts: int | None
    backoff: int
    factor: Any
    max: int
    jitter: Any
    only: tuple[str, ...]
    excepted: tuple[str, ...]
    breaker: tuple[int, int, int] | None
    limit: tuple[int, int] | None
    concurrency: int | None
    heartbeat: int | None
    exhausted: Literal["fail", "dead letter", "park"]
    queue: str


@attrs.define(slots=True)
class Call:
    """A call under way. `open`: an attempt may have had its effect though nobody said so."""

    id: str
    pc: int
    kind: str
    target: str
    key: str
    args: tuple[Any, ...]
    policy: Policy | None
    entry: int
    path: str
    state: CallState = "sent"
    attempt: int = 0
    round: int = 0
    open: bool = False
    pivot: bool = False
    instance: str = ""  # of a child: its id

    def copy(self) -> "Call":
        return Call(
            self.id,
            self.pc,
            self.kind,
            self.target,
            self.key,
            self.args,
            self.policy,
            self.entry,
            self.path,
            self.state,
            self.attempt,
            self.round,
            self.open,
            self.pivot,
            self.instance,
        )


@attrs.define(slots=True)
class Fiber:
    """A token: it stands at `pc` inside `frame`, and began in `base`.

    `wait` says what for; a token that does not wait runs. `stop`: it stops as soon as the undo it waits for has ended.
    `undo` is the key of what is undone, if it runs a compensation.
    """

    id: int
    pc: int
    frame: int
    base: int
    wait: str = ""
    call: Call | None = None
    due: list[Timer] = attrs.field(factory=list)
    lock: str = ""
    stop: bool = False
    undo: str = ""
    undo_depth: int = 0
    value: Any = None

    def copy(self) -> "Fiber":
        call = None if self.call is None else self.call.copy()
        return Fiber(
            self.id,
            self.pc,
            self.frame,
            self.base,
            self.wait,
            call,
            self.due.copy(),
            self.lock,
            self.stop,
            self.undo,
            self.undo_depth,
            self.value,
        )


@value
class Heard(Value):
    """An event in the inbox."""

    type: str
    data: Any
    at: int


@value
class Letter(Value):
    """A dead letter that is open. `entry` is what its redrive undoes; without one it repeats a forward call."""

    key: str
    queue: str
    path: str
    operation: str
    args: tuple[Any, ...]
    errors: tuple[Any, ...]
    attempts: int
    name: str
    entry: Entry | None = None
    doubt: bool = False
    kind: str = ""
    policy: Policy | None = None


@attrs.define(slots=True)
class Instance:
    """One run of a workflow."""

    workflow: str
    version: int
    id: str
    child: bool
    now: int
    status: Literal["running", "done", "failed"] = "running"
    value: Any = None
    error: Any = None
    incomplete: bool = False
    cancelling: bool = False
    overdue: bool = False  # a timer is due and held back
    serial: int = 0
    alarm: int | None = None
    frames: dict[int, Frame] = attrs.field(factory=dict)
    fibers: dict[int, Fiber] = attrs.field(factory=dict)
    stopping: list[int] = attrs.field(factory=list)
    inbox: list[Heard] = attrs.field(factory=list)
    visits: dict[str, int] = attrs.field(factory=dict)
    letters: dict[str, Letter] = attrs.field(factory=dict)
    log: list[Entry] = attrs.field(factory=list)
    names: dict[str, Any] = attrs.field(factory=dict)

    def copy(self) -> "Instance":
        return Instance(
            self.workflow,
            self.version,
            self.id,
            self.child,
            self.now,
            self.status,
            self.value,
            self.error,
            self.incomplete,
            self.cancelling,
            self.overdue,
            self.serial,
            self.alarm,
            {key: frame.copy() for key, frame in self.frames.items()},
            {key: fiber.copy() for key, fiber in self.fibers.items()},
            self.stopping.copy(),
            self.inbox.copy(),
            self.visits.copy(),
            self.letters.copy(),
            self.log.copy(),
            self.names.copy(),
        )
