"""What clients, workflows and activities say to each other over Temporal: plain JSON, in one form.

Values of the language go as `wfc.machine.store.pack` writes them. Names of signals, queries and attributes of the
engine begin with `wfc`.
"""

from typing import Any, TypedDict

FORMAT = 1  # of what is said to a workflow when it starts

# What an instance hears.
# It may have an `id`: then it is taken once, and TAKEN says what has become of it.
EVENT = "wfc.event"  # {"type", "data"}
OPERATE = "wfc.operate"  # {"action", "key", "value"}
ANSWER_TASK = "wfc.answer-task"  # {"key", "kind", "value"}
MIGRATE = "wfc.migrate"  # {"machine", "way"}
CHILD = "wfc.child"  # a child has ended, or could not be started
STOP = "wfc.stop"  # the parent asks its child to stop
GRANTED = "wfc.granted"  # {"lock", "resource"}

# What can be asked of it.
STATUS = "wfc.status"
RECORDS = "wfc.records"  # argument: the number of records that are known already
JOURNAL = "wfc.journal"  # likewise, of inputs
TAKEN = "wfc.taken"  # argument: an id; None if nothing is known of it, {} if it was taken, else "reason" and "text"
KNOWS = "wfc.knows"  # argument: the digest of a machine, to which it may be asked to move

# What keeps resources and services.
ASK = "wfc.ask"  # a lock is wanted
PERMIT = "wfc.permit"  # an attempt is to be sent; PERMITS says when that is decided
PERMITS = "wfc.permits"  # query: for each of some attempts one of the next four words
MAY, MAY_NOT, WAITS_FOR, UNKNOWN = "may", "may-not", "waits", "unknown"  # it may not while the breaker is open
RELEASE = "wfc.release"  # a lock is given back, an attempt has ended
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
