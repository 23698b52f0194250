"""From the checker's model to machines: one workflow with everything it calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from wfc.ir import machine as m
from wfc.ir.scenario import Migration, Scenario
from wfc.ir.types import OperationType, Type
from wfc.lower.definitions import Definitions
from wfc.lower.names import Namer
from wfc.lower.policies import Policies, Source
from wfc.lower.scenarios import ScenarioLowering
from wfc.lower.steps import StepLowering
from wfc.project.settings import Settings
from wfc.sema.model import FieldInfo, Instance, Model, WorkflowModel
from wfc.sema.regions import guards_of, node_steps
from wfc.syntax import nodes as ast

WithScenarios = tuple[m.Machine, tuple[Scenario, ...], tuple[Migration, ...]]


def lower(root: WorkflowModel, model: Model, settings: Settings, *, audit: bool = True) -> m.Machine:
    """The machine of a workflow. The model has no errors in what the workflow uses."""
    return _Lowering(model, settings).machine(root, audit=audit)


def lower_scenarios(root: WorkflowModel, model: Model, settings: Settings, *, audit: bool = True) -> WithScenarios:
    """The machine of a workflow with the scenarios and migrations for it, which mention its names.

    It is the machine that `lower` makes, followed by what only the scenarios mention. What has problems is left out,
    and so are scenarios that mention a workflow which cannot be lowered.
    """
    return _Lowering(model, settings).with_scenarios(root, audit=audit)


def lower_migrations(
    root: WorkflowModel, model: Model, settings: Settings, *, audit: bool = True
) -> tuple[m.Machine, tuple[Migration, ...]]:
    """The machine of a workflow, as `lower` makes it, and the migrations that lead to it."""
    return _Lowering(model, settings).with_migrations(root, audit=audit)


def lower_all(model: Model, settings: Settings) -> m.Machine:
    """One machine with every workflow of the project that could be typed, for the checks."""
    return _Lowering(model, settings).project()


class _Lowering:
    """Workflows and operations of one machine, found from the root on."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self.definitions = Definitions(model, model.signatures)
        self.policies = Policies(model, settings, self.definitions)
        self.names = Namer()
        self.numbers: dict[Instance, str] = {}
        self.waiting: list[Instance] = []
        self.workflows: list[m.Workflow] = []
        self.steps = StepLowering(self.definitions, self.policies, model, self.workflow_name)

    def workflow_name(self, instance: Instance) -> str:
        """The short name of a workflow's use; it is lowered in its turn."""
        found = self.numbers.get(instance)
        if found is None:
            base = instance.symbol.qualified
            found = self.names(base)
            number = 2
            while found in self.numbers.values():
                found = f"{self.names(base)}_{number}"
                number += 1
            self.numbers[instance] = found
            self.waiting.append(instance)
        return found

    def project(self) -> m.Machine:
        """Every workflow that is whole and calls only whole ones."""
        broken = broken_workflows(self.model)
        every = sorted(self.model.workflows.items(), key=lambda item: item[1].is_open)  # a use has the better name
        for instance, workflow in every:
            if workflow not in broken:
                self.workflow_name(instance)
        for operation in list(self.model.operations.values()):
            self.steps.operation(operation)
        for space, name in self.model.signatures.symbols:
            if space == "faults":
                self.definitions.declared_event(name)
        first = next(iter(self.model.workflows.values()), None)
        return self._machine(first, audit=True)

    def machine(self, root: WorkflowModel, *, audit: bool) -> m.Machine:
        """The root and everything it reaches."""
        self.workflow_name(root.instance)
        return self._machine(root, audit=audit)

    def with_scenarios(self, root: WorkflowModel, *, audit: bool) -> WithScenarios:
        """The root and everything it reaches; then what its scenarios mention besides."""
        self.workflow_name(root.instance)
        self._lower_waiting()
        broken = broken_workflows(self.model)
        wanted = [
            scenario
            for scenario in self.model.scenarios
            if scenario.workflow is root and not scenario.broken and broken.isdisjoint(scenario.mentioned)
        ]
        for scenario in wanted:
            for workflow in scenario.mentioned:
                if not workflow.is_open:
                    self.workflow_name(workflow.instance)
        self._lower_waiting()
        lowering = ScenarioLowering(self.model, self.definitions, self.steps.operation, self._uses)
        name = self.numbers[root.instance]
        scenarios = tuple(lowering.scenario(scenario, name) for scenario in wanted)
        migrations = self._migrations(root, lowering)
        return self._machine(root, audit=audit), scenarios, migrations

    def with_migrations(self, root: WorkflowModel, *, audit: bool) -> tuple[m.Machine, tuple[Migration, ...]]:
        """The root and everything it reaches; then its migrations, which may mention more."""
        machine = self.machine(root, audit=audit)
        lowering = ScenarioLowering(self.model, self.definitions, self.steps.operation, self._uses)
        return machine, self._migrations(root, lowering)

    def _migrations(self, root: WorkflowModel, lowering: ScenarioLowering) -> tuple[Migration, ...]:
        name = self.numbers[root.instance]
        own = (each for each in self.model.migrations if each.workflow is root and not each.broken)
        return tuple(lowering.migration(migration, name) for migration in own)

    def _uses(self, workflow: WorkflowModel) -> tuple[str, ...]:
        """The short names of a workflow: one, or of a generic one those of all its uses."""
        if not workflow.is_open:
            return (self.numbers[workflow.instance],)
        symbol = workflow.instance.symbol
        return tuple(name for instance, name in self.numbers.items() if instance.symbol is symbol)

    def _lower_waiting(self) -> None:
        while self.waiting:
            instance = self.waiting.pop(0)
            self.workflows.append(self._workflow(self.model.workflows[instance]))

    def _machine(self, root: WorkflowModel | None, *, audit: bool) -> m.Machine:
        self._lower_waiting()
        found = self.definitions
        source = root.module.source if root is not None else None
        return m.Machine(
            process=root.process if root is not None else "",
            module=root.module.name if root is not None else "",
            source=source.path.rpartition("/")[2] if source is not None else "",
            digest=sha256(source.text.encode()).hexdigest()[:16] if source is not None else "",
            audit=audit,
            workflows=tuple(self.workflows),
            records=tuple(found.records.values()),
            enums=tuple(found.enums.values()),
            errors=tuple(found.errors.values()),
            events=tuple(found.events.values()),
            services=self.steps.services(),
            operations=self.steps.operations(),
            policies=tuple(self.policies.found.values()),
            resources=tuple(found.resources.values()),
            queues=tuple(found.queues),
            metrics=tuple(found.metrics.values()),
            secrets=tuple(found.secrets.items()),
            constants=tuple(found.constants.values()),
            functions=tuple(found.functions.values()),
        )

    def _workflow(self, workflow: WorkflowModel) -> m.Workflow:
        decl = workflow.decl
        regions = _RegionLowering(workflow, self.definitions, self.steps)
        plain: tuple[FieldInfo, ...] = tuple(p for p in workflow.params if not isinstance(p.type, OperationType))
        expr = self.definitions.expr
        shown = [(c.name.text, workflow.exprs[c.value.id]) for c in decl.region.clauses if isinstance(c, ast.View)]
        views = tuple(m.View(name, self.definitions.type(found.type), expr(found)) for name, found in shown)
        return m.Workflow(
            name=self.numbers[workflow.instance],
            version=int(decl.version.text) if decl.version else 1,
            params=self.definitions.fields(plain),
            result=self.definitions.type(workflow.result) if workflow.result is not None else None,
            key=expr(workflow.exprs[decl.key.id]) if decl.key is not None else None,
            raises=tuple(sorted(self.definitions.error(name) for name in workflow.raises)),
            views=views,
            region=regions.region(decl.region, "workflow", ""),
            doc=decl.doc,
            at=workflow.module.at(decl.name),
        )


def broken_workflows(model: Model) -> set[WorkflowModel]:
    """Workflows with problems, and those that call one."""
    broken = {workflow for workflow in model.workflows.values() if workflow.broken}
    while True:
        more = {
            workflow
            for workflow in model.workflows.values()
            if workflow not in broken
            and any(
                isinstance(call.target, Instance) and model.workflows.get(call.target) in (None, *broken)
                for call in workflow.calls.values()
            )
        }
        if not more:
            return broken
        broken |= more


class _RegionLowering:
    """Regions and nodes of one workflow."""

    def __init__(self, workflow: WorkflowModel, definitions: Definitions, steps: StepLowering) -> None:
        self.workflow = workflow
        self.definitions = definitions
        self.steps = steps

    @contextmanager
    def _policy(self, clauses: tuple[ast.Clause, ...]) -> Iterator[None]:
        """The `with` of a region or state holds for the calls inside."""
        node = next((clause for clause in clauses if isinstance(clause, ast.With)), None)
        if node is not None:
            exprs = self.workflow.exprs
            self.steps.around.append(Source(node, self.workflow.module, exprs.__getitem__, self.workflow.refs))
        yield
        if node is not None:
            self.steps.around.pop()

    def region(self, node: ast.Region, kind: str, path: str) -> m.Region:
        """A region with its clauses, guards, steps and nodes."""
        info = self.workflow.regions[node.id]
        with self._policy(node.clauses), self.steps.inside(self.workflow, self.region, path):
            steps = self.steps.steps(node.steps)
            nodes = tuple(self.node(item, path) for item in node.nodes)
            guards = self.steps.guards(guards_of(node.clauses))
            undo = self._undo(node)
        variables = tuple(
            m.Variable(
                c.name.text,
                self.definitions.type(self.workflow.types[c.name.id]),
                self.definitions.expr(self.workflow.exprs[c.value.id]),
            )
            for c in node.clauses
            if isinstance(c, ast.Var)
        )
        lowered = m.Region(
            kind=kind,  # type: ignore[arg-type]  # the four kinds
            path=path,
            names=tuple((name, self.definitions.type(t)) for name, t in info.names.items()),
            variables=variables,
            guards=guards,
            ignore=self._ignored(node.clauses),
            slas=self._slas(node.clauses),
            undo=undo,
            steps=steps,
            nodes=nodes,
            at=self.workflow.module.at(node),
        )
        return lowered if info.inside is None else self._with_scope(lowered, info.inside, info.value)

    def _with_scope(self, region: m.Region, inside: tuple[str, ...], value: Type | None) -> m.Region:
        """The scope that guards with own targets form: its nodes inside, the interrupting guards on it."""
        held = tuple(guard for guard in region.guards if not guard.also)
        free = tuple(guard for guard in region.guards if guard.also)
        inner = m.Region(
            kind="scope",
            path=region.path,
            names=(),
            variables=(),
            guards=held,
            ignore=(),
            slas=(),
            undo=None,
            steps=region.steps,
            nodes=tuple(node for node in region.nodes if node.name in inside),
            at=region.at,
        )
        kind = self.workflow.result if region.kind == "workflow" else value
        scope = m.Scope(
            name="inside",
            path=region.path,
            doc="",
            bind=None,
            bind_type=self.definitions.type(kind) if kind is not None else None,
            next=None,
            implicit=True,
            region=inner,
            at=region.at,
        )
        return m.Region(
            kind=region.kind,
            path=region.path,
            names=region.names,
            variables=region.variables,
            guards=free,
            ignore=region.ignore,
            slas=region.slas,
            undo=region.undo,
            steps=(),
            nodes=(scope, *(node for node in region.nodes if node.name not in inside)),
            at=region.at,
        )

    def _undo(self, node: ast.Region) -> m.Undo | None:
        clause = next((c for c in node.clauses if isinstance(c, ast.Compensate)), None)
        return self.steps.undo(clause, "region", frozenset()) if clause is not None else None

    def _ignored(self, clauses: tuple[ast.Clause, ...]) -> tuple[str, ...]:
        return tuple(
            self.definitions.event(self.workflow.refs[name.id][0].qualified)
            for clause in clauses
            if isinstance(clause, ast.Ignore)
            for name in clause.events
        )

    def _slas(self, clauses: tuple[ast.Clause, ...]) -> tuple[m.Sla, ...]:
        exprs = self.workflow.exprs
        return tuple(
            m.Sla(
                c.name,
                self.definitions.expr(exprs[c.within.id]),
                self.definitions.expr(exprs[c.warn.id]) if c.warn is not None else None,
                self.workflow.module.at(c).first(len("sla")),
            )
            for c in clauses
            if isinstance(c, ast.Sla)
        )

    def node(self, node: ast.StateNode, around: str) -> m.Node:
        """A state, gateway or scope."""
        path = f"{around}.{node.name.text}" if around else node.name.text
        at = self.workflow.module.at(node.name)
        clauses: tuple[ast.Clause, ...] = ()
        match node:
            case ast.Scope():
                kind = self.workflow.types.get(node.bind.id) if node.bind is not None else None
                return m.Scope(
                    name=node.name.text,
                    path=path,
                    doc=node.doc,
                    bind=node.bind.text if node.bind is not None else None,
                    bind_type=self.definitions.type(kind) if kind is not None else None,
                    next=node.next.text if node.next is not None else None,
                    implicit=False,
                    region=self.region(node.region, "scope", path),
                    at=at,
                    extent=self.workflow.module.at(node),
                )
            case ast.State():
                clauses = node.clauses
            case ast.Gateway():
                pass
        with self._policy(clauses), self.steps.inside(self.workflow, self.region, path):
            guards = self.steps.guards(guards_of(clauses))
            steps = self.steps.steps(node_steps(node))
        return m.State(
            name=node.name.text,
            path=path,
            doc=node.doc,
            gateway=isinstance(node, ast.Gateway),
            guards=guards,
            ignore=self._ignored(clauses),
            slas=self._slas(clauses),
            steps=steps,
            at=at,
            extent=self.workflow.module.at(node),
        )
