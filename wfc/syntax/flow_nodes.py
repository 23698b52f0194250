"""The part of the syntax tree that flows: clauses, guards, steps, nodes, workflows."""

from typing import Literal

from wfc.syntax.base_nodes import (
    Argument,
    Decl,
    Expr,
    Field,
    Name,
    Node,
    PolicyItem,
    PolicyRef,
    QName,
    TextLiteral,
    Token,
    TypeExpr,
)
from wfc.text.value import value

# clauses


@value
class Block(Node):
    """Steps between braces."""

    steps: tuple["Step", ...]


@value
class Call(Node):
    """A call of an operation, workflow, event or resource."""

    name: QName
    type_args: tuple[TypeExpr, ...]
    args: tuple[Argument, ...]


GuardKind = Literal["on", "catch", "after", "at", "every"]


@value
class Guard(Node):
    """`on`, `catch`, `after`, `at` or `every`.

    `names` are the event or the errors (none: `any`), `amount` the duration or instant. `also` says that it does not
    interrupt (`every` never does).
    """

    kind: GuardKind
    names: tuple[QName, ...]
    amount: Expr | None
    bind: Name | None
    when: Expr | None
    keep: bool
    also: bool
    tail: "Goto | Block"


@value
class Compensate(Node):
    """How it is undone: by a call (perhaps under a condition) or a block; or why not: `none`, `irreversible`."""

    kind: Literal["call", "block", "none", "irreversible"]
    call: Call | None
    when: Expr | None
    block: Block | None
    reason: str


@value
class With(Node):
    """`with` a named policy or one written in place."""

    policy: PolicyRef | None
    items: tuple[PolicyItem, ...]


@value
class Key(Node):
    """`key e`."""

    value: Expr


@value
class Assign(Node):
    """`assign e`."""

    value: Expr


@value
class Flag(Node):
    """`pivot` or `optional`."""

    word: str


@value
class Sla(Node):
    """`sla "name" within t warn at t`."""

    name: str
    within: Expr
    warn: Expr | None


@value
class Ignore(Node):
    """`ignore E`."""

    events: tuple[QName, ...]


@value
class Var(Node):
    """`var x: T = e`."""

    name: Name
    type: TypeExpr | None
    value: Expr


@value
class View(Node):
    """`view x: T = e`."""

    name: Name
    type: TypeExpr
    value: Expr


Clause = Guard | Compensate | With | Key | Assign | Flag | Sla | Ignore | Var | View


# steps


@value
class Do(Node):
    """`do call as x clauses`."""

    call: Call
    bind: Name | None
    clauses: tuple[Clause, ...]


@value
class Start(Node):
    """`start W(...)`."""

    call: Call
    key: Key | None
    compensate: Compensate | None


@value
class Let(Node):
    """`let x = e`."""

    name: Name
    type: TypeExpr | None
    value: Expr


@value
class SetStep(Node):
    """`set x = e`."""

    name: Name
    value: Expr


@value
class Emit(Node):
    """`emit E(...)`."""

    call: Call


@value
class Wait(Node):
    """`wait d`, `wait until t`."""

    amount: Expr
    until: bool


@value
class Join(Node):
    """`join all`, `first`, `settled`, or `n of`."""

    kind: Literal["all", "first", "settled", "some"]
    count: Expr | None


@value
class Branch(Node):
    """A branch of a `parallel`."""

    name: Name
    region: "Region"


@value
class Parallel(Node):
    """`parallel`."""

    join: Join | None
    bind: Name | None
    guards: tuple[Guard, ...]
    branches: tuple[Branch, ...]


@value
class ForEach(Node):
    """`for each x at i in xs`. `limit` is the bound of `concurrently at most n`."""

    item: Name
    index: Name | None
    items: Expr
    concurrent: bool
    limit: Expr | None
    join: Join | None
    bind: Name | None
    region: "Region"


@value
class Repeat(Node):
    """`repeat at most n times { } until e`."""

    times: Expr | None
    body: Block
    until: Expr


@value
class ResourceRef(Node):
    """`r(key)` in a lock."""

    name: QName
    args: tuple[Argument, ...]


@value
class Lock(Node):
    """`lock r(k) wait d { }`."""

    resources: tuple[ResourceRef, ...]
    wait: Expr
    body: Block


@value
class Arm(Node):
    """`when a, b as x` with a tail; `some` is `when some as x`."""

    some: bool
    patterns: tuple[Expr, ...]
    bind: Name | None
    tail: "Goto | Block"


@value
class Otherwise(Node):
    """`otherwise as x` with a tail."""

    bind: Name | None
    tail: "Goto | Block"


@value
class Choose(Node):
    """`choose`."""

    subject: Expr | None
    arms: tuple[Arm, ...]
    otherwise: Otherwise | None


@value
class Await(Node):
    """`await`."""

    guards: tuple[Guard, ...]


@value
class UndoStep(Node):
    """`undo`."""


@value
class Settle(Node):
    """`settle`."""


@value
class AuditStep(Node):
    """`audit "text"`."""

    text: TextLiteral


@value
class Measure(Node):
    """`measure m = e`."""

    metric: QName
    value: Expr | None


@value
class Goto(Node):
    """`-> N`."""

    target: Name


@value
class Done(Node):
    """`done e`."""

    value: Expr | None


@value
class Fail(Node):
    """`fail e`."""

    error: Expr


Step = (
    Do
    | Start
    | Let
    | SetStep
    | Emit
    | Wait
    | Parallel
    | ForEach
    | Repeat
    | Lock
    | Choose
    | Await
    | UndoStep
    | Settle
    | AuditStep
    | Measure
    | Goto
    | Done
    | Fail
)


# workflows


@value
class Region(Node):
    """The body of a workflow, scope, branch or `for each`: clauses, steps, nodes."""

    clauses: tuple[Clause, ...]
    steps: tuple[Step, ...]
    nodes: tuple["StateNode", ...]


@value
class State(Decl):
    """`state`."""

    clauses: tuple[Clause, ...]
    steps: tuple[Step, ...]


@value
class Gateway(Decl):
    """`gateway`: one `choose`, `await`, or `parallel` with its arrow."""

    step: Choose | Await | Parallel
    goto: Goto | None


@value
class Scope(Decl):
    """`scope X as v -> Next`."""

    bind: Name | None
    next: Name | None
    region: Region


StateNode = State | Gateway | Scope


@value
class WorkflowDecl(Decl):
    """`workflow`."""

    type_params: tuple[Name, ...]
    params: tuple[Field, ...]
    result: TypeExpr | None
    version: Token | None
    key: Expr | None
    raises: tuple[QName, ...]
    region: Region
