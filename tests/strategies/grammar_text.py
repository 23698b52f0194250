"""Text made by the grammar: what parses, though it means nothing. And damage done to text that means something."""

import re
from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark
from lark.lexer import PatternStr

from tests.conftest import ROOT

_NAMES = (
    "a b x1 Order order_id Text Int Money EUR List Map at2 forever first all settled given Timeout System std".split()
)
_TEXTS = (
    '""',
    '"a"',
    '"{a}"',
    '"{a.b + 1} {x1}"',
    '"\\{\\}"',
    '"\\u{1F600}"',
    '"{"',
    '"}"',
    '"\\q"',
    '"é 日本 🎉"',
    '"{a b}"',
)
_TERMINALS: dict[str, tuple[str, ...]] = {
    "NAME": tuple(_NAMES),
    "DURATION": ("30s", "2h30m", "1w2d", "250ms", "0s", "5m2h"),
    "MONEY": ("5EUR", "9.99USD", "0XXX"),
    "PERCENT": ("20%", "2.5%"),
    "DECIMAL": ("0.5", "00.10"),
    "INT": ("0", "7", "9007199254740992", "12345678901234567890"),
    "STRING": _TEXTS,
    "WS": (" ", "\n", "\t", "\r\n", "\n\n  "),
    "COMMENT": ("// a note\n", "/// about what follows\n", "//\n", "/// é\n"),
}
_OPERATORS = (
    ". ?. ( ) [ ] , + - * / ?? == != < <= > >= in is not and or if then else => none true now() .count .map( .sum .first a"
).split()
_TOKEN = re.compile(r"\s+|\w+|\"[^\"\n]*\"|->|=>|[^\w\s]")
_INSERTED = (
    "{", "}", "(", ")", ",", "->", "=>", "=", "==", "?", "?.", "<", ">", ":", ".", "@", "|", '"', "//", "///", "\\", "\0",
    "state", "gateway", "scope", "parallel", "branch", "for each", "choose", "when", "otherwise", "await", "on", "catch",
    "after", "every", "also", "done", "fail", "undo", "compensate", "with", "key", "workflow", "service", "activity",
    "record", "enum", "error", "event", "policy", "const", "fn", "let", "var", "set", "import", "module", "migration",
    "scenario", "expect", "given", "30s", "9.99EUR", "20%", "3", "0.5", "true", "none", "not", "is", "in", "name", "é", "🎉",
)  # fmt: skip


@cache
def _grammar() -> Lark:
    text = (ROOT / "grammar" / "workflow.lark").read_text(encoding="utf-8")
    return Lark(text, start="file", parser="lalr")


@cache
def _terminals() -> dict[str, st.SearchStrategy[str]]:
    """What each terminal is written as; words and numbers with a space behind them, so that they do not run together."""
    found: dict[str, st.SearchStrategy[str]] = {}
    for terminal in _grammar().terminals:
        name = str(terminal.name)
        if name in _TERMINALS:
            space = " " if name not in {"WS", "COMMENT"} else ""
            found[name] = st.sampled_from([text + space for text in _TERMINALS[name]])
        elif isinstance(terminal.pattern, PatternStr):
            word = terminal.pattern.value
            found[name] = st.just(f"{word} " if word.isalpha() else word)
    return found


def grammatical() -> st.SearchStrategy[str]:
    """Text of a file that the grammar makes."""
    return from_lark(_grammar(), explicit=_terminals())


def expression_words() -> st.SearchStrategy[str]:
    """The words and signs of expressions in any order."""
    values = [
        text
        for name in ("NAME", "INT", "DECIMAL", "STRING", "DURATION", "MONEY", "PERCENT")
        for text in _TERMINALS[name]
    ]
    return st.lists(st.one_of(st.sampled_from(_OPERATORS), st.sampled_from(values)), max_size=12).map(" ".join)


def _span(draw: st.DrawFn, count: int) -> tuple[int, int]:
    start = draw(st.integers(0, max(0, count - 1)))
    return start, min(count, start + draw(st.integers(1, 8)))


def _delete(parts: list[str], draw: st.DrawFn) -> None:
    start, end = _span(draw, len(parts))
    del parts[start:end]


def _repeat(parts: list[str], draw: st.DrawFn) -> None:
    start, end = _span(draw, len(parts))
    parts[start:start] = parts[start:end]


def _move(parts: list[str], draw: st.DrawFn) -> None:
    start, end = _span(draw, len(parts))
    moved = parts[start:end]
    del parts[start:end]
    to = draw(st.integers(0, len(parts)))
    parts[to:to] = moved


def _replace(parts: list[str], draw: st.DrawFn) -> None:
    start, _ = _span(draw, len(parts))
    parts[start : start + 1] = [draw(st.sampled_from(parts) if parts else st.just("x"))]


def _insert(parts: list[str], draw: st.DrawFn) -> None:
    start, _ = _span(draw, len(parts))
    parts.insert(start, f" {draw(st.sampled_from(_INSERTED))} ")


def _truncate(parts: list[str], draw: st.DrawFn) -> None:
    del parts[draw(st.integers(0, len(parts))) :]


_EDITS: tuple[Callable[[list[str], st.DrawFn], None], ...] = (_delete, _insert, _replace, _repeat, _move, _truncate)


@st.composite
def edited(draw: st.DrawFn, texts: st.SearchStrategy[str], most: int = 4) -> str:
    """A text after some edits of its tokens or lines."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, most))):
        parts = text.splitlines(keepends=True) if draw(st.integers(0, 3)) == 3 else _TOKEN.findall(text)
        draw(st.sampled_from(_EDITS))(parts, draw)
        text = "".join(parts)
    return text
