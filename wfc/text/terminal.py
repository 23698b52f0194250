"""Text as a terminal shows it: nothing that steers it, and the cells a text takes."""

import re
from unicodedata import combining, east_asian_width

TAB = 4

# C0 and C1 controls, delete, line and paragraph separators, and what turns the direction of writing.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PLAIN = re.compile(r"[ -~]*")
_JOINERS = frozenset("\u200b\u200c\u200d\ufe0e\ufe0f")
_PICTURES = 0x2400
_DELETE = "\x7f"


def visible(text: str) -> str:
    """The text with every character that would steer a terminal replaced by one that pictures it."""
    return text if _PLAIN.fullmatch(text) else _STEERING.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    character = match.group()
    if character < " ":
        return chr(_PICTURES + ord(character))
    return "\u2421" if character == _DELETE else "\ufffd"


def cells(text: str) -> int:
    """How many cells of a line a visible text takes: none for a combining mark, two for a wide character."""
    if _PLAIN.fullmatch(text):
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if combining(character) or character in _JOINERS:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def expanded(text: str, column: int = 0) -> str:
    """A piece of a source line, visible, its tabs as spaces; `column` is the cell it begins in."""
    shown: list[str] = []
    for i, piece in enumerate(text.split("\t")):
        if i:
            gap = TAB - column % TAB
            shown.append(" " * gap)
            column += gap
        clean = visible(piece)
        shown.append(clean)
        column += cells(clean)
    return "".join(shown)
