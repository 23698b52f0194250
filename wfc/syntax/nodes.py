"""The syntax tree: frozen values, tuples for children, no parents, no methods that compute meaning.

`start`, `end` (offsets) and `id` stay out of `==`, so trees of two texts can be compared; what analysis learns lies in
side tables keyed by `id`.
"""

from typing import Literal

from wfc.syntax.base_nodes import (
    ActivityType,
    Annotation,
    Apply,
    Argument,
    Binary,
    Cond,
    Decl,
    ErrorExpr,
    Expr,
    Field,
    Index,
    IsExpr,
    Lambda,
    ListExpr,
    Member,
    Name,
    NameExpr,
    Node,
    OptionalType,
    Plain,
    PolicyItem,
    PolicyRef,
    QName,
    TextLiteral,
    Token,
    TypeExpr,
    TypeRef,
    Unary,
)
from wfc.syntax.flow_nodes import (
    Arm,
    Assign,
    AuditStep,
    Await,
    Block,
    Branch,
    Call,
    Choose,
    Clause,
    Compensate,
    Do,
    Done,
    Emit,
    Fail,
    Flag,
    ForEach,
    Gateway,
    Goto,
    Guard,
    GuardKind,
    Ignore,
    Join,
    Key,
    Let,
    Lock,
    Measure,
    Otherwise,
    Parallel,
    Region,
    Repeat,
    ResourceRef,
    Scope,
    SetStep,
    Settle,
    Sla,
    Start,
    State,
    StateNode,
    Step,
    UndoStep,
    Var,
    View,
    Wait,
    With,
    WorkflowDecl,
)
from wfc.text.value import field, value

__all__ = [
    "ActivityType",
    "Advance",
    "Annotation",
    "Apply",
    "Argument",
    "Arm",
    "Assign",
    "AuditStep",
    "Await",
    "Binary",
    "Block",
    "Branch",
    "Call",
    "Choose",
    "Clause",
    "Compensate",
    "Cond",
    "ConstDecl",
    "Decl",
    "Do",
    "Done",
    "Emit",
    "EnumCase",
    "EnumDecl",
    "ErrorDecl",
    "ErrorExpr",
    "ErrorGroup",
    "EventDecl",
    "Expect",
    "Expr",
    "Fail",
    "Field",
    "Flag",
    "FnDecl",
    "ForEach",
    "Gateway",
    "Given",
    "Goto",
    "Guard",
    "GuardKind",
    "Ignore",
    "Import",
    "Index",
    "IsExpr",
    "Join",
    "Key",
    "Lambda",
    "Let",
    "ListExpr",
    "Lock",
    "Measure",
    "Member",
    "MetricDecl",
    "MigrationDecl",
    "MigrationRule",
    "Module",
    "Name",
    "NameExpr",
    "Node",
    "Operation",
    "OperatorAct",
    "OptionalType",
    "Otherwise",
    "Outcome",
    "Parallel",
    "Plain",
    "PolicyDecl",
    "PolicyItem",
    "PolicyRef",
    "QName",
    "QueueDecl",
    "RecordDecl",
    "Region",
    "Repeat",
    "ResourceDecl",
    "ResourceRef",
    "ScenarioDecl",
    "ScenarioItem",
    "Scope",
    "SecretDecl",
    "Send",
    "ServiceDecl",
    "SetStep",
    "Settle",
    "Sla",
    "Start",
    "State",
    "StateNode",
    "Step",
    "TextLiteral",
    "Token",
    "TopDecl",
    "TypeAlias",
    "TypeExpr",
    "TypeRef",
    "Unary",
    "UndoStep",
    "Var",
    "View",
    "Wait",
    "With",
    "WorkflowDecl",
]


# declarations


@value
class TypeAlias(Decl):
    """`type Name = T where ...`."""

    params: tuple[Name, ...]
    type: TypeExpr
    where: Expr | None


@value
class RecordDecl(Decl):
    """`record`."""

    params: tuple[Name, ...]
    fields: tuple[Field, ...]


@value
class EnumCase(Decl):
    """One case of an enum."""

    fields: tuple[Field, ...]


@value
class EnumDecl(Decl):
    """`enum`."""

    params: tuple[Name, ...]
    cases: tuple[EnumCase, ...]


@value
class ErrorDecl(Decl):
    """`error Name(fields)`."""

    fields: tuple[Field, ...]


@value
class ErrorGroup(Decl):
    """`error Name = A | B`."""

    members: tuple[QName, ...]


@value
class ConstDecl(Decl):
    """`const`."""

    type: TypeExpr
    value: Expr


@value
class SecretDecl(Decl):
    """`secret`."""

    type: TypeExpr


@value
class FnDecl(Decl):
    """`fn`: a pure function."""

    type_params: tuple[Name, ...]
    params: tuple[Field, ...]
    result: TypeExpr
    body: Expr


@value
class EventDecl(Decl):
    """`event` with its key and mode: `buffered`, `latest`, `transient` or `outgoing`."""

    fields: tuple[Field, ...]
    key: Expr | None
    mode: str


@value
class Operation(Decl):
    """An `activity`, `query` or `task` of a service."""

    annotations: tuple[Annotation, ...]
    kind: str
    params: tuple[Field, ...]
    result: TypeExpr | None
    raises: tuple[QName, ...]
    clauses: tuple["Clause", ...]


@value
class ServiceDecl(Decl):
    """`service`: the operations of one partner."""

    address: Token | None
    policy: "With | None"
    operations: tuple[Operation, ...]


@value
class ResourceDecl(Decl):
    """`resource`: what `lock` takes."""

    params: tuple[Field, ...]
    capacity: Expr | None
    rank: Token
    lease: Expr | None


@value
class QueueDecl(Decl):
    """`queue`."""


@value
class MetricDecl(Decl):
    """`metric`: a counter, gauge or histogram."""

    kind: str
    type: TypeExpr | None


@value
class PolicyDecl(Decl):
    """`policy`."""

    params: tuple[Field, ...]
    parent: PolicyRef | None
    items: tuple[PolicyItem, ...]


@value
class Import(Node):
    """`import a.b`, `import a.b as c`, `import a.b { X }`."""

    module: QName
    alias: Name | None
    names: tuple[Name, ...] | None


# migrations and scenarios


@value
class MigrationRule(Node):
    """`at A -> B { set }`, `at A stay`, `otherwise stay`, `otherwise refuse` (without a source)."""

    source: QName | None
    target: QName | None
    sets: tuple[SetStep, ...]
    word: str


@value
class MigrationDecl(Node):
    """`migration W from n to m`."""

    workflow: QName
    old: Token
    new: Token
    rules: tuple[MigrationRule, ...]


@value
class Outcome(Node):
    """One scripted answer: `returns e`, `raises e n times` or `hangs`, perhaps `after d`."""

    kind: Literal["returns", "raises", "hangs"]
    value: Expr | None
    times: int
    delay: Expr | None


@value
class Given(Node):
    """`given p = e` (a name of one part, no outcomes) or `given op outcome, then outcome`."""

    name: QName
    value: Expr | None
    outcomes: tuple[Outcome, ...]


@value
class Send(Node):
    """`send E(...)`."""

    call: Call


@value
class Advance(Node):
    """`advance d`."""

    amount: Expr


@value
class OperatorAct(Node):
    """`operator cancels`, `retries q`, `supplies e for q`, `raises e for q`."""

    word: Literal["cancels", "retries", "supplies", "raises"]
    value: Expr | None
    operation: QName | None


@value
class Expect(Node):
    """An expectation by kind: path, at, undone, dead letter, nothing undone, done, failed, parked, called, that.

    `groups` holds names; for `undone` each group is undone together. `queue` and `count` belong to `dead letter` and
    `called`.
    """

    kind: str
    groups: tuple[tuple[QName, ...], ...] = ()
    value: Expr | None = None
    queue: QName | None = None
    count: int = 0


ScenarioItem = Given | Send | Advance | OperatorAct | Expect


@value
class ScenarioDecl(Node):
    """`scenario "title" for W`."""

    title: str
    workflow: QName
    items: tuple[ScenarioItem, ...]


TopDecl = (
    TypeAlias
    | RecordDecl
    | EnumDecl
    | ErrorDecl
    | ErrorGroup
    | ConstDecl
    | SecretDecl
    | FnDecl
    | EventDecl
    | ServiceDecl
    | PolicyDecl
    | ResourceDecl
    | QueueDecl
    | MetricDecl
    | WorkflowDecl
    | MigrationDecl
    | ScenarioDecl
)


@value
class Module(Node):
    """One file. `strays` are annotations at places that take none; `damaged` says that a part could not be read."""

    name: QName | None
    doc: str
    imports: tuple[Import, ...]
    decls: tuple[TopDecl, ...]
    strays: tuple[Annotation, ...] = field(eq=False)
    damaged: bool = field(eq=False)
