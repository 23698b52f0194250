"""Scenarios and migrations of one machine, in its names."""

import re
from collections.abc import Callable

from wfc.ir import expressions as ir
from wfc.ir import scenario as s
from wfc.ir.types import Named
from wfc.lower.definitions import Definitions
from wfc.sema.model import MigrationModel, Model, OperationInfo, ScenarioModel, WorkflowModel
from wfc.sema.symbols import ModuleInfo
from wfc.syntax import nodes as ast

_SPACE = re.compile(r"\s+")


class ScenarioLowering:
    """Lowers scenarios and migrations beside the machine of their workflow.

    `operation` gives the short name of an operation, `uses` those of a workflow: several, or none, if it is generic.
    """

    def __init__(
        self,
        model: Model,
        definitions: Definitions,
        operation: Callable[[OperationInfo], str],
        uses: Callable[[WorkflowModel], tuple[str, ...]],
    ) -> None:
        self.model = model
        self.definitions = definitions
        self.operation = operation
        self.uses = uses

    def _expr(self, node: ast.Expr) -> ir.Expr:
        return self.definitions.expr(self.model.exprs[node.id])

    def _maybe(self, node: ast.Expr | None) -> ir.Expr | None:
        """An expression that was typed; the `none` of a call without a result was not."""
        return self._expr(node) if node is not None and node.id in self.model.exprs else None

    # -- scenarios

    def scenario(self, scenario: ScenarioModel, workflow: str) -> s.Scenario:
        """A scenario of the workflow with a short name."""
        module = scenario.module
        items = tuple(done for item in scenario.decl.items for done in self._item(item, module))
        return s.Scenario(scenario.decl.title, workflow, items, module.at(scenario.decl))

    def _item(self, item: ast.ScenarioItem, module: ModuleInfo) -> tuple[s.Item, ...]:
        """An item; answers for a generic workflow hold for each of its uses."""
        at = module.at(item)
        match item:
            case ast.Given(name=name, value=value) if value is not None:
                return (s.GivenInput(name.text, self._expr(value), at),)
            case ast.Given(name=name, outcomes=outcomes):
                answers = tuple(self._answer(outcome) for outcome in outcomes)
                return tuple(s.GivenAnswers(target, answers, at) for target in self._targets(name))
            case ast.Send(call=call):
                return (self._send(call, module),)
            case ast.Advance(amount=amount):
                return (s.Advance(self._expr(amount), at),)
            case ast.OperatorAct(word=word, value=value, operation=operation):
                target = self._target(operation) if operation is not None else ""
                return (s.Operate(word, target, self._maybe(value), at),)
            case ast.Expect():
                return (self._expect(item, module),)

    def _answer(self, outcome: ast.Outcome) -> s.Answer:
        return s.Answer(outcome.kind, self._maybe(outcome.value), outcome.times, self._maybe(outcome.delay))

    def _send(self, call: ast.Call, module: ModuleInfo) -> s.Send:
        symbol, values = self.model.refs[call.id]
        assert isinstance(symbol.decl, ast.EventDecl)
        event = self.definitions.event(symbol.qualified)
        names = tuple(field.name.text for field in symbol.decl.fields)
        fields = tuple(zip(names, map(self.definitions.expr, values), strict=True))
        return s.Send(event, ir.New(Named("event", event), "", fields), module.at(call))

    def _expect(self, item: ast.Expect, module: ModuleInfo) -> s.Expect:
        groups = tuple(tuple(name for node in group for name in self._expected(item, node)) for group in item.groups)
        queue = self.model.refs[item.queue.id][0].qualified if item.queue is not None else None
        return s.Expect(
            kind=item.kind,  # type: ignore[arg-type]  # the grammar knows these kinds
            groups=groups,
            value=self._maybe(item.value),
            queue=self.definitions.queue(queue) if queue is not None else "",
            times=item.count if item.kind == "called" else None,
            text=_SPACE.sub(" ", module.at(item).text),
            at=module.at(item),
        )

    def _expected(self, item: ast.Expect, name: ast.QName) -> tuple[str, ...]:
        """What a name of an expectation stands for: a group of errors for several."""
        if item.kind == "failed":
            return tuple(self.definitions.error(error) for error in self.model.errors[name.id])
        return (self._target(name),)

    def _target(self, name: ast.QName) -> str:
        """One operation or workflow, else the path of a node; of the uses of a generic workflow the first."""
        return next(iter(self._targets(name)), name.text)

    def _targets(self, name: ast.QName) -> tuple[str, ...]:
        found = self.model.callables.get(name.id)
        match found:
            case OperationInfo():
                return (self.operation(found),)
            case WorkflowModel():
                return self.uses(found)
            case None:
                return (name.text,)

    # -- migrations

    def migration(self, migration: MigrationModel, workflow: str) -> s.Migration:
        """A migration of the workflow with a short name."""
        decl = migration.decl
        rules = tuple(self._rule(rule, migration.module) for rule in decl.rules)
        return s.Migration(workflow, int(decl.old.text), int(decl.new.text), rules, migration.module.at(decl))

    def _rule(self, rule: ast.MigrationRule, module: ModuleInfo) -> s.MigrationRule:
        return s.MigrationRule(
            source=rule.source.text if rule.source is not None else "",
            target=rule.target.text if rule.target is not None else "",
            kind=rule.word,  # type: ignore[arg-type]  # the grammar knows three
            sets=tuple((item.name.text, self._expr(item.value)) for item in rule.sets),
            at=module.at(rule),
        )
