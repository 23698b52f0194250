"""The machine: one process with everything it calls, engine-neutral. Backends, the simulator and engines see only this.

Names (types, errors, events, operations, policies, functions) are unique within a machine. `at` is the place in the
source and takes no part in `==`. Durations are in milliseconds.
"""

from typing import Literal, NamedTuple

from wfc.ir.expressions import Expr
from wfc.ir.types import Type
from wfc.text.source import Span
from wfc.text.value import Value, field, value

Places = tuple[tuple[str, Span], ...]  # where clauses stand, by their word; no part of the machine's format

# --------------------------------------------------------------------------------------------------------- definitions


@value
class FieldDef(Value):
    """A field of a record, case, error or event, or a parameter. `where` reads the value as `Ref("value")`."""

    name: str
    type: Type
    default: Expr | None = None
    where: Expr | None = None
    pii: bool = False
    blob: bool = False
    doc: str = ""


@value
class RecordDef(Value):
    """A record; `params` are its type parameters."""

    name: str
    params: tuple[str, ...]
    fields: tuple[FieldDef, ...]
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class CaseDef(Value):
    """A case of an enum."""

    name: str
    fields: tuple[FieldDef, ...]
    doc: str = ""


@value
class EnumDef(Value):
    """An enum; `params` are its type parameters."""

    name: str
    params: tuple[str, ...]
    cases: tuple[CaseDef, ...]
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class ErrorDef(Value):
    """A business error. Its message: the text field `message`, else `reason`, else its name in words."""

    name: str
    fields: tuple[FieldDef, ...]
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class EventDef(Value):
    """An event; `key` reads its fields as params."""

    name: str
    fields: tuple[FieldDef, ...]
    key: Expr | None
    mode: Literal["buffered", "latest", "transient", "outgoing"]
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class OperationDef(Value):
    """An operation of a service. `assign` and `key` read the parameters as operands.

    `effect`: `none` (queries, tasks, `compensate none`), `reversible`, `irreversible`, or `unsaid`, when an activity
    says nothing about its undo. `reason` is what it says instead of an undo. `where` is the refinement of its result,
    which reads it as `Ref("value")`.
    """

    name: str
    service: str
    kind: Literal["activity", "query", "task"]
    params: tuple[FieldDef, ...]
    result: Type | None
    raises: tuple[str, ...]
    effect: Literal["none", "reversible", "irreversible", "unsaid"]
    reason: str
    idempotent: bool
    partial: tuple[str, ...]
    key: Expr | None
    assign: Expr | None
    doc: str
    where: Expr | None = None
    at: Span | None = field(eq=False, default=None)
    extent: Span | None = field(eq=False, default=None)  # the whole declaration
    places: Places = field(eq=False, default=())


@value
class ServiceDef(Value):
    """A partner, and where it is called, if anywhere."""

    name: str
    address: str
    operations: tuple[str, ...]
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class Breaker(Value):
    """Opens after `failures` within a time, probes after another."""

    failures: Expr
    within: Expr
    probe: Expr


class WrittenItem(NamedTuple):
    """An item of a policy as it stands in the source.

    `depth` counts the declarations it is inherited through; `fixed`: its values are the same at each use.
    """

    kind: str
    at: Span
    depth: int
    fixed: bool


@value
class PolicyDef(Value):
    """A resolved policy: nothing is inherited or left to a default any more.

    `attempts` None is for ever. `declared` is the name in the source (empty for one written in place, `project
    default` for what nobody gave), `exhausted` what happens when attempts run out, with the queue for dead letters and
    parked steps. Values are constants, or read names of the call's place.
    """

    name: str
    declared: str
    timeout: Expr | None
    overall: Expr | None
    attempts: Expr | None
    backoff: Expr
    factor: Expr
    max: Expr
    jitter: Expr | None
    only: tuple[str, ...]
    excepted: tuple[str, ...]
    breaker: Breaker | None
    limit: tuple[Expr, Expr] | None
    concurrency: Expr | None
    heartbeat: Expr | None
    exhausted: Literal["fail", "dead letter", "park"]
    queue: str
    queue_value: Expr | None = None
    place: Span | None = field(eq=False, default=None)  # the `with`, or the name in the declaration
    written: tuple["WrittenItem", ...] = field(eq=False, default=())
    unheard: bool = field(eq=False, default=False)  # of an undo: ends in `fail`, and the project names no queue


@value
class ResourceDef(Value):
    """What `lock` takes: capacity, rank, lease."""

    name: str
    params: tuple[FieldDef, ...]
    capacity: int
    rank: int
    lease: int
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class MetricDef(Value):
    """A metric and the type of what it measures."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    type: Type
    doc: str


@value
class ConstDef(Value):
    """A named constant."""

    name: str
    type: Type
    value: Expr
    doc: str


@value
class FunctionDef(Value):
    """A pure function."""

    name: str
    type_params: tuple[str, ...]
    params: tuple[tuple[str, Type], ...]
    result: Type
    body: Expr
    doc: str


# --------------------------------------------------------------------------------------------------------------- steps


@value
class Undo(Value):
    """How something is undone.

    `none` with a reason: not at all. `steps`: what runs, one call for `compensate call`. They read, stored at
    completion: for `operation` the operands and the result, for `call` the names of the call's place, for `region`
    those assigned when it completes. `blind`: reads neither result nor the call's name, so it also undoes a call in
    doubt.
    """

    kind: Literal["steps", "none"]
    scope: Literal["operation", "call", "region"]
    steps: tuple["Step", ...]
    when: Expr | None
    reason: str
    blind: bool
    at: Span | None = field(eq=False, default=None)


@value
class Guard(Value):
    """A guard, or an arm of `await`.

    `names` are the event (one) or the errors caught; with `any` every error but an operator's cancel. `amount` is the
    duration or instant. `steps` is the tail or block: one `Goto` for an arrow. `label` is the trigger as written.
    """

    id: str
    kind: Literal["on", "catch", "after", "at", "every"]
    names: tuple[str, ...]
    any: bool
    amount: Expr | None
    bind: str | None
    bind_type: Type | None
    when: Expr | None
    keep: bool
    also: bool
    steps: tuple["Step", ...]
    label: str
    at: Span | None = field(eq=False, default=None)
    condition: str = ""  # what stands behind `when`, as written
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()  # of `catch`: each name as written, with the errors it means


@value
class Do(Value):
    """Calls an operation or a workflow and waits.

    `id` is unique in its node, in source order. `policy` names a policy of the machine, None for tasks and workflows
    without one. `effect` is what this very call does, its own `compensate` considered. `raises` are the business
    errors it can answer with.
    """

    id: str
    kind: Literal["activity", "query", "task", "workflow"]
    target: str
    args: tuple[Expr, ...]
    bind: str | None
    result: Type | None
    policy: str | None
    key: Expr | None
    assign: Expr | None
    pivot: bool
    optional: bool
    effect: Literal["none", "reversible", "irreversible", "unsaid"]
    undo: Undo | None
    raises: tuple[str, ...]
    guards: tuple[Guard, ...]
    at: Span | None = field(eq=False, default=None)
    places: Places = field(eq=False, default=())  # `call` is the call with its arguments


@value
class Start(Value):
    """Starts a detached workflow."""

    id: str
    target: str
    args: tuple[Expr, ...]
    key: Expr | None
    undo: Undo | None
    at: Span | None = field(eq=False, default=None)


@value
class Let(Value):
    """Binds a name."""

    name: str
    type: Type
    value: Expr
    at: Span | None = field(eq=False, default=None)


@value
class SetVar(Value):
    """Changes a variable."""

    name: str
    value: Expr
    at: Span | None = field(eq=False, default=None)


@value
class Emit(Value):
    """Sends an event after the turn."""

    event: str
    value: Expr
    at: Span | None = field(eq=False, default=None)


@value
class Wait(Value):
    """Waits for a duration, or until an instant."""

    id: str
    amount: Expr
    until: bool
    at: Span | None = field(eq=False, default=None)


@value
class Branch(Value):
    """A branch of a `parallel`; `value` is the type it completes with, if any."""

    name: str
    region: "Region"
    value: Type | None
    at: Span | None = field(eq=False, default=None)


JoinKind = Literal["all", "first", "settled", "some"]


@value
class Parallel(Value):
    """Branches side by side; `count` belongs to the join `some` (n of)."""

    id: str
    join: JoinKind
    count: Expr | None
    bind: str | None
    bind_type: Type | None
    guards: tuple[Guard, ...]
    branches: tuple[Branch, ...]
    at: Span | None = field(eq=False, default=None)


@value
class ForEach(Value):
    """One region per element, one after another or `concurrent`, at most `limit` at once."""

    id: str
    item: str
    item_type: Type
    index: str | None
    items: Expr
    concurrent: bool
    limit: Expr | None
    join: JoinKind
    count: Expr | None
    bind: str | None
    bind_type: Type | None
    value: Type | None
    region: "Region"
    at: Span | None = field(eq=False, default=None)


@value
class Repeat(Value):
    """Runs its steps, then asks; at most `times` rounds."""

    times: Expr | None
    steps: tuple["Step", ...]
    until: Expr
    at: Span | None = field(eq=False, default=None)


@value
class Lock(Value):
    """Runs its steps holding resources: each a name and its arguments, in order of rank."""

    id: str
    resources: tuple[tuple[str, tuple[Expr, ...]], ...]
    wait: Expr
    steps: tuple["Step", ...]
    at: Span | None = field(eq=False, default=None)
    places: Places = field(eq=False, default=())  # of each resource, and `step`: the whole


@value
class Arm(Value):
    """One way of a choice: taken when `test` holds; `bind` gets `value`. `label` is the condition as written."""

    label: str
    test: Expr
    bind: str | None
    value: Expr | None
    steps: tuple["Step", ...]
    at: Span | None = field(eq=False, default=None)


@value
class Choose(Value):
    """Takes the first arm that holds, else `otherwise`, else goes on. `subject` is what the arms ask about."""

    subject: Expr | None
    arms: tuple[Arm, ...]
    otherwise: tuple["Step", ...] | None
    bind: str | None
    value: Expr | None
    at: Span | None = field(eq=False, default=None)


@value
class Await(Value):
    """Guards with nothing else to do."""

    id: str
    guards: tuple[Guard, ...]
    at: Span | None = field(eq=False, default=None)


@value
class UndoRegion(Value):
    """Undoes what the region has done so far."""

    id: str
    at: Span | None = field(eq=False, default=None)


@value
class Settle(Value):
    """Makes final what the region has done so far."""

    at: Span | None = field(eq=False, default=None)


@value
class Audit(Value):
    """Writes an audit record."""

    text: Expr
    at: Span | None = field(eq=False, default=None)


@value
class Measure(Value):
    """Feeds a metric; without a value it counts one."""

    metric: str
    value: Expr | None
    at: Span | None = field(eq=False, default=None)


@value
class Goto(Value):
    """Enters a node of the same region."""

    target: str
    at: Span | None = field(eq=False, default=None)


@value
class Done(Value):
    """Completes the nearest region."""

    value: Expr | None
    at: Span | None = field(eq=False, default=None)


@value
class Fail(Value):
    """Raises an error, or a caught error again (`error` is then a name bound by `catch`).

    `names` are the errors it can be, as far as is known where it stands; none for any error.
    """

    error: Expr
    at: Span | None = field(eq=False, default=None)
    names: tuple[str, ...] = ()


Step = (
    Do | Start | Let | SetVar | Emit | Wait | Parallel | ForEach | Repeat | Lock | Choose | Await | UndoRegion | Settle
    | Audit | Measure | Goto | Done | Fail
)  # fmt: skip


# ----------------------------------------------------------------------------------------------------- nodes, workflows


@value
class Sla(Value):
    """What is promised: reported, never changing the flow."""

    name: str
    within: Expr
    warn: Expr | None
    place: Span | None = field(eq=False, default=None)


@value
class State(Value):
    """A state, or a gateway: one that only decides."""

    name: str
    path: str
    doc: str
    gateway: bool
    guards: tuple[Guard, ...]
    ignore: tuple[str, ...]
    slas: tuple[Sla, ...]
    steps: tuple[Step, ...]
    at: Span | None = field(eq=False, default=None)
    extent: Span | None = field(eq=False, default=None)  # the whole node


@value
class Scope(Value):
    """A region among nodes. When it completes, `bind` gets its value and `next` is entered.

    An `implicit` scope is formed where guards of a region without siblings point to its own nodes: it holds the nodes
    inside, its path is that of the region around, and its completion completes that region with the same value.
    """

    name: str
    path: str
    doc: str
    bind: str | None
    bind_type: Type | None
    next: str | None
    implicit: bool
    region: "Region"
    at: Span | None = field(eq=False, default=None)
    extent: Span | None = field(eq=False, default=None)  # the whole node


Node = State | Scope


@value
class Variable(Value):
    """A `var` with its first value."""

    name: str
    type: Type
    value: Expr


@value
class Region(Value):
    """A body with one token: its variables, guards, steps, then nodes; the first node is entered after the steps.

    `names` are what `let` and `as` bind in it, with their types, in order of first binding.
    """

    kind: Literal["workflow", "scope", "branch", "each"]
    path: str
    names: tuple[tuple[str, Type], ...]
    variables: tuple[Variable, ...]
    guards: tuple[Guard, ...]
    ignore: tuple[str, ...]
    slas: tuple[Sla, ...]
    undo: Undo | None
    steps: tuple[Step, ...]
    nodes: tuple[Node, ...]
    at: Span | None = field(eq=False, default=None)


@value
class View(Value):
    """What callers may read while an instance runs."""

    name: str
    type: Type
    value: Expr


@value
class Workflow(Value):
    """A workflow. `key` reads the parameters."""

    name: str
    version: int
    params: tuple[FieldDef, ...]
    result: Type | None
    key: Expr | None
    raises: tuple[str, ...]
    views: tuple[View, ...]
    region: Region
    doc: str
    at: Span | None = field(eq=False, default=None)


@value
class Machine(Value):
    """A process: its workflow (`workflows[0]`), the workflows it calls, and every definition these use.

    `process` is the name in kebab case, `source` the file's name without folders, `digest` of the source's text.
    """

    process: str
    module: str
    source: str
    digest: str
    audit: bool
    workflows: tuple[Workflow, ...]
    records: tuple[RecordDef, ...]
    enums: tuple[EnumDef, ...]
    errors: tuple[ErrorDef, ...]
    events: tuple[EventDef, ...]
    services: tuple[ServiceDef, ...]
    operations: tuple[OperationDef, ...]
    policies: tuple[PolicyDef, ...]
    resources: tuple[ResourceDef, ...]
    queues: tuple[str, ...]
    metrics: tuple[MetricDef, ...]
    secrets: tuple[tuple[str, Type], ...]
    constants: tuple[ConstDef, ...]
    functions: tuple[FunctionDef, ...]

    @property
    def workflow(self) -> Workflow:
        """The process itself."""
        return self.workflows[0]
