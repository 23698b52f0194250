"""Types of the language as types of TypeScript, and which names a file imports."""

from wfc.backends.typescript.names import Names
from wfc.flow.personal import Personal
from wfc.ir.machine import EnumDef, Machine
from wfc.ir.types import (
    NEVER,
    SETTLED,
    Basic,
    Errors,
    Fields,
    ListOf,
    MapOf,
    Money,
    Named,
    OperationType,
    Optional,
    Secret,
    Type,
    TypeVar,
)

_BASIC = {
    "Text": "string",
    "Int": "number",
    "Bool": "boolean",
    "Duration": "number",
    "Instant": "number",
    "Date": "string",
    "Queue": "string",
    "Never": "never",
    "Unknown": "unknown",
}


class Uses:
    """What a file takes from others: names of the runtime, the types and the descriptors, as values or as types."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, bool]] = {"runtime": {}, "types": {}, "handlers": {}}

    def value(self, source: str, name: str) -> str:
        """A name used as a value."""
        self.found[source][name] = True
        return name

    def type(self, source: str, name: str) -> str:
        """A name used as a type."""
        self.found[source].setdefault(name, False)
        return name


class Program:
    """A machine with its names and its definitions by name."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.names = Names(machine)
        self.records = {record.name: record for record in machine.records}
        self.enums = {enum.name: enum for enum in machine.enums}
        self.errors = {error.name: error for error in machine.errors}
        self.events = {event.name: event for event in machine.events}
        self.operations = {operation.name: operation for operation in machine.operations}
        self.services = {service.name: service for service in machine.services}
        self.policies = {policy.name: policy for policy in machine.policies}
        self.workflows = {workflow.name: workflow for workflow in machine.workflows}
        self.personal = Personal(machine)

    def is_plain(self, enum: str) -> bool:
        """Whether the cases of an enum are texts: none has a field."""
        found = self.enums.get(enum)
        return found is not None and plain(found)


def plain(enum: EnumDef) -> bool:
    """Whether no case of an enum has a field."""
    return not any(case.fields for case in enum.cases)


class Types:
    """Writes types, and notes what they need."""

    def __init__(self, program: Program, uses: Uses) -> None:
        self.program = program
        self.uses = uses

    def show(self, kind: Type) -> str:
        """The text of a type."""
        match kind:
            case Basic("Decimal"):
                return self.uses.type("runtime", "Decimal")
            case Basic("Error"):
                return self.uses.type("runtime", "AnyError")
            case Basic("Assignee"):
                return self.uses.type("runtime", "Assignee")
            case Basic(name):
                return _BASIC[name]
            case Money(currency):
                return f'{self.uses.type("runtime", "Money")}<"{currency}">'
            case ListOf(item):
                return f"readonly {self._item(item)}[]"
            case MapOf(item):
                return f"{self.uses.type('runtime', 'Dictionary')}<{self.show(item)}>"
            case Optional(inner):
                return "undefined" if inner == NEVER else f"{self.show(inner)} | undefined"
            case Secret(inner):
                return f"{self.uses.type('runtime', 'Secret')}<{self.show(inner)}>"
            case Named():
                return self._named(kind)
            case Errors(names):
                return self._errors(names)
            case Fields(fields):
                return "{ " + "; ".join(self.field(name, each) for name, each in fields) + " }"
            case TypeVar(name):
                return name
            case OperationType():
                return "never"

    def _item(self, item: Type) -> str:
        shown = self.show(item)
        return f"({shown})" if isinstance(item, Optional | Errors | ListOf) else shown

    def field(self, name: str, kind: Type) -> str:
        """A field of a record; what may be missing may be left out."""
        return f"readonly {name}{'?' if isinstance(kind, Optional) else ''}: {self.show(kind)}"

    def _named(self, kind: Named) -> str:
        args = f"<{', '.join(self.show(arg) for arg in kind.args)}>" if kind.args else ""
        if kind.name == SETTLED:
            return self.uses.type("runtime", "Settled") + args
        names = self.program.names
        own = names.faults[kind.name] if kind.kind == "event" else names.types[kind.name]
        return self.uses.type("types", own) + args

    def _errors(self, names: tuple[str, ...]) -> str:
        """A union of errors; those of the runtime stand together."""
        own = [self.error(name) for name in names if name in self.program.errors]
        system = [f'"{name}"' for name in names if name not in self.program.errors]
        if system:
            own.append(f"{self.uses.type('runtime', 'SystemError')}<{' | '.join(system)}>")
        return " | ".join(own)

    def error(self, name: str) -> str:
        """The type of one error."""
        if name not in self.program.errors:
            return self._errors((name,))
        return self.uses.type("types", self.program.names.faults[name])

    def promise(self, kind: Type | None) -> str:
        """What a region or call gives, later."""
        return f"Promise<{self.show(kind) if kind is not None else 'void'}>"
