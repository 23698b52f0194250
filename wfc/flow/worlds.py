"""What may hold where a choice is made: one world is one way the values may lie, as far as somebody has asked.

A world grows by questions. Whoever asks something that is still open gets `Need`, with the worlds that answer it, and
asks again in each. So only what matters is told apart: numbers by the ranges between the constants they are compared
with, cases and truth values by themselves, two terms by which of them is the larger. What is none of these is a
question with two answers whose meaning nobody knows; a world that has answered one is not `exact`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction

from wfc.ir.values import MAX_INT

Number = int | Decimal
Exact = int | Fraction


@dataclass(frozen=True)
class Range:
    """Numbers that lie together; None is without bound. Those of a whole range are closed."""

    whole: bool
    low: Number | None = None
    high: Number | None = None
    low_open: bool = False
    high_open: bool = False

    def cut(self, at: Number) -> "dict[str, Range]":
        """The parts below, at and above a number that are not empty, by `<`, `=` and `>`."""
        if self.whole:
            floor = int(Decimal(at).to_integral_value(ROUND_FLOOR))
            ceiling = int(Decimal(at).to_integral_value(ROUND_CEILING))
            exact = floor == ceiling
            parts = {
                "<": self._within(None, floor - 1 if exact else floor),
                "=": self._within(floor, ceiling) if exact else None,
                ">": self._within(ceiling + 1 if exact else ceiling, None),
            }
        else:
            parts = {
                "<": self._within(None, at, high_open=True),
                "=": self._within(at, at),
                ">": self._within(at, None, low_open=True),
            }
        return {order: part for order, part in parts.items() if part is not None}

    def _within(
        self, low: Number | None, high: Number | None, *, low_open: bool = False, high_open: bool = False
    ) -> "Range | None":
        """What this has in common with another range."""
        if low is None or (self.low is not None and (self.low > low or (self.low == low and self.low_open))):
            low, low_open = self.low, self.low_open
        if high is None or (self.high is not None and (self.high < high or (self.high == high and self.high_open))):
            high, high_open = self.high, self.high_open
        if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
            return None
        return Range(self.whole, low, high, low_open, high_open)

    @property
    def point(self) -> bool:
        """Whether it is one number."""
        return self.low is not None and self.low == self.high

    @property
    def sample(self) -> Number:
        """One of its numbers; an end that belongs to it, if there is one: there the mistakes are."""
        low, high = self.low, self.high
        if low is not None and not self.low_open and low != -MAX_INT:
            return low
        if high is not None and not self.high_open and high != MAX_INT:
            return high
        if low is not None and high is not None and not self.whole:
            return (Decimal(low) + Decimal(high)) / 2
        if low is not None and low != -MAX_INT:
            return low + 1
        return high - 1 if high is not None and high != MAX_INT else 0


@dataclass(frozen=True)
class Among:
    """One of these cases or texts, or, with `others`, any but these."""

    names: frozenset[str]
    others: bool = False


Cell = Range | Among | bool
Pair = tuple[str, str]


@dataclass(frozen=True)
class World:
    """What is known: of terms by their key, of pairs of terms, and which questions have answers without a meaning."""

    cells: Mapping[str, Cell] = field(default_factory=dict)
    orders: Mapping[Pair, str] = field(default_factory=dict)  # `<`, `=`, `>`, or `!` for a pair without an order
    blind: frozenset[str] = frozenset()

    @property
    def exact(self) -> bool:
        """Whether every answer means what it says."""
        loose = [(pair, order) for pair, order in self.orders.items() if pair[0].startswith("~")]
        return not self.blind and len(loose) < 2 and all(self._free(*of) for of in loose)  # noqa: PLR2004 - alone

    def _free(self, pair: Pair, order: str) -> bool:
        """Whether a pair without an order can be equal, or differ, whatever is known of its terms."""
        cells = [self.cells.get(pair[0].removeprefix("~")), self.cells.get(pair[1])]
        if order == "=":
            return None in cells
        return any(cell is None or (isinstance(cell, Among) and cell.others) for cell in cells)

    def knowing(self, key: str, cell: Cell, *, blind: bool = False) -> "World":
        """This world with one more answer."""
        return replace(self, cells={**self.cells, key: cell}, blind=self.blind | {key} if blind else self.blind)

    def ordered(self, pair: Pair, order: str, ranges: Mapping[str, Range]) -> "World":
        """This world with the order of a pair; its terms have ranges from now on."""
        return replace(self, orders={**self.orders, pair: order}, cells={**ranges, **self.cells})

    def possible(self, about: str) -> bool:
        """Whether numbers exist that lie in their ranges and have these orders: no circle of differences below zero.

        Only what is tied to one term by orders is looked at: of the rest it is known. (Bellman 1958, Ford 1956.)
        """
        limits = list(self._limits(self._tied(about)))
        least: dict[str, tuple[Exact, int]] = {key: (0, 0) for limit in limits for key in limit[:2]}
        for _ in range(len(least) + 1):
            changed = False
            for a, b, by, strict in limits:  # b - a <= by, or below it
                start, apart = least[a]
                there = (start + by, apart - strict)
                if there < least[b]:
                    least[b] = there
                    changed = True
            if not changed:
                return True
        return False

    def _tied(self, about: str) -> list[tuple[Pair, str]]:
        """The orders that a term has with others, those with yet others, and so on."""
        pairs = [(pair, order) for pair, order in self.orders.items() if order in "<=>"]
        known = {about}
        found: list[tuple[Pair, str]] = []
        while True:
            near = [item for item in pairs if not known.isdisjoint(item[0])]
            if not near:
                return found
            found += near
            pairs = [item for item in pairs if known.isdisjoint(item[0])]
            known.update(key for pair, _ in near for key in pair)

    def _limits(self, pairs: list[tuple[Pair, str]]) -> Iterator[tuple[str, str, Exact, int]]:
        for (a, b), order in pairs:
            for small, large, holds in ((a, b, order in "<="), (b, a, order in ">=")):
                if holds:
                    one, two = self.cells.get(a), self.cells.get(b)
                    whole = isinstance(one, Range) and isinstance(two, Range) and one.whole and two.whole
                    apart = order != "="
                    yield large, small, -1 if apart and whole else 0, int(apart and not whole)
        for key in sorted({key for pair, _ in pairs for key in pair}):
            cell = self.cells.get(key)
            if isinstance(cell, Range):
                if cell.high is not None:
                    yield "", key, _exact(cell.high), int(cell.high_open)
                if cell.low is not None:
                    yield key, "", -_exact(cell.low), int(cell.low_open)


def _exact(number: Number) -> Exact:
    """A number that is added without rounding."""
    return number if isinstance(number, int) else Fraction(number)


class Need(Exception):  # noqa: N818 - an answer, not a failure
    """A question is open; these worlds answer it."""

    def __init__(self, worlds: list[World]) -> None:
        super().__init__()
        self.worlds = worlds
