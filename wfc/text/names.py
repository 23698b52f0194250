"""Spellings of one name, and the nearest of several."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

_FEW, _AROUND = 200, 20  # names that are all measured; names on each side, of more
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]")


def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a camel, Pascal, snake or kebab name: `HTTPCall_x` is `http call x`."""
    return tuple(match.group().lower() for match in _WORD.finditer(name)) or (name.lower(),)


def kebab(name: str) -> str:
    """`OrderFulfillment` and `order_fulfillment` are `order-fulfillment`."""
    return "-".join(words(name))


def snake(name: str) -> str:
    """`MissingRollback` is `missing_rollback`."""
    return "_".join(words(name))


def spaced(name: str) -> str:
    """A name as words: `SuspectedFraud` is `suspected fraud`."""
    return " ".join(words(name))


def camel(name: str) -> str:
    """`order_fulfillment` is `orderFulfillment`."""
    first, *rest = words(name)
    return first + "".join(word.capitalize() for word in rest)


def pascal(name: str) -> str:
    """`order_fulfillment` is `OrderFulfillment`."""
    return "".join(word.capitalize() for word in words(name))


def distance(a: str, b: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) from a to b, or `limit + 1` where it is more.

    Optimal string alignment; two rows back are kept for the swap.
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, if one is near enough to be meant."""
    limit = max(1, len(name) // 3)
    lower = name.lower()
    best: tuple[int, str] | None = None
    for other in _candidates(lower, tuple(known)):
        if other == name:
            continue
        far = 0 if other.lower() == lower else distance(lower, other.lower(), limit)
        if far <= limit and (best is None or (far, other) < best):
            best = (far, other)
            limit = far  # those further away need not be measured
    return best[1] if best else None


def _candidates(lower: str, known: tuple[str, ...]) -> Iterable[str]:
    """The names to measure: all if they are few, else those that begin or end most alike.

    A slip leaves one end of a name as it is, and a file may have thousands of names, and of slips.
    """
    if len(known) <= _FEW:
        return known
    forward, backward = _sorted(known)
    return [
        other
        for names, key in ((forward, lower), (backward, lower[::-1]))
        for at in (bisect_left(names, (key, "")),)
        for _, other in names[max(0, at - _AROUND) : at + _AROUND]
    ]


@lru_cache(maxsize=8)
def _sorted(known: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Names by how they begin, and by how they end; of one list of names one asks often."""
    forward = sorted((name.lower(), name) for name in known)
    return forward, sorted((lower[::-1], name) for lower, name in forward)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A help line for a misspelt name, or nothing."""
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else None


def listed(items: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    every = list(items)
    if len(every) < 2:  # noqa: PLR2004 - one item needs no joining word
        return "".join(every)
    return f"{', '.join(every[:-1])} {last} {every[-1]}"


def counted(number: int, noun: str) -> str:
    """`1 problem`, `2 problems`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
