"""Draws expressions of a wanted type from the names in scope.

`exact` asks for an expression that has its type by itself, without being told which is wanted: no `none`, no bare case,
no Int where a Decimal is wanted. Each expression comes with how tightly it binds, so that parentheses stand only where
they must, and now and then where they need not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tests.strategies.draws import Draws
from tests.strategies.model import (
    BASIC,
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    EUR,
    INSTANT,
    INT,
    ORDERED,
    SHOWN,
    SUMMED,
    TEXT,
    USD,
    Fields,
    Function,
    Path,
    Scope,
    Type,
    is_built,
    list_of,
    map_of,
    optional,
)

COND, OR, AND, NOT, COMPARE, ELSE, SUM, PRODUCT, UNARY, ATOM = range(10)


class Written(NamedTuple):
    """A piece of an expression and how tightly it binds."""

    text: str
    level: int = ATOM

    def at(self, level: int) -> str:
        """As it stands where something of that level is expected."""
        return self.text if self.level >= level else f"({self.text})"


Way = Callable[[], Written]


@dataclass
class Expressions:
    """Draws expressions. `asked` collects the optional paths whose form some condition has asked for."""

    draws: Draws
    depth: int = 3

    def __post_init__(self) -> None:
        self.asked: set[Path] = set()

    def expression(self, kind: Type, scope: Scope, *, exact: bool = False) -> str:
        """An expression of a type."""
        return self._of(kind, scope, self.draws.number(0, self.depth), exact=exact).text

    def condition(self, scope: Scope) -> tuple[str, frozenset[Path]]:
        """A Bool expression, and the paths it asks about."""
        written, found = self._asking(scope, self.draws.number(0, self.depth))
        return written.text, found

    def _asking(self, scope: Scope, depth: int) -> tuple[Written, frozenset[Path]]:
        """A Bool expression, and the paths it asks about, those that an earlier one has asked about among them."""
        before = self.asked
        self.asked = set()
        written = self._of(BOOL, scope, depth)
        found = frozenset(self.asked)
        self.asked = before | found
        return written, found

    def constant(self, kind: Type, scope: Scope) -> str:
        """A value without any name or operator around it, as simple as possible."""
        return self._literal(kind, scope, exact=False).text

    def shown(self, scope: Scope) -> str:
        """A text, perhaps with values inserted."""
        parts = [t for t, kind, _ in scope.paths if kind in SHOWN or kind.name in scope.world.enums]
        if not parts or not self.draws.chance(2):
            return self.draws.text()
        inserted = "".join(f" {{{self.draws.pick(parts)}}}" for _ in range(self.draws.number(1, 2)))
        return f'{self.draws.text()[:-1]}{inserted}"'

    def key(self, fields: Fields) -> str:
        """A key over parameters, or nothing where none fits."""
        fitting = [f.name for f in fields if f.type in (TEXT, INT)]
        if not fitting:
            return ""
        name = self.draws.pick(fitting)
        return f'"{{{name}}}/{{{self.draws.pick(fitting)}}}"' if self.draws.chance(3) else name

    def arguments(self, fields: Fields, scope: Scope, depth: int = 1) -> str:
        """What stands in the parentheses of a call: by position or by name, defaults left out now and then."""
        named = self.draws.chance(3)
        written: list[str] = []
        for field in fields:
            if field.default and self.draws.chance(2):
                named = True
                continue
            value = str(self.draws.number(1, 9)) if field.refined else self._of(field.type, scope, depth).text
            written.append(f"{field.name}: {value}" if named else value)
        return ", ".join(written)

    # -- by type

    def _of(self, kind: Type, scope: Scope, depth: int, *, exact: bool = False) -> Written:
        known = scope.by_type.get(kind, [])
        if depth <= 0:
            return self._simple(kind, known, scope, exact=exact)
        ways: list[Way] = [lambda: self._simple(kind, known, scope, exact=exact)]
        ways += self._own_ways(kind, scope, depth - 1, exact=exact)
        ways += self._any_ways(kind, scope, depth - 1, exact=exact)
        return self.draws.pick(ways)()

    def _simple(self, kind: Type, known: list[str], scope: Scope, *, exact: bool) -> Written:
        if known and not (is_built(kind) and self.draws.chance(4)):
            return Written(self.draws.pick(known))
        return self._literal(kind, scope, exact=exact)

    def _any_ways(self, kind: Type, scope: Scope, depth: int, *, exact: bool) -> list[Way]:
        """What works for every type."""
        ways: list[Way] = [lambda: self._cond(kind, scope, depth, exact=exact)]
        absent = scope.by_type.get(optional(kind), []) if not kind.is_optional else []
        if absent:
            ways.append(lambda: self._instead(self.draws.pick(absent), kind, scope, depth, exact=exact))
            named = [(t, p) for t, of, p in scope.paths if of == optional(kind) and p[0] not in scope.constants]
            if named:
                ways.append(lambda: self._narrowed(*self.draws.pick(named), kind, scope, depth, exact=exact))
        functions = [f for f in scope.world.functions if f.result == kind]
        if functions:
            ways.append(lambda: self._apply(self.draws.pick(functions), scope, depth))
        lists = scope.by_type.get(list_of(kind), []) if not kind.is_optional else []
        if lists:
            ways.append(lambda: self._instead(self._picked(lists, scope), kind, scope, depth, exact=exact))
        return ways

    def _own_ways(self, kind: Type, scope: Scope, depth: int, *, exact: bool) -> list[Way]:
        """What gives values of this type alone."""
        if kind == BOOL:
            return self._bool_ways(scope, depth)
        if kind in (INT, DECIMAL):
            return self._number_ways(kind, scope, depth, exact=exact)
        if kind in (EUR, USD, DURATION):
            return self._amount_ways(kind, scope, depth)
        if kind == INSTANT:
            return self._instant_ways(scope, depth)
        if kind == DATE:
            return [lambda: Written(f"{self._target(INSTANT, scope, depth)}.date")]
        if kind == TEXT:
            return self._text_ways(scope, depth)
        if kind.is_list:
            return self._list_ways(kind, scope, depth, exact=exact)
        if kind.is_optional:
            return self._optional_ways(kind, scope, depth, exact=exact)
        return []

    def _target(self, kind: Type, scope: Scope, depth: int) -> str:
        """Something whose member is read."""
        value = self._of(kind, scope, depth, exact=True)
        return f"({value.text})" if value.text[:1].isdigit() else value.at(ATOM)

    def _bool_ways(self, scope: Scope, depth: int) -> list[Way]:
        ways: list[Way] = [
            lambda: Written(f"not {self._of(BOOL, scope, depth).at(NOT)}", NOT),
            lambda: self._compared(scope, depth),
            lambda: self._joined("and", AND, scope, depth),
            lambda: self._joined("or", OR, scope, depth),
            lambda: Written(f"{self._target(TEXT, scope, depth)}.{self._text_test(scope, depth)}"),
        ]
        lists = [(text, kind) for text, kind, _ in scope.paths if kind.is_list]
        if lists:
            ways += [lambda: self._list_test(*self.draws.pick(lists), scope, depth)]
        absent = [path for _, kind, path in scope.paths if kind.is_optional]
        if absent:
            ways.append(lambda: self._is_none(self.draws.pick(absent)))
        cases = [(path, kind) for _, kind, path in scope.paths if scope.world.cases(kind)]
        if cases:
            ways.append(lambda: self._is_case(*self.draws.pick(cases), scope))
        maps = [text for text, kind, _ in scope.paths if kind.name == "Map"]
        if maps:
            ways.append(lambda: Written(f"{self._of(TEXT, scope, depth).at(ELSE)} in {self.draws.pick(maps)}", COMPARE))
        return ways

    def _text_test(self, scope: Scope, depth: int) -> str:
        name = self.draws.pick(("isEmpty", "contains", "startsWith"))
        return name if name == "isEmpty" else f"{name}({self._of(TEXT, scope, depth).text})"

    def _list_test(self, text: str, kind: Type, scope: Scope, depth: int) -> Written:
        name = self.draws.pick(("isEmpty", "any", "all", "in") if is_built(kind.item) else ("isEmpty", "any", "all"))
        if name == "isEmpty":
            return Written(f"{text}.isEmpty")
        if name == "in":
            return Written(f"{self._of(kind.item, scope, depth).at(ELSE)} in {text}", COMPARE)
        return Written(f"{text}.{name}({self._lambda(kind.item, BOOL, scope, depth)})")

    def _lambda(self, item: Type, result: Type, scope: Scope, depth: int) -> str:
        name = self.draws.fresh("value")
        body = self._of(result, scope.bind(name, item), depth, exact=True)
        return f"{name} => {body.text}"

    def _joined(self, word: str, level: int, scope: Scope, depth: int) -> Written:
        left, asked = self._asking(scope, depth)
        right = self._of(BOOL, scope.ask(asked), depth)
        return Written(f"{left.at(level)} {word} {right.at(level + 1)}", level)

    def _compared(self, scope: Scope, depth: int) -> Written:
        op = self.draws.pick(("==", "<", "!=", "<=", ">", ">="))
        if op in ("==", "!="):
            named = [Type(name) for name in (*scope.world.enums, *scope.world.records)]
            kind = self.draws.pick((*BASIC, *named))
        else:
            kind = self.draws.pick(ORDERED)
        left = self._of(kind, scope, depth, exact=True)
        right = self._of(kind, scope, depth)
        return Written(f"{left.at(ELSE)} {op} {right.at(ELSE)}", COMPARE)

    def _is_none(self, path: Path) -> Written:
        self.asked.add(path)
        return Written(f"{'.'.join(path)} {self.draws.pick(('is none', '== none', '!= none'))}", COMPARE)

    def _is_case(self, path: Path, kind: Type, scope: Scope) -> Written:
        case = self.draws.pick(tuple(scope.world.cases(kind)))
        self.asked.add(path)
        return Written(f"{'.'.join(path)} is {case}", COMPARE)

    def _number_ways(self, kind: Type, scope: Scope, depth: int, *, exact: bool) -> list[Way]:
        other = DECIMAL if exact or kind == INT else self.draws.pick((DECIMAL, INT))
        ways: list[Way] = [
            lambda: self._binary(self.draws.pick("+-"), kind if kind == INT else other, kind, scope, depth),
            lambda: self._binary("*", kind if kind == INT else other, kind, scope, depth),
            lambda: Written(f"-{self._of(kind, scope, depth, exact=exact).at(UNARY)}", UNARY),
        ]
        if kind == DECIMAL:
            ways.append(lambda: self._quotient(self.draws.pick(((DECIMAL, INT), (EUR, EUR), (DURATION, DURATION))),
                                               DECIMAL, scope, depth))  # fmt: skip
            ways.append(lambda: Written(f"{self._target(EUR, scope, depth)}.amount"))
        else:
            ways.append(lambda: Written(f"{self._target(TEXT, scope, depth)}.length"))
            ways.append(
                lambda: Written(f"{self._target(DECIMAL, scope, depth)}.{self.draws.pick(('round', 'floor', 'ceil'))}")
            )
        return [*ways, *self._aggregates(kind, scope, depth)]

    def _aggregates(self, kind: Type, scope: Scope, depth: int) -> list[Way]:
        """`sum`, `count` over the lists in scope."""
        lists = [(text, of) for text, of, _ in scope.paths if of.is_list]
        ways: list[Way] = []
        if lists and kind in SUMMED:
            ways.append(lambda: self._sum(*self.draws.pick(lists), kind, scope, depth))
        if lists and kind == INT:
            ways.append(lambda: self._count(*self.draws.pick(lists), scope, depth))
        return ways

    def _sum(self, text: str, of: Type, kind: Type, scope: Scope, depth: int) -> Written:
        if of.item == kind and self.draws.chance(2):
            return Written(f"{text}.sum")
        return Written(f"{text}.sum({self._lambda(of.item, kind, scope, depth)})")

    def _count(self, text: str, of: Type, scope: Scope, depth: int) -> Written:
        if self.draws.chance(2):
            return Written(f"{text}.count({self._lambda(of.item, BOOL, scope, depth)})")
        return Written(f"{text}.count")

    def _binary(self, op: str, left: Type, right: Type, scope: Scope, depth: int) -> Written:
        level = PRODUCT if op in "*/" else SUM
        a = self._of(left, scope, depth, exact=True)
        b = self._of(right, scope, depth, exact=True)
        return Written(f"{a.at(level)} {op} {b.at(level + 1)}", level)

    def _quotient(self, sides: tuple[Type, Type], kind: Type, scope: Scope, depth: int) -> Written:
        """A quotient, and what it is where nothing is divided."""
        part = self._binary("/", *sides, scope, depth)
        return Written(f"{part.at(ELSE)} ?? {self._of(kind, scope, depth, exact=True).at(SUM)}", ELSE)

    def _amount_ways(self, kind: Type, scope: Scope, depth: int) -> list[Way]:
        factor = self.draws.pick((INT, DECIMAL))
        ways: list[Way] = [
            lambda: self._binary(self.draws.pick("+-"), kind, kind, scope, depth),
            lambda: self._binary("*", kind, factor, scope, depth),
            lambda: self._binary("*", factor, kind, scope, depth),
            lambda: self._quotient((kind, factor), kind, scope, depth),
            lambda: Written(f"-{self._of(kind, scope, depth, exact=True).at(UNARY)}", UNARY),
        ]
        if kind == DURATION:
            ways.append(lambda: self._binary("-", INSTANT, INSTANT, scope, depth))
        return [*ways, *self._aggregates(kind, scope, depth)]

    def _instant_ways(self, scope: Scope, depth: int) -> list[Way]:
        ways: list[Way] = [
            lambda: self._binary(self.draws.pick("+-"), INSTANT, DURATION, scope, depth),
            lambda: self._binary("+", DURATION, INSTANT, scope, depth),
            lambda: Written(f"{self._target(DATE, scope, depth)}.start"),
        ]
        if scope.clock:
            ways.append(lambda: Written("now()"))
        return ways

    def _text_ways(self, scope: Scope, depth: int) -> list[Way]:
        ways: list[Way] = [
            lambda: Written(self.shown(scope)),
            lambda: Written(f"{self._target(TEXT, scope, depth)}.{self.draws.pick(('upper', 'lower', 'trim'))}"),
        ]
        errors = [text for text, kind, _ in scope.paths if kind.name in ("Error", "Errors")]
        if errors:
            ways.append(lambda: Written(f"{self.draws.pick(errors)}.message"))
        maps = [text for text, kind, _ in scope.paths if kind.name == "Map"]
        if maps:
            ways.append(lambda: Written(f'{self.draws.pick(maps)}.keys.first ?? "none"', ELSE))
        return ways

    def _list_ways(self, kind: Type, scope: Scope, depth: int, *, exact: bool) -> list[Way]:
        same = scope.by_type.get(kind, [])
        ways: list[Way] = [
            lambda: Written(
                f"[{', '.join(self._of(kind.item, scope, depth, exact=exact).text for _ in range(self.draws.number(1, 3)))}]"
            )
        ]
        if same:
            ways += [
                lambda: Written(f"{self.draws.pick(same)}.filter({self._lambda(kind.item, BOOL, scope, depth)})"),
                lambda: Written(
                    f"{self.draws.pick(same)}.sortBy({self._lambda(kind.item, self.draws.pick(ORDERED), scope, depth)})"
                ),
                lambda: Written(
                    f"{self.draws.pick(same)} + {self._of(kind, scope, depth, exact=True).at(PRODUCT)}", SUM
                ),
            ]
        lists = [(text, of) for text, of, _ in scope.paths if of.is_list]
        if lists:
            ways.append(lambda: self._map(*self.draws.pick(lists), kind.item, scope, depth))
        maps = scope.by_type.get(map_of(kind.item), [])
        if maps:
            ways.append(lambda: Written(f"{self.draws.pick(maps)}.values"))
        return ways

    def _map(self, text: str, of: Type, item: Type, scope: Scope, depth: int) -> Written:
        return Written(f"{text}.map({self._lambda(of.item, item, scope, depth)})")

    def _optional_ways(self, kind: Type, scope: Scope, depth: int, *, exact: bool) -> list[Way]:
        inner = kind.item
        ways: list[Way] = []
        if not exact:
            ways.append(lambda: self._of(inner, scope, depth, exact=True))
        lists = scope.by_type.get(list_of(inner), [])
        if lists:
            ways.append(lambda: Written(self._picked(lists, scope)))
            ways.append(lambda: Written(f"{self.draws.pick(lists)}.find({self._lambda(inner, BOOL, scope, depth)})"))
        if lists and inner in ORDERED:
            ways.append(lambda: Written(f"{self.draws.pick(lists)}.{self.draws.pick(('min', 'max'))}"))
        maps = scope.by_type.get(map_of(inner), [])
        if maps:
            ways.append(lambda: Written(f"{self.draws.pick(maps)}[{self._of(TEXT, scope, depth).text}]"))
        if inner == DECIMAL:
            ways.append(lambda: self._binary("/", DECIMAL, DECIMAL, scope, depth))
        if inner in (EUR, DURATION):
            ways.append(lambda: self._binary("/", inner, INT, scope, depth))
        reads = [
            f"{text}?.{name}"
            for text, of, _ in scope.paths
            if of.is_optional
            for name, field in scope.world.fields(of.item)
            if field == inner
        ]
        if reads:
            ways.append(lambda: Written(self.draws.pick(reads)))
        return ways

    def _picked(self, lists: list[str], scope: Scope) -> str:
        """One element of a list, if there is one."""
        text = self.draws.pick(lists)
        way = self.draws.pick(("first", "last", "index"))
        return f"{text}[{self._of(INT, scope, 0).text}]" if way == "index" else f"{text}.{way}"

    # -- of any type

    def _cond(self, kind: Type, scope: Scope, depth: int, *, exact: bool) -> Written:
        test, asked = self._asking(scope, depth)
        inside = scope.ask(asked)
        yes = self._of(kind, inside, depth, exact=exact)
        no = self._of(kind, inside, depth, exact=exact)
        return Written(f"if {test.text} then {yes.text} else {no.text}", COND)

    def _instead(self, text: str, kind: Type, scope: Scope, depth: int, *, exact: bool) -> Written:
        _ = exact
        return Written(f"{text} ?? {self._of(kind, scope, depth, exact=kind == DECIMAL).at(SUM)}", ELSE)

    def _narrowed(self, text: str, path: Path, kind: Type, scope: Scope, depth: int, *, exact: bool) -> Written:
        """A value that is known to be there because the condition has asked."""
        self.asked.add(path)
        other = self._of(kind, scope.ask((path,)), depth, exact=exact)
        if self.draws.chance(2):
            return Written(f"if {text} is none then {other.text} else {text}", COND)
        return Written(f"if not {text} is none then {text} else {other.text}", COND)

    def _apply(self, function: Function, scope: Scope, depth: int) -> Written:
        return Written(f"{function.name}({self.arguments(function.fields, scope, min(depth, 1))})")

    # -- literals

    def _literal(self, kind: Type, scope: Scope, *, exact: bool) -> Written:
        draws = self.draws
        match kind:
            case Type("Int"):
                return Written(str(draws.pick((0, 1, 2, 7, 100, 2**53 - 1))))
            case Type("Decimal"):
                return Written(draws.pick(("0.5", "20%", "1.25", "0.0", "100.10") if exact else ("0.5", "3", "2.5%")))
            case Type("Bool"):
                return Written(draws.pick(("true", "false")))
            case Type("Text"):
                return Written(draws.text())
            case Type("Duration"):
                return Written(draws.duration())
            case Type("Instant"):
                return Written(f'instant("{draws.pick(("2026-01-31T09:00:00Z", "1999-12-31T23:59:59.250Z"))}")')
            case Type("Date"):
                return Written(f'date("{draws.pick(("2026-01-31", "2000-02-29"))}")')
            case Type("Money", (currency,)):
                return Written(draws.pick(("5", "0", "9.99", "1000000")) + str(currency))
            case Type("Secret"):
                return Written(next(name for name, of in scope.world.secrets.items() if of == kind))
            case Type("?", (inner,)):
                return Written(f"[{self._literal(inner, scope, exact=True).text}].first") if exact else Written("none")
            case Type("List", (item,)):
                count = draws.number(1 if exact else 0, 2)
                return Written(f"[{', '.join(self._literal(item, scope, exact=exact).text for _ in range(count))}]")
            case _:
                return self._built(kind, scope, exact=exact)

    def _built(self, kind: Type, scope: Scope, *, exact: bool) -> Written:
        """A record or a case."""
        if kind.name in scope.world.records:
            return Written(f"{kind}({self.arguments(scope.world.records[kind.name], scope, 0)})")
        cases = scope.world.cases(kind)
        name = self.draws.pick(tuple(cases))
        written = f"{kind}.{name}" if exact or self.draws.chance(4) else name
        fields = cases[name]
        return Written(f"{written}({self.arguments(fields, scope, 0)})" if fields else written)
