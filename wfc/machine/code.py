"""What the machine executes: a list of instructions, and what it must know of each place where something is active.

The steps of all workflows of a machine lie in one list. A token stands at an instruction; blocks, choices and loops
have become jumps. What lives while a token is inside something (a region, a state with guards, a lock) is a frame, and
a `Spec` says what kind of frame it is.
"""

from typing import Any, Literal

import attrs

from wfc.ir.evaluate import Code
from wfc.ir.machine import Do, ForEach, Parallel, Sla, Start, Undo
from wfc.machine.instance import Policy

SpecKind = Literal[
    "workflow", "scope", "branch", "each", "state", "guarded", "await", "lock", "fork", "slot", "beside",
    "undo", "undo list", "undo fork",
]  # fmt: skip


@attrs.define(slots=True, eq=False)
class Label:
    """A place in the code; `pc` is known when everything has been written."""

    pc: int = -1


@attrs.define(slots=True, eq=False)
class GuardCode:
    """A guard: when it fires, and where its tail or block begins."""

    index: int
    id: str
    kind: Literal["on", "catch", "after", "at", "every"]
    names: frozenset[str]
    any: bool
    amount: Code | None
    bind: str | None
    when: Code | None
    keep: bool
    also: bool
    steps: Label
    label: str
    trigger: tuple[Any, ...] = ()  # what makes it the same guard in another version

    @property
    def interrupting(self) -> bool:
        """Whether it ends what it guards when an event or a time comes."""
        return not self.also and self.kind in ("on", "after", "at")


@attrs.define(slots=True, eq=False)
class UndoCode:
    """How something is undone: `place` names it in a log, `bind` is the name of the result of what it undoes."""

    name: str
    steps: Label | None
    when: Code | None
    when_reads_result: bool
    blind: bool
    place: str
    undo: Undo
    bind: str | None


@attrs.define(slots=True, eq=False)
class Spec:
    """What is known of a frame. `source` orders specs as their text does.

    `names`: it holds what is bound inside. `boundary`: it is a region. `inside`: the tails of its guards run in it, not
    around it. `slas` come with the code of their durations.
    """

    source: int
    name: str
    kind: SpecKind
    path: str
    names: bool = False
    boundary: bool = False
    inside: bool = False
    guards: tuple[GuardCode, ...] = ()
    ignore: tuple[str, ...] = ()
    slas: tuple[tuple[Sla, Code, Code | None], ...] = ()
    variables: tuple[tuple[str, Code], ...] = ()
    undo: UndoCode | None = None
    forgets: bool = False  # `compensate none` of a region
    fork: "ForkCode | None" = None


@attrs.define(slots=True, eq=False)
class Entry:
    """Where a node begins, and the frames of the regions around it, outermost first."""

    label: Label
    regions: tuple[Spec, ...]


@attrs.define(slots=True, eq=False)
class PolicyCode:
    """A policy with the code of its items; a `constant` one is `fixed` when it has been worked out."""

    name: str
    timeout: Code | None
    overall: Code | None
    attempts: Code | None
    backoff: Code
    factor: Code
    max: Code
    jitter: Code | None
    only: tuple[str, ...]
    excepted: tuple[str, ...]
    breaker: tuple[Code, Code, Code] | None
    limit: tuple[Code, Code] | None
    concurrency: Code | None
    heartbeat: Code | None
    exhausted: Literal["fail", "dead letter", "park"]
    queue: Code | str
    constant: bool
    fixed: Policy | None = None


@attrs.define(slots=True, eq=False)
class CallCode:
    """A call. `number` is its place in the key; `raises` and `partial` are business errors."""

    step: Do | Start
    kind: Literal["activity", "query", "task", "workflow", "start"]
    target: str
    args: tuple[Code, ...]
    bind: str | None
    policy: PolicyCode | None
    key: Code | None
    key_reads_operands: bool
    own_key: Code | None  # that of the operation or workflow
    names: tuple[str, ...]  # of the parameters, as the operation's or workflow's own clauses read them
    assign: Code | None
    assign_reads_operands: bool
    pivot: bool
    optional: bool
    undo: UndoCode | None
    forgets: bool  # `compensate none` at the call
    raises: frozenset[str]
    path: str
    number: str
    keyed: bool
    partial: tuple[str, ...]


@attrs.define(slots=True, eq=False)
class ForkCode:
    """Branches or iterations: where each begins, and how they join."""

    step: Parallel | ForEach
    spec: Spec
    starts: tuple[Label, ...]
    items: Code | None
    limit: Code | None
    count: Code | None
    bind: str | None


@attrs.define(slots=True, eq=False)
class LockCode:
    """Resources with their arguments."""

    resources: tuple[tuple[str, tuple[Code, ...]], ...]
    wait: Code
    spec: Spec


# -------------------------------------------------------------------------------------------------------- instructions


@attrs.define(slots=True, eq=False)
class Enter:
    """The token enters a node. Without guards of its own it offers the inbox to those around it."""

    path: str
    offers: bool


@attrs.define(slots=True, eq=False)
class Open:
    """A frame begins: its guards are armed."""

    spec: Spec


@attrs.define(slots=True, eq=False)
class Close:
    """The innermost frame completes."""


@attrs.define(slots=True, eq=False)
class Jump:
    """Goes on elsewhere."""

    to: Label


@attrs.define(slots=True, eq=False)
class Test:
    """Goes on elsewhere unless something holds."""

    test: Code
    otherwise: Label


@attrs.define(slots=True, eq=False)
class Bind:
    """Binds a name in the nearest region."""

    name: str
    value: Code


@attrs.define(slots=True, eq=False)
class SetName:
    """Changes a variable, wherever it is held."""

    name: str
    value: Code


@attrs.define(slots=True, eq=False)
class SendEvent:
    """Sends an event after the turn."""

    event: str
    value: Code


@attrs.define(slots=True, eq=False)
class Say:
    """Writes an audit record."""

    text: Code


@attrs.define(slots=True, eq=False)
class Feed:
    """Feeds a metric."""

    metric: str
    value: Code | None


@attrs.define(slots=True, eq=False)
class Calling:
    """Calls, and waits for the answer."""

    call: CallCode


@attrs.define(slots=True, eq=False)
class Pausing:
    """Waits for a duration, or until an instant."""

    amount: Code
    until: bool


@attrs.define(slots=True, eq=False)
class Awaiting:
    """Waits for guards."""


@attrs.define(slots=True, eq=False)
class Forking:
    """Runs branches or iterations, and waits for their join."""

    fork: ForkCode


@attrs.define(slots=True, eq=False)
class Locking:
    """Asks for resources; when they are granted, the frame of the block begins."""

    lock: LockCode


@attrs.define(slots=True, eq=False)
class Undoing:
    """Undoes what the region has done so far."""


@attrs.define(slots=True, eq=False)
class Settling:
    """Makes final what the region has done so far."""


@attrs.define(slots=True, eq=False)
class Raising:
    """Raises an error."""

    error: Code


@attrs.define(slots=True, eq=False)
class Give:
    """Sets the value that the region completes with."""

    value: Code | None


@attrs.define(slots=True, eq=False)
class Take:
    """Binds the value that a scope completed with."""

    name: str


@attrs.define(slots=True, eq=False)
class Count:
    """Begins the rounds of a `repeat`."""

    counter: str


@attrs.define(slots=True, eq=False)
class Again:
    """Another round, unless `until` holds or all rounds are done."""

    counter: str
    times: Code | None
    until: Code
    to: Label


@attrs.define(slots=True, eq=False)
class Offer:
    """The end of an instance first offers the inbox to its own guards, which these frames have."""

    specs: tuple[Spec, ...]


@attrs.define(slots=True, eq=False)
class Halt:
    """Steps have ended without saying where to go on: the token stands there for ever. The checker refuses this."""


@attrs.define(slots=True, eq=False)
class End:
    """The end of a token: of a branch, a block beside, a compensation, or the instance."""

    kind: Literal["branch", "beside", "undo", "workflow"]


Instruction = (
    Enter | Open | Close | Jump | Test | Bind | SetName | SendEvent | Say | Feed | Calling | Pausing | Awaiting
    | Forking | Locking | Undoing | Settling | Raising | Give | Take | Count | Again | Offer | Halt | End
)  # fmt: skip

Value = Any  # a value of the language
