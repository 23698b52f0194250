"""Types of declarations: written types resolved, fields, operations, error groups. Each is worked out once."""

from wfc import problems
from wfc.ir.types import (
    ANY_ERROR,
    BASICS,
    TEXT,
    UNKNOWN,
    Errors,
    ListOf,
    MapOf,
    Money,
    Named,
    OperationType,
    Secret,
    Type,
    TypeVar,
    optional,
    settled,
    substitute,
)
from wfc.problems.problem import Reporter
from wfc.project.settings import Settings
from wfc.sema.declare import BUILT_IN_ERRORS
from wfc.sema.model import FieldInfo, Model, OperationInfo
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast
from wfc.text.source import Span

_CURRENCY = 3


class Signatures:
    """The types of everything that is declared, looked up on demand and remembered."""

    def __init__(self, model: Model, settings: Settings, report: Reporter) -> None:
        self.model = model
        self.settings = settings
        self.report = report
        self._fields: dict[int, tuple[FieldInfo, ...]] = {}
        self._cases: dict[Named, dict[str, tuple[FieldInfo, ...]]] = {}  # arms ask for them again and again
        self._operations: dict[int, OperationInfo] = {}
        self._errors: dict[str, tuple[str, ...]] = {}
        self._aliases: dict[int, Type] = {}
        self._resolving: list[int] = []
        self.symbols: dict[tuple[str, str], Symbol] = {
            (space, symbol.qualified): symbol
            for module in model.modules.values()
            for space in ("types", "faults", "values")
            for symbol in module.space(space).values()
            if symbol.module is module
        }

    # -- written types

    def type(self, module: ModuleInfo, node: ast.TypeExpr, params: frozenset[str] = frozenset()) -> Type:
        """The type that is written; `params` are the type parameters that may be read."""
        match node:
            case ast.OptionalType(inner=inner):
                return optional(self.type(module, inner, params))
            case ast.ActivityType(params=args, result=result):
                return OperationType(
                    tuple(self.type(module, arg, params) for arg in args), self.type(module, result, params)
                )
            case ast.TypeRef(name=name, args=args):
                return self._named(module, name, args, params)

    def _named(
        self, module: ModuleInfo, name: ast.QName, args: tuple[ast.TypeExpr, ...], params: frozenset[str]
    ) -> Type:
        text = name.text
        at = module.at(name)
        if text in params:
            return TypeVar(text)
        if text == "Money":
            return self._money(module, at, args)
        if text in BASICS:
            self._count(at, text, 0, args)
            return BASICS[text]
        if text in {"List", "Secret", "Settled", "Map"}:
            if not self._count(at, text, 2 if text == "Map" else 1, args):
                return UNKNOWN
            inner = self.type(module, args[-1], params)
            if text == "Map" and self.type(module, args[0], params) != TEXT:
                self.report(problems.MismatchedType(at=module.at(args[0]), text="the keys of a `Map` are texts"))
            return _with_inner(text, inner)
        symbol = module.find("types", name)
        if symbol is None:
            return self._error_type(module, name, params)
        given = tuple(self.type(module, arg, params) for arg in args)
        match symbol.decl:
            case ast.TypeAlias(params=own):
                target = self._alias(symbol)
            case ast.RecordDecl(params=own):
                target = Named("record", symbol.qualified, tuple(TypeVar(p.text) for p in own))
            case ast.EnumDecl(params=own):
                target = Named("enum", symbol.qualified, tuple(TypeVar(p.text) for p in own))
            case _:
                return UNKNOWN
        if not self._count(at, text, len(own), args):
            return UNKNOWN
        return substitute(target, {p.text: arg for p, arg in zip(own, given, strict=True)})

    def _error_type(self, module: ModuleInfo, name: ast.QName, params: frozenset[str]) -> Type:
        """An error's name is a type too; else the name is unknown."""
        if name.text == "System" or name.text in BUILT_IN_ERRORS or module.find("faults", name) is not None:
            symbol = module.find("faults", name)
            if symbol is not None and isinstance(symbol.decl, ast.EventDecl):
                return Named("event", symbol.qualified)
            names = self.errors(module, name)
            return Errors(names) if names else UNKNOWN
        known = (*BASICS, "Money", "List", "Map", "Secret", "Settled", *params, *module.readable("types"))
        self.report(problems.UnknownName(at=module.at(name), kind="type", name=name.text, known=known))
        return UNKNOWN

    def _money(self, module: ModuleInfo, at: Span, args: tuple[ast.TypeExpr, ...]) -> Type:
        if not args:
            if self.settings.currency:
                return Money(self.settings.currency)
            advice = "name it: `Money<EUR>`, or set `currency` in wfc.toml"
            self.report(problems.MismatchedType(at=at, text="this amount of money has no currency", advice=advice))
            return UNKNOWN
        arg = args[0]
        if len(args) == 1 and isinstance(arg, ast.TypeRef) and not arg.args:
            code = arg.name.text
            if len(code) == _CURRENCY and code.isalpha() and code.isupper():
                return Money(code)
        text = "a currency is three capital letters"
        self.report(problems.MismatchedType(at=module.at(arg), text=text, advice="for example `Money<EUR>`"))
        return UNKNOWN

    def _count(self, at: Span, name: str, wanted: int, args: tuple[ast.TypeExpr, ...]) -> bool:
        if len(args) == wanted:
            return True
        text = f"`{name}` takes {wanted or 'no'} type argument{'' if wanted == 1 else 's'}, and {len(args)} are given"
        self.report(problems.MismatchedType(at=at, text=text))
        return False

    def _alias(self, symbol: Symbol) -> Type:
        """What an alias stands for; a circle of aliases is an error."""
        decl = symbol.decl
        assert isinstance(decl, ast.TypeAlias)
        if decl.id in self._resolving:
            text = f"`{symbol.name}` stands for itself"
            self.report(problems.MismatchedType(at=symbol.at, text=text))
            return UNKNOWN
        if decl.id not in self._aliases:
            self._resolving.append(decl.id)
            params = frozenset(p.text for p in decl.params)
            self._aliases[decl.id] = self.type(symbol.module, decl.type, params)
            self._resolving.pop()
        return self._aliases[decl.id]

    # -- fields

    def fields(
        self, module: ModuleInfo, owner: ast.Node, nodes: tuple[ast.Field, ...], params: frozenset[str] = frozenset()
    ) -> tuple[FieldInfo, ...]:
        """The fields or parameters of a declaration; defaults and refinements are filled in by its check."""
        found = self._fields.get(owner.id)
        if found is None:
            found = tuple(self._field(module, node, params) for node in nodes)
            self._fields[owner.id] = found
        return found

    def _field(self, module: ModuleInfo, node: ast.Field, params: frozenset[str]) -> FieldInfo:
        marks = {annotation.name.text for annotation in node.annotations}
        kind = self.type(module, node.type, params)
        return FieldInfo(node, node.name.text, kind, None, (), "pii" in marks, "blob" in marks)

    def complete(self, owner: ast.Node, fields: tuple[FieldInfo, ...]) -> None:
        """Replaces the fields of a declaration by ones with defaults and refinements."""
        self._fields[owner.id] = fields
        self._cases.clear()

    def record(self, kind: Named) -> tuple[FieldInfo, ...]:
        """The fields of a record or event type, its type arguments filled in."""
        space = "faults" if kind.kind == "event" else "types"
        symbol = self.symbols.get((space, kind.name))
        if symbol is None:
            return ()
        decl = symbol.decl
        match decl:
            case ast.RecordDecl(params=params, fields=nodes):
                names = tuple(p.text for p in params)
            case ast.EventDecl(fields=nodes):
                names = ()
            case _:
                return ()
        fields = self.fields(symbol.module, decl, nodes, frozenset(names))
        return _filled(fields, dict(zip(names, kind.args, strict=False)))

    def cases(self, kind: Named) -> dict[str, tuple[FieldInfo, ...]]:
        """The cases of an enum type with their fields, its type arguments filled in."""
        found = self._cases.get(kind)
        if found is None:
            found = self._cases[kind] = self._cases_of(kind)
        return found

    def _cases_of(self, kind: Named) -> dict[str, tuple[FieldInfo, ...]]:
        if kind.name == "Settled":
            return {"Ok": (_plain("value", kind.args[0]),), "Failed": (_plain("error", ANY_ERROR),)}
        symbol = self.symbols.get(("types", kind.name))
        if symbol is None or not isinstance(symbol.decl, ast.EnumDecl):
            return {}
        params = tuple(p.text for p in symbol.decl.params)
        bound = dict(zip(params, kind.args, strict=False))
        return {
            case.name.text: _filled(self.fields(symbol.module, case, case.fields, frozenset(params)), bound)
            for case in symbol.decl.cases
        }

    # -- errors

    def errors(self, module: ModuleInfo, name: ast.QName) -> tuple[str, ...]:
        """The errors a name stands for, groups opened; qualified, in order."""
        if name.text == "System":
            return BUILT_IN_ERRORS
        if name.text in BUILT_IN_ERRORS:
            return (name.text,)
        symbol = module.find("faults", name)
        if symbol is None or isinstance(symbol.decl, ast.EventDecl):
            known = ("System", *BUILT_IN_ERRORS, *module.readable("faults"))
            self.report(problems.UnknownName(at=module.at(name), kind="error", name=name.text, known=known))
            return ()
        if isinstance(symbol.decl, ast.ErrorDecl):
            return (symbol.qualified,)
        return self._group(symbol)

    def _group(self, symbol: Symbol) -> tuple[str, ...]:
        found = self._errors.get(symbol.qualified)
        if found is not None:
            return found
        self._errors[symbol.qualified] = ()  # a group within itself adds nothing
        assert isinstance(symbol.decl, ast.ErrorGroup)
        names = sorted({name for member in symbol.decl.members for name in self.errors(symbol.module, member)})
        self._errors[symbol.qualified] = tuple(names)
        return tuple(names)

    def error_fields(self, name: str) -> tuple[FieldInfo, ...]:
        """The fields of an error, by its qualified name."""
        if name in BUILT_IN_ERRORS:
            return ()
        symbol = self.symbols.get(("faults", name))
        if symbol is None or not isinstance(symbol.decl, ast.ErrorDecl):
            return ()
        return self.fields(symbol.module, symbol.decl, symbol.decl.fields)

    # -- operations

    def operation(self, module: ModuleInfo, name: ast.QName) -> OperationInfo | None:
        """The operation a name stands for, `service.operation`; None if there is none."""
        symbol, rest = module.find_prefix("values", tuple(part.text for part in name.parts))
        if symbol is None or not isinstance(symbol.decl, ast.ServiceDecl) or len(rest) != 1:
            return None
        return self.operation_of(symbol, rest[0])

    def operation_of(self, service: Symbol, name: str) -> OperationInfo | None:
        """An operation of a service by its name."""
        assert isinstance(service.decl, ast.ServiceDecl)
        node = next((op for op in service.decl.operations if op.name.text == name), None)
        if node is None:
            return None
        found = self._operations.get(node.id)
        if found is None:
            found = self._operation(service, node)
            self._operations[node.id] = found
            self.model.operations[found.qualified] = found
        return found

    def _operation(self, service: Symbol, node: ast.Operation) -> OperationInfo:
        module = service.module
        partial: list[str] = []
        for mark in node.annotations:
            if mark.name.text == "partial":
                for arg in mark.args:
                    name = as_qname(arg.value)
                    partial.extend(self.errors(module, name) if name else ())
        return OperationInfo(
            service,
            node,
            self.fields(module, node, node.params),
            self.type(module, node.result) if node.result else None,
            tuple(sorted({error for name in node.raises for error in self.errors(module, name)})),
            any(mark.name.text == "idempotent" for mark in node.annotations),
            tuple(partial),
        )


def _with_inner(name: str, inner: Type) -> Type:
    """A built-in type over another."""
    match name:
        case "List":
            return ListOf(inner)
        case "Secret":
            return Secret(inner)
        case "Map":
            return MapOf(inner)
        case _:
            return settled(inner)


def as_qname(expr: ast.Expr) -> ast.QName | None:
    """A name written as an expression."""
    parts: list[ast.Name] = []
    while isinstance(expr, ast.Member) and not expr.optional:
        parts.append(expr.name)
        expr = expr.target
    if not isinstance(expr, ast.NameExpr):
        return None
    first = ast.Name(expr.start, expr.end, expr.text)
    names = (first, *reversed(parts))
    return ast.QName(first.start, names[-1].end, names)


def _filled(fields: tuple[FieldInfo, ...], bound: dict[str, Type]) -> tuple[FieldInfo, ...]:
    if not bound:
        return fields
    return tuple(
        FieldInfo(f.node, f.name, substitute(f.type, bound), f.default, f.where, f.pii, f.blob) for f in fields
    )


def _plain(name: str, kind: Type) -> FieldInfo:
    """A field of the built-in enum `Settled`."""
    word = ast.Name(0, 0, name)
    written = ast.TypeRef(0, 0, ast.QName(0, 0, (word,)), ())
    return FieldInfo(ast.Field(0, 0, (), word, written, None, None, ""), name, kind)
