"""What the values of a machine's types consist of: fields, cases, defaults, and the conditions of refinements."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from wfc.ir.evaluate import Evaluator, NotConstant
from wfc.ir.expressions import Expr, RefKind
from wfc.ir.machine import FieldDef, Machine
from wfc.ir.types import ANY_ERROR, ASSIGNEE, SETTLED, TEXT, Errors, Named, Optional, Type, substitute

Cases = Mapping[str, tuple[FieldDef, ...]]

BUILT_IN = ("Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning", "OperatorCancel")
_DETAIL = (FieldDef("detail", Optional(TEXT)),)
_WHO: Cases = {"role": (FieldDef("name", TEXT),), "person": (FieldDef("name", TEXT),)}


class Forms:
    """The definitions of one machine, with type arguments filled in."""

    def __init__(self, machine: Machine) -> None:
        self.records = {record.name: record for record in machine.records}
        self.enums = {enum.name: enum for enum in machine.enums}
        self.events = {event.name: event for event in machine.events}
        self.errors: dict[str, tuple[FieldDef, ...]] = dict.fromkeys(BUILT_IN, _DETAIL)
        self.errors.update({error.name: error.fields for error in machine.errors})
        self.queues = machine.queues
        self._constants = {constant.name: constant.value for constant in machine.constants}
        self._values: dict[str, Any] = {}
        self._functions = {f.name: (tuple(name for name, _ in f.params), f.body) for f in machine.functions}
        self._compile = Evaluator(self._function).compile

    def _function(self, name: str) -> tuple[tuple[str, ...], Expr]:
        return self._functions[name]

    def fields(self, kind: Named) -> tuple[FieldDef, ...]:
        """The fields of a record or an event."""
        if kind.kind == "event":
            return self.events[kind.name].fields
        record = self.records[kind.name]
        return _filled(record.fields, dict(zip(record.params, kind.args, strict=True)))

    def cases(self, kind: Type) -> Cases | None:
        """The cases of an enum, the errors of a union, with their fields; nothing for other types."""
        if kind == ASSIGNEE:
            return _WHO
        if kind == ANY_ERROR:
            return self.errors
        if isinstance(kind, Errors):
            return {name: self.errors[name] for name in kind.names}
        if not isinstance(kind, Named) or kind.kind != "enum":
            return None
        if kind.name == SETTLED:
            return {"Ok": (FieldDef("value", kind.args[0]),), "Failed": (FieldDef("error", ANY_ERROR),)}
        enum = self.enums[kind.name]
        bound = dict(zip(enum.params, kind.args, strict=True))
        return {case.name: _filled(case.fields, bound) for case in enum.cases}

    def constant(self, name: str) -> Any:  # noqa: ANN401 - values of the language
        """The value of a constant."""
        if name not in self._values:
            self._values[name] = self.value(self._constants[name])
        return self._values[name]

    def value(self, expr: Expr) -> Any:  # noqa: ANN401 - values of the language
        """The value of an expression over constants, such as a default."""
        return self._compile(expr)(_Around(self, None))

    def condition(self, where: Expr) -> Callable[[Any], bool]:
        """What a refinement asks of a value."""
        code = self._compile(where)
        return lambda value: bool(code(_Around(self, value)))


class _Around:
    """What a refinement or a default reads: the value itself, constants, queues."""

    __slots__ = ("forms", "value")
    now = None

    def __init__(self, forms: Forms, value: Any) -> None:  # noqa: ANN401 - values of the language
        self.forms = forms
        self.value = value

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        if kind == "value":
            return self.value
        if kind == "const":
            return self.forms.constant(name)
        if kind == "queue":
            return name
        raise NotConstant(name)


def _filled(fields: tuple[FieldDef, ...], bound: dict[str, Type]) -> tuple[FieldDef, ...]:
    if not bound:
        return fields
    return tuple(attrs.evolve(f, type=substitute(f.type, bound)) for f in fields)  # type: ignore[misc]  # an attrs class
