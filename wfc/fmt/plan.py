"""Where lines end: before which tokens, and how deep the next line stands.

What fits on a line and holds nothing that ends one is left alone, so that most of a text is never looked at closer.
Everything else is broken by the rule it is made by, from the outside in.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from wfc.fmt.measure import CLAUSES, GUARDS, OPENERS, Measured, head_of
from wfc.fmt.tree import Part, Tree
from wfc.fmt.words import Lead

WIDTH = 120
STEP = 2
MIDWAY = 4  # how much deeper an expression goes on that began in the middle of a line

Handler = Callable[["Plan", Tree, int, int, int], int]


class Plan:
    """What is decided about each token.

    `ends`: how deep the line stands that begins with a token, or -1 where none does. `wanted`: a blank line comes
    first; `kept`: it does if the author left one. `inside`: how deep comments before a closing bracket stand. `commas`:
    tokens behind which a comma is added. `pads`: blanks before a token, so that columns are aligned.
    """

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        self.words = measured.words
        self.ends = [-1] * len(measured.words.texts)
        self.wanted: set[int] = set()
        self.kept: set[int] = set()
        self.inside: dict[int, int] = {}
        self.commas: set[int] = set()
        self.pads: dict[int, int] = {}

    # ------------------------------------------------------------------------------------------------------------ basic

    def end_line(self, at: int, indent: int, *, keep: bool = True, want: bool = False) -> None:
        """The line ends before a token."""
        self.ends[at] = indent
        if want:
            self.wanted.add(at)
        elif keep:
            self.kept.add(at)

    def fits(self, start: int, stop: int, column: int, after: int = 0) -> bool:
        """Whether tokens can stand on one line from a column on, with so much after them."""
        return self.measured.is_whole(start, stop) and column + self.measured.width(start, stop) + after <= WIDTH

    def lay(self, tree: Tree, column: int, indent: int, after: int = 0) -> int:
        """Lays out a tree that begins in a column of a line that stands so deep; the column behind it."""
        if tree.start == tree.stop:
            return column
        if self.fits(tree.start, tree.stop, column, after):
            return column + self.measured.width(tree.start, tree.stop)
        return _HANDLERS.get(tree.rule, Plan.flow)(self, tree, column, indent, after)

    def flow(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """One part behind the other; brackets and what has a way of its own are broken where it does not fit."""
        return self.run(tree.parts, column, indent, after)

    def run(self, parts: Sequence[Part], column: int, indent: int, after: int) -> int:
        """Parts behind each other."""
        texts = self.words.texts
        k = 0
        while k < len(parts):
            part = parts[k]
            start = part if isinstance(part, int) else part.start
            if k and self._rule(parts[k - 1]) == "annotation" and self.measured.forced[start]:
                self.end_line(start, indent, keep=False)
                column = indent
            else:
                column += k > 0 and not self.measured.tight[start]
            if isinstance(part, Tree):
                rest = self.rest(parts, k, after)
                if part.rule in _BELOW and not self.fits(part.start, part.stop, column, rest):
                    self.end_line(part.start, indent + MIDWAY, keep=False)
                    column = indent + MIDWAY
                column = self.lay(part, column, indent, rest)
            elif texts[part] in OPENERS:
                stop = self.closing(parts, k)
                column = self.bracket(parts[k : stop + 1], column, indent, self.rest(parts, stop, after))
                k = stop
            elif texts[part] == "=" and k + 2 == len(parts):
                return self.value(parts[k + 1], column + 1, indent, after)
            else:
                column += self.measured.width(part, part + 1)
            k += 1
        return column

    def rest(self, parts: Sequence[Part], k: int, after: int) -> int:
        """How much stands behind a part up to the next place where the line may end."""
        found = 0
        for n in range(k + 1, len(parts)):
            part = parts[n]
            if found > WIDTH:
                return found
            if isinstance(part, int):
                found += self.measured.width(part, part + 1) + (not self.measured.tight[part])
                if self.words.texts[part] in _MAY_END_LINE:
                    return found
            elif part.rule in _SHORT:
                found += self.measured.width(part.start, part.stop) + 1
            else:
                return found + (2 if part.rule in {"block", "region"} else 0)
        return found + after

    def closing(self, parts: Sequence[Part], k: int) -> int:
        """Which part closes the bracket that a part opens."""
        part = parts[k]
        assert isinstance(part, int)
        closer = OPENERS[self.words.texts[part]]
        return next(j for j in range(k + 1, len(parts)) if self._is(parts[j], closer))

    def _is(self, part: Part, text: str) -> bool:
        return isinstance(part, int) and self.words.texts[part] == text

    # ---------------------------------------------------------------------------------------------------------- bracket

    def bracket(self, parts: Sequence[Part], column: int, indent: int, after: int) -> int:
        """Things between brackets, with commas: each on its line if they do not fit on one."""
        opened, closed = parts[0], parts[-1]
        assert isinstance(opened, int)
        assert isinstance(closed, int)
        if self.fits(opened, closed + 1, column, after):
            return column + self.measured.width(opened, closed + 1)
        inner: Sequence[Part] = parts[1:-1]
        takes_comma = opened not in self.measured.bare
        if len(inner) == 1 and isinstance(inner[0], Tree) and inner[0].rule in {"args", "params", "types"}:
            takes_comma = inner[0].rule != "types"
            inner = inner[0].parts
        first = True
        last = opened
        for part in inner:
            if isinstance(part, int) and self.words.texts[part] == ",":
                last = part
                self.measured.dropped.discard(part)
                continue
            start = part if isinstance(part, int) else part.start
            self.end_line(start, indent + STEP, keep=not first)
            if isinstance(part, Tree):
                self.lay(part, indent + STEP, indent + STEP, 1)
            last = part if isinstance(part, int) else part.stop - 1
            first = False
        if takes_comma and not first and self.words.texts[last] != ",":
            self.commas.add(last)
        self.close(closed, indent)
        return indent + 1

    def close(self, at: int, indent: int) -> None:
        """A closing bracket stands on a line of its own."""
        self.inside[at] = indent + STEP
        self.end_line(at, indent, keep=at in self.words.leads)

    def body(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """What stands in braces, a thing a line."""
        parts = tree.parts
        k = next(i for i, part in enumerate(parts) if self._is(part, "{"))
        stop = self.closing(parts, k)
        if k:
            column = self.run(parts[:k], column, indent, 2)
        opened = parts[k]
        assert isinstance(opened, int)
        closed = parts[stop]
        assert isinstance(closed, int)
        self.raise_comment(opened, closed)
        self.items([part for part in parts[k + 1 : stop] if isinstance(part, Tree)], indent + STEP)
        self.close(closed, indent)
        if stop + 1 < len(parts):  # a gateway's or a rule's arrow
            return self.run([closed, *parts[stop + 1 :]], indent, indent, after)
        return indent + 1

    def raise_comment(self, opened: int, closed: int) -> None:
        """What was said at the end of the line of a block stays on its first line when the block takes several."""
        words = self.words
        if closed in words.trails and opened not in words.trails and not any(words.broken[opened + 1 : closed + 1]):
            words.trails[opened] = words.trails.pop(closed)

    def items(self, items: Sequence[Tree], indent: int) -> None:
        """Things that stand each on its line."""
        self.aligned(items, indent)
        before = None
        for item in items:
            self.end_line(
                item.start,
                indent,
                keep=before is not None,
                want=before is not None and self.apart(before, item, indent),
            )
            self.say_above(item, indent)
            self.lay(item, indent, indent)
            before = item

    def say_above(self, item: Tree, indent: int) -> None:
        """A comment that allows a problem speaks of its own line: where that is broken, it has to stand above it."""
        words = self.words
        trail = words.trails.get(item.stop - 1, "")
        if not trail.startswith(_ALLOWS) or any(words.broken[item.start + 1 : item.stop]):
            return
        if self.fits(item.start, item.stop, indent):
            return
        del words.trails[item.stop - 1]
        leads = words.leads.setdefault(item.start, [])
        if leads:
            leads.insert(0, Lead(trail, blank=leads[0].blank))
            leads[1].blank = False
        else:
            leads.append(Lead(trail, blank=item.start in words.blanks))
            words.blanks.discard(item.start)

    def apart(self, before: Tree, item: Tree, indent: int) -> bool:
        """Whether a blank line belongs between two things: around nodes, and between guards and steps."""
        if item.rule in {"node", "top"}:
            if before.rule != item.rule:
                return True
            return not (self.fits(before.start, before.stop, indent) and self.fits(item.start, item.stop, indent))
        return before.rule in GUARDS and item.rule not in _CLAUSES_AND_ARMS

    # --------------------------------------------------------------------------------------------------------- alignmen

    def aligned(self, items: Sequence[Tree], indent: int, *, parted: bool = True) -> None:
        """Aligns what follows the heads of neighbours that stand each on one line; a blank line parts them."""
        rows: list[tuple[Tree, int]] = []
        for item in items:
            tail = self.tail(item)
            one = tail is not None and self.fits(item.start, item.stop, indent)
            apart = parted and self.words.blank_before(item.start)
            if rows and (not one or apart or not _alike(rows[-1][0], item)):
                self.align(rows, indent)
                rows = []
            if one and tail is not None:
                rows.append((item, tail))
        self.align(rows, indent)

    def tail(self, item: Tree) -> int | None:
        """Where the part begins that is aligned: the arrow or the block of a guard, of an arm, of a short node."""
        if item.rule in _TAILED:
            last = item.parts[-1]
            if isinstance(last, Tree) and last.rule == "also":
                last = last.parts[-1]
            return last.start if isinstance(last, Tree) else None
        if item.rule in _MIGRATIONS:
            part = item.parts[_MIGRATIONS[item.rule]]
            return part if isinstance(part, int) else part.start
        inner = item.parts[-1] if item.rule == "node" else item
        if isinstance(inner, Tree) and inner.rule == "state":
            return next(part for part in inner.parts if isinstance(part, int) and self.words.texts[part] == "{")
        if inner is item and item.rule == "branch":
            region = item.parts[-1]
            return region.start if isinstance(region, Tree) else None
        return None

    def align(self, rows: list[tuple[Tree, int]], indent: int) -> None:
        """Pads the heads of rows, and the arrows behind their single steps."""
        if len(rows) < 2:  # noqa: PLR2004 - nothing to align with
            return
        width = self.measured.width
        heads = [width(item.start, tail) for item, tail in rows]
        widest = max(heads)
        arrows = [self.arrow(item, tail) for item, tail in rows]
        steps = [width(tail, arrow) if arrow is not None else 0 for (_, tail), arrow in zip(rows, arrows, strict=True)]
        longest = max(steps)
        for (item, tail), step, arrow in zip(rows, steps, arrows, strict=True):
            more = longest - step if arrow is not None else 0
            if indent + widest + 1 + width(tail, item.stop) + more > WIDTH:
                return
        for (_, tail), head, step, arrow in zip(rows, heads, steps, arrows, strict=True):
            self.pads[tail] = widest - head
            if arrow is not None:
                self.pads[arrow] = longest - step

    def arrow(self, item: Tree, tail: int) -> int | None:
        """The arrow behind the only step of a block, or of a short state."""
        block = item.parts[-1]
        if not isinstance(block, Tree) or block.rule not in {"block", "state"}:
            return None
        steps = block.trees()
        if tail < block.start or len(steps) != 2 or steps[1].rule != "goto":  # noqa: PLR2004
            return None
        return steps[1].start

    # ------------------------------------------------------------------------------------------------------- expression

    def value(self, part: Part, column: int, indent: int, after: int) -> int:
        """What stands behind `=`."""
        column += 1
        if isinstance(part, int):
            return column
        if self.fits(part.start, part.stop, column, after):
            return column + self.measured.width(part.start, part.stop)
        if part.stop - part.start == 1:
            breaks = self.fits(part.start, part.stop, indent + STEP, after)
        else:
            breaks = part.rule in _OPERATORS or part.rule == "cond" or part.start in self.words.leads
        if not breaks:
            return self.lay(part, column, indent, after)
        self.end_line(part.start, indent + STEP, keep=False)
        return self.lay(part, indent + STEP, indent + STEP, after)

    def operators(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """Operands, each with its operator before it."""
        deep = indent if column == indent else indent + MIDWAY
        level = _OPERATORS[tree.rule]
        operands: list[tuple[Part, int]] = []  # right to left: the operand and its operator
        left: Part = tree
        while isinstance(left, Tree) and _OPERATORS.get(left.rule) == level:
            operator, operand = left.parts[-2], left.parts[-1]
            assert isinstance(operator, int)
            operands.append((operand, operator))
            left = left.parts[0]
        column = self.run([left], column, deep, 0)
        for n, (operand, operator) in enumerate(reversed(operands), 1):
            self.end_line(operator, deep, keep=False)
            column = deep + self.measured.width(operator, operator + 1)
            column = self.run([operator, operand], deep, deep, after if n == len(operands) else 0)
        return column

    def cond(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """`if a then b`, each `else` on a line below."""
        deep = indent if column == indent else indent + MIDWAY
        while True:
            head, tail = tree.parts[:4], tree.parts[4:]
            then, other = head[2], tail[0]
            assert isinstance(then, int)
            assert isinstance(other, int)
            yes = head[3]
            stop = yes.stop if isinstance(yes, Tree) else yes + 1
            if not self.fits(tree.start, stop, column):
                self.run(head[:2], column, deep, 0)
                self.end_line(then, deep + STEP, keep=False)
                self.run(head[2:], deep + STEP, deep + STEP, 0)
            self.end_line(other, deep, keep=False)
            last = tail[1]
            if not (isinstance(last, Tree) and last.rule == "cond"):
                return self.run(tail, deep, deep, after)
            column = deep + self.measured.width(other, other + 1) + 1
            tree = last

    # ------------------------------------------------------------------------------------------ what has ways of its ow

    def file(self, tree: Tree) -> None:
        """The module's name, imports, declarations."""
        before = None
        for item in tree.trees():
            want = before is not None and (
                before.rule == "module_decl" or (item.rule == "top" and self.apart(before, item, 0))
            )
            self.end_line(item.start, 0, want=want, keep=before is not None)
            self.say_above(item, 0)
            self.lay(item, 0, 0)
            before = item

    def clauses(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """A call or an operation with its clauses on lines below, as deep as its name."""
        k = next(
            (i for i, part in enumerate(tree.parts) if isinstance(part, Tree) and part.rule in CLAUSES), len(tree.parts)
        )
        head = head_of(tree)
        if head > tree.start:
            notes = [part for part in tree.parts if isinstance(part, Tree) and part.rule == "annotation"]
            column = self.run(notes, column, indent, 0) + 1
            if self.measured.forced[head]:
                self.end_line(head, indent, keep=False)
                column = indent
            if self.fits(head, tree.stop, column, after):
                return column + self.measured.width(head, tree.stop)
            tree = Tree(tree.rule, tree.parts[len(notes) :], head, tree.stop)
            k -= len(notes)
        column = self.run(tree.parts[:k], column, indent, 0 if k < len(tree.parts) else after)
        deep = indent + self.measured.verbs[head_of(tree)] + 1
        clauses = [part for part in tree.parts[k:] if isinstance(part, Tree)]
        self.aligned(clauses, deep, parted=False)
        for clause in clauses:
            self.end_line(clause.start, deep, keep=False)
            self.say_above(clause, deep)
            column = self.lay(clause, deep, deep)
        return column

    def workflow(self, tree: Tree, column: int, indent: int, _after: int) -> int:
        """The head, its parameters each on a line if it is too long, and the body."""
        region = tree.parts[-1]
        assert isinstance(region, Tree)
        head = tree.parts[:-1]
        k = next(i for i, part in enumerate(head) if self._is(part, ")"))
        if k + 1 < len(head) and self._rule(head[k + 1]) == "result":
            k += 1
        column = self.run(head[: k + 1], column, indent, 0)
        for n, part in enumerate(head[k + 1 :], k + 2):
            assert isinstance(part, Tree)
            if self.fits(part.start, part.stop, column + 1, 2 if n == len(head) else 0):
                column = self.lay(part, column + 1, indent)
            else:
                self.end_line(part.start, indent + MIDWAY, keep=False)
                column = self.lay(part, indent + MIDWAY, indent + MIDWAY, 2)
        return self.lay(region, column + 1, indent, 0)

    def _rule(self, part: Part) -> str:
        return part.rule if isinstance(part, Tree) else ""

    def service(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """Operations, their names in one column."""
        kinds = [
            kind.start
            for operation in tree.trees()
            if operation.rule == "operation"
            for kind in operation.trees()
            if kind.rule == "op_kind" and (kind.start == operation.start or self.measured.forced[kind.start])
        ]
        widths = {at: self.measured.width(at, at + 1) for at in kinds}
        widest = max(widths.values(), default=0)
        for at, width in widths.items():
            self.pads[at + 1] = widest - width
            self.measured.verbs[at] = widest
        return self.body(tree, column, indent, after)

    def names(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """A list of names: as many on each line as fit, the first ones in one column."""
        parts = tree.parts
        last = max((k for k, part in enumerate(parts) if self._rule(part) in _LISTED), default=-1)
        deep = -1
        for k, part in enumerate(parts):
            start = part if isinstance(part, int) else part.start
            column += k > 0 and not self.measured.tight[start]
            if isinstance(part, int):
                column += self.measured.width(part, part + 1)
                continue
            rest = 1 if k < last else self.rest(parts, k, after)
            if part.rule not in _LISTED:
                column = self.lay(part, column, indent, rest)
                continue
            if deep < 0:
                deep = column
            elif not self.fits(start - 1, part.stop, column - 2, rest):
                self.end_line(start, deep, keep=False)
                column = deep
            column = self.lay(part, column, deep, rest)
        return column

    def group(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """The members of a group of errors, each on a line."""
        k = next(i for i, part in enumerate(tree.parts) if self._is(part, "="))
        self.run(tree.parts[: k + 1], column, indent, 0)
        start = k + 1
        while start < len(tree.parts):
            stop = next((i for i in range(start + 1, len(tree.parts)) if self._is(tree.parts[i], "|")), len(tree.parts))
            first = tree.parts[start]
            self.end_line(first if isinstance(first, int) else first.start, indent + STEP, keep=False)
            column = self.run(tree.parts[start:stop], indent + STEP, indent + STEP, after)
            start = stop
        return column

    def outcomes(self, tree: Tree, column: int, indent: int, after: int) -> int:
        """What a partner answers, each further time on a line below."""
        parts = tree.parts
        thens = [k for k, part in enumerate(parts) if self._is(part, "then")]
        first = thens[0] if thens else len(parts)
        column = self.run(parts[:first], column, indent, 0 if thens else after)
        for k, stop in pairwise([*thens, len(parts)]):
            then = parts[k]
            assert isinstance(then, int)
            deep = indent + self.measured.width(tree.start, tree.start + 1) + 1
            self.end_line(then, deep, keep=False)
            column = self.run(parts[k:stop], deep, deep, after if stop == len(parts) else 0)
        return column


def _alike(one: Tree, other: Tree) -> bool:
    return (
        one.rule == other.rule
        or (one.rule in _TAILED and other.rule in _TAILED)
        or (one.rule in _MIGRATIONS and other.rule in _MIGRATIONS)
    )


_ALLOWS = "// allow "
_TAILED = GUARDS | {"arm", "otherwise"}
_MIGRATIONS = {"migrate_to": 2, "migrate_stay": 2, "migrate_default_stay": 1, "migrate_default_refuse": 1}
_CLAUSES_AND_ARMS = CLAUSES | _TAILED | {"var", "view", "sla", "ignore", "branch"}
_MAY_END_LINE = frozenset({*OPENERS, "="})
_SHORT = frozenset(
    {
        *("as_name", "at_name", "to_node", "result", "version", "key_clause", "raises", "keep", "pivot", "some"),
        *("qname", "base_type", "optional_type", "goto"),
    }
)
_OPERATORS = {
    "or_": 0,
    "and_": 1,
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge", "contains", "is_case", "is_none"), 2),
    "coalesce": 3,
    **dict.fromkeys(("add", "sub"), 4),
    **dict.fromkeys(("mul", "div"), 5),
}
_BODIES = (
    *("block", "region", "state", "gateway", "choose", "await", "parallel", "policy_decl", "with_inline"),
    *("migration_decl", "sets", "scenario_decl"),
)
_NAMES = ("expect_path", "expect_undone", "raises", "on_error", "ignore", "retry_only", "retry_except", "lock")
_LISTED = frozenset({"qname", "together", "resource_ref"})
_BELOW = frozenset({"condition", "concurrency"})  # what goes to a line below where it does not fit
_HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(_BODIES, Plan.body),
    **dict.fromkeys(_NAMES, Plan.names),
    **dict.fromkeys(_OPERATORS, Plan.operators),
    "cond": Plan.cond,
    "do": Plan.clauses,
    "error_group": Plan.group,
    "start": Plan.clauses,
    "given_outcomes": Plan.outcomes,
    "operation": Plan.clauses,
    "service_decl": Plan.service,
    "workflow_decl": Plan.workflow,
}
