"""Steps, guards, calls and undos of the machine."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wfc.ir import expressions as ir
from wfc.ir import machine as m
from wfc.ir.types import BOOL, INT, Named
from wfc.ir.walk import expressions, own_steps
from wfc.lower.definitions import Definitions
from wfc.lower.names import Namer
from wfc.lower.policies import Policies, Source
from wfc.sema.model import CallInfo, Instance, Model, OperationInfo, ParamOperation, WorkflowModel
from wfc.sema.regions import guards_of
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast
from wfc.text.source import Span

RegionLowering = Callable[[ast.Region, str, str], m.Region]
_SPACE = re.compile(r"\s+")
_NOT_NAME = re.compile(r"[^A-Za-z0-9_]+")


class StepLowering:
    """Lowers steps at a place: the workflow, the path of the node, the policies around."""

    def __init__(
        self, definitions: Definitions, policies: Policies, model: Model, workflow_name: Callable[[Instance], str]
    ) -> None:
        self.definitions = definitions
        self.policies = policies
        self.model = model
        self.workflow_name = workflow_name
        self.around: list[Source] = []
        self._operations: dict[str, m.OperationDef] = {}
        self._services: dict[str, Symbol] = {}
        self._operation_names = Namer(2)
        self._service_names = Namer()
        self._place: tuple[WorkflowModel, RegionLowering, str] | None = None
        self._counter = 0
        self._each = 0
        self._undoing = False  # inside a `compensate` block

    @contextmanager
    def inside(self, workflow: WorkflowModel, region: RegionLowering, path: str) -> Iterator[None]:
        """A node or region: calls in it are numbered from 1."""
        before = (self._place, self._counter, self._each)
        self._place, self._counter, self._each = (workflow, region, path), 0, 0
        yield
        self._place, self._counter, self._each = before

    @property
    def workflow(self) -> WorkflowModel:
        assert self._place is not None
        return self._place[0]

    @property
    def module(self) -> ModuleInfo:
        return self.workflow.module

    def _at(self, node: ast.Node, word: int | None = None) -> Span:
        span = self.module.at(node)
        return span if word is None else span.first(word)

    def _id(self) -> str:
        self._counter += 1
        return str(self._counter)

    def _expr(self, node: ast.Expr) -> ir.Expr:
        return self.definitions.expr(self.workflow.exprs[node.id])

    def _maybe(self, node: ast.Expr | None) -> ir.Expr | None:
        return self._expr(node) if node is not None else None

    # -- steps

    def steps(self, steps: tuple[ast.Step, ...]) -> tuple[m.Step, ...]:
        """A block."""
        return tuple(self.step(step) for step in steps)

    def _tail(self, tail: ast.Goto | ast.Block) -> tuple[m.Step, ...]:
        return self.steps(tail.steps if isinstance(tail, ast.Block) else (tail,))

    def step(self, step: ast.Step) -> m.Step:
        """One step."""
        match step:
            case ast.Do():
                return self._do(step)
            case ast.Start():
                return self._start(step)
            case ast.Let(name=name, value=value):
                kind = self.definitions.type(self.workflow.types[name.id])
                return m.Let(name.text, kind, self._expr(value), self._at(name))
            case ast.SetStep(name=name, value=value):
                return m.SetVar(name.text, self._expr(value), self._at(name))
            case ast.Emit(call=call):
                symbol, values = self.workflow.refs[call.id]
                event = self.definitions.event(symbol.qualified)
                assert isinstance(symbol.decl, ast.EventDecl)
                names = tuple(field.name.text for field in symbol.decl.fields)
                fields = tuple(zip(names, (self.definitions.expr(v) for v in values), strict=True))
                return m.Emit(event, ir.New(Named("event", event), "", fields), self._at(call.name))
            case ast.Wait(amount=amount, until=until):
                return m.Wait(self._id(), self._expr(amount), until, self._at(step, len("wait")))
            case ast.Parallel():
                return self._parallel(step)
            case ast.ForEach():
                return self._for_each(step)
            case ast.Repeat(times=times, body=body, until=until_node):
                at = self._at(step, len("repeat"))
                return m.Repeat(self._maybe(times), self.steps(body.steps), self._expr(until_node), at)
            case ast.Lock():
                return self._lock(step)
            case ast.Choose():
                return self._choose(step)
            case ast.Await(guards=guards):
                return m.Await(self._id(), self.guards(guards), self._at(step, len("await")))
            case ast.UndoStep():
                return m.UndoRegion(self._id(), self._at(step))
            case ast.Settle():
                return m.Settle(self._at(step))
            case ast.AuditStep(text=text):
                return m.Audit(self._expr(text), self._at(step, len("audit")))
            case ast.Measure(metric=metric, value=measured):
                symbol, _ = self.workflow.refs[step.id]
                return m.Measure(self.definitions.metric(symbol), self._maybe(measured), self._at(metric))
            case ast.Goto(target=target):
                return m.Goto(target.text, self._at(target))
            case ast.Done(value=given):
                return m.Done(self._maybe(given), self._at(step, len("done")))
            case ast.Fail(error=error):
                names = tuple(sorted(self.definitions.error(name) for name in self.workflow.errors[step.id]))
                return m.Fail(self._expr(error), self._at(step, len("fail")), names)

    # -- calls

    def _do(self, step: ast.Do) -> m.Do:
        number = self._id()
        info = self.workflow.calls[step.call.id]
        flags = {clause.word for clause in step.clauses if isinstance(clause, ast.Flag)}
        kind, target = self._target(info)
        operation = info.target if isinstance(info.target, OperationInfo) else None
        undo_clause = self._clause(step.clauses, ast.Compensate)
        effect, undo = self._effect(step, info, undo_clause)
        key = self._clause(step.clauses, ast.Key)
        assign = self._clause(step.clauses, ast.Assign)
        return m.Do(
            id=number,
            kind=kind,  # type: ignore[arg-type]  # the four kinds
            target=target,
            args=tuple(self.definitions.expr(arg) for arg in info.args),
            bind=step.bind.text if step.bind is not None else None,
            result=self.definitions.type(info.result) if info.result is not None else None,
            policy=self._policy(step.clauses, info),
            key=self._expr(key.value) if isinstance(key, ast.Key) else None,
            assign=self._expr(assign.value) if isinstance(assign, ast.Assign) else None,
            pivot="pivot" in flags,
            optional="optional" in flags or (operation is not None and operation.optional),
            effect=effect,  # type: ignore[arg-type]  # the four words
            undo=undo,
            raises=tuple(sorted(self.definitions.error(name) for name in info.raises)),
            guards=self.guards(guards_of(step.clauses)),
            at=self._at(step.call.name),
            places=(("call", self._at(step.call)), *self._bound(step), *_places(step.clauses, self.module)),
        )

    def _bound(self, step: ast.Do) -> m.Places:
        return (("as", self._at(step.bind)),) if step.bind is not None else ()

    def _clause(self, clauses: tuple[ast.Clause, ...], kind: type) -> ast.Clause | None:
        return next((clause for clause in clauses if isinstance(clause, kind)), None)

    def _target(self, info: CallInfo) -> tuple[str, str]:
        match info.target:
            case OperationInfo() as operation:
                return operation.node.kind, self.operation(operation)
            case Instance() as instance:
                return "workflow", self.workflow_name(instance)
            case ParamOperation(name=name):
                return "activity", name

    def _effect(self, step: ast.Do, info: CallInfo, clause: ast.Clause | None) -> tuple[str, m.Undo | None]:
        """What this call does to the world, and how that is undone; undos themselves are not undone."""
        if self._undoing:
            return "none", None
        if isinstance(clause, ast.Compensate) and clause.kind != "irreversible":
            own = frozenset((step.bind.text,)) if step.bind is not None else frozenset[str]()
            return ("none" if clause.kind == "none" else "reversible"), self.undo(clause, "call", own)
        if isinstance(info.target, OperationInfo):
            definition = self._operations[self.operation(info.target)]
            undo = self._operation_undo(info.target) if definition.effect == "reversible" else None
            return definition.effect, undo
        if isinstance(info.target, Instance):
            return "reversible", None
        return "none", None

    def _operation_undo(self, operation: OperationInfo) -> m.Undo:
        """The `compensate` call of an operation, over its operands and its result."""
        clause = operation.clause(ast.Compensate)
        assert isinstance(clause, ast.Compensate)
        assert clause.call is not None
        found = self.model.calls[clause.call.id]
        kind, target = self._target(found)
        args = tuple(self.definitions.expr(arg) for arg in found.args)
        when = self.definitions.expr(self.model.exprs[clause.when.id]) if clause.when is not None else None
        blind = not any(isinstance(e, ir.Ref) and e.kind == "result" for arg in args for e in ir.walk(arg))
        call = self._undo_call(kind, target, args, found, None, operation.module.at(clause.call.name))
        return m.Undo("steps", "operation", (call,), when, "", blind, operation.module.at(clause))

    def _undo_call(
        self,
        kind: str,
        target: str,
        args: tuple[ir.Expr, ...],
        info: CallInfo,
        bind: str | None,
        at: Span,
    ) -> m.Do:
        return m.Do(
            id="undo",
            kind=kind,  # type: ignore[arg-type]  # the four kinds
            target=target,
            args=args,
            bind=bind,
            result=self.definitions.type(info.result) if info.result is not None else None,
            policy=self._undo_policy((), info),
            key=None,
            assign=None,
            pivot=False,
            optional=False,
            effect="none",
            undo=None,
            raises=tuple(sorted(self.definitions.error(name) for name in info.raises)),
            guards=(),
            at=at,
        )

    # -- policies

    def _source(self, node: ast.Clause | None, info: CallInfo | None) -> Source | None:
        """A `with` at a call or, with the call's operation, at that."""
        if isinstance(node, ast.With):
            return Source(node, self.module, self.workflow.exprs.__getitem__, self.workflow.refs)
        if info is not None and isinstance(info.target, OperationInfo):
            own = info.target.clause(ast.With)
            if isinstance(own, ast.With):
                return Source(own, info.target.module, self.model.exprs.__getitem__, self.model.refs)
        return None

    def _policy(self, clauses: tuple[ast.Clause, ...], info: CallInfo) -> str | None:
        """The policy of a call, by the precedence of the language."""
        if self._undoing:
            return self._undo_policy(clauses, info)
        source = self._source(self._clause(clauses, ast.With), info)
        if source is not None:
            return self.policies.resolve(source)
        if not isinstance(info.target, OperationInfo) or info.target.node.kind == "task":
            return None
        service = info.target.service.decl
        assert isinstance(service, ast.ServiceDecl)
        if service.policy is not None:
            module = info.target.module
            return self.policies.resolve(Source(service.policy, module, self.model.exprs.__getitem__, self.model.refs))
        return self.policies.resolve(self.around[-1] if self.around else None)

    def _undo_policy(self, clauses: tuple[ast.Clause, ...], info: CallInfo) -> str | None:
        source = self._source(self._clause(clauses, ast.With), info)
        if source is not None:
            return self.policies.resolve(source, undo=True)
        return self.policies.compensation if isinstance(info.target, OperationInfo) else None

    # -- undo

    def undo(self, clause: ast.Compensate, scope: str, own: frozenset[str]) -> m.Undo:
        """A `compensate` of a call, a `start` or a region; `own` are names bound by the call itself."""
        at = self._at(clause)
        if clause.kind == "none":
            return m.Undo("none", scope, (), None, clause.reason, True, at)  # type: ignore[arg-type]
        if clause.call is not None:
            info = self.workflow.calls[clause.call.id]
            kind, target = self._target(info)
            args = tuple(self.definitions.expr(arg) for arg in info.args)
            steps: tuple[m.Step, ...] = (self._undo_call(kind, target, args, info, None, self._at(clause.call.name)),)
        else:
            assert clause.block is not None
            before, self._undoing = self._undoing, True
            steps = self.steps(clause.block.steps)
            self._undoing = before
        when = self._maybe(clause.when)
        blind = not any(
            isinstance(part, ir.Ref) and part.kind == "local" and part.name in own
            for step in own_steps(steps)
            for expr in expressions(step)
            for part in ir.walk(expr)
        )
        return m.Undo("steps", scope, steps, when, "", blind, at)  # type: ignore[arg-type]  # one of three

    def _start(self, step: ast.Start) -> m.Start:
        number = self._id()
        info = self.workflow.calls[step.call.id]
        assert isinstance(info.target, Instance)
        args = tuple(self.definitions.expr(arg) for arg in info.args)
        key = self._maybe(step.key.value) if step.key is not None else None
        undo = self.undo(step.compensate, "call", frozenset()) if step.compensate is not None else None
        target = self.workflow_name(info.target)
        return m.Start(number, target, args, key, undo, self._at(step.call.name))

    # -- operations

    def operation(self, info: OperationInfo) -> str:
        """The short name of an operation; it is defined."""
        short = self._operation_names(info.qualified)
        if short not in self._operations:
            self._services.setdefault(self._service_names(info.service.qualified), info.service)
            self._operations[short] = self._definition(short, info)
        return short

    def _definition(self, short: str, info: OperationInfo) -> m.OperationDef:
        clause = info.clause(ast.Compensate)
        effect, reason = "none", ""
        if isinstance(clause, ast.Compensate):
            effect = {"none": "none", "irreversible": "irreversible"}.get(clause.kind, "reversible")
            reason = clause.reason
        elif info.node.kind == "activity":
            effect = "unsaid"
        key = info.clause(ast.Key)
        assign = info.clause(ast.Assign)
        expr = self.definitions.expr
        return m.OperationDef(
            name=short,
            service=self._service_names(info.service.qualified),
            kind=info.node.kind,  # type: ignore[arg-type]  # the three kinds
            params=self.definitions.fields(info.params),
            result=self.definitions.type(info.result) if info.result is not None else None,
            raises=tuple(sorted(self.definitions.error(name) for name in info.raises)),
            effect=effect,  # type: ignore[arg-type]  # the four words
            reason=reason,
            idempotent=info.idempotent,
            partial=tuple(self.definitions.error(name) for name in info.partial),
            key=expr(self.model.exprs[key.value.id]) if isinstance(key, ast.Key) else None,
            assign=expr(self.model.exprs[assign.value.id]) if isinstance(assign, ast.Assign) else None,
            doc=info.node.doc,
            where=self.definitions.all_of(self.model.results.get(info.node.id, ())),
            at=info.module.at(info.node.name),
            extent=info.module.at(info.node),
            places=_places(info.node.clauses, info.module),
        )

    def operations(self) -> tuple[m.OperationDef, ...]:
        """All operations met, undos of reversible ones included."""
        return tuple(self._operations.values())

    def services(self) -> tuple[m.ServiceDef, ...]:
        """The services of the operations met."""
        found: list[m.ServiceDef] = []
        members: dict[str, list[str]] = {}
        for name, operation in self._operations.items():
            members.setdefault(operation.service, []).append(name)
        for short, symbol in self._services.items():
            decl = symbol.decl
            assert isinstance(decl, ast.ServiceDecl)
            names = tuple(members.get(short, ()))
            address = decl.address.text[1:-1] if decl.address is not None else ""
            found.append(m.ServiceDef(short, address, names, decl.doc, symbol.at))
        return tuple(found)

    # -- blocks

    def _parallel(self, step: ast.Parallel) -> m.Parallel:
        number = self._id()
        assert self._place is not None
        workflow, lower_region, path = self._place
        branches: list[m.Branch] = []
        for branch in step.branches:
            inner = f"{path}.{branch.name.text}" if path else branch.name.text
            value = workflow.regions[branch.region.id].value
            region = lower_region(branch.region, "branch", inner)
            kind = self.definitions.type(value) if value is not None else None
            branches.append(m.Branch(branch.name.text, region, kind, self._at(branch.name)))
        bind = step.bind
        return m.Parallel(
            number,
            step.join.kind if step.join is not None else "all",
            self._maybe(step.join.count) if step.join is not None else None,
            bind.text if bind is not None else None,
            self.definitions.type(workflow.types[bind.id]) if bind is not None else None,
            self.guards(step.guards),
            tuple(branches),
            self._at(step, len("parallel")),
        )

    def _for_each(self, step: ast.ForEach) -> m.ForEach:
        number = self._id()
        assert self._place is not None
        workflow, lower_region, path = self._place
        self._each += 1
        inner = f"{path}.each{self._each}" if path else f"each{self._each}"
        value = workflow.regions[step.region.id].value
        bind = step.bind
        return m.ForEach(
            number,
            step.item.text,
            self.definitions.type(workflow.types[step.item.id]),
            step.index.text if step.index is not None else None,
            self._expr(step.items),
            step.concurrent,
            self._maybe(step.limit),
            step.join.kind if step.join is not None else "all",
            self._maybe(step.join.count) if step.join is not None else None,
            bind.text if bind is not None else None,
            self.definitions.type(workflow.types[bind.id]) if bind is not None else None,
            self.definitions.type(value) if value is not None else None,
            lower_region(step.region, "each", inner),
            self._at(step, len("for each")),
        )

    def _lock(self, step: ast.Lock) -> m.Lock:
        number = self._id()
        taken: list[tuple[int, str, tuple[ir.Expr, ...], Span]] = []
        for reference in step.resources:
            symbol, values = self.workflow.refs[reference.id]
            name = self.definitions.resource(symbol)
            rank = self.definitions.resources[name].rank
            taken.append((rank, name, tuple(self.definitions.expr(value) for value in values), self._at(reference)))
        taken.sort(key=lambda item: item[0])
        resources = tuple((name, values) for _, name, values, _ in taken)
        places = (*((name, at) for _, name, _, at in taken), ("step", self._at(step)), ("body", self._at(step.body)))
        steps = self.steps(step.body.steps)
        return m.Lock(number, resources, self._expr(step.wait), steps, self._at(step, len("lock")), places)

    def _choose(self, step: ast.Choose) -> m.Choose:
        arms = tuple(self._arm(arm) for arm in step.arms)
        otherwise = self._tail(step.otherwise.tail) if step.otherwise is not None else None
        bind = step.otherwise.bind if step.otherwise is not None else None
        value = self.workflow.subjects.get(step.otherwise.id) if step.otherwise is not None else None
        return m.Choose(
            self._maybe(step.subject),
            arms,
            otherwise,
            bind.text if bind is not None else None,
            self.definitions.expr(value) if bind is not None and value is not None else None,
            self._at(step, len("choose")),
        )

    def _arm(self, arm: ast.Arm) -> m.Arm:
        value = self.workflow.subjects.get(arm.id)
        label = "some" if arm.some else ", ".join(self._text(pattern) for pattern in arm.patterns)
        test = self.workflow.tests.get(arm.id, ir.Lit(BOOL, False))
        return m.Arm(
            label,
            self.definitions.expr(test),
            arm.bind.text if arm.bind is not None else None,
            self.definitions.expr(value) if arm.bind is not None and value is not None else None,
            self._tail(arm.tail),
            self._at(arm, len("when")),
        )

    def _text(self, node: ast.Node) -> str:
        """The source text of a node on one line."""
        return _SPACE.sub(" ", self.module.at(node).text)

    # -- guards

    def guards(self, guards: tuple[ast.Guard, ...]) -> tuple[m.Guard, ...]:
        """The guards of one thing, each with an id unique among them."""
        taken: set[str] = set()
        return tuple(self._guard(guard, taken) for guard in guards)

    def _guard(self, guard: ast.Guard, taken: set[str]) -> m.Guard:
        workflow = self.workflow
        names: tuple[str, ...] = ()
        if guard.kind == "on":
            names = (self.definitions.event(workflow.refs[guard.id][0].qualified),)
        elif guard.kind == "catch":
            names = tuple(sorted(self.definitions.error(name) for name in workflow.errors[guard.id]))
        subject = ", ".join(name.text for name in guard.names)
        if guard.kind == "catch" and not guard.names:
            subject = "any"
        if guard.amount is not None:
            subject = self._text(guard.amount)
        label = f"{guard.kind} {subject}"
        bind = guard.bind
        kind = workflow.types.get(bind.id) if bind is not None else None
        return m.Guard(
            id=_unique(_NOT_NAME.sub("_", f"{guard.kind} {subject}").strip("_"), taken),
            kind=guard.kind,
            names=names,
            any=guard.kind == "catch" and not guard.names,
            amount=self._maybe(guard.amount),
            bind=bind.text if bind is not None else None,
            bind_type=self.definitions.type(kind) if kind is not None else (INT if bind is not None else None),
            when=self._maybe(guard.when),
            keep=guard.keep,
            also=guard.also,
            steps=self._tail(guard.tail),
            label=label,
            at=self._at(guard, len(guard.kind)),
            condition=self._text(guard.when) if guard.when is not None else "",
            groups=self._groups(guard) if guard.kind == "catch" else (),
        )

    def _groups(self, guard: ast.Guard) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The names of a `catch` as written, each with the errors it stands for."""
        signatures = self.definitions.signatures
        return tuple(
            (name.text, tuple(self.definitions.error(e) for e in signatures.errors(self.module, name)))
            for name in guard.names
        )


def _places(clauses: tuple[ast.Clause, ...], module: ModuleInfo) -> m.Places:
    """Where the clauses of a call or an operation stand."""
    return tuple((_word(clause), module.at(clause)) for clause in clauses)


def _word(clause: ast.Clause) -> str:
    match clause:
        case ast.Flag(word=word):
            return word
        case ast.Guard(kind=kind):
            return kind
        case _:
            return type(clause).__name__.lower()


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with a number."""
    found = name
    number = 2
    while found in taken:
        found = f"{name}_{number}"
        number += 1
    taken.add(found)
    return found
