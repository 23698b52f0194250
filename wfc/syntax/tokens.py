"""Text to tokens: one regular expression over the whole text. Knows the signs and words of the tables, no grammar."""

import re

from wfc.syntax.tables import SIGNS, TERMINALS, WORDS
from wfc.text.value import Value, value

NAME, STRING, INT, DECIMAL, DURATION, MONEY, PERCENT, END = range(8)
FIRST_FIXED = END + 1  # terminals from here on have one spelling
UNREADABLE = -1

_SKIP = r"(?:[ \t\r\n\f]++|//[^\n]*+)*+"
_MASTER = re.compile(
    _SKIP
    + r"""(?:([A-Za-z_][A-Za-z0-9_]*)
    |("(?:[^"\\\n]|\\.)*")
    |((?:\d+(?:ms|[smhdw]))+\b)
    |(\d+(?:\.\d+)?[A-Z]{3}\b)
    |(\d+(?:\.\d+)?%)
    |(\d+\.\d+(?![A-Za-z0-9_]))
    |(\d+(?![A-Za-z0-9_]))
    |(=>|==|!=|<=|>=|->|\?\?|\?\.|[-+*/<>=(){}\[\],.:|?@])
    |("[^"\n]*|\d[A-Za-z0-9_.%]*|&&|\|\||[^ \t\r\n\f])
    |(\Z))""",  # blanks and comments at the very end
    re.VERBOSE,
)
_KIND = (0, NAME, STRING, DURATION, MONEY, PERCENT, DECIMAL, INT)
_DOC = re.compile(r"^[ \t]*///(?!/)[^\n]*(?:\n[ \t]*///(?!/)[^\n]*)*", re.MULTILINE)
_DOC_LINE = re.compile(r"^[ \t]*/// ?", re.MULTILINE)
_BLANK = re.compile(r"[ \t\r\n\f]*")
_SIGN, _BAD, _REST = 8, 9, 10


@value
class Tokens(Value):
    """The tokens of a text, side by side: terminal number, start, end. The last one is the end of the text.

    `docs` maps the start of a token to the doc comment that stands directly before it.
    """

    terms: list[int]
    starts: list[int]
    ends: list[int]
    docs: dict[int, str]


def tokenize(text: str, start: int = 0, end: int | None = None) -> Tokens:
    """The tokens between two offsets. What cannot be read is a token of its own, `UNREADABLE`."""
    whole = end is None  # an insertion has no doc comments, and a look through the whole text each time would add up
    end = len(text) if end is None else end
    terms: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    words = WORDS.get
    for match in _MASTER.finditer(text, start, end):
        kind = match.lastindex or 0
        if kind == _REST:
            break
        at, to = match.span(kind)
        starts.append(at)
        ends.append(to)
        if kind == 1:
            terms.append(words(match[1], NAME))
        elif kind == _SIGN:
            terms.append(SIGNS[match[_SIGN]])
        else:
            terms.append(UNREADABLE if kind == _BAD else _KIND[kind])
    terms.append(END)
    starts.append(end)
    ends.append(end)
    return Tokens(terms, starts, ends, _docs(text) if whole and "///" in text else {})


def _docs(text: str) -> dict[int, str]:
    """Doc comments by the offset of the token that follows them with nothing but white space between."""
    found: dict[int, str] = {}
    for match in _DOC.finditer(text):
        after = _BLANK.match(text, match.end())
        lines = (line.rstrip() for line in _DOC_LINE.sub("", match.group()).splitlines())
        found[after.end() if after else match.end()] = "\n".join(lines).strip("\n")
    return found


def is_word(term: int) -> bool:
    """Whether a terminal is a word of the grammar."""
    return term >= FIRST_FIXED and TERMINALS[term].isidentifier()


def shown(term: int) -> str:
    """A terminal as a person reads it."""
    return _SHOWN[term] if term < FIRST_FIXED else f"`{TERMINALS[term]}`"


_SHOWN = ("a name", "a text", "a number", "a number", "a duration", "an amount of money", "a percentage", "the end")
