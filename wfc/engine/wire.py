"""What clients, workflows and activities say to each other over Temporal: plain JSON, in one form.

Values of the language go as `wfc.machine.store.pack` writes them. Names of signals, updates, queries and attributes of
the engine begin with `wfc`.
"""

from typing import Any, TypedDict

FORMAT = 1  # of what is said to a workflow when it starts

# What an instance hears.
EVENT = "wfc.event"  # update, and signal: {"type", "data"}
OPERATE = "wfc.operate"  # update: {"action", "key", "value"}
ANSWER_TASK = "wfc.answer-task"  # update: {"key", "kind", "value"}
MIGRATE = "wfc.migrate"  # update: {"machine"}
CHILD = "wfc.child"  # signal: a child has ended, or could not be started
STOP = "wfc.stop"  # signal: the parent asks its child to stop
GRANTED = "wfc.granted"  # signal: {"lock", "resource"}

# What can be asked of it.
STATUS = "wfc.status"
RECORDS = "wfc.records"  # argument: the number of records that are known already
JOURNAL = "wfc.journal"  # likewise, of inputs

# What keeps resources and services.
ASK = "wfc.ask"  # signal: a lock is wanted
PERMIT = "wfc.permit"  # update: may an attempt be sent? It is answered when that is decided
RELEASE = "wfc.release"  # signal: a lock is given back, an attempt has ended
KEEPER = "wfc.keeper"  # type of the workflows that keep them

# Attributes by which instances are found.
KEY = "WfcKey"
WAITS = "WfcWaits"  # of `task`, `parked`, `letter`
PROCESS = "WfcProcess"
ATTRIBUTES = {KEY: "Keyword", WAITS: "KeywordList", PROCESS: "Keyword"}

LETTERS = "/dead-letters"  # behind the id of an instance: where its dead letters lie when it has ended
QUEUE = "wfc"  # the task queue, unless another one is named


class Begin(TypedDict, total=False):
    """What an instance is started with.

    `data` has a field per parameter. `parent` waits for the end: workflow id, call, attempt. `stored` is an instance
    that goes on instead: a child that undoes itself, dead letters of one that has ended, or one whose history has
    become long; then `goes` holds what else it had under way. `at` is when it was asked for.
    """

    format: int
    machine: str
    workflow: str
    version: int
    instance: str
    key: Any
    data: Any
    parent: tuple[str, str, int] | None
    undo: bool
    stored: Any
    goes: Any
    attributes: bool
    simulated: bool
    at: int


class Outcome(TypedDict, total=False):
    """How an attempt has ended, as its activity tells it; see `wfc.machine.messages.Answered`.

    `hangs`, `delay` in milliseconds, `chance`, and the kind `runs`, a workflow that is no simulation, are of simulated
    services.
    """

    kind: str
    value: Any
    sent: bool
    detail: str
    delay: int
    chance: float
    hangs: bool
