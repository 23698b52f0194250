"""Checks what declarations say: fields, constants, functions, events, services, policies, resources."""

from collections.abc import Iterable

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.evaluate import NotConstant, evaluate
from wfc.ir.types import ASSIGNEE, BOOL, DURATION, INT, TEXT, UNKNOWN, ListOf, Secret, Type
from wfc.problems.problem import Label, Problem, Reporter
from wfc.sema import policies
from wfc.sema.arithmetic import Types
from wfc.sema.calls import resolve
from wfc.sema.declare import check_reserved
from wfc.sema.env import Binding, Env
from wfc.sema.expressions import Typer
from wfc.sema.model import FieldInfo, Model, OperationInfo
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast

_FIELD_MARKS = ("pii", "blob")
_OPERATION_MARKS = ("idempotent", "partial")


class Declarations:
    """Checks the declarations of one module, workflows, migrations and scenarios apart."""

    def __init__(self, module: ModuleInfo, model: Model, signatures: Signatures, report: Reporter) -> None:
        self.module = module
        self.model = model
        self.signatures = signatures
        self.report = report
        self.types = Typer(module, signatures, report)
        self.types.clock = False
        self.unfinished: list[ast.Expr] = []  # defaults that build what has defaults not typed yet

    # -- first: fields, which everything else builds on

    def finish_fields(self) -> None:
        """Types the fields once more, in silence: defaults may build records whose own defaults are known by now."""
        told, self.report = self.report, _to_nobody
        self.types.report = _to_nobody
        self.check_fields()
        self.report = self.types.report = told

    def check_fields(self) -> None:
        """Types, defaults and refinements of the fields of all declarations."""
        self.unfinished = []
        for decl in self.module.tree.decls:
            match decl:
                case ast.RecordDecl(params=params, fields=fields):
                    self._fields(decl, fields, params)
                case ast.EnumDecl(params=params, cases=cases):
                    self._distinct((case.name for case in cases), "case")
                    for case in cases:
                        check_reserved(self.module, case.name, self.report)
                        self._fields(case, case.fields, params)
                case ast.ErrorDecl(fields=fields) | ast.EventDecl(fields=fields):
                    self._fields(decl, fields)
                case ast.ResourceDecl(params=fields) | ast.PolicyDecl(params=fields):
                    self._fields(decl, fields, reserved=True)
                case ast.FnDecl(params=fields, type_params=params):
                    self._fields(decl, fields, params, reserved=True)
                case ast.WorkflowDecl(params=fields, type_params=params):
                    self._fields(decl, fields, params, reserved=True)
                case ast.ServiceDecl(operations=operations):
                    self._distinct((op.name for op in operations), "operation")
                    for operation in operations:
                        self._fields(operation, operation.params, reserved=True)
                        if operation.result is not None:
                            self.model.results[operation.id] = tuple(self._alias_refinements(operation.result))
                case ast.TypeAlias():
                    self._alias(decl)
                case _:
                    pass

    def _alias(self, decl: ast.TypeAlias) -> None:
        params = frozenset(p.text for p in decl.params)
        kind = self.signatures.type(self.module, decl.type, params)
        if decl.where is not None:
            env = Env({"value": Binding("value", kind)})
            self.model.exprs[decl.where.id] = self.types.typed(decl.where, env, BOOL)

    def _fields(
        self,
        owner: ast.Node,
        nodes: tuple[ast.Field, ...],
        params: tuple[ast.Name, ...] = (),
        *,
        reserved: bool = False,
    ) -> None:
        """Completes the fields of a declaration with their defaults and refinements."""
        names = frozenset(p.text for p in params)
        self._distinct((node.name for node in nodes), "parameter" if reserved else "field")
        done: list[FieldInfo] = []
        for info in self.signatures.fields(self.module, owner, nodes, names):
            node = info.node
            check_reserved(self.module, node.name, self.report, field=not reserved)
            self._marks(node.annotations, _FIELD_MARKS)
            default = self.types.value(node.default, Env(), info.type) if node.default is not None else None
            if default is not None and node.default is not None and _has_gap(default):
                self.unfinished.append(node.default)
            where = list(self._alias_refinements(node.type))
            if node.where is not None:
                env = Env({node.name.text: Binding("value", info.type), "value": Binding("value", info.type)})
                test = self.types.typed(node.where, env, BOOL)
                where.append(_rename_value(test, node.name.text))
            done.append(FieldInfo(node, info.name, info.type, default, tuple(where), info.pii, info.blob))
        self.signatures.complete(owner, tuple(done))

    def _alias_refinements(self, kind: ast.TypeExpr) -> Iterable[ir.Expr]:
        """The refinements that come with an alias; one that stands for itself has been told, and ends the walk."""
        seen: set[int] = set()
        while isinstance(kind, ast.TypeRef):
            symbol = self.module.find("types", kind.name)
            if symbol is None or not isinstance(symbol.decl, ast.TypeAlias) or symbol.decl.id in seen:
                return
            seen.add(symbol.decl.id)
            if symbol.decl.where is not None:
                env = Env({"value": Binding("value", self.signatures.type(symbol.module, symbol.decl.type))})
                quiet = Typer(symbol.module, self.signatures, lambda _: None)
                yield quiet.typed(symbol.decl.where, env, BOOL)
            if symbol.module is not self.module:
                return
            kind = symbol.decl.type

    def _marks(self, marks: tuple[ast.Annotation, ...], known: tuple[str, ...]) -> None:
        for mark in marks:
            if mark.name.text not in known:
                at = self.module.at(mark.name)
                self.report(problems.UnknownName(at=at, kind="annotation here", name=mark.name.text, known=known))

    def _distinct(self, names: Iterable[ast.Name], kind: str) -> None:
        seen: dict[str, ast.Name] = {}
        for name in names:
            older = seen.setdefault(name.text, name)
            if older is not name:
                label = (Label(self.module.at(older), f"the first {kind} of this name"),)
                self.report(problems.DuplicateName(at=self.module.at(name), name=name.text, labels=label))

    # -- then: everything else

    def check(self) -> None:
        """All other parts of the declarations."""
        for decl in self.module.tree.decls:
            match decl:
                case ast.ErrorGroup(members=members):
                    for member in members:
                        self.signatures.errors(self.module, member)
                case ast.ConstDecl(type=kind, value=value):
                    self._expr(value, Env(), self.signatures.type(self.module, kind))
                case ast.SecretDecl(type=kind):
                    self.signatures.type(self.module, kind)
                case ast.FnDecl():
                    self._function(decl)
                case ast.EventDecl():
                    self._event(decl)
                case ast.ServiceDecl():
                    self._service(decl)
                case ast.PolicyDecl():
                    self._policy(decl)
                case ast.ResourceDecl():
                    self._resource(decl)
                case ast.MetricDecl(type=metric) if metric is not None:
                    self.signatures.type(self.module, metric)
                case _:
                    pass
        self._circles()

    def _expr(self, node: ast.Expr, env: Env, wanted: Type) -> ir.Expr:
        found = self.types.value(node, env, wanted)
        self.model.exprs[node.id] = found
        return found

    def _params(self, fields: tuple[FieldInfo, ...], kind: ir.RefKind = "param") -> Env:
        return Env({f.name: Binding(kind, f.type) for f in fields})

    def _function(self, decl: ast.FnDecl) -> None:
        params = frozenset(p.text for p in decl.type_params)
        fields = self.signatures.fields(self.module, decl, decl.params, params)
        read: set[str] = set()
        self.types.on_read = lambda name, _binding: read.add(name)
        self._expr(decl.body, self._params(fields), self.signatures.type(self.module, decl.result, params))
        self.types.on_read = lambda _name, _binding: None
        self._shadowing(fields)
        for info in fields:
            if info.name not in read:
                at = self.module.at(info.node.name)
                self.report(problems.UnusedName(at=at, name=info.name, kind="parameter"))

    def _shadowing(self, fields: tuple[FieldInfo, ...]) -> None:
        for info in fields:
            older = self.module.values.get(info.name)
            if older is not None:
                label = (Label(older.at, f"a {older.kind} of this name"),)
                at = self.module.at(info.node.name)
                self.report(problems.DuplicateName(at=at, name=info.name, labels=label))

    def _event(self, decl: ast.EventDecl) -> None:
        fields = self.signatures.fields(self.module, decl, decl.fields)
        if decl.key is None:
            if decl.mode != "outgoing":
                text = f"the event `{decl.name.text}` needs a `key`: it says which instances are meant"
                advice = "for example `key order`, or make it `outgoing`"
                self.report(problems.MissingArgument(at=self.module.at(decl.name), text=text, signature=advice))
            return
        key = self.types.value(decl.key, self._params(fields))
        if key.type not in (TEXT, INT, UNKNOWN):
            text = f"a key is a Text or an Int, and this is a `{key.type}`"
            self.report(problems.MismatchedType(at=self.module.at(decl.key), text=text))
        self.model.exprs[decl.key.id] = key

    def _policy(self, decl: ast.PolicyDecl) -> None:
        fields = self.signatures.fields(self.module, decl, decl.params)
        env = self._params(fields)
        if decl.parent is not None:
            policies.check_reference(self.types, decl.parent, env, self.model.refs)
        policies.check_items(self.types, decl.items, env, self.model.exprs, self.model.refs)

    def _resource(self, decl: ast.ResourceDecl) -> None:
        for node, kind in ((decl.capacity, INT), (decl.lease, DURATION)):
            if node is not None:
                self._constant(node, kind)

    def _constant(self, node: ast.Expr, kind: Type) -> None:
        found = self._expr(node, Env(), kind)
        if found.type != UNKNOWN and constant_value(found, self.model) is None:
            text = "this must be a constant"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text))

    # -- services

    def _service(self, decl: ast.ServiceDecl) -> None:
        symbol = Symbol(self.module, decl)
        if decl.policy is not None:
            policies.check_with(self.types, decl.policy, Env(), self.model.exprs, self.model.refs)
        for operation in decl.operations:
            check_reserved(self.module, operation.name, self.report, field=True)
            info = self.signatures.operation_of(self.module.values.get(decl.name.text, symbol), operation.name.text)
            if info is not None and info.node is operation:
                self._operation(info, decl)

    def _operation(self, info: OperationInfo, decl: ast.ServiceDecl) -> None:
        node = info.node
        self._marks(node.annotations, _OPERATION_MARKS)
        check_clauses(self.module, node.clauses, self.report, task=node.kind == "task", call=False)
        if node.kind != "activity":
            for clause in node.clauses:
                if isinstance(clause, ast.Compensate) and (node.kind == "query" or clause.kind == "irreversible"):
                    word = "irreversible" if clause.kind == "irreversible" else "compensate"
                    place = f"at a {node.kind}"
                    self.report(problems.MisplacedWord(at=self.module.at(clause), word=word, place=place))
        env = self._params(info.params, "operand")
        for clause in node.clauses:
            match clause:
                case ast.With():
                    policies.check_with(self.types, clause, env, self.model.exprs, self.model.refs)
                case ast.Key(value=value):
                    self.model.exprs[value.id] = self._key(value, env)
                case ast.Assign(value=value):
                    self.model.exprs[value.id] = assignee(self.types, value, env)
                case ast.Compensate():
                    self._undo(clause, info, decl, env)
                case _:
                    pass

    def _key(self, node: ast.Expr, env: Env) -> ir.Expr:
        return key_expression(self.types, node, env)

    def _undo(self, clause: ast.Compensate, info: OperationInfo, decl: ast.ServiceDecl, env: Env) -> None:
        """A `compensate` call of an operation; its operations may be named without their service."""
        if clause.kind == "block":
            place = "at an operation"
            why = "a block stands at the call; an operation names the call that undoes it"
            at = self.module.at(clause)
            self.report(problems.MisplacedWord(at=at, word="compensate { ... }", place=place, why=why))
            return
        if clause.call is None:
            return
        if info.result is not None:
            env = env.bind("result", Binding("result", info.result))
        call = qualified_call(clause.call, decl)
        found = resolve(self.types, call, env, {})
        if found is not None:
            self.model.calls[clause.call.id] = found
        if clause.when is not None:
            self.model.exprs[clause.when.id] = self.types.typed(clause.when, env, BOOL)

    # -- circles

    def _circles(self) -> None:
        """Functions that call each other, and constants that need each other, in a circle."""
        calls = {
            symbol.qualified: [
                e.name
                for e in ir.walk(self.model.exprs[body.id])
                if isinstance(e, ir.Apply) or (isinstance(e, ir.Ref) and e.kind == "const")
            ]
            for symbol in self.module.values.values()
            if symbol.module is self.module and (body := _body(symbol)) is not None and body.id in self.model.exprs
        }
        for name in calls:
            trail = _circle(name, calls)
            if trail:
                symbol = self.module.values[name.rpartition(".")[2]]
                shown = " -> ".join(part.rpartition(".")[2] for part in trail)
                text = f"these need each other in a circle: {shown}"
                self.report(problems.MismatchedType(at=symbol.at, text=text))


def _to_nobody(_: Problem) -> None:
    """A second look tells nothing that the first has told."""


def _has_gap(default: ir.Expr) -> bool:
    return any(part.type == UNKNOWN for part in ir.walk(default))


def _body(symbol: Symbol) -> ast.Expr | None:
    match symbol.decl:
        case ast.FnDecl(body=body) | ast.ConstDecl(value=body):
            return body
        case _:
            return None


def _circle(start: str, calls: dict[str, list[str]]) -> list[str]:
    """The way from a name back to itself, if it is the smallest name on it."""
    stack = [(start, [start])]
    seen: set[str] = set()
    while stack:
        name, trail = stack.pop()
        for target in calls.get(name, ()):
            if target == start and start == min(trail):
                return [*trail, start]
            if target not in seen:
                seen.add(target)
                stack.append((target, [*trail, target]))
    return []


def _rename_value(test: ir.Expr, name: str) -> ir.Expr:
    """A refinement that reads the field by its own name reads the value."""
    match test:
        case ir.Ref(kind, "value", found) if found == name:
            return ir.Ref(kind, "value", "value")
        case ir.Op(kind, op, args):
            return ir.Op(kind, op, tuple(_rename_value(arg, name) for arg in args))
        case ir.Member(kind, member, target, args, optional):
            inner = tuple(_rename_value(arg, name) for arg in args)
            return ir.Member(kind, member, _rename_value(target, name), inner, optional)
        case ir.Get(kind, target, field, optional, cases):
            return ir.Get(kind, _rename_value(target, name), field, optional, cases)
        case ir.Apply(kind, function, args):
            return ir.Apply(kind, function, tuple(_rename_value(arg, name) for arg in args))
        case ir.If(kind, condition, yes, no):
            return ir.If(kind, _rename_value(condition, name), _rename_value(yes, name), _rename_value(no, name))
        case ir.Is(kind, target, sort, case):
            return ir.Is(kind, _rename_value(target, name), sort, case)
        case ir.Fn(kind, param, param_type, body):
            return ir.Fn(kind, param, param_type, _rename_value(body, name))
        case ir.Interp(kind, parts):
            return ir.Interp(kind, tuple(_rename_value(part, name) for part in parts))
        case ir.Items(kind, items):
            return ir.Items(kind, tuple(_rename_value(item, name) for item in items))
        case ir.New(kind, case, fields):
            return ir.New(kind, case, tuple((key, _rename_value(item, name)) for key, item in fields))
        case ir.Who(kind, sort, who):
            return ir.Who(kind, sort, _rename_value(who, name))
        case ir.Lit() | ir.Ref() | ir.Now():
            return test


def constant_value(expr: ir.Expr, model: Model) -> object:
    """The value of a constant expression, or None."""
    names: dict[tuple[str, str], object] = {}
    for part in ir.walk(expr):
        if isinstance(part, ir.Ref) and part.kind == "const":
            inner = const_expression(part.name, model)
            if inner is None:
                return None
            names["const", part.name] = constant_value(inner, model)
    try:
        return evaluate(expr, names)
    except NotConstant:
        return None


def const_expression(qualified: str, model: Model) -> ir.Expr | None:
    """The value of a constant as an expression, by its qualified name."""
    module, _, name = qualified.rpartition(".")
    symbol = model.modules[module].values.get(name) if module in model.modules else None
    if symbol is None or not isinstance(symbol.decl, ast.ConstDecl):
        return None
    return model.exprs.get(symbol.decl.value.id)


def qualified_call(call: ast.Call, service: ast.ServiceDecl) -> ast.Call:
    """A call in a clause of an operation: an operation of the same service may be named alone."""
    name = call.name
    if len(name.parts) == 1 and any(op.name.text == name.text for op in service.operations):
        full = ast.QName(name.start, name.end, (service.name, *name.parts))
        return ast.Call(call.start, call.end, full, call.type_args, call.args)
    return call


def key_expression(types: Types, node: ast.Expr, env: Env) -> ir.Expr:
    """A key: a Text or an Int, without `now()`."""
    found = types.public(types.infer(node, env), node)
    if any(isinstance(part, ir.Now) for part in ir.walk(found)):
        text = "a key must not read the clock: a repetition would get another key"
        types.report(problems.MismatchedType(at=types.module.at(node), text=text))
    if found.type not in (TEXT, INT, UNKNOWN):
        text = f"a key is a Text or an Int, and this is a `{found.type}`"
        advice = 'join several parts to one text: `key "{order}/{round}"`'
        types.report(problems.MismatchedType(at=types.module.at(node), text=text, advice=advice))
    return found


def assignee(types: Types, node: ast.Expr, env: Env) -> ir.Expr:
    """Who may do a task: one, or a list of which any may."""
    if isinstance(node, ast.ListExpr):
        return types.typed(node, env, ListOf(ASSIGNEE))
    found = types.infer(node, env, ASSIGNEE)
    if isinstance(found.type, Secret):
        return types.public(found, node)
    return found if found.type == ListOf(ASSIGNEE) else types.coerce(found, ASSIGNEE, node)


_ONCE = {ast.With: "with", ast.Key: "key", ast.Assign: "assign", ast.Compensate: "compensate", ast.Sla: ""}


def check_clauses(
    module: ModuleInfo, clauses: tuple[ast.Clause, ...], report: Reporter, *, task: bool, call: bool
) -> None:
    """Each clause at most once, and `assign` only for tasks."""
    seen: dict[str, ast.Clause] = {}
    for clause in clauses:
        word = clause.word if isinstance(clause, ast.Flag) else _ONCE.get(type(clause), "")
        if not word:
            continue
        older = seen.setdefault(word, clause)
        if older is not clause:
            label = (Label(module.at(older), "the first one"),)
            why = "each clause stands at most once"
            report(problems.MisplacedWord(at=module.at(clause), word=word, place="twice", why=why, labels=label))
        if word == "assign" and not task:
            place = "at a call that is no task" if call else "at an operation that is no task"
            why = "only a `task` is done by a person"
            report(problems.MisplacedWord(at=module.at(clause), word=word, place=place, why=why))
