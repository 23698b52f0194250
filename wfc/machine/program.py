"""A machine made ready to run: code, frames, definitions and the border of its values."""

from functools import cached_property
from typing import Any

from wfc.ir.boundary import Boundary
from wfc.ir.essence import essence, fingerprint
from wfc.ir.evaluate import Evaluator, NotConstant
from wfc.ir.expressions import Expr
from wfc.ir.machine import EventDef, Machine, OperationDef, PolicyDef, ResourceDef, Undo, Workflow
from wfc.ir.undos import stored_names
from wfc.ir.walk import heard
from wfc.machine.code import Instruction, Spec, UndoCode
from wfc.machine.compile import Writer

SYSTEM = frozenset({"Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning"})
CANCELLED = "OperatorCancel"
FUEL = 1_000_000  # steps of one turn; a program that needs more goes round without waiting


class Program:
    """A machine with its code. Made once, used for every turn of every instance; it never changes.

    `unsaid`: how effects that say nothing about their undo are undone; by nothing, if it is not given. `fuel`: steps
    that one turn may take. `host_times_attempts`: the host ends an attempt whose time is over, and answers `Timeout`
    for it; one that sends attempts through a queue knows when they begin. It also takes a while to say whether a lock
    is free.
    """

    def __init__(
        self, machine: Machine, unsaid: Undo | None = None, fuel: int = FUEL, *, host_times_attempts: bool = False
    ) -> None:
        self.machine = machine
        self.fuel = fuel
        self.host_times_attempts = host_times_attempts
        self.boundary = Boundary(machine)
        self.workflows: dict[str, Workflow] = {workflow.name: workflow for workflow in machine.workflows}
        self.events: dict[str, EventDef] = {event.name: event for event in machine.events}
        self.operations: dict[str, OperationDef] = {operation.name: operation for operation in machine.operations}
        self.resources: dict[str, ResourceDef] = {resource.name: resource for resource in machine.resources}
        self.errors = {error.name: error for error in machine.errors}
        functions = {function.name: function for function in machine.functions}

        def find(name: str) -> tuple[tuple[str, ...], Expr]:
            if name not in functions:
                raise NotConstant(name)
            return tuple(param for param, _ in functions[name].params), functions[name].body

        self.evaluator = Evaluator(find)
        self.constants: dict[str, Any] = {}
        values = Constants(self.constants)
        waiting = list(machine.constants)
        while waiting:  # in order of need: a constant may read others
            left = []
            for constant in waiting:
                try:
                    self.constants[constant.name] = self.evaluator.compile(constant.value)(values)
                except NotConstant:
                    left.append(constant)
            if len(left) == len(waiting):
                raise NotConstant(left[0].name)
            waiting = left
        writer = Writer(machine, self.evaluator, unsaid)
        self.begins = {workflow.name: writer.workflow(workflow) for workflow in machine.workflows}
        self.code: list[Instruction] = writer.code
        self.specs: list[Spec] = writer.specs
        self.labels = writer.labels
        self.origins = writer.origins  # the step that each instruction stands for
        self.undos = writer.undos
        self.entries = writer.entries  # of nodes, by workflow and path
        self.lists, self.forks, self.compensation = writer.lists, writer.forks, writer.compensation
        self.slots, self.besides = writer.slots, writer.besides
        self.compile = self.evaluator.compile
        self.personal = writer.personal
        self._reads: dict[str, tuple[tuple[str, str], ...]] = {}

    def reads(self, code: UndoCode) -> tuple[tuple[str, str], ...]:
        """The names that are stored for an undo when what it undoes completes: worked out when one first does."""
        found = self._reads.get(code.place)
        if found is None:
            found = self._reads[code.place] = stored_names(code.undo, code.bind, self._policies)
        return found

    @cached_property
    def _policies(self) -> dict[str, PolicyDef]:
        return {policy.name: policy for policy in self.machine.policies}

    @cached_property
    def places(self) -> dict[str, int]:
        """Places of the code by their label."""
        return {label: pc for pc, label in enumerate(self.labels)}

    @cached_property
    def spec_names(self) -> dict[str, Spec]:
        """Specs by their name."""
        return {spec.name: spec for spec in self.specs}

    @cached_property
    def digest(self) -> str:
        """What tells this machine from others: of all that it does, not of what is only told."""
        return fingerprint(essence(self.machine))

    @cached_property
    def heard(self) -> dict[str, frozenset[str]]:
        """The events each workflow has a guard or `ignore` for."""
        return {name: heard(workflow.region) for name, workflow in self.workflows.items()}


class Constants:
    """What expressions outside any instance may read."""

    def __init__(self, values: dict[str, Any], now: int | None = None) -> None:
        self.values = values
        self.now = now

    def read(self, kind: str, name: str) -> Any:  # noqa: ANN401 - values of the language
        """A constant or a queue."""
        if kind == "queue":
            return name
        if kind != "const" or name not in self.values:
            raise NotConstant(name)
        return self.values[name]
