"""What holds for every machine. A breach is a mistake of the compiler, never of its user."""

from collections.abc import Iterable

from wfc.ir.expressions import Apply, Expr, New, Ref, walk
from wfc.ir.machine import Do, Emit, Goto, Lock, Machine, Measure, Region, Scope, Start, Step, Workflow
from wfc.ir.types import UNKNOWN, Errors, Named, Type, mentions
from wfc.ir.walk import (
    own_steps,
    region_steps,
    regions,
    workflow_expressions,
)


class BrokenMachine(Exception):  # noqa: N818 - says what is broken
    """A machine that breaks its own rules."""


def verify(machine: Machine) -> None:
    """Raises BrokenMachine where names are not defined, arrows lead nowhere, types are unknown or names repeat."""
    _Verifier(machine).run()


class _Verifier:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.errors = {e.name for e in machine.errors}
        self.types = {"record": {r.name for r in machine.records}, "event": {e.name for e in machine.events}}
        self.types["enum"] = {*(e.name for e in machine.enums), "Settled"}
        self.operations = {o.name for o in machine.operations}
        self.policies = {p.name for p in machine.policies}
        self.workflows = {w.name for w in machine.workflows}
        self.values = {
            "const": {c.name for c in machine.constants},
            "secret": {name for name, _ in machine.secrets},
            "queue": set(machine.queues),
        }
        self.functions = {f.name for f in machine.functions}
        self.resources = {r.name for r in machine.resources}
        self.metrics = {m.name for m in machine.metrics}

    def run(self) -> None:
        """All rules."""
        machine = self.machine
        for group in (
            machine.workflows, machine.records, machine.enums, machine.errors, machine.events, machine.services,
            machine.operations, machine.policies, machine.resources, machine.metrics, machine.constants,
            machine.functions,
        ):  # fmt: skip
            _distinct(item.name for item in group)
        for workflow in machine.workflows:
            self._workflow(workflow)
        for constant in machine.constants:
            self._expression(constant.value)
        for function in machine.functions:
            self._expression(function.body)

    def _workflow(self, workflow: Workflow) -> None:
        for expr in workflow_expressions(workflow):
            self._expression(expr)
        for region in regions(workflow.region):
            self._region(region)
        for step in region_steps(workflow.region):
            self._step(step)

    def _region(self, region: Region) -> None:
        names = [node.name for node in region.nodes]
        _distinct(names)
        inside: set[str] = set(names)
        for node in region.nodes:
            if isinstance(node, Scope):
                _need(node.next is None or node.next in names, f"arrow of {node.path} to {node.next}")
        for block in self._blocks(region):
            for step in own_steps(block):
                if isinstance(step, Goto):
                    _need(step.target in inside or self._beyond(region, step.target), f"arrow to {step.target}")

    def _blocks(self, region: Region) -> Iterable[tuple[Step, ...]]:
        yield region.steps
        for node in region.nodes:
            if not isinstance(node, Scope):
                yield node.steps
                yield from (guard.steps for guard in node.guards)
            else:
                yield from (guard.steps for guard in node.region.guards)

    def _beyond(self, region: Region, target: str) -> bool:
        """Arrows of guards of an implicit scope lead to nodes beside it, inside ones included."""
        watched = [n.region for n in region.nodes if isinstance(n, Scope) and n.implicit]
        return any(node.name == target for inner in watched for node in inner.nodes)

    def _step(self, step: Step) -> None:
        match step:
            case Do(kind="workflow", target=target) | Start(target=target):
                _need(target in self.workflows, f"workflow {target}")
            case Do(target=target, policy=policy, raises=raises):
                _need(target in self.operations, f"operation {target}")
                _need(policy is None or policy in self.policies, f"policy {policy}")
                _need(all(error in self.errors for error in raises), f"errors of {target}")
            case Emit(event=event):
                _need(event in self.types["event"], f"event {event}")
            case Lock(resources=resources):
                _need(all(name in self.resources for name, _ in resources), "resource of a lock")
            case Measure(metric=metric):
                _need(metric in self.metrics, f"metric {metric}")
            case _:
                pass

    def _expression(self, expr: Expr) -> None:
        for part in walk(expr):
            self._type(part.type)
            match part:
                case Ref(_, "const" | "secret" | "queue" as kind, name):
                    _need(name in self.values[kind], f"{kind} {name}")
                case Apply(_, name, _):
                    _need(name in self.functions, f"function {name}")
                case New(Errors(names), _, _):
                    _need(len(names) == 1, "one error is raised at a time")
                case _:
                    pass

    def _type(self, kind: Type) -> None:
        _need(kind != UNKNOWN, "a type that is not known")
        if isinstance(kind, Named):
            _need(kind.name in self.types[kind.kind], f"{kind.kind} {kind.name}")
        for inner in mentions(kind):
            self._type(inner)


def _need(holds: object, what: str) -> None:
    if not holds:
        raise BrokenMachine(what)


def _distinct(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        _need(name not in seen, f"{name} stands twice")
        seen.add(name)
