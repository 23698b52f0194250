"""Types scenarios and migrations, and keeps what their names stand for. They are executed elsewhere."""

from wfc import problems
from wfc.ir.expressions import Expr
from wfc.ir.types import BOOL, DURATION, UNKNOWN, Errors, OperationType, Type
from wfc.problems.problem import Reporter
from wfc.sema.calls import match_arguments
from wfc.sema.declare import OPERATOR_CANCEL
from wfc.sema.env import Binding, Env
from wfc.sema.expressions import Typer
from wfc.sema.lookup import a_type
from wfc.sema.model import Instance, MigrationModel, Model, OperationInfo, ScenarioModel, WorkflowModel
from wfc.sema.regions import walk_steps
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo
from wfc.syntax import nodes as ast


def check_scenario(
    decl: ast.ScenarioDecl, module: ModuleInfo, model: Model, signatures: Signatures, report: Reporter
) -> ScenarioModel | None:
    """Resolves and types every item of a scenario; nothing where there is no such workflow."""
    workflow = _find_workflow(decl.workflow, module, model, report)
    if workflow is None:
        return None
    scenario = ScenarioModel(decl, module, workflow)
    _Scenario(scenario, model, signatures, report).run()
    return scenario


class _Scenario:
    def __init__(self, scenario: ScenarioModel, model: Model, signatures: Signatures, report: Reporter) -> None:
        self.scenario = scenario
        self.workflow = scenario.workflow
        self.module = scenario.module
        self.model = model
        self.signatures = signatures
        self.report = report
        self.types = Typer(self.module, signatures, report)
        self.types.clock = False

    def run(self) -> None:
        """Each item."""
        for item in self.scenario.decl.items:
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
        for outcome in item.outcomes:
            self._outcome(outcome, found.result, item.name)

    def _outcome(self, outcome: ast.Outcome, result: Type | None, name: ast.QName) -> None:
        if outcome.delay is not None:
            self._typed(outcome.delay, DURATION)
        if outcome.kind == "returns" and outcome.value is not None:
            self._result(outcome.value, result, f"`{name.text}` gives no value: write `returns none`")
        elif outcome.kind == "raises" and outcome.value is not None:
            self._error(outcome.value)

    def _result(self, value: ast.Expr, result: Type | None, advice: str) -> None:
        """What a call answers with: a value of its type, or `none` where it has none."""
        if result is not None:
            self._typed(value, result)
        elif not (isinstance(value, ast.Plain) and value.kind == "None"):
            self.report(problems.MismatchedType(at=self.module.at(value), text=advice))

    def _error(self, node: ast.Expr) -> None:
        found = self.types.infer(node, Env())
        self.model.exprs[node.id] = found
        if not isinstance(found.type, Errors) and found.type != UNKNOWN:
            text = f"an error is raised, and this is {a_type(found.type)}"
            self.report(problems.MismatchedType(at=self.module.at(node), text=text))

    def _callable(self, name: ast.QName) -> OperationInfo | WorkflowModel | None:
        """An operation or a workflow."""
        found = self._find_callable(name)
        if found is None:
            self._unknown(name, "operation or workflow", _operation_names(self.module))
        return found

    def _find_callable(self, name: ast.QName) -> OperationInfo | WorkflowModel | None:
        found: OperationInfo | WorkflowModel | None = self.signatures.operation(self.module, name)
        if found is None:
            symbol = self.module.find("values", name)
            if symbol is not None and isinstance(symbol.decl, ast.WorkflowDecl):
                found = self.model.workflows.get(Instance(symbol))
        if found is not None:
            self.model.callables[name.id] = found
        if isinstance(found, WorkflowModel):
            self.scenario.mentioned.append(found)
        return found

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
        elif found is not None and item.operation is not None:
            self._result(item.value, found.result, f"`{item.operation.text}` gives no value: write `supplies none`")

    def _expect(self, item: ast.Expect) -> None:
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
                else:
                    self.model.refs[item.queue.id] = (symbol, ())
        elif item.kind == "failed":
            for name in names:
                cancel = name.text == OPERATOR_CANCEL
                self.model.errors[name.id] = (name.text,) if cancel else self.signatures.errors(self.module, name)
        elif item.kind == "done" and item.value is not None:
            if self.workflow.result is not None:
                self._typed(item.value, self.workflow.result)
            else:
                text = f"`{self.workflow.decl.name.text}` gives no value"
                self.report(problems.MismatchedType(at=self.module.at(item.value), text=text))
        elif item.kind == "that" and item.value is not None:
            self._typed(item.value, BOOL, self._views())

    def _undone(self, name: ast.QName) -> None:
        """A scope or branch whose own undo ran, else an operation or a workflow."""
        if name.text in _scope_paths(self.workflow.decl.region):
            return
        if self._find_callable(name) is None and name.text not in _node_paths(self.workflow.decl.region):
            self._unknown(name, "operation or workflow", _operation_names(self.module))

    def _views(self) -> Env:
        """What a plain expectation reads: views and parameters."""
        names = {p.name: Binding("param", p.type) for p in self.workflow.params}
        for clause in self.workflow.decl.region.clauses:
            if isinstance(clause, ast.View):
                kind = self.signatures.type(self.workflow.module, clause.type)
                names[clause.name.text] = Binding("view", kind)
        return Env(names)


def check_migration(
    decl: ast.MigrationDecl, module: ModuleInfo, model: Model, signatures: Signatures, report: Reporter
) -> MigrationModel | None:
    """Resolves the new side of a migration; the old side is the record of the old version."""
    workflow = _find_workflow(decl.workflow, module, model, report)
    if workflow is None:
        return None
    current = int(workflow.decl.version.text) if workflow.decl.version else 1
    if int(decl.new.text) != current:
        text = f"`{workflow.decl.name.text}` is at version {current}: a migration leads there"
        report(problems.MismatchedType(at=module.at(decl.new), text=text))
    if int(decl.old.text) >= int(decl.new.text):
        report(problems.MismatchedType(at=module.at(decl.old), text="a migration leads from an older version"))
    paths = _node_paths(workflow.decl.region)
    types = Typer(module, signatures, report)
    for rule in decl.rules:
        if rule.target is not None and rule.target.text not in paths:
            kind = f"node of `{workflow.decl.name.text}`"
            known = tuple(paths)
            report(problems.UnknownName(at=module.at(rule.target), kind=kind, name=rule.target.text, known=known))
        for item in rule.sets:
            found = _migration_set(item, workflow, types)
            if found is not None:
                model.exprs[item.value.id] = found
    return MigrationModel(decl, module, workflow)


def _migration_set(item: ast.SetStep, workflow: WorkflowModel, types: Typer) -> Expr | None:
    """A value for a name of the new version. The right side may read old names, which only the record knows."""
    kinds = {
        name: kind
        for region in workflow.regions.values()
        for name, kind in (*region.names.items(), *region.variables.items())
    }
    wanted = kinds.get(item.name.text)
    if wanted is None:
        kind = f"name of `{workflow.decl.name.text}`"
        at = types.module.at(item.name)
        types.report(problems.UnknownName(at=at, kind=kind, name=item.name.text, known=tuple(kinds)))
        return None
    old = {name: Binding("local", kind) for name, kind in kinds.items()}
    old.update({p.name: Binding("param", p.type) for p in workflow.params if not isinstance(p.type, OperationType)})
    return types.typed(item.value, Env(old), wanted)


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


def _scope_paths(region: ast.Region) -> tuple[str, ...]:
    """The paths of what can have an undo of its own."""
    return tuple(path for path, node in _node_paths(region).items() if isinstance(node, ast.Scope | ast.Branch))


def _node_paths(region: ast.Region, prefix: str = "") -> dict[str, ast.StateNode | ast.Branch]:
    """All nodes and branches of a workflow by their paths, as scenarios and migrations write them."""
    found: dict[str, ast.StateNode | ast.Branch] = {}
    for node in region.nodes:
        path = f"{prefix}{node.name.text}"
        found[path] = node
        match node:
            case ast.Scope(region=inner):
                found.update(_node_paths(inner, f"{path}."))
            case ast.State(steps=steps):
                found.update(_step_paths(steps, path))
            case ast.Gateway(step=step):
                found.update(_step_paths((step,), path))
    found.update(_step_paths(region.steps, prefix.rstrip(".")))
    return found


def _step_paths(steps: tuple[ast.Step, ...], path: str) -> dict[str, ast.StateNode | ast.Branch]:
    """Nodes in branches and iterations: `State.Branch.Node`, `State.each1.Node`."""
    found: dict[str, ast.StateNode | ast.Branch] = {}
    start = f"{path}." if path else ""
    each = 0
    for step in walk_steps(steps):
        if isinstance(step, ast.Parallel):
            for branch in step.branches:
                found[f"{start}{branch.name.text}"] = branch
                found.update(_node_paths(branch.region, f"{start}{branch.name.text}."))
        elif isinstance(step, ast.ForEach):
            each += 1
            found.update(_node_paths(step.region, f"{start}each{each}."))
    return found
