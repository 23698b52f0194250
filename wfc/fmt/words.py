"""A text as its tokens, each with the comments around it: all that a layout may not lose, and nothing else."""

import re
from collections.abc import Sequence

from wfc.syntax.tokens import END, UNREADABLE, tokenize

_LINE_END = re.compile(r"\r+\n")


class Lead:
    """A comment on lines of its own before a token, and whether the author left a line blank before it."""

    __slots__ = ("blank", "text")

    def __init__(self, text: str, *, blank: bool) -> None:
        self.text = text
        self.blank = blank


class Words:
    """The tokens of a text, side by side; the last one is the end.

    `leads` are the comments on lines before a token, `trails` the one at the end of its line. `blanks` says that a line
    is blank directly before a token, and `broken` that it begins a line.
    """

    def __init__(self) -> None:
        self.terms: list[int] = []
        self.texts: list[str] = []
        self.leads: dict[int, list[Lead]] = {}
        self.trails: dict[int, str] = {}
        self.blanks: set[int] = set()
        self.broken: list[bool] = []
        self.docs: dict[int, str] = {}

    def blank_before(self, at: int) -> bool:
        """Whether the author left a line blank before a token and the comments that belong to it."""
        leads = self.leads.get(at)
        return leads[0].blank if leads else at in self.blanks

    def set_blank(self, at: int, *, blank: bool) -> None:
        """Leaves a line blank before a token and its comments, or does not."""
        leads = self.leads.get(at)
        if leads:
            leads[0].blank = blank
        elif blank:
            self.blanks.add(at)
        else:
            self.blanks.discard(at)

    def rearranged(self, order: Sequence[int]) -> "Words":
        """The same tokens in another order, each with its comments."""
        found = Words()
        found.terms = [self.terms[i] for i in order]
        found.texts = [self.texts[i] for i in order]
        found.broken = [self.broken[i] for i in order]
        place = {old: new for new, old in enumerate(order)}
        found.leads = {place[i]: leads for i, leads in self.leads.items()}
        found.trails = {place[i]: trail for i, trail in self.trails.items()}
        found.blanks = {place[i] for i in self.blanks}
        found.docs = {place[i]: doc for i, doc in self.docs.items()}
        return found


def words(text: str) -> Words | None:
    """The tokens of a text with its comments; None where something in it is no token."""
    tokens = tokenize(text)
    if UNREADABLE in tokens.terms:
        return None
    found = Words()
    found.terms = tokens.terms
    before = 0
    last = len(tokens.terms) - 1
    for i, (start, end) in enumerate(zip(tokens.starts, tokens.ends, strict=True)):
        gap = text[before:start]
        found.texts.append(text[start:end])
        lines = gap.count("\n")
        found.broken.append(lines > 0 or i == 0)
        if "/" in gap:
            _comments(found, i, gap)
        elif lines > 1 and 0 < i < last:
            found.blanks.add(i)
        before = end
    if tokens.docs:
        place = {start: i for i, start in enumerate(tokens.starts)}
        found.docs = {place[start]: doc for start, doc in tokens.docs.items() if start in place}
    _commas_first(found)
    return found


def _comments(found: Words, at: int, gap: str) -> None:
    """Takes the comments between two tokens apart."""
    lines = gap.split("\n")
    first = lines[0].strip()
    if first and at:
        found.trails[at - 1] = _comment(lines[0])
    leads: list[Lead] = []
    blank = False
    for line in lines[1:-1] if at else lines[:-1]:
        if "/" in line:
            leads.append(Lead(_comment(line), blank=blank))
            blank = False
        else:
            blank = True
    if "/" in lines[-1] and (len(lines) > 1 or not at):  # the text ends in a comment
        leads.append(Lead(_comment(lines[-1]), blank=blank))
        blank = False
    if leads:
        found.leads[at] = leads
    if blank and found.terms[at] != END:
        found.blanks.add(at)


def _comment(line: str) -> str:
    """The comment in a line without code."""
    return line[line.index("//") :].rstrip(" \t\r")


def _commas_first(found: Words) -> None:
    """A comment at the end of a line, before the comma in the next, speaks of what is before the comma."""
    for at in list(found.trails):
        after = at + 1
        if found.texts[after] == "," and after not in found.leads and after not in found.trails:
            found.trails[after] = found.trails.pop(at)
            found.broken[after + 1] = True


def one_kind_of_line_ends(text: str) -> str:
    """A text whose lines end with a line feed."""
    return _LINE_END.sub("\n", text) if "\r" in text else text
