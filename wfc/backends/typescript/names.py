"""Names of the emitted code: what is taken gets a trailing `_`, the same way each time."""

from collections.abc import Iterable

from wfc.ir.expressions import Fn, walk
from wfc.ir.machine import Machine, Region, Workflow
from wfc.ir.walk import region_steps, regions, regions_of, workflow_expressions
from wfc.text.names import camel, pascal

FLOW_VALUES = frozenset(
    """Decimal fail parse val on caught after at alsoOn alsoAfter alsoAt every ignore sla joinAll joinFirst
    joinSettled joinSome go done undoBy undoWith detached""".split()
)
RUNTIME_TYPES = frozenset(
    """ActivityContext AnyError Assignee Call Dictionary EventSpec Frame Money Parse Policy Resource Secret Settled
    SystemError Undo Workflow""".split()
)
_OWN = frozenset(
    """wf node left exit lap stored it given heard reply input policies events workflows definitions addresses
    metrics secrets context Node
    nodes""".split()
)
_WORDS = frozenset(
    """arguments async await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null package private
    protected public require return static super switch this throw true try typeof undefined var void while with
    yield""".split()
)
_TYPE_WORDS = frozenset(
    """any asserts bigint boolean infer intrinsic is keyof never number object readonly string symbol unique unknown
    undefined""".split()
)
_GLOBALS = frozenset(
    """AbortSignal Array ArrayBuffer Atomics Awaited BigInt Boolean Buffer Capitalize Console ConstructorParameters
    Crypto DataView Date Error Event EventTarget Exclude Extract Function Generator Infinity InstanceType Intl Iterator
    JSON Lowercase Map Math NaN NonNullable Number Object Omit OmitThisParameter Parameters Partial Pick Promise
    PromiseLike PropertyKey Proxy Readonly ReadonlyArray ReadonlyMap ReadonlySet Record Reflect RegExp Required Request
    Response ReturnType Set String Symbol ThisType URL Uncapitalize Uppercase WeakMap WeakRef WeakSet console exports
    fetch isNaN parseFloat parseInt process setTimeout""".split()
)
TAKEN = FLOW_VALUES | RUNTIME_TYPES | _OWN | _WORDS | _GLOBALS


class Names:
    """The names of one machine's files: definitions first, then what is local to workflows and functions."""

    def __init__(self, machine: Machine) -> None:
        self._taken = set(TAKEN)
        self.types: dict[str, str] = {}
        self.faults: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.parsers: dict[str, str] = {}
        self._local: dict[str, str] = {}
        self._define(machine)
        for name in sorted(_locals(machine)):
            self._local[name] = self.fresh(name)

    def _define(self, machine: Machine) -> None:
        types = [*(each.name for each in machine.records), *(each.name for each in machine.enums)]
        self.types.update((name, self._type(name)) for name in types)
        faults = [*(each.name for each in machine.errors), *(each.name for each in machine.events)]
        self.faults.update((name, self._type(name)) for name in faults)
        values = [*(each.name for each in machine.constants), *(each.name for each in machine.functions)]
        values += [*(each.name for each in machine.services), *(each.name for each in machine.resources)]
        self.values.update((name, self.fresh(name)) for name in values)
        self.activities = self.fresh(f"{pascal(machine.workflow.name)}Activities")
        self.inputs = {w.name: self.fresh(f"{pascal(w.name)}Input") for w in machine.workflows}
        self.workflows = {w.name: self.fresh(w.name) for w in machine.workflows}
        self.functions = {w.name: self.fresh(camel(w.name)) for w in machine.workflows}
        for shown in (*self.types.values(), *self.faults.values(), *self.inputs.values()):
            self.parsers[shown] = self.fresh(f"parse{shown}")

    def _type(self, wanted: str) -> str:
        return self.fresh(f"{wanted}_" if wanted in _TYPE_WORDS else wanted)

    def fresh(self, wanted: str) -> str:
        """A name that nothing else has."""
        found = wanted
        while found in self._taken:
            found += "_"
        self._taken.add(found)
        return found

    def local(self, name: str) -> str:
        """The name of a variable, parameter or what a step binds."""
        return self._local.get(name, name)


def _locals(machine: Machine) -> set[str]:
    found: set[str] = set()
    for workflow in machine.workflows:
        found.update(_of_workflow(workflow))
    for function in machine.functions:
        found.update(name for name, _ in function.params)
        found.update(*(_lambdas((function.body,))))
    for operation in machine.operations:
        found.update(param.name for param in operation.params)
    for resource in machine.resources:
        found.update(param.name for param in resource.params)
    for constant in machine.constants:
        found.update(*_lambdas((constant.value,)))
    return found


def _lambdas(expressions: Iterable[object]) -> list[set[str]]:
    return [
        {part.param for part in walk(expr) if isinstance(part, Fn)}  # type: ignore[arg-type]  # given expressions
        for expr in expressions
    ]


def _of_workflow(workflow: Workflow) -> set[str]:
    found = {param.name for param in workflow.params}
    for region in _all_regions(workflow.region):
        found.update(name for name, _ in region.names)
        found.update(variable.name for variable in region.variables)
    for step in region_steps(workflow.region):
        for attribute in ("bind", "item", "index", "name"):
            name = getattr(step, attribute, None)
            if isinstance(name, str):
                found.add(name)
        for inside in (*getattr(step, "guards", ()), *getattr(step, "arms", ())):
            if inside.bind is not None:
                found.add(inside.bind)
    found.update(*_lambdas(workflow_expressions(workflow)))
    return found


def _all_regions(region: Region) -> list[Region]:
    """A region and those inside, undo blocks included."""
    found = list(regions(region))
    found += [inner for step in region_steps(region) for below in regions_of(step) for inner in regions(below)]
    return found
