"""Choices on the way to a program: one of several, a number, a fresh name, a literal."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

_SIMPLE_TEXTS = ("", "a", "paid", "n/a", "two words")
_HARD_TEXTS = (
    "it's", "`back`", "${x}", "// no comment", "*/", "-->", "<b>", "%s", "#{y}", "\\", '"', "line\nbreak", "tab\there",
    "{braces}", "}", "äöü ß", "日本語", "🎉", "\u2028", "a;b", "a|b", "[x](y)", "__proto__", "null", ":", "end",
)  # fmt: skip
_WORDS = {
    "value": "order total reply item label rate amount_due unit class new delete default this import_ function".split(),
    "type": "Order Line Reply Customer Parcel Object Array Promise Money2 Result".split(),
    "case": "Open Closed Express Standard Unknown New Other Late Ready Gone".split(),
    "error": "Declined OutOfStock NotThere TooLate Broken Refused Error2".split(),
    "event": "Cancelled Changed Confirmed Arrived Asked Told".split(),
    "field": "id name size price note due kind count sku length constructor toString".split(),
    "thing": "payments stock carrier mail desk ledger bank shelf clock".split(),
    "verb": "charge book send check ask reserve notify find constructor weigh".split(),
    "node": "Start Check Pay Pack Ship Wait Decide Done2 Ask Review End".split(),
    "workflow": "OrderFlow ship_order Refund Onboard Billing Claim".split(),
}  # fmt: skip


@cache
def integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def quoted(text: str, *, plain: bool = False) -> str:
    """A text literal; in a plain one `{` is an ordinary character."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    if not plain:
        escapes |= {"{": "\\{", "}": "\\}"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


class Draws:
    """Draws from the choices of a test case, and never draws the same new name twice."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._taken: set[str] = set()

    def number(self, low: int, high: int) -> int:
        return low if high <= low else self._draw(integers(low, high))

    def chance(self, one_in: int) -> bool:
        """True once in so many; shrinks to False."""
        return self._draw(integers(0, one_in - 1)) == one_in - 1

    def pick(self, options: Sequence[T]) -> T:
        """One of several; shrinks to the first."""
        return options[self.number(0, len(options) - 1)]

    def some(self, options: Sequence[T], most: int) -> tuple[T, ...]:
        """A few of several, in their order, none twice; shrinks to none."""
        left = list(range(len(options)))
        count = self.number(0, min(most, len(left)))
        chosen = sorted(left.pop(self.number(0, len(left) - 1)) for _ in range(count))
        return tuple(options[i] for i in chosen)

    def fresh(self, kind: str) -> str:
        """A name that nothing else in the program has, whatever the case of its letters."""
        word = self.pick(_WORDS[kind])
        name, number = word, 1
        while _same(name) in self._taken:
            number += 1
            name = f"{word}{number}"
        self._taken.add(_same(name))
        return name

    def distinct(self, kind: str, count: int, avoid: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Names that differ from each other only."""
        names: list[str] = []
        for _ in range(count):
            word = self.pick(_WORDS[kind])
            name, number = word, 1
            while name in names or name in avoid:
                number += 1
                name = f"{word}{number}"
            names.append(name)
        return tuple(names)

    def raw_text(self) -> str:
        if self.chance(4):
            return self.pick(_HARD_TEXTS)
        return self.pick(_SIMPLE_TEXTS)

    def text(self) -> str:
        return quoted(self.raw_text())

    def reason(self) -> str:
        return quoted(self.raw_text(), plain=True)

    def duration(self) -> str:
        return self.pick(("1s", "30s", "5m", "2h", "1d", "1w2d", "1h30m", "250ms", "0s"))

    def pause(self) -> str:
        """A duration above zero."""
        return self.pick(("1h", "30s", "5m", "2d", "1w"))


def _same(name: str) -> str:
    """What two names have in common that may collide in some target."""
    return name.replace("_", "").lower()
