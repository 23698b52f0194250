"""Whether the arms of a choice cover every value, decided by trying one value of each kind.

The atoms of the conditions are comparisons of a term with a constant, forms of a term (`is`, `==` with a case) and
truth values. Each term gets finitely many sample values: the constants it is compared with, one value between each two
and one beyond each end; its forms; both truth values. The arms are then evaluated, three-valued, for every combination
(first match wins). Where no arm can hold, the combination is a value without a way on. Conditions that are none of
these stay undecided, and so may the whole: nothing is guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice, product
from typing import Any

from wfc.ir.evaluate import Evaluator, NotConstant, show
from wfc.ir.expressions import Expr, Get, Is, Lit, Member, New, Op, Ref, RefKind
from wfc.ir.machine import Choose, Machine
from wfc.ir.types import BOOL, DECIMAL, DURATION, INSTANT, INT, SETTLED, Errors, Money, Named, Optional, Type

MAX_COMBINATIONS = 20_000
_ORDER = ("<", "<=", ">", ">=", "==", "!=")
_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
Sample = tuple[str, Any]  # how it is shown, and what it is
Samples = dict[str, Sample]


@dataclass
class _Term:
    """What a condition asks about: a name, a field, or a part of one."""

    expr: Expr
    constants: set[Any] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Verdict:
    """`covered`: every value has an arm; else `example` shows one that has none, or what could not be decided."""

    covered: bool
    decided: bool
    example: str = ""


class Choices:
    """Decides choices of one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.evaluator = Evaluator()
        self.constants = _Constants({c.name: c.value for c in machine.constants}, self.evaluator)
        self.forms = {e.name: tuple(case.name for case in e.cases) for e in machine.enums}
        self.forms[SETTLED] = ("Ok", "Failed")

    def verdict(self, choice: Choose) -> Verdict:
        """Whether some value passes all arms by."""
        if choice.otherwise is not None:
            return Verdict(True, True)
        terms: dict[str, _Term] = {}
        for arm in choice.arms:
            self._collect(arm.test, terms)
        if choice.subject is not None and _key(choice.subject) is not None:
            terms.setdefault(str(_key(choice.subject)), _Term(_plain(choice.subject)))
        names = list(terms)
        tables = [self._samples(terms[name]) for name in names]
        size = 1
        for table in tables:
            size *= max(1, len(table))
        undecided = False
        for combination in islice(product(*tables), MAX_COMBINATIONS):
            chosen = dict(zip(names, combination, strict=True))
            truths = [self._truth(arm.test, chosen) for arm in choice.arms]
            if any(truth is True for truth in truths):
                continue
            if all(truth is False for truth in truths):
                return Verdict(False, True, self._shown(terms, chosen))
            undecided = True
        if undecided or size > MAX_COMBINATIONS:
            return Verdict(False, False)
        return Verdict(True, True)

    # -- terms and their values

    def _collect(self, test: Expr, terms: dict[str, _Term]) -> None:
        match test:
            case Op(_, "and" | "or" | "not", args):
                for arg in args:
                    self._collect(arg, terms)
            case Op(_, op, (left, right)) if op in _ORDER:
                for term, other in ((left, right), (right, left)):
                    value = self._constant(other)
                    if value is not _NOTHING and _key(term) is not None:
                        self._note(term, terms, value)
            case Is(_, target, _, name):
                if _key(target) is not None:
                    self._note(target, terms, _NOTHING).forms.add(name or "none")
            case _:
                if test.type == BOOL and _key(test) is not None:
                    self._note(test, terms, _NOTHING)

    def _note(self, expr: Expr, terms: dict[str, _Term], value: Any) -> _Term:  # noqa: ANN401 - values of the language
        term = terms.setdefault(str(_key(expr)), _Term(_plain(expr)))
        if isinstance(value, dict):
            term.forms.add(str(value["is"]))
        elif value is None:
            term.forms.add("none")
        elif value is not _NOTHING:
            term.constants.add(value)
        return term

    def _constant(self, expr: Expr) -> Any:  # noqa: ANN401 - values of the language
        try:
            value = self.evaluator.compile(expr)(self.constants)
        except NotConstant:
            return _NOTHING
        whole = isinstance(value, dict) and set(value) != {"is"}
        return _NOTHING if whole or isinstance(value, tuple) else value  # equal to one is more than of its form

    def _samples(self, term: _Term) -> list[Sample]:
        """One value of each kind that the conditions can tell apart."""
        kind = term.expr.type
        found: list[Sample] = []
        if isinstance(kind, Optional):
            found.append(("none", {"is": "none"}))
            kind = kind.inner
        if kind == BOOL:
            return [*found, ("true", True), ("false", False)]
        if isinstance(kind, Named) and kind.kind == "enum":
            return [*found, *((name, {"is": name}) for name in self.forms.get(kind.name, ()))]
        if isinstance(kind, Errors):
            return [*found, *((name, {"is": name}) for name in kind.names)]
        values = _points(kind, term.constants)
        if values is None:
            return [*found, ("some value", _OTHER)]
        return [*found, *((_said(value, kind), value) for value in values)]

    # -- truth

    def _truth(self, test: Expr, chosen: Samples) -> bool | None:
        match test:
            case Lit(_, bool() as value):
                return value
            case Op(_, "not", (inner,)):
                truth = self._truth(inner, chosen)
                return None if truth is None else not truth
            case Op(_, "and", args):
                truths = [self._truth(arg, chosen) for arg in args]
                return False if False in truths else None if None in truths else True
            case Op(_, "or", args):
                truths = [self._truth(arg, chosen) for arg in args]
                return True if True in truths else None if None in truths else False
            case Op(_, op, (left, right)) if op in _ORDER:
                return self._compare(op, left, right, chosen)
            case Is(_, target, _, name):
                sample = chosen.get(str(_key(target)))
                if sample is None:
                    return None
                value = sample[1]
                if value is _OTHER or not isinstance(value, dict):
                    return False if not name else None
                return bool(value["is"] == (name or "none"))
            case _:
                sample = chosen.get(str(_key(test)))
                return sample[1] if sample is not None and isinstance(sample[1], bool) else None

    def _compare(self, op: str, left: Expr, right: Expr, chosen: Samples) -> bool | None:
        for term, other, way in ((left, right, op), (right, left, _FLIP[op])):
            sample = chosen.get(str(_key(term)))
            value = self._constant(other)
            if sample is None or value is _NOTHING:
                continue
            have = sample[1]
            if isinstance(have, dict) or isinstance(value, dict) or value is None:
                wanted = value["is"] if isinstance(value, dict) else "none"
                same = isinstance(have, dict) and have["is"] == wanted
                return same if way == "==" else not same
            if have is _OTHER:
                return {"==": False, "!=": True}.get(way)
            return _ordered(way, have, value)
        return None

    def _shown(self, terms: Mapping[str, _Term], chosen: Samples) -> str:
        return ", ".join(f"{name} = {chosen[name][0]}" for name in terms)


class _Constants:
    """The constants of the machine, worked out when they are read; nothing else has a value."""

    now = None

    def __init__(self, consts: Mapping[str, Expr], evaluator: Evaluator) -> None:
        self.consts = consts
        self.evaluator = evaluator

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        if kind != "const" or name not in self.consts:
            raise NotConstant(name)
        return self.evaluator.compile(self.consts[name])(self)


_NOTHING = object()
_OTHER = object()


def _plain(expr: Expr) -> Expr:
    while isinstance(expr, Op) and expr.op in ("some", "decimal"):
        expr = expr.args[0]
    return expr


def _key(expr: Expr) -> str | None:
    """A name for what an expression reads, the same for the same reading."""
    match _plain(expr):
        case Ref(_, kind, name) if kind != "const":
            return name
        case Get(_, target, name, _):
            inner = _key(target)
            return f"{inner}.{name}" if inner else None
        case Member(_, name, target, (), _):
            inner = _key(target)
            return f"{inner}.{name}" if inner else None
        case Op(_, "??", (target, fallback)) if isinstance(fallback, Lit):
            inner = _key(target)
            return f"{inner} ?? {fallback.value}" if inner else None
        case New() | _:
            return None


def _points(kind: Type, constants: set[Any]) -> list[Any] | None:
    """The constants, one value between each two, and one beyond each end; None where values have no steps."""
    numbers = sorted(c for c in constants if isinstance(c, int | Decimal) and not isinstance(c, bool))
    if kind in (INT, DURATION, INSTANT):
        return list(_whole_points([int(n) for n in numbers])) or None
    if kind == DECIMAL or isinstance(kind, Money):
        return list(_decimal_points([Decimal(n) for n in numbers])) or None
    texts = sorted(c for c in constants if isinstance(c, str))
    return [*texts, _OTHER] if texts else None


def _whole_points(numbers: list[int]) -> Iterator[int]:
    for i, number in enumerate(numbers):
        if i == 0:
            yield number - 1
        elif number - numbers[i - 1] > 1:
            yield numbers[i - 1] + 1
        yield number
    if numbers:
        yield numbers[-1] + 1


def _decimal_points(numbers: list[Decimal]) -> Iterator[Decimal]:
    for i, number in enumerate(numbers):
        yield number - 1 if i == 0 else (number + numbers[i - 1]) / 2
        yield number
    if numbers:
        yield numbers[-1] + 1


def _ordered(op: str, a: Any, b: Any) -> bool | None:  # noqa: ANN401 - values of the language
    if type(a) is not type(b) and isinstance(a, str) != isinstance(b, str):
        return None
    tests = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}
    return bool(tests[op])


def _said(value: Any, kind: Type) -> str:  # noqa: ANN401 - values of the language
    if value is _OTHER:
        return "anything else"
    if isinstance(kind, Money):
        return f"{value:f}{kind.currency}"
    return f'"{value}"' if isinstance(value, str) else show(value, kind)
