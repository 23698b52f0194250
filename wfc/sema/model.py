"""What analysis knows: side tables keyed by node id, filled by the checker and read by lowering and checks."""

from dataclasses import dataclass, field
from typing import Any

from wfc.ir.expressions import Expr
from wfc.ir.types import Type
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast
from wfc.text.names import kebab


@dataclass(frozen=True, eq=False)
class FieldInfo:
    """A field or parameter with its type; `where` reads the value as `Ref("value")`."""

    node: ast.Field
    name: str
    type: Type
    default: Expr | None = None
    where: tuple[Expr, ...] = ()
    pii: bool = False
    blob: bool = False


@dataclass(frozen=True, eq=False)
class OperationInfo:
    """An operation of a service, resolved."""

    service: Symbol
    node: ast.Operation
    params: tuple[FieldInfo, ...]
    result: Type | None
    raises: tuple[str, ...]  # qualified business errors
    idempotent: bool
    partial: tuple[str, ...]

    @property
    def name(self) -> str:
        """`service.operation`."""
        return f"{self.service.name}.{self.node.name.text}"

    @property
    def qualified(self) -> str:
        """Unique in the project."""
        return f"{self.service.qualified}.{self.node.name.text}"

    @property
    def module(self) -> ModuleInfo:
        return self.service.module

    def clause(self, kind: type) -> ast.Clause | None:
        """The operation's clause of a class."""
        return next((clause for clause in self.node.clauses if isinstance(clause, kind)), None)

    @property
    def optional(self) -> bool:
        """Whether every call of it is best effort."""
        return any(isinstance(c, ast.Flag) and c.word == "optional" for c in self.node.clauses)


@dataclass(frozen=True, eq=False)
class ParamOperation:
    """A parameter of a generic workflow that stands for an operation, while the workflow is looked at by itself."""

    name: str
    params: tuple[Type, ...]
    result: Type


@dataclass(frozen=True)
class Instance:
    """One use of a workflow: with type arguments and operations for its parameters if it is generic."""

    symbol: Symbol
    types: tuple[tuple[str, Type], ...] = ()
    operations: tuple[tuple[str, OperationInfo], ...] = ()


@dataclass(frozen=True, eq=False)
class CallInfo:
    """A resolved call: what is called, with all arguments in order of the parameters."""

    target: OperationInfo | ParamOperation | Instance
    args: tuple[Expr, ...]
    params: tuple[FieldInfo, ...]
    result: Type | None
    raises: tuple[str, ...]


@dataclass(eq=False)
class RegionInfo:
    """What is known of a region: the names bound in it, the value it completes with, its nodes inside and outside."""

    names: dict[str, Type] = field(default_factory=dict)
    variables: dict[str, Type] = field(default_factory=dict)
    value: Type | None = None
    completes: bool = False
    inside: tuple[str, ...] | None = None  # nodes of the scope that guards with own targets form, in order


@dataclass(eq=False)
class WorkflowModel:
    """One workflow, or one use of a generic one, analysed."""

    instance: Instance
    module: ModuleInfo
    params: tuple[FieldInfo, ...]
    result: Type | None
    raises: tuple[str, ...]
    exprs: dict[int, Expr] = field(default_factory=dict)  # by id of the expression's node
    calls: dict[int, CallInfo] = field(default_factory=dict)  # by id of the call's node
    regions: dict[int, RegionInfo] = field(default_factory=dict)  # by id of the region's node
    types: dict[int, Type] = field(default_factory=dict)  # of `as`, by id of the name's node
    errors: dict[int, tuple[str, ...]] = field(default_factory=dict)  # errors a guard names, by id; `fail`s too
    tests: dict[int, Expr] = field(default_factory=dict)  # of arms, by id
    subjects: dict[int, Expr] = field(default_factory=dict)  # what an arm binds, by id
    refs: dict[int, tuple[Symbol, tuple[Expr, ...]]] = field(default_factory=dict)  # what `emit`, `lock`, ... name
    broken: bool = False  # a problem was reported: not lowered

    @property
    def decl(self) -> ast.WorkflowDecl:
        decl = self.instance.symbol.decl
        assert isinstance(decl, ast.WorkflowDecl)
        return decl

    @property
    def process(self) -> str:
        """The name its files have."""
        return kebab(self.decl.name.text)

    @property
    def is_open(self) -> bool:
        """Whether it is a generic workflow looked at by itself, its parameters left open."""
        generic = bool(self.decl.type_params) or any(isinstance(p.type, ast.ActivityType) for p in self.decl.params)
        return generic and not self.instance.types and not self.instance.operations

    @property
    def by_itself(self) -> bool:
        """Whether it is a process of its own: no generic workflow and no use of one."""
        return not self.is_open and not self.instance.types and not self.instance.operations


@dataclass(eq=False)
class ScenarioModel:
    """A scenario, analysed: what its names and expressions stand for lies in the tables of the `Model`."""

    decl: ast.ScenarioDecl
    module: ModuleInfo
    workflow: WorkflowModel
    mentioned: list[WorkflowModel] = field(default_factory=list)  # workflows that it gives answers for or expects
    broken: bool = False  # a problem was reported: not lowered


@dataclass(eq=False)
class MigrationModel:
    """A migration, analysed."""

    decl: ast.MigrationDecl
    module: ModuleInfo
    workflow: WorkflowModel
    broken: bool = False  # a problem was reported: not lowered


@dataclass(eq=False)
class Model:
    """A project, analysed: modules by name, workflows by use, and the expressions of declarations."""

    modules: dict[str, ModuleInfo]
    workflows: dict[Instance, WorkflowModel] = field(default_factory=dict)
    exprs: dict[int, Expr] = field(default_factory=dict)  # of declarations, by id of the expression's node
    refs: dict[int, tuple[Symbol, tuple[Expr, ...]]] = field(default_factory=dict)  # what declarations name, by id
    calls: dict[int, CallInfo] = field(default_factory=dict)  # undo calls of operations, by id of the call's node
    results: dict[int, tuple[Expr, ...]] = field(default_factory=dict)  # refinements of results, by the operation's id
    operations: dict[str, OperationInfo] = field(default_factory=dict)  # by qualified name
    callables: dict[int, OperationInfo | WorkflowModel] = field(default_factory=dict)  # by id of a scenario's name
    errors: dict[int, tuple[str, ...]] = field(default_factory=dict)  # by id of a scenario's name
    scenarios: list[ScenarioModel] = field(default_factory=list)
    migrations: list[MigrationModel] = field(default_factory=list)
    undeclared: bool = False  # a declaration has errors: nothing is lowered
    signatures: Any = None  # the Signatures that filled it; typed there to keep this room small
