"""How wide tokens are on one line, and which of them cannot stay on one: asked for every part, so answered at once.

All widths are sums over the tokens up to a place, so that a part's width is a difference. That is why no document
printer is needed here: nothing has to be looked ahead for.
"""

from itertools import accumulate

from wfc.fmt.tree import Part, Tree
from wfc.fmt.words import Words
from wfc.text.doc import columns

_TIGHT_BEFORE = frozenset({",", ".", "?.", ")", "]", ":", "?", "("})
_TIGHT_AFTER = frozenset({"(", "[", ".", "?.", "@"})
OPENERS = {"(": ")", "[": "]", "{": "}"}
STEPS_ON_A_LINE = 2
_ALWAYS_OPEN = frozenset({"service_decl", "migration_decl", "scenario_decl", "choose", "await", "parallel", "gateway"})
GUARDS = frozenset({"on_event", "on_error", "after", "at", "every"})
CLAUSES = frozenset(
    {
        *("with_named", "with_inline", "key_clause", "assign_clause", "pivot", "optional", "irreversible"),
        *("compensate_call", "compensate_block", "compensate_none", "raises"),
        *GUARDS,
    }
)


class Measured:
    """Tokens with their widths.

    `tight` are those without a blank before them, `dropped` the commas before a closing bracket, which stand only where
    a bracket is broken. `bare` are brackets that take no such comma, `verbs` how wide the words are that clauses stand
    behind, `glued` what a sign before it holds fast.
    """

    def __init__(self, words: Words, tree: Tree) -> None:
        self.words = words
        self.tight: list[bool] = []
        self.dropped: set[int] = set()
        self.glued: set[int] = set()
        self.bare: set[int] = set()
        self.verbs: dict[int, int] = {}
        self.forced: list[bool] = [False] * len(words.texts)
        texts = words.texts
        before = ""
        for text in texts:
            self.tight.append(text in _TIGHT_BEFORE or before in _TIGHT_AFTER)
            before = text
        self._visit(tree)
        dropped = self.dropped
        widths = (
            0 if i in dropped else columns(text) + (not tight)
            for i, (text, tight) in enumerate(zip(texts, self.tight, strict=True))
        )
        self.widths = list(accumulate(widths, initial=0))
        stops = (forced or i in words.leads or i - 1 in words.trails for i, forced in enumerate(self.forced))
        self.stops = list(accumulate(stops, initial=0))

    def width(self, start: int, stop: int) -> int:
        """How wide the tokens are on one line, without the blank before the first."""
        return self.widths[stop] - self.widths[start] - (not self.tight[start]) if stop > start else 0

    def is_whole(self, start: int, stop: int) -> bool:
        """Whether nothing between the tokens ends a line: no comment, and nothing that always stands on several."""
        return stop <= start or self.stops[stop] == self.stops[start + 1]

    # ------------------------------------------------------------------------------------------------- before measuring

    def _visit(self, root: Tree) -> None:
        waiting = [root]
        while waiting:
            tree = waiting.pop()
            visit = _VISITS.get(tree.rule)
            if visit is not None:
                visit(self, tree)
            self._brackets(tree.parts)
            waiting += [part for part in tree.parts if isinstance(part, Tree)]

    def _brackets(self, parts: list[Part]) -> None:
        """What was broken behind its opening bracket stays broken; what holds too much for a line is."""
        texts = self.words.texts
        for part in parts:
            if not isinstance(part, int):
                continue
            text = texts[part]
            if text == "," and texts[part + 1] in ")]}":
                self.dropped.add(part)
            elif text in OPENERS:
                closed = texts[part + 1] == OPENERS[text]
                if closed:
                    self.tight[part + 1] = True
                elif self.words.broken[part + 1]:
                    self.forced[part + 1] = True

    def open(self, tree: Tree) -> None:
        """Behind the brace of this tree a line ends, whatever its author wrote."""
        texts = self.words.texts
        for part in tree.parts:
            if isinstance(part, int) and texts[part] == "{":
                if texts[part + 1] != "}":
                    self.forced[part + 1] = True
                return

    def loosen(self, at: int) -> None:
        """This token has a blank before it after all."""
        self.tight[at] = at in self.glued or self.words.texts[at - 1] in _TIGHT_AFTER


def _opens(measured: Measured, tree: Tree) -> None:
    measured.open(tree)


def _few(measured: Measured, tree: Tree) -> None:
    """Steps or items in braces: a few may stand on one line."""
    if sum(isinstance(part, Tree) and part.rule not in _NO_ITEMS for part in tree.parts) > STEPS_ON_A_LINE:
        measured.open(tree)


def head_of(tree: Tree) -> int:
    """The first token behind the annotations."""
    part = next(part for part in tree.parts if not (isinstance(part, Tree) and part.rule == "annotation"))
    return part if isinstance(part, int) else part.start


def _annotated(measured: Measured, tree: Tree) -> None:
    """What was written below its annotations stays there."""
    head = head_of(tree)
    if head > tree.start and measured.words.broken[head]:
        measured.forced[head] = True


_NO_ITEMS = frozenset({"params", "extends", "policy_ref", "type_params"})


def _region(measured: Measured, tree: Tree) -> None:
    """A workflow and a scope always stand on several lines; a state or a branch may stand on one."""
    if any(isinstance(part, Tree) and part.rule in {"node", "state", "scope"} for part in tree.parts):
        measured.open(tree)
    else:
        _few(measured, tree)


def _outer(measured: Measured, tree: Tree) -> None:
    last = tree.parts[-1]
    assert isinstance(last, Tree)
    measured.open(last)


def _clauses(measured: Measured, tree: Tree) -> None:
    """Guards of a call stand on lines of their own, and so do clauses whose author put them there."""
    _annotated(measured, tree)
    clauses = [part for part in tree.parts if isinstance(part, Tree) and part.rule in CLAUSES]
    verb = head_of(tree)
    measured.verbs[verb] = len(measured.words.texts[verb])
    if not clauses:
        return
    if measured.words.broken[clauses[0].start] or any(clause.rule in GUARDS for clause in clauses):
        measured.forced[clauses[0].start] = True


def _list(measured: Measured, tree: Tree) -> None:
    measured.loosen(tree.start)


def _group(measured: Measured, tree: Tree) -> None:
    measured.loosen(tree.start)
    measured.bare.add(tree.start)


def _angles(measured: Measured, tree: Tree) -> None:
    measured.tight[tree.start] = True
    measured.tight[tree.start + 1] = True
    measured.tight[tree.stop - 1] = True


def _negative(measured: Measured, tree: Tree) -> None:
    measured.tight[tree.start + 1] = True
    measured.glued.add(tree.start + 1)


def _index(measured: Measured, tree: Tree) -> None:
    opening = tree.parts[1]
    assert isinstance(opening, int)
    measured.tight[opening] = True
    measured.bare.add(opening)


_VISITS = {
    **dict.fromkeys(_ALWAYS_OPEN, _opens),
    "workflow_decl": _outer,
    "scope": _outer,
    "region": _region,
    "block": _few,
    "state": _few,
    "with_inline": _few,
    "sets": _few,
    "policy_decl": _few,
    "top": _annotated,
    "node": _annotated,
    "do": _clauses,
    "start": _clauses,
    "operation": _clauses,
    "group": _group,
    "list": _list,
    "type_args": _angles,
    "type_params": _angles,
    "neg": _negative,
    "index": _index,
}
