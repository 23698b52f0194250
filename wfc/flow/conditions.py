"""Whether a condition holds in a world; a question that is still open there is asked with `Need`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from wfc.flow.worlds import Among, Cell, Need, Range, World
from wfc.ir.evaluate import Evaluator, NotConstant, show
from wfc.ir.expressions import Expr, Get, If, Is, Items, Lit, Member, Op, Ref, RefKind, children
from wfc.ir.machine import ConstDef, FieldDef, Machine, Workflow
from wfc.ir.rewrite import rewrite
from wfc.ir.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    SETTLED,
    TEXT,
    Errors,
    Money,
    Named,
    Optional,
    Type,
)
from wfc.ir.values import MAX_INT

_ORDER = ("<", "<=", ">", ">=", "==", "!=")
_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_HOLDS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>!"}  # the orders under which it holds
NOTHING = object()


@dataclass(frozen=True)
class Term:
    """What a condition reads. `exact`: it may have every value of its type, whatever the others have."""

    key: str
    expr: Expr
    kind: Type
    exact: bool


@dataclass(frozen=True)
class Constant:
    """A value that is known."""

    value: Any


class Definitions:
    """What the conditions of one machine read of it, by name: made once for all its choices."""

    def __init__(self, machine: Machine) -> None:
        self.constants = {constant.name: constant for constant in machine.constants}
        self.forms = {enum.name: frozenset(case.name for case in enum.cases) for enum in machine.enums}
        self.forms[SETTLED] = frozenset(("Ok", "Failed"))
        self.order = {case.name: i for enum in machine.enums for i, case in enumerate(enum.cases)}
        self.fields: dict[tuple[str, str, str], tuple[FieldDef, ...]] = {}  # by kind, name and case
        self.fields.update({("error", error.name, ""): error.fields for error in machine.errors})
        self.fields.update({("record", record.name, ""): record.fields for record in machine.records})
        self.fields.update({("event", event.name, ""): event.fields for event in machine.events})
        cases = ((enum.name, case) for enum in machine.enums for case in enum.cases)
        self.fields.update({("enum", name, case.name): case.fields for name, case in cases})


class Conditions:
    """The conditions of one machine, read for one workflow. With `free`, constants may have any value."""

    def __init__(self, definitions: Definitions, workflow: Workflow | None, *, free: bool = False) -> None:
        self.definitions = definitions
        self.free = free
        self.switched = False  # whether some condition has been decided by constants alone
        self.kinds: dict[int, tuple[Expr, frozenset[RefKind]]] = {}  # with the expression: its id stays its own
        self.terms: dict[str, Term] = {}
        self.pairs: dict[frozenset[str], tuple[Term, Term]] = {}  # compared with each other, as they are written
        self.evaluator = Evaluator()
        self.constants = _Constants(definitions.constants, self.evaluator)
        self.forms = definitions.forms
        self.params = {p.name: p for p in workflow.params} if workflow is not None else {}
        self.order = definitions.order

    # -- conditions

    def holds(self, test: Expr, world: World) -> bool:
        """Whether a condition holds."""
        if self._is_switch(test):
            return self._asked(f"?{test!r}", world)
        match test:
            case Lit(_, bool() as value):
                return value
            case Op(_, "not", (inner,)):
                return not self.holds(inner, world)
            case Op(_, "and", (left, right)):
                return self.holds(left, world) and self.holds(right, world)
            case Op(_, "or", (left, right)):
                return self.holds(left, world) or self.holds(right, world)
            case If(_, asked, yes, no):
                return self.holds(yes if self.holds(asked, world) else no, world)
            case Op(_, op, (left, right)) if op in _ORDER:
                return self._compare(test, op, left, right, world)
            case Op(_, "in", (item, Items(_, items))):
                return any(self._compare(test, "==", item, one, world) for one in items)
            case Member(_, "isEmpty", target, (), optional=False):
                size = Member(INT, "length" if target.type == TEXT else "count", target)
                return self._compare(test, "==", size, Lit(INT, 0), world)
            case Is():
                return self._is(test, world)
            case _:
                return self._truth(test, world)

    def _is_switch(self, test: Expr) -> bool:
        """Whether only constants with a name decide: what they are today says nothing about tomorrow."""
        if test.type != BOOL or self._kinds(test) != {"const"}:
            return False
        self.switched = True
        return self.free

    def _kinds(self, expr: Expr) -> frozenset[RefKind]:
        """The kinds of names that an expression reads; remembered, for a long chain is asked about at each link."""
        known = self.kinds.get(id(expr))
        if known is None:
            own: frozenset[RefKind] = frozenset((expr.kind,)) if isinstance(expr, Ref) else frozenset()
            known = self.kinds[id(expr)] = (expr, own.union(*(self._kinds(part) for part in children(expr))))
        return known[1]

    def _truth(self, test: Expr, world: World) -> bool:
        found = self._read(test, world)
        if isinstance(found, Constant):
            return bool(found.value) if isinstance(found.value, bool) else self._asked(f"?{test!r}", world)
        return self._yes(found, world)

    def _yes(self, term: Term, world: World) -> bool:
        return self._asked(term.key, world, blind=not term.exact)

    def _asked(self, key: str, world: World, *, blind: bool = True) -> bool:
        """A question with two answers."""
        cell = world.cells.get(key)
        if isinstance(cell, bool):
            return cell
        raise Need([world.knowing(key, answer, blind=blind) for answer in (True, False)])

    def _is(self, test: Is, world: World) -> bool:
        found = self._read(test.target, world)
        if isinstance(found, Constant):
            if test.kind == "none" or found.value is None:
                return test.kind == "none" and found.value is None
            return isinstance(found.value, dict) and found.value.get("is") == test.name
        if isinstance(found.kind, Optional):
            absent = self._absent(found, world)
            if test.kind == "none" or absent:
                return test.kind == "none" and absent
        elif test.kind == "none":
            return False
        return self._named(found, test.name, world)

    def _absent(self, term: Term, world: World) -> bool:
        """Whether an optional term is `none`."""
        return self._asked(f"{term.key}?", world, blind=not term.exact)

    def _named(self, term: Term, name: str, world: World) -> bool:
        """Whether a term is of a case, or is a text."""
        cell = world.cells.get(term.key)
        if not isinstance(cell, Among):
            cell = self._all_names(term.kind)
        if name not in cell.names:
            if not cell.others:
                return False
            yes, no = Among(frozenset((name,))), Among(cell.names | {name}, others=True)
        else:
            if cell.others:
                return False
            yes, no = Among(frozenset((name,))), Among(cell.names - {name})
            if not no.names:
                return True
        raise Need([world.knowing(term.key, answer, blind=not term.exact) for answer in (yes, no)])

    def _all_names(self, kind: Type) -> Among:
        inner = kind.inner if isinstance(kind, Optional) else kind
        if isinstance(inner, Errors):
            return Among(frozenset(inner.names))
        if isinstance(inner, Named) and inner.name in self.forms:
            return Among(self.forms[inner.name])
        return Among(frozenset(), others=True)

    # -- comparing

    def _compare(self, test: Expr, op: str, left: Expr, right: Expr, world: World) -> bool:
        a, b = self._read(left, world), self._read(right, world)
        if isinstance(a, Constant):
            a, b, op = b, a, _FLIP[op]
        if isinstance(a, Constant):
            return self._known(op, a.value, b, test, world)
        same = op == "=="
        if isinstance(b, Constant) and b.value is None:
            absent = isinstance(a.kind, Optional) and self._absent(a, world)
            return absent == same
        gone = [isinstance(t, Term) and isinstance(t.kind, Optional) and self._absent(t, world) for t in (a, b)]
        if any(gone):
            return all(gone) == same
        if isinstance(b, Constant):
            return self._with_constant(op, a, b.value, world)
        return self._with_term(op, a, b, world)

    def _known(self, op: str, a: Any, other: "Constant | Term", test: Expr, world: World) -> bool:  # noqa: ANN401
        """Of two constants."""
        b = other.value if isinstance(other, Constant) else NOTHING
        if op in ("==", "!="):
            return bool((a == b) == (op == "=="))
        one, two = _number(a), _number(b)
        if one is None or two is None:
            return self._asked(f"?{test!r}", world)
        return ("<" if one < two else ">" if one > two else "=") in _HOLDS[op]

    def _with_constant(self, op: str, term: Term, value: Any, world: World) -> bool:  # noqa: ANN401
        kind = term.kind.inner if isinstance(term.kind, Optional) else term.kind
        number = _number(value, kind)
        if number is not None:
            parts = self._range(term, world).cut(number)
            if len(parts) == 1:
                return next(iter(parts)) in _HOLDS[op]
            worlds = [world.knowing(term.key, part, blind=not term.exact) for part in parts.values()]
            raise Need([w for w in worlds if w.possible(term.key)])
        if op in ("==", "!="):
            if isinstance(value, bool):
                return (self._yes(term, world) == value) == (op == "==")
            if isinstance(value, dict) and set(value) == {"is"}:
                return self._named(term, value["is"], world) == (op == "==")
            if isinstance(value, str) and kind == TEXT:
                return self._named(term, value, world) == (op == "==")
        positive = {"!=": "==", ">=": "<", "<=": ">"}.get(op, op)
        return self._asked(f"?{term.key} {positive} {value!r}", world) == (positive == op)

    def _range(self, term: Term, world: World) -> Range:
        cell = world.cells.get(term.key)
        return cell if isinstance(cell, Range) else self._whole_range(term)

    def _whole_range(self, term: Term) -> Range:
        kind = term.kind.inner if isinstance(term.kind, Optional) else term.kind
        expr = _plain(term.expr)
        if isinstance(expr, Member) and expr.name in ("count", "length"):
            return Range(whole=True, low=0, high=MAX_INT)
        if kind == INT:
            return Range(whole=True, low=-MAX_INT, high=MAX_INT)
        return Range(whole=kind in (DURATION, INSTANT, DATE))

    def _with_term(self, op: str, a: Term, b: Term, world: World) -> bool:
        """Two terms: the first is smaller, larger, or they are equal."""
        if a.key == b.key:
            return "=" in _HOLDS[op]
        self.pairs.setdefault(frozenset((a.key, b.key)), (a, b))
        first, second = self.pairs[frozenset((a.key, b.key))]
        if (a, b) != (first, second):
            a, b, op = b, a, _FLIP[op]
        blind = {term.key for term in (a, b) if not term.exact}
        if not (_numeric(a.kind) and _numeric(b.kind)):
            if op not in ("==", "!="):
                return self._asked(f"?{a.key} {op} {b.key}", world)
            pair = (f"~{a.key}", b.key)
            if pair not in world.orders:
                worlds = [world.ordered(pair, order, {}) for order in "=!"]
                raise Need([World(w.cells, w.orders, w.blind | blind) for w in worlds])
            return world.orders[pair] in _HOLDS[op]
        pair = (a.key, b.key)
        if pair not in world.orders:
            ranges = {term.key: self._range(term, world) for term in (a, b)}
            worlds = [world.ordered(pair, order, ranges) for order in "<=>"]
            raise Need([World(w.cells, w.orders, w.blind | blind) for w in worlds if w.possible(a.key)])
        return world.orders[pair] in _HOLDS[op]

    # -- reading

    def _read(self, expr: Expr, world: World) -> Constant | Term:
        """What an expression is, as far as the world says."""
        expr = _plain(expr)
        value = self.constant(expr)
        if value is not NOTHING:
            return Constant(value)
        match expr:
            case Op(_, "??", (first, second)):
                found = self._read(first, world)
                if isinstance(found, Constant):
                    return found if found.value is not None else self._read(second, world)
                if isinstance(found.kind, Optional) and self._absent(found, world):
                    return self._read(second, world)
                return found
            case If(_, asked, yes, no):
                return self._read(yes if self.holds(asked, world) else no, world)
            case Get(target=target, optional=True) | Member(target=target, optional=True):
                found = self._read(target, world)
                if isinstance(found, Constant):
                    return Constant(None) if found.value is None else self._term(expr)
                if isinstance(found.kind, Optional) and self._absent(found, world):
                    return Constant(None)
                return self._term(self._present(expr, found))
            case _:
                return self._term(expr)

    def _present(self, expr: Get | Member, target: Term) -> Expr:
        """`x?.f` where x is there: `none` only if f itself is."""
        kind = expr.type.inner if isinstance(expr.type, Optional) else expr.type
        if isinstance(expr, Member):
            return Member(kind, expr.name, expr.target, expr.args)
        inner = target.kind.inner if isinstance(target.kind, Optional) else target.kind
        declared = next((f.type for f in self._fields(inner, expr.cases) if f.name == expr.name), expr.type)
        return Get(expr.type if isinstance(declared, Optional) else kind, expr.target, expr.name, cases=expr.cases)

    def _term(self, expr: Expr) -> Term:
        name = said(expr)
        key = name or repr(expr)
        found = self.terms.get(key)
        if found is None:
            found = self.terms[key] = Term(key, expr, expr.type, bool(name))
        return found

    def constant(self, expr: Expr) -> Any:  # noqa: ANN401 - values of the language
        """The value of an expression that reads constants only, or NOTHING."""
        try:
            return self.evaluator.compile(expr)(self.constants)
        except NotConstant:
            return NOTHING

    # -- what is always true of a term

    def facts(self, world: World) -> Iterable[Expr]:
        """The refinements of the terms that a world knows something of."""
        keys = {
            key.removeprefix("~").removesuffix("?") for key in (*world.cells, *(k for p in world.orders for k in p))
        }
        for key in sorted(keys):
            term = self.terms.get(key)
            where = self._refinement(term.expr) if term is not None else None
            if term is not None and where is not None and not isinstance(term.kind, Optional):
                yield rewrite(where, (Ref,), lambda r, of=term.expr: of if r.kind == "value" else r)  # type: ignore[misc]

    def _refinement(self, expr: Expr) -> Expr | None:
        match _plain(expr):
            case Ref(_, "param", name) if name in self.params:
                return self.params[name].where
            case Get(_, target, name, _, cases):
                kind = target.type.inner if isinstance(target.type, Optional) else target.type
                return next((f.where for f in self._fields(kind, cases) if f.name == name), None)
            case _:
                return None

    def _fields(self, kind: Type, cases: tuple[str, ...]) -> Iterable[FieldDef]:
        known = self.definitions.fields
        if isinstance(kind, Errors):
            return known.get(("error", kind.names[0], ""), ()) if len(kind.names) == 1 else ()
        if not isinstance(kind, Named):
            return ()
        if kind.kind in ("record", "event"):
            return known.get((kind.kind, kind.name, ""), ())
        return known.get(("enum", kind.name, cases[0]), ()) if len(cases) == 1 else ()

    # -- showing

    def shown(self, world: World, asked: Iterable[str], names: frozenset[str], called: Mapping[str, str]) -> str:
        """A world in words: what was asked, with one value each, and the constants behind it.

        `called`: terms that the author has called by another name.
        """
        parts = [(key, self._shown(key, world.cells[key], world)) for key in asked if key in world.cells]
        found = [_called(key, called) + part.removeprefix(key.removesuffix("?")) for key, part in parts if part]
        found += [
            _shown_pair((_called(pair[0].removeprefix("~"), called), _called(pair[1], called)), order)
            for pair, order in world.orders.items()
        ]
        constants = [
            f"{c.name} = {_value(self.constant(c.value), c.type)}"
            for c in self.definitions.constants.values()
            if c.name in names and (_numeric(c.type) or c.type == TEXT)
        ]
        behind = f" ({', '.join(constants)})" if constants else ""
        return ", ".join(found) + behind

    def _shown(self, key: str, cell: Cell, world: World) -> str:
        paired = any(key in pair for pair in world.orders)
        kind = self.terms[key].kind if key in self.terms else BOOL
        inner = kind.inner if isinstance(kind, Optional) else kind
        match cell:
            case bool() if key.endswith("?"):
                term = key.removesuffix("?")
                return f"{term} = none" if cell else "" if term in world.cells else f"{term} = some value"
            case bool():
                return f"{key} = {'true' if cell else 'false'}"
            case Among(names, others):
                if others:
                    return f"{key} is not " + " or ".join(
                        f'"{name}"' if inner == TEXT else name for name in sorted(names)
                    )
                name = min(names, key=lambda n: (self.order.get(n, 0), n))
                return f'{key} = "{name}"' if inner == TEXT else f"{key} = {name}"
            case Range() if not paired or cell.point:
                return f"{key} = {_value(cell.sample, inner)}"
            case Range(low=low, high=high):
                ends = [] if low in (None, -MAX_INT) else [f"{'>' if cell.low_open else '>='} {_value(low, inner)}"]
                ends += [] if high in (None, MAX_INT) else [f"{'<' if cell.high_open else '<='} {_value(high, inner)}"]
                return f"{key} {' and '.join(ends)}" if ends else ""


class _Constants:
    """The constants of the machine, worked out when they are read; nothing else has a value."""

    now = None

    def __init__(self, consts: Mapping[str, ConstDef], evaluator: Evaluator) -> None:
        self.consts = consts
        self.evaluator = evaluator

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        if kind != "const" or name not in self.consts:
            raise NotConstant(name)
        return self.evaluator.compile(self.consts[name].value)(self)


def _plain(expr: Expr) -> Expr:
    while isinstance(expr, Op) and expr.op in ("some", "decimal"):
        expr = expr.args[0]
    return expr


def said(expr: Expr) -> str:
    """How an expression that only reads a name, a field or a size is written; nothing for any other."""
    match _plain(expr):
        case Ref(_, kind, name) if kind != "const":
            return name
        case Get(_, target, name, _):
            inner = said(target)
            return f"{inner}.{name}" if inner else ""
        case Member(_, "count" | "length" as name, target, ()):
            inner = said(target)
            return f"{inner}.{name}" if inner else ""
        case _:
            return ""


def _called(key: str, called: Mapping[str, str]) -> str:
    """How a term is called, without the mark of what may be absent."""
    term = key.removesuffix("?")
    path = term
    while path and path not in called:
        path = path.rpartition(".")[0]
    return called[path] + term.removeprefix(path) if path else term


def _numeric(kind: Type) -> bool:
    inner = kind.inner if isinstance(kind, Optional) else kind
    return inner in (INT, DECIMAL, DURATION, INSTANT, DATE) or isinstance(inner, Money)


def _number(value: Any, kind: Type | None = None) -> int | Decimal | None:  # noqa: ANN401 - values of the language
    """A constant as a number; a date is the number of its day."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return date.fromisoformat(value).toordinal() if kind == DATE and isinstance(value, str) else None
    return value


def _value(value: Any, kind: Type) -> str:  # noqa: ANN401 - values of the language
    if isinstance(kind, Money):
        return f"{value:f}{kind.currency}"
    if kind == DATE and isinstance(value, int):
        return date.fromordinal(max(1, min(value, date.max.toordinal()))).isoformat()
    return f'"{value}"' if isinstance(value, str) and kind == TEXT else show(value, kind)


def _shown_pair(pair: tuple[str, str], order: str) -> str:
    a, b = pair
    words = {"<": "is less than", "=": "equals", ">": "is more than", "!": "differs from"}
    return f"{a} {words[order]} {b}"
