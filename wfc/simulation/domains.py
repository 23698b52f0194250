"""Values that tell branches apart: for each type the few that the program's own conditions can distinguish."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count, islice, pairwise, product
from typing import Any

from wfc.ir.boundary import Misfit
from wfc.ir.evaluate import folded
from wfc.ir.expressions import Expr, Get, Items, Lit, Member, Op, Ref, walk
from wfc.ir.machine import FieldDef, Machine
from wfc.ir.types import BOOL, DATE, DECIMAL, DURATION, INSTANT, INT, TEXT, Errors, ListOf, Money, Named, Optional, Type
from wfc.ir.walk import workflow_expressions
from wfc.machine.program import Program

MOST = 8  # values of one answer


class Domains:
    """The values that answers, events and parameters of one program are chosen from. `cut`: there would be more.

    `wide`: more of them for a run that is led somewhere: lists of two, constants, and numbers that are far apart where
    two are compared, so that a count can go on for some rounds.
    """

    def __init__(self, program: Program, *, wide: bool = False) -> None:
        self.program = program
        self.wide = wide
        self.cut = False
        self._literals: dict[Type, dict[Any, None]] = {}
        self._more: set[Type] = set()
        self._read: set[str] = set()  # fields
        self._params: set[str] = set()
        self._known: dict[str, tuple[Any, ...]] = {}
        for workflow in program.machine.workflows:
            for expr in workflow_expressions(workflow):
                self._note(expr)
        for function in program.machine.functions:
            self._note(function.body)
        for field in _fields(program.machine) if wide else ():
            if field.where is not None:
                self._note(field.where)

    def _note(self, expr: Expr) -> None:
        """What conditions compare with, and the fields they read."""
        for part in walk(expr):
            if isinstance(part, Get):
                self._read.add(part.name)
            if isinstance(part, Ref) and part.kind == "param":
                self._params.add(part.name)
            match part:
                case Op(_, "==" | "!=" | "<" | "<=" | ">" | ">=", args):
                    self._note_sides(args)
                case Op(_, "in", (item, Items(_, items))) if self.wide:
                    for each in items:
                        self._note_sides((item, each))
                case Member(_, _, target, args) if self.wide and target.type == TEXT:
                    for each in args:
                        self._note_sides((target, each))

    def _note_sides(self, sides: tuple[Expr, ...]) -> None:
        """What is compared. Where neither side is a literal, one more number makes them differ."""
        literal = False
        sides = tuple(folded(side) if self.wide and isinstance(side, Op) else side for side in sides)
        for side in sides:
            if isinstance(side, Lit):
                literal = True
                if side.value is not None:
                    self._literals.setdefault(side.type, {})[side.value] = None
                    for other in sides:  # an amount alone is compared with a number
                        if self.wide and isinstance(other, Get | Member) and isinstance(other.target.type, Money):
                            self._literals.setdefault(other.target.type, {})[side.value] = None
            elif self.wide and isinstance(side, Ref) and side.kind == "const":
                literal = True
                constant = self.program.constants[side.name]
                if not isinstance(constant, dict | tuple | None):
                    self._literals.setdefault(side.type, {})[constant] = None
        if literal:
            return
        for side in sides:
            if side.type in (INT, DECIMAL, DURATION, INSTANT) or isinstance(side.type, Money):
                self._more.add(side.type)

    # -- what is chosen

    def results(self, target: str) -> tuple[Any, ...]:
        """What a call may answer."""
        found = self._known.get(target)
        if found is None:
            operation = self.program.operations.get(target)
            kind = operation.result if operation is not None else self.program.workflows[target].result
            found = tuple(self._few(self.values(kind))) if kind is not None else (None,)
            self._known[target] = found
        return found

    def gives(self, target: str) -> bool:
        """Whether a call has a result."""
        operation = self.program.operations.get(target)
        return (operation.result if operation is not None else self.program.workflows[target].result) is not None

    def first(self, target: str) -> Any:  # noqa: ANN401 - values of the language
        """One answer."""
        return self.results(target)[0]

    def errors(self, target: str) -> tuple[Any, ...]:
        """The business errors that a call may raise."""
        operation = self.program.operations.get(target)
        names = operation.raises if operation is not None else self.program.workflows[target].raises
        errors = self.program.errors
        return tuple({"is": n, **self.program.boundary.sample_fields(errors[n].fields)} for n in names if n in errors)

    def fields(self, defs: tuple[FieldDef, ...], *, params: bool = False) -> list[dict[str, Any]]:
        """Some combinations of fields: of each field in turn, the others as their sample; all, if they are few."""
        sample = self.program.boundary.sample_fields(defs)
        choices = {field.name: self._fitting(field, sample[field.name], params=params) for field in defs}
        total = 1
        for values in choices.values():
            total *= len(values)
        if total <= MOST:
            return [dict(zip(choices, picked, strict=True)) for picked in product(*choices.values())]
        self.cut = True
        found = [dict(sample)]
        for name, values in choices.items():
            found += [{**sample, name: value} for value in values if value != sample[name]]
        return found[:MOST]

    def _fitting(self, field: FieldDef, sample: Any, *, params: bool) -> list[Any]:  # noqa: ANN401 - values of the language
        """The values of a field, or of a parameter, that its refinement lets through; one if nothing reads it."""
        read = field.name in self._params if params else self._matters(field)
        values = self._few(self.values(field.type)) if read else []
        found = [sample]
        for value in values:
            try:
                fitting = self.program.boundary.fields((field,), {field.name: value})[field.name]
            except Misfit:
                continue
            if fitting not in found:
                found.append(fitting)
        return found

    def _matters(self, field: FieldDef) -> bool:
        """Whether a value of the field can make a difference: something reads it, or it may be compared as a whole."""
        return field.name in self._read or not isinstance(field.type, Named) or field.type.kind == "enum"

    def _few(self, values: list[Any]) -> list[Any]:
        if len(values) > MOST:
            self.cut = True
        return list(islice(values, MOST))

    def values(self, kind: Type, deep: int = 0) -> list[Any]:
        """Values of a type."""
        sample = self.program.boundary.sample(kind)
        if deep > 3:  # noqa: PLR2004 - deep enough
            return [sample]
        match kind:
            case Optional(inner):
                return [None, *self.values(inner, deep + 1)]
            case ListOf(item):
                one = self.program.boundary.sample(item)
                return [(), (one,), (one, self._another(item, one))] if self.wide else [(), (one,)]
            case Named("record", _, _):
                return list(self.fields(self.program.boundary.forms.fields(kind)))
            case Named("enum", _, _) | Errors():
                cases = self.program.boundary.forms.cases(kind) or {}
                return [{"is": name, **self.program.boundary.sample_fields(fields)} for name, fields in cases.items()]
            case _ if kind == BOOL:
                return [False, True]
            case _ if kind in (INT, DECIMAL, DURATION, INSTANT) or isinstance(kind, Money):
                return self._numbers(kind, sample)
            case _ if kind in (TEXT, DATE):
                literals = self._literals.get(kind, {})
                found = dict.fromkeys((sample, *literals))
                if self.wide and kind == DATE:
                    found.update(dict.fromkeys(day for each in literals for day in _days_beside(each)))
                if self.wide and kind == TEXT and sample in literals:
                    found[next(text for n in count(2) if (text := f"{sample} {n}") not in literals)] = None
                return list(found)
            case _:
                return [sample]

    def _another(self, kind: Type, sample: Any) -> Any:  # noqa: ANN401 - values of the language
        """A second item of a list, different from the first where that is easy."""
        return f"{sample} 2" if kind == TEXT else sample + 1 if kind == INT else sample

    def _numbers(self, kind: Type, sample: Any) -> list[Any]:  # noqa: ANN401 - values of the language
        """Each number that is compared with, and its neighbours."""
        found = [sample]
        fine = kind == DECIMAL or isinstance(kind, Money)
        known = sorted(Decimal(str(literal)) if fine else literal for literal in self._literals.get(kind, ()))
        for value in known:
            found += [each for each in (value, value + 1, value - 1) if each not in found]
        if fine and self.wide:
            found += [each for a, b in pairwise(known) if (each := (a + b) / 2) not in found]
        if kind in self._more and len(found) == 1:
            found += [found[0] + 1, found[0] + 100] if self.wide else [found[0] + 1]
        return found


def _fields(machine: Machine) -> Iterator[FieldDef]:
    """All fields and parameters that may have a refinement."""
    for record in machine.records:
        yield from record.fields
    for enum in machine.enums:
        yield from (field for case in enum.cases for field in case.fields)
    for error in machine.errors:
        yield from error.fields
    for event in machine.events:
        yield from event.fields
    for workflow in machine.workflows:
        yield from workflow.params


def _days_beside(day: str) -> Iterator[str]:
    """The day before and the day after, where there are such."""
    for step in (-1, 1):
        try:
            yield (date.fromisoformat(day) + timedelta(days=step)).isoformat()
        except (OverflowError, ValueError):
            continue
