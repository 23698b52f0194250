"""Definitions of a machine, collected as lowering meets their names; expressions and types get their short names."""

from wfc.ir import expressions as ir
from wfc.ir.machine import (
    CaseDef,
    ConstDef,
    EnumDef,
    ErrorDef,
    EventDef,
    FieldDef,
    FunctionDef,
    MetricDef,
    RecordDef,
    ResourceDef,
)
from wfc.ir.types import INT, SETTLED, Errors, Fields, ListOf, MapOf, Named, OperationType, Optional, Secret, Type
from wfc.lower.names import Namer
from wfc.sema.declarations import constant_value
from wfc.sema.model import FieldInfo, Model
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import Symbol
from wfc.syntax import nodes as ast

DEFAULT_LEASE = 300_000


class Definitions:
    """What a machine defines, by short name, in the order in which it is met."""

    def __init__(self, model: Model, signatures: Signatures) -> None:
        self.model = model
        self.signatures = signatures
        self.records: dict[str, RecordDef] = {}
        self.enums: dict[str, EnumDef] = {}
        self.errors: dict[str, ErrorDef] = {}
        self.events: dict[str, EventDef] = {}
        self.resources: dict[str, ResourceDef] = {}
        self.metrics: dict[str, MetricDef] = {}
        self.constants: dict[str, ConstDef] = {}
        self.functions: dict[str, FunctionDef] = {}
        self.secrets: dict[str, Type] = {}
        self.queues: dict[str, None] = {}
        self._types = Namer()
        self._errors = Namer()
        self._events = Namer()
        self._values = Namer()
        self._met: set[tuple[str, str]] = set()

    # -- types

    def type(self, kind: Type) -> Type:
        """A type with short names; what it names is defined."""
        match kind:
            case Named("event", name, _):
                return Named("event", self.event(name))
            case Named(sort, name, args):
                inner = tuple(self.type(arg) for arg in args)
                return Named(sort, self._named(sort, name) if name != SETTLED else name, inner)
            case Errors(names):
                return Errors(tuple(sorted(self.error(name) for name in names)))
            case ListOf(item):
                return ListOf(self.type(item))
            case MapOf(item):
                return MapOf(self.type(item))
            case Optional(item):
                return Optional(self.type(item))
            case Secret(item):
                return Secret(self.type(item))
            case Fields(fields):
                return Fields(tuple((name, self.type(field)) for name, field in fields))
            case OperationType(params, result):
                return OperationType(tuple(self.type(p) for p in params), self.type(result))
            case _:
                return kind

    def _named(self, sort: str, qualified: str) -> str:
        short = self._types(qualified)
        if ("type", qualified) in self._met:
            return short
        self._met.add(("type", qualified))
        symbol = self.signatures.symbols["types", qualified]
        decl = symbol.decl
        if isinstance(decl, ast.RecordDecl):
            params = tuple(p.text for p in decl.params)
            self.records[short] = RecordDef(short, params, (), decl.doc, symbol.at)
            fields = self.signatures.fields(symbol.module, decl, decl.fields, frozenset(params))
            self.records[short] = RecordDef(short, params, self.fields(fields), decl.doc, symbol.at)
        elif isinstance(decl, ast.EnumDecl):
            params = tuple(p.text for p in decl.params)
            self.enums[short] = EnumDef(short, params, (), decl.doc, symbol.at)
            cases = tuple(
                CaseDef(
                    case.name.text,
                    self.fields(self.signatures.fields(symbol.module, case, case.fields, frozenset(params))),
                    case.doc,
                )
                for case in decl.cases
            )
            self.enums[short] = EnumDef(short, params, cases, decl.doc, symbol.at)
        _ = sort
        return short

    def fields(self, infos: tuple[FieldInfo, ...]) -> tuple[FieldDef, ...]:
        """Fields or parameters; those that stand for an operation are left out."""
        return tuple(self._field(info) for info in infos if not isinstance(info.type, OperationType))

    def all_of(self, tests: tuple[ir.Expr, ...]) -> ir.Expr | None:
        """Refinements as one condition."""
        where: ir.Expr | None = None
        for test in tests:
            lowered = self.expr(test)
            where = lowered if where is None else ir.Op(lowered.type, "and", (where, lowered))
        return where

    def _field(self, info: FieldInfo) -> FieldDef:
        where = self.all_of(info.where)
        default = self.expr(info.default) if info.default is not None else None
        return FieldDef(info.name, self.type(info.type), default, where, info.pii, info.blob, info.node.doc)

    # -- errors, events, values

    def error(self, qualified: str) -> str:
        """The short name of an error; built-in ones are known to all."""
        symbol = self.signatures.symbols.get(("faults", qualified))
        if symbol is None:
            return qualified
        short = self._errors(qualified)
        if ("error", qualified) not in self._met and isinstance(symbol.decl, ast.ErrorDecl):
            self._met.add(("error", qualified))
            fields = self.signatures.error_fields(qualified)
            self.errors[short] = ErrorDef(short, self.fields(fields), symbol.decl.doc, symbol.at)
        return short

    def declared_event(self, qualified: str) -> None:
        """Takes up an event that no workflow may mention, if that is what the name means and it is whole."""
        decl = self.signatures.symbols["faults", qualified].decl
        if isinstance(decl, ast.EventDecl) and (decl.key is None or decl.key.id in self.model.exprs):
            self.event(qualified)

    def event(self, qualified: str) -> str:
        """The short name of an event."""
        short = self._events(qualified)
        if ("event", qualified) not in self._met:
            self._met.add(("event", qualified))
            symbol = self.signatures.symbols["faults", qualified]
            decl = symbol.decl
            assert isinstance(decl, ast.EventDecl)
            fields = self.signatures.fields(symbol.module, decl, decl.fields)
            key = self.expr(self.model.exprs[decl.key.id]) if decl.key is not None else None
            self.events[short] = EventDef(
                short,
                self.fields(fields),
                key,
                decl.mode,  # type: ignore[arg-type]  # the grammar knows four
                decl.doc,
                symbol.at,
            )
        return short

    def resource(self, symbol: Symbol) -> str:
        """The short name of a resource."""
        short = self._values(f"{symbol.qualified}")
        decl = symbol.decl
        assert isinstance(decl, ast.ResourceDecl)
        if short not in self.resources:
            fields = self.fields(self.signatures.fields(symbol.module, decl, decl.params))
            capacity = self._whole(decl.capacity, 1)
            lease = self._whole(decl.lease, DEFAULT_LEASE)
            self.resources[short] = ResourceDef(
                short, fields, capacity, int(decl.rank.text), lease, decl.doc, symbol.at
            )
        return short

    def _whole(self, node: ast.Expr | None, default: int) -> int:
        value = constant_value(self.model.exprs[node.id], self.model) if node is not None else default
        return value if isinstance(value, int) else default

    def metric(self, symbol: Symbol) -> str:
        """The short name of a metric."""
        short = self._values(symbol.qualified)
        decl = symbol.decl
        assert isinstance(decl, ast.MetricDecl)
        if short not in self.metrics:
            kind = self.type(self.signatures.type(symbol.module, decl.type)) if decl.type else INT
            self.metrics[short] = MetricDef(short, decl.kind, kind, decl.doc)  # type: ignore[arg-type]  # three kinds
        return short

    def queue(self, qualified: str) -> str:
        """The short name of a queue."""
        short = self._values(qualified)
        self.queues[short] = None
        return short

    def _secret(self, qualified: str, kind: Type) -> str:
        short = self._values(qualified)
        self.secrets[short] = kind
        return short

    def _constant(self, qualified: str, kind: Type) -> str:
        short = self._values(qualified)
        if short not in self.constants:
            symbol = self.signatures.symbols["values", qualified]
            decl = symbol.decl
            assert isinstance(decl, ast.ConstDecl)
            self.constants[short] = ConstDef(short, kind, self.expr(self.model.exprs[decl.value.id]), decl.doc)
        return short

    def _function(self, qualified: str) -> str:
        short = self._values(qualified)
        if ("function", qualified) not in self._met:
            self._met.add(("function", qualified))
            symbol = self.signatures.symbols["values", qualified]
            decl = symbol.decl
            assert isinstance(decl, ast.FnDecl)
            params = tuple(p.text for p in decl.type_params)
            fields = self.signatures.fields(symbol.module, decl, decl.params, frozenset(params))
            result = self.signatures.type(symbol.module, decl.result, frozenset(params))
            body = self.expr(self.model.exprs[decl.body.id])
            shown = tuple((f.name, self.type(f.type)) for f in fields)
            self.functions[short] = FunctionDef(short, params, shown, self.type(result), body, decl.doc)
        return short

    # -- expressions

    def expr(self, expr: ir.Expr) -> ir.Expr:
        """An expression with short names; what it names is defined."""
        kind = self.type(expr.type)
        match expr:
            case ir.Lit(_, value):
                return ir.Lit(kind, value)
            case ir.Ref(_, "const", name):
                return ir.Ref(kind, "const", self._constant(name, kind))
            case ir.Ref(_, "secret", name):
                return ir.Ref(kind, "secret", self._secret(name, kind))
            case ir.Ref(_, "queue", name):
                return ir.Ref(kind, "queue", self.queue(name))
            case ir.Ref(_, sort, name):
                return ir.Ref(kind, sort, name)
            case ir.Get(_, target, name, optional, cases):
                shown = tuple(self.error(c) if isinstance(target.type, Errors) else c for c in cases)
                return ir.Get(kind, self.expr(target), name, optional, shown)
            case ir.Op(_, op, args):
                return ir.Op(kind, op, tuple(self.expr(arg) for arg in args))
            case ir.Member(_, name, target, args, optional):
                return ir.Member(kind, name, self.expr(target), tuple(self.expr(arg) for arg in args), optional)
            case ir.Apply(_, name, args):
                return ir.Apply(kind, self._function(name), tuple(self.expr(arg) for arg in args))
            case ir.New(_, case, fields):
                return ir.New(kind, case, tuple((name, self.expr(item)) for name, item in fields))
            case ir.Is(_, target, "error", name):
                return ir.Is(kind, self.expr(target), "error", self.error(name))
            case ir.Is(_, target, sort, name):
                return ir.Is(kind, self.expr(target), sort, name)
            case ir.If(_, test, yes, no):
                return ir.If(kind, self.expr(test), self.expr(yes), self.expr(no))
            case ir.Fn(_, param, param_type, body):
                return ir.Fn(kind, param, self.type(param_type), self.expr(body))
            case ir.Items(_, items):
                return ir.Items(kind, tuple(self.expr(item) for item in items))
            case ir.Interp(_, parts):
                return ir.Interp(kind, tuple(self.expr(part) for part in parts))
            case ir.Now():
                return ir.Now(kind)
            case ir.Who(_, sort, who):
                return ir.Who(kind, sort, self.expr(who))
