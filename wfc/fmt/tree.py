"""Tokens grouped by the grammar, with every token in its place: what the tree of `syntax` leaves out is needed here.

The same tables are driven as in `syntax.parse`, but a rule keeps all its parts. There is no recovery: what does not
parse is not laid out.
"""

from collections.abc import Sequence
from typing import TypeAlias

from wfc.syntax.tables import ACTIONS, GOTOS, RULES, START, TERMINALS
from wfc.syntax.tokens import END, FIRST_FIXED, NAME

Part: TypeAlias = "int | Tree"


class Tree:
    """A rule of the grammar with its parts, tokens by number; it spans the tokens from `start` up to `stop`."""

    __slots__ = ("parts", "rule", "start", "stop")

    def __init__(self, rule: str, parts: "list[Part]", start: int, stop: int) -> None:
        self.rule = rule
        self.parts = parts
        self.start = start
        self.stop = stop

    def trees(self) -> "list[Tree]":
        """The parts that are no tokens."""
        return [part for part in self.parts if isinstance(part, Tree)]


_IS_WORD = tuple(term >= FIRST_FIXED and text.isidentifier() for term, text in enumerate(TERMINALS))
_REDUCTIONS = tuple((origin, length, name, name in {"", "*"}) for origin, length, name, _ in RULES)


def grown(terms: Sequence[int]) -> Tree | None:
    """The tokens of a file as a tree, or None where they do not fit the grammar."""
    first, last = START["file"]
    states = [first]
    values: list[int | Tree | list[Part]] = [[]]
    starts = [0]
    actions, gotos, reductions = ACTIONS, GOTOS, _REDUCTIONS
    for i, written in enumerate(terms):
        term = written
        row = actions[states[-1]]
        if term not in row and _IS_WORD[term]:
            term = NAME
        while True:
            action = row.get(term)
            if action is None:
                return None
            if action >= 0:
                break
            origin, length, name, passes = reductions[-1 - action]
            if length == 1 and passes:
                del states[-1]
            else:
                parts: list[Part] = []
                start = i
                if length:
                    start = starts[-length]
                    for value in values[-length:]:
                        if type(value) is list:
                            parts += value
                        else:
                            parts.append(value)  # type: ignore[arg-type]  # mypy does not narrow by `type`
                    del states[-length:], values[-length:], starts[-length:]
                values.append(parts if passes else Tree(name, parts, start, i))
                starts.append(start)
            states.append(gotos[states[-1]][origin])
            if states[-1] == last and term == END:
                value = values[-1]
                return value if isinstance(value, Tree) else None
            row = actions[states[-1]]
        states.append(action)
        values.append(i)
        starts.append(i)
    return None
