"""Types of the language as types of Python, and what a module imports for them."""

from collections.abc import Iterator

from wfc.backends.python.layout import Either, Shown, Sub
from wfc.backends.python.names import FROM, Names
from wfc.ir.forms import BUILT_IN
from wfc.ir.machine import FieldDef, Machine, OperationDef
from wfc.ir.python_names import PythonNames
from wfc.ir.types import (
    ANY_ERROR,
    ASSIGNEE,
    NEVER,
    SETTLED,
    TEXT,
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
    mentions,
)
from wfc.text.value import Value, value

_BASIC = {
    "Text": "str",
    "Int": "int",
    "Decimal": "Decimal",
    "Bool": "bool",
    "Duration": "Duration",
    "Instant": "Instant",
    "Date": "Date",
    "Queue": "str",
    "Never": "Never",
    "Unknown": "object",
}
SYSTEM = frozenset(BUILT_IN) - {"OperatorCancel"}  # what the language calls `System`
DETAIL = FieldDef("detail", TEXT)  # of errors of the system


@value
class Form(Value):
    """What a dict with certain keys stands for: a record, an event, or a case, whose name is under `is`."""

    tags: tuple[str, ...]
    fields: tuple[FieldDef, ...]
    doc: str = ""
    name: str = ""  # of a case
    may_lack: bool = False  # an error of the system: its detail is there if there is one


class Program:
    """A machine, what of it activities see, and the names of that."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.called = PythonNames(machine)
        self.records = {each.name: each for each in machine.records}
        self.enums = {each.name: each for each in machine.enums}
        self.events = {each.name: each for each in machine.events}
        self.errors = {each.name: each for each in machine.errors}
        self.raised: dict[str, None] = {}  # errors that activities raise
        self.seen: dict[Type, None] = {}  # named types and errors, without their arguments
        for operation in self.operations():
            self._see_operation(operation)
        members = [*self.called.services.values(), *self.called.operations.values()]
        members += [field.name for kind in self.seen for form in self.forms(kind) for field in form.fields]
        self.names = Names(machine, self.called, members)
        self._held: dict[tuple[Named, Form], tuple[str, ...]] = {}
        self._find_held()

    def operations(self) -> Iterator[OperationDef]:
        """What activities answer for, service by service."""
        for found in self.called.called.values():
            yield from found

    # -- what is seen

    def _see_operation(self, operation: OperationDef) -> None:
        for param in operation.params:
            self._see(param.type)
        if operation.result is not None:
            self._see(operation.result)
        for name in operation.raises:
            if name in self.errors and name not in self.raised:
                self.raised[name] = None
                for each in self.errors[name].fields:
                    self._see(each.type)

    def _see(self, kind: Type) -> None:
        for part in mentions(kind):
            self._see(part)
        bare = self._bare(kind)
        if bare is None or bare in self.seen:
            return
        self.seen[bare] = None
        for form in self.forms(bare):
            for field in form.fields:
                self._see(field.type)
        if isinstance(kind, Errors) or kind == ANY_ERROR:
            for name in self.errors_of(kind):
                self._see(Errors((name,)))

    def _bare(self, kind: Type) -> Type | None:
        match kind:
            case Named(sort, name, _):
                return Named(sort, name)
            case Errors() | Basic("Assignee" | "Error"):
                return kind
            case _:
                return None

    def errors_of(self, kind: Type) -> tuple[str, ...]:
        """The errors that a type of errors stands for."""
        if isinstance(kind, Errors):
            return kind.names
        return (*BUILT_IN, *self.errors) if kind == ANY_ERROR else ()

    def forms(self, kind: Type) -> tuple[Form, ...]:
        """The dicts that a type without its arguments stands for."""
        match kind:
            case Named("record", name, _):
                return (Form((), self.records[name].fields),)
            case Named("event", name, _):
                return (Form((), self.events[name].fields),)
            case Named("enum", name, _):
                return self._cases(name)
            case Basic("Assignee"):
                return (Form(("role", "person"), (FieldDef("name", TEXT),)),)
            case Errors((name,)):
                found = self.errors.get(name)
                return (Form((name,), found.fields) if found is not None else Form((name,), (DETAIL,), may_lack=True),)
            case _:
                return ()

    def _cases(self, name: str) -> tuple[Form, ...]:
        if name == SETTLED:
            ok = Form(("Ok",), (FieldDef("value", TypeVar("T")),), "", "Ok")
            return ok, Form(("Failed",), (FieldDef("error", ANY_ERROR),), "", "Failed")
        enum = self.enums[name]
        if not any(case.fields for case in enum.cases):
            return (Form(tuple(case.name for case in enum.cases), ()),)
        return tuple(Form((case.name,), case.fields, case.doc, case.name) for case in enum.cases)

    def dicts(self) -> Iterator[tuple[Named, Form]]:
        """The dicts of records, events and enums."""
        for kind in self.seen:
            if isinstance(kind, Named):
                yield from ((kind, form) for form in self.forms(kind))

    # -- type parameters: Python's are those that a dict really holds

    def _find_held(self) -> None:
        forms = list(self.dicts())
        self._held = dict.fromkeys(forms, ())
        changed = True
        while changed:
            changed = False
            for kind, form in forms:
                found = {name for field in form.fields for name in self.variables(field.type)}
                held = tuple(name for name in self._params(kind) if name in found)
                changed = changed or held != self._held[kind, form]
                self._held[kind, form] = held

    def held(self, kind: Named, form: Form) -> tuple[str, ...]:
        """The type parameters of a dict, in the order of the declaration."""
        return self._held[kind, form]

    def variables(self, kind: Type) -> Iterator[str]:
        """The type parameters that a type names."""
        match kind:
            case TypeVar(name):
                yield name
            case Named():
                for arg in self.args(kind):
                    yield from self.variables(arg)
            case _:
                for part in mentions(kind):
                    yield from self.variables(part)

    def args(self, kind: Named) -> tuple[Type, ...]:
        """The arguments that count, in the order in which Python meets the parameters."""
        bare = Named(kind.kind, kind.name)
        given = dict(zip(self._params(kind), kind.args, strict=True))
        met = [name for form in self.forms(bare) for name in self._held[bare, form]]
        return tuple(given[name] for name in dict.fromkeys(met))

    def _params(self, kind: Named) -> tuple[str, ...]:
        if kind.kind == "event":
            return ()
        if kind.name == SETTLED:
            return ("T",)
        return self.records[kind.name].params if kind.kind == "record" else self.enums[kind.name].params


class Types:
    """Writes types, and notes what they need."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.imported: dict[str, dict[str, str]] = {}  # module, name there, name here
        self.named: dict[str, None] = {}  # definitions of the module that types name

    def use(self, name: str) -> str:
        """A name from elsewhere."""
        here = self.program.names.elsewhere(name)
        if name in FROM or here != name:
            self.imported.setdefault(FROM.get(name, "builtins"), {})[name] = here
        return here

    def variable(self, name: str) -> str:
        """A type parameter of the module."""
        return self.program.names.of("variable", name)

    def show(self, kind: Type) -> Shown:
        """A type."""
        match kind:
            case Basic("Error" | "Assignee") | Errors():
                return Sub(self._own(kind))
            case Basic(name):
                return Sub(self.use(_BASIC[name]))
            case Money():
                return Sub(self.use("Decimal"))
            case ListOf(item):
                return Sub(self.use("list"), (self.show(item),))
            case MapOf(item):
                return Sub(self.use("dict"), (Sub(self.use("str")), self.show(item)))
            case Optional(inner):
                return Sub("None") if inner == NEVER else self._or_none(self.show(inner))
            case Secret(inner):
                return self.show(inner)
            case Named():
                return Sub(self._own(kind), tuple(self.show(arg) for arg in self.program.args(kind)))
            case TypeVar(name):
                return Sub(self.variable(name))
            case Fields() | OperationType():
                raise AssertionError(kind)

    def _or_none(self, shown: Shown) -> Shown:
        parts = shown.parts if isinstance(shown, Either) else (shown,)
        return Either((*parts, Sub("None")))

    def _own(self, kind: Type) -> str:
        found = self.name(kind)
        self.named[found] = None
        return found

    def name(self, kind: Type) -> str:
        """The name of a definition of the module."""
        names = self.program.names
        match kind:
            case Named("event", name, _):
                return names.of("event", name)
            case Named(_, name, _):
                return names.of("type", name)
            case Errors((name,)):
                return names.of("data", name, lambda each: f"{each}Data")
            case Errors(several):
                wanted = "System" if set(several) == SYSTEM else "".join(several)
                return names.of("data", "|".join(several), lambda _: f"{wanted}Data")
            case Basic("Error"):
                return names.of("type", "Error", lambda _: "AnyError")
            case Basic(name):
                return names.of("type", name)
            case _:
                raise AssertionError(kind)

    def is_own(self, kind: Type) -> bool:
        """Whether a type names something that this module defines."""
        if isinstance(kind, Named | Errors | TypeVar) or kind in (ANY_ERROR, ASSIGNEE):
            return True
        return any(self.is_own(part) for part in mentions(kind))

    def result(self, kind: Type | None) -> Shown:
        """What a method gives that may be `async` or not."""
        return Sub(self.use("Answer"), (self.show(kind) if kind is not None else Sub("None"),))

    def context(self) -> Shown:
        """What a method is handed behind its values."""
        return Sub(self.use("Context"))
