"""Types scenarios and migrations. They are executed elsewhere."""

from wfc import problems
from wfc.ir.types import BOOL, DURATION, UNKNOWN, Errors, OperationType, Type
from wfc.problems.problem import Reporter
from wfc.sema.calls import match_arguments
from wfc.sema.env import Binding, Env
from wfc.sema.expressions import Typer
from wfc.sema.lookup import a_type
from wfc.sema.model import Instance, Model, OperationInfo, WorkflowModel
from wfc.sema.regions import walk_steps
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo
from wfc.syntax import nodes as ast


def check_scenario(
    decl: ast.ScenarioDecl, module: ModuleInfo, model: Model, signatures: Signatures, report: Reporter
) -> None:
    """Resolves and types every item of a scenario."""
    _Scenario(decl, module, model, signatures, report).run()


class _Scenario:
    def __init__(
        self, decl: ast.ScenarioDecl, module: ModuleInfo, model: Model, signatures: Signatures, report: Reporter
    ) -> None:
        self.decl = decl
        self.module = module
        self.model = model
        self.signatures = signatures
        self.report = report
        self.types = Typer(module, signatures, report)
        self.types.clock = False
        self.workflow: WorkflowModel | None = None

    def run(self) -> None:
        """The workflow, then each item."""
        self.workflow = _find_workflow(self.decl.workflow, self.module, self.model, self.report)
        if self.workflow is None:
            return
        for item in self.decl.items:
            match item:
                case ast.Given():
                    self._given(item)
                case ast.Send(call=call):
                    self._send(call)
                case ast.Advance(amount=amount):
                    self._typed(amount, DURATION)
                case ast.OperatorAct():
                    self._operator(item)
                case ast.Expect():
                    self._expect(item)

    def _typed(self, node: ast.Expr, kind: Type, env: Env | None = None) -> None:
        self.model.exprs[node.id] = self.types.typed(node, env or Env(), kind)

    def _given(self, item: ast.Given) -> None:
        assert self.workflow is not None
        if item.value is not None:
            param = next((p for p in self.workflow.params if p.name == item.name.text), None)
            if param is None:
                known = tuple(p.name for p in self.workflow.params)
                kind = f"parameter of `{self.workflow.decl.name.text}`"
                self._unknown(item.name, kind, known)
                return
            self._typed(item.value, param.type)
            return
        found = self._callable(item.name)
        if found is None:
            return
        result = found.result
        for outcome in item.outcomes:
            self._outcome(outcome, result, item.name)

    def _outcome(self, outcome: ast.Outcome, result: Type | None, name: ast.QName) -> None:
        if outcome.delay is not None:
            self._typed(outcome.delay, DURATION)
        if outcome.kind == "returns" and outcome.value is not None:
            if result is not None:
                self._typed(outcome.value, result)
            elif not (isinstance(outcome.value, ast.Plain) and outcome.value.kind == "None"):
                text = f"`{name.text}` gives no value: write `returns none`"
                self.report(problems.MismatchedType(at=self.module.at(outcome.value), text=text))
        elif outcome.kind == "raises" and outcome.value is not None:
            self._error(outcome.value)

    def _error(self, node: ast.Expr) -> None:
        found = self.types.infer(node, Env())
        self.model.exprs[node.id] = found
        if not isinstance(found.type, Errors) and found.type != UNKNOWN:
            text = f"an error is raised, and this is {a_type(found.type)}"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text))

    def _callable(self, name: ast.QName) -> OperationInfo | WorkflowModel | None:
        """An operation or a workflow."""
        operation = self.signatures.operation(self.module, name)
        if operation is not None:
            return operation
        symbol = self.module.find("values", name)
        if symbol is not None and isinstance(symbol.decl, ast.WorkflowDecl):
            return self.model.workflows.get(Instance(symbol))
        self._unknown(name, "operation or workflow", _operation_names(self.module))
        return None

    def _unknown(self, name: ast.QName, kind: str, known: tuple[str, ...]) -> None:
        self.report(problems.UnknownName(at=self.module.at(name), kind=kind, name=name.text, known=known))

    def _send(self, call: ast.Call) -> None:
        symbol = self.module.find("faults", call.name)
        if symbol is None or not isinstance(symbol.decl, ast.EventDecl):
            known = tuple(n for n, s in self.module.faults.items() if isinstance(s.decl, ast.EventDecl))
            self._unknown(call.name, "event", known)
            return
        fields = self.signatures.fields(symbol.module, symbol.decl, symbol.decl.fields)
        values, _ = match_arguments(self.types, symbol.name, fields, call.args, Env(), call, frozenset(), {})
        self.model.refs[call.id] = (symbol, values)

    def _operator(self, item: ast.OperatorAct) -> None:
        found = self._callable(item.operation) if item.operation is not None else None
        if item.value is None:
            return
        if item.word == "raises":
            self._error(item.value)
        elif found is not None and found.result is not None:
            self._typed(item.value, found.result)

    def _expect(self, item: ast.Expect) -> None:
        assert self.workflow is not None
        names = tuple(name for group in item.groups for name in group)
        if item.kind in ("path", "at"):
            known = _node_paths(self.workflow.decl.region)
            for name in names:
                if name.text not in known:
                    self._unknown(name, f"node of `{self.workflow.decl.name.text}`", tuple(known))
        elif item.kind in ("undone", "dead letter", "parked", "called"):
            for name in names:
                self._undone(name)
            if item.queue is not None:
                symbol = self.module.find("values", item.queue)
                if symbol is None or not isinstance(symbol.decl, ast.QueueDecl):
                    self._unknown(item.queue, "queue", ())
        elif item.kind == "failed":
            for name in names:
                if name.text != "OperatorCancel":
                    self.signatures.errors(self.module, name)
        elif item.kind == "done" and item.value is not None:
            if self.workflow.result is not None:
                self._typed(item.value, self.workflow.result)
            else:
                text = f"`{self.workflow.decl.name.text}` gives no value"
                self.report(problems.MismatchedType(at=self.module.at(item.value), text=text))
        elif item.kind == "that" and item.value is not None:
            self._typed(item.value, BOOL, self._views())

    def _undone(self, name: ast.QName) -> None:
        """An operation, a workflow, or a scope whose own undo ran."""
        assert self.workflow is not None
        if name.text not in _node_paths(self.workflow.decl.region, scopes=True):
            self._callable(name)

    def _views(self) -> Env:
        """What a plain expectation reads: views and parameters."""
        assert self.workflow is not None
        names = {p.name: Binding("param", p.type) for p in self.workflow.params}
        for clause in self.workflow.decl.region.clauses:
            if isinstance(clause, ast.View):
                kind = self.signatures.type(self.workflow.module, clause.type)
                names[clause.name.text] = Binding("view", kind)
        return Env(names)


def check_migration(
    decl: ast.MigrationDecl, module: ModuleInfo, model: Model, signatures: Signatures, report: Reporter
) -> None:
    """Resolves the new side of a migration; the old side is the record of the old version."""
    workflow = _find_workflow(decl.workflow, module, model, report)
    if workflow is None:
        return
    current = int(workflow.decl.version.text) if workflow.decl.version else 1
    if int(decl.new.text) != current:
        text = f"`{workflow.decl.name.text}` is at version {current}: a migration leads there"
        report(problems.MismatchedType(at=module.at(decl.new), text=text))
    if int(decl.old.text) >= int(decl.new.text):
        report(problems.MismatchedType(at=module.at(decl.old), text="a migration leads from an older version"))
    paths = _node_paths(workflow.decl.region, scopes=True)
    types = Typer(module, signatures, report)
    for rule in decl.rules:
        if rule.target is not None and rule.target.text not in paths:
            kind = f"node of `{workflow.decl.name.text}`"
            known = tuple(paths)
            report(problems.UnknownName(at=module.at(rule.target), kind=kind, name=rule.target.text, known=known))
        for item in rule.sets:
            _migration_set(item, workflow, module, types, report)


def _migration_set(
    item: ast.SetStep, workflow: WorkflowModel, module: ModuleInfo, types: Typer, report: Reporter
) -> None:
    """A value for a name of the new version. The right side may read old names, which only the record knows."""
    kinds = {
        name: kind
        for region in workflow.regions.values()
        for name, kind in (*region.names.items(), *region.variables.items())
    }
    wanted = kinds.get(item.name.text)
    if wanted is None:
        kind = f"name of `{workflow.decl.name.text}`"
        report(problems.UnknownName(at=module.at(item.name), kind=kind, name=item.name.text, known=tuple(kinds)))
        return
    old = {name: Binding("local", kind) for name, kind in kinds.items()}
    old.update({p.name: Binding("param", p.type) for p in workflow.params if not isinstance(p.type, OperationType)})
    types.typed(item.value, Env(old), wanted)


def _find_workflow(name: ast.QName, module: ModuleInfo, model: Model, report: Reporter) -> WorkflowModel | None:
    symbol = module.find("values", name)
    if symbol is not None and isinstance(symbol.decl, ast.WorkflowDecl):
        return model.workflows.get(Instance(symbol))
    known = tuple(n for n, s in module.values.items() if isinstance(s.decl, ast.WorkflowDecl))
    report(problems.UnknownName(at=module.at(name), kind="workflow", name=name.text, known=known))
    return None


def _operation_names(module: ModuleInfo) -> tuple[str, ...]:
    return tuple(
        f"{name}.{op.name.text}"
        for name, symbol in module.values.items()
        if isinstance(symbol.decl, ast.ServiceDecl)
        for op in symbol.decl.operations
    )


def _node_paths(region: ast.Region, prefix: str = "", *, scopes: bool = True) -> dict[str, None]:
    """The paths of all nodes of a workflow, as scenarios and migrations write them."""
    found: dict[str, None] = {}
    for node in region.nodes:
        path = f"{prefix}{node.name.text}"
        found[path] = None
        match node:
            case ast.Scope(region=inner):
                found.update(_node_paths(inner, f"{path}.", scopes=scopes))
            case ast.State(steps=steps):
                found.update(_step_paths(steps, path))
            case ast.Gateway(step=step):
                found.update(_step_paths((step,), path))
    found.update(_step_paths(region.steps, prefix.rstrip(".")))
    return found


def _step_paths(steps: tuple[ast.Step, ...], path: str) -> dict[str, None]:
    """Paths of nodes in branches and iterations: `State.Branch.Node`, `State.each1.Node`."""
    found: dict[str, None] = {}
    start = f"{path}." if path else ""
    each = 0
    for step in walk_steps(steps):
        if isinstance(step, ast.Parallel):
            for branch in step.branches:
                found[f"{start}{branch.name.text}"] = None
                found.update(_node_paths(branch.region, f"{start}{branch.name.text}."))
        elif isinstance(step, ast.ForEach):
            each += 1
            found.update(_node_paths(step.region, f"{start}each{each}."))
    return found
