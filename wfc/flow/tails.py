"""Where an arm or a guard ends in the text, for edits that remove it."""

from wfc.problems.problem import Edit, Fix
from wfc.text.source import Span


def removal(at: Span, title: str) -> tuple[Fix, ...]:
    """Removes an arm or guard from its first word to the end of its tail, with its line if it has one of its own.

    It may have been meant otherwise: not safe.
    """
    end = tail_end(at)
    if end is None:
        return ()
    whole = Span(at.source, at.start, end)
    text = at.source.text
    alone = not text[text.rfind("\n", 0, at.start) + 1 : at.start].strip()
    line_end = text.find("\n", end)
    alone = alone and not text[end : line_end if line_end >= 0 else len(text)].strip()
    return (Fix(title, (Edit(whole.with_line() if alone else _with_blank(whole), ""),)),)


def _with_blank(span: Span) -> Span:
    """A span with the blanks behind it."""
    text, end = span.source.text, span.end
    while end < len(text) and text[end] in " \t":
        end += 1
    return Span(span.source, span.start, end)


def tail_end(at: Span) -> int | None:
    """The end of the arrow or block that follows a trigger or condition."""
    text, i = at.source.text, at.end
    depth = 0
    while i < len(text):
        here = text[i]
        if here == '"':
            i = _behind_text(text, i)
            continue
        if text.startswith("//", i):
            i = _line_end(text, i)
            continue
        if here == "{":
            depth += 1
        elif here == "}":
            depth -= 1
            if depth <= 0:
                return i + 1 if depth == 0 else None
        elif depth == 0 and text.startswith("->", i):
            return _behind_name(text, i + 2)
        i += 1
    return None


def _line_end(text: str, i: int) -> int:
    end = text.find("\n", i)
    return end if end >= 0 else len(text)


def _behind_text(text: str, i: int) -> int:
    """Behind a text that starts here."""
    i += 1
    while i < len(text) and text[i] not in '"\n':
        i += 2 if text[i] == "\\" else 1
    return i + 1


def _behind_name(text: str, i: int) -> int:
    """Behind the name that comes next."""
    while i < len(text) and text[i].isspace():
        i += 1
    while i < len(text) and (text[i].isalnum() or text[i] == "_"):
        i += 1
    return i
