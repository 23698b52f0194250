"""Parsers of what comes in from outside: answers of calls, events, inputs. Only those that something needs."""

from wfc.backends.typescript import layout
from wfc.backends.typescript.expressions import Expressions
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.types import Program, Types, Uses, plain
from wfc.ir.dump import condition
from wfc.ir.expressions import Expr
from wfc.ir.machine import EnumDef, FieldDef, OperationDef, RecordDef
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
    "Text": "text",
    "Int": "int",
    "Decimal": "decimal",
    "Bool": "bool",
    "Duration": "duration",
    "Instant": "instant",
    "Date": "date",
    "Queue": "text",
    "Assignee": "assignee",
    "Error": "anyError",
    "Never": "nothing",
    "Unknown": "anything",
}


class Parsers:
    """Writes parsers, and collects the definitions of those that others mention."""

    def __init__(self, program: Program, uses: Uses) -> None:
        self.program = program
        self.uses = uses
        self.types = Types(program, uses)
        self.found: dict[str, Code] = {}

    def _built_in(self, name: str) -> str:
        return f"{self.uses.value('runtime', 'parse')}.{name}"

    def show(self, kind: Type | None) -> str:
        """The parser of a type."""
        match kind:
            case None:
                return self._built_in("nothing")
            case Basic(name):
                return self._built_in(_BASIC[name])
            case Money():
                return self._built_in("decimal")
            case ListOf(item):
                return f"{self._built_in('list')}({self.show(item)})"
            case MapOf(item):
                return f"{self._built_in('dictionary')}({self.show(item)})"
            case Optional(inner):
                if inner == NEVER:
                    return self._built_in("nothing")
                return f"{self._built_in('optional')}({self.show(inner)})"
            case Secret(inner):
                return f"{self._built_in('secretOf')}<{self.types.show(inner)}>()"
            case Named():
                return self._named(kind)
            case Errors(names):
                return self._errors(names)
            case Fields(fields):
                inside = ", ".join(f"{name}: {self.show(each)}" for name, each in fields)
                return f"{self._built_in('record')}<{self.types.show(kind)}>(() => ({{ {inside} }}))"
            case TypeVar(name):
                return f"parse{name}"
            case OperationType():
                return self._built_in("anything")

    def _named(self, kind: Named) -> str:
        args = f"({', '.join(self.show(arg) for arg in kind.args)})" if kind.args else ""
        if kind.name == SETTLED:
            return self._built_in("settledOf") + args
        program = self.program
        if kind.kind == "event":
            return self.event(kind.name)
        shown = program.names.parsers[program.names.types[kind.name]]
        if shown not in self.found:
            self.found[shown] = []
            if kind.name in program.records:
                self.found[shown] = self._record(program.records[kind.name])
            else:
                self.found[shown] = self._enum(program.enums[kind.name])
        return shown + args

    def event(self, name: str) -> str:
        """The parser of an event's fields."""
        event = self.program.events[name]
        return self._fields_of(self.program.names.faults[name], event.fields)

    def input(self, name: str) -> str:
        """The parser of what a workflow starts with."""
        return self._fields_of(self.program.names.inputs[name], self.program.workflows[name].params)

    def _fields_of(self, shown: str, fields: tuple[FieldDef, ...]) -> str:
        parser = self.program.names.parsers[shown]
        if parser not in self.found:
            self.found[parser] = []
            self.found[parser] = self._simple(shown, fields)
        return parser

    def _simple(self, shown: str, fields: tuple[FieldDef, ...]) -> Code:
        kind = self.uses.type("types", shown)
        head = f"export const {self.program.names.parsers[shown]}: {self._parse()}<{kind}> ="
        return [f"{head} {self._built_in('record')}<{kind}>(() => ({{", *self._lines(fields), "}));"]

    def error(self, name: str) -> str:
        """The parser of an error."""
        if name not in self.program.errors:
            return self._built_in("anyError")
        shown = self.program.names.faults[name]
        parser = self.program.names.parsers[shown]
        if parser not in self.found:
            self.found[parser] = []
            kind = self.uses.type("types", shown)
            cases = [(name, self.program.errors[name].fields)]
            self.found[parser] = self._cases(f"{parser}: {self._parse()}<{kind}> =", "", kind, cases)
        return parser

    def _errors(self, names: tuple[str, ...]) -> str:
        if len(names) == 1:
            return self.error(names[0])
        return self._built_in("anyError")

    def _parse(self) -> str:
        return self.uses.type("runtime", "Parse")

    def _lines(self, fields: tuple[FieldDef, ...]) -> Code:
        return [f"  {layout.key(each.name)}: {self.field(each)}," for each in fields]

    def result(self, operation: OperationDef) -> str:
        """The parser of an answer."""
        return self._refined(self.show(operation.result), operation.where, "value")

    def _refined(self, shown: str, where: Expr | None, name: str) -> str:
        if where is None:
            return shown
        test = f"(it) => {Expressions(self.program, self.uses).show(where)}"
        return f"{self._built_in('refined')}({shown}, {test}, {layout.quoted(condition(where, name))})"

    def field(self, each: FieldDef) -> str:
        """The parser of a field: its type, its refinement, its default."""
        shown = self._refined(self.show(each.type), each.where, each.name)
        show = Expressions(self.program, self.uses)
        if each.default is not None and not isinstance(each.type, Optional):
            default = show.show(each.default)
            default = f"({default})" if default.startswith("{") else default
            shown = f"{self._built_in('withDefault')}({shown}, () => {default})"
        elif each.default is not None and show.show(each.default) != "undefined":
            shown = f"{self._built_in('withDefault')}({shown}, () => {show.show(each.default)})"
        return shown

    def _head(self, name: str, params: tuple[str, ...]) -> tuple[str, str, str]:
        """The start of a parser, with one parameter per type parameter; then its type, and what follows its head."""
        shown = self.program.names.types[name]
        parser = self.program.names.parsers[shown]
        kind = self.uses.type("types", shown)
        if not params:
            return f"{parser}: {self._parse()}<{kind}> =", "", kind
        whole = f"{kind}<{', '.join(params)}>"
        given = ", ".join(f"parse{param}: {self._parse()}<{param}>" for param in params)
        return f"{parser} =", f"<{', '.join(params)}>({given}): {self._parse()}<{whole}> => ", whole

    def _record(self, record: RecordDef) -> Code:
        head, arrow, kind = self._head(record.name, record.params)
        start = f"export const {head} {arrow}{self._built_in('record')}<{kind}>(() => ({{"
        return [start, *self._lines(record.fields), "}));"]

    def _enum(self, enum: EnumDef) -> Code:
        head, arrow, kind = self._head(enum.name, enum.params)
        if plain(enum):
            names = [[layout.quoted(case.name)] for case in enum.cases]
            return layout.group(f"export const {head} {arrow}{self._built_in('oneOf')}(", names, ");")
        return self._cases(head, arrow, kind, [(case.name, case.fields) for case in enum.cases])

    def _cases(self, head: str, arrow: str, kind: str, cases: list[tuple[str, tuple[FieldDef, ...]]]) -> Code:
        lines = [f"export const {head} {arrow}{self._built_in('cases')}<{kind}>({{"]
        for name, fields in cases:
            inside = ", ".join(f"{layout.key(each.name)}: {self.field(each)}" for each in fields)
            lines.append(f"  {name}: () => ({{{f' {inside} ' if inside else ''}}}),")
        return [*lines, "});"]
