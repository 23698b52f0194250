"""What stands in an order of its own: imports by name, the clauses of a call as the language lists them.

Guards keep the order of their author, since it decides which of two comes first at the same instant.
"""

from wfc.fmt.measure import GUARDS
from wfc.fmt.tree import Tree
from wfc.fmt.words import Words

_RANKS = {
    "assign_clause": 1,
    "with_named": 2,
    "with_inline": 2,
    "key_clause": 3,
    "pivot": 4,
    "optional": 5,
    **dict.fromkeys(("compensate_call", "compensate_block", "compensate_none", "irreversible"), 6),
    **dict.fromkeys(GUARDS, 7),
}


def in_order(words: Words, tree: Tree) -> Words | None:
    """The tokens in the order they are to stand in, or None if they do so already."""
    moves: dict[int, list[Tree]] = {}  # from the first token of some neighbours: these in order
    _imports(words, tree, moves)
    waiting = tree.trees()
    while waiting:
        part = waiting.pop()
        if part.rule == "do":
            _clauses(part, moves)
        waiting += part.trees()
    if not moves:
        return None
    return words.rearranged(_arranged(0, len(words.texts), moves))


def _arranged(start: int, stop: int, moves: dict[int, list[Tree]]) -> list[int]:
    """The tokens from one to another, with what is to be moved in its new order; a move may lie within another."""
    found: list[int] = []
    at = start
    while at < stop:
        trees = moves.pop(at, None)
        if trees is None:
            found.append(at)
            at += 1
            continue
        for tree in trees:
            found += _arranged(tree.start, tree.stop, moves)
            at = max(at, tree.stop)
    return found


def _imports(words: Words, tree: Tree, moves: dict[int, list[Tree]]) -> None:
    """Sorts what no blank line parts."""
    groups: list[list[Tree]] = []
    parts = tree.trees()
    for part in parts:
        if part.rule not in {"import_module", "import_names"}:
            continue
        if not groups or words.blank_before(part.start):
            groups.append([])
        groups[-1].append(part)
    for group in groups:
        if group[0].start == 0 and 0 in words.leads:
            continue  # who knows whether the comment speaks of the import or of the file
        ordered = sorted(group, key=lambda each: _module(words, each))
        if ordered != group:
            moves[group[0].start] = ordered
            if words.blank_before(group[0].start):
                words.set_blank(group[0].start, blank=False)
                words.set_blank(ordered[0].start, blank=True)


def _module(words: Words, tree: Tree) -> list[str]:
    name = tree.trees()[0]
    return words.texts[name.start : name.stop]


def _clauses(tree: Tree, moves: dict[int, list[Tree]]) -> None:
    clauses = [part for part in tree.trees() if part.rule in _RANKS]
    ordered = sorted(clauses, key=lambda each: _RANKS[each.rule])
    if ordered != clauses:
        moves[clauses[0].start] = ordered
