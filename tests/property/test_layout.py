"""The layout of a text says what the text says, and has itself for its layout."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.strategies.comments import strewn
from tests.strategies.grammar_text import edited, grammatical
from tests.strategies.programs import programs
from wfc.fmt.layout import layout
from wfc.syntax.nodes import Assign, Clause, Compensate, Do, Flag, Guard, Import, Key, Module, With
from wfc.syntax.parse import parse
from wfc.syntax.tokens import tokenize
from wfc.text.source import SourceFile
from wfc.text.value import Value

_FENCE = re.compile(r"^```wf[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"//[^\n]*")
_RANKS = {Assign: 1, With: 2, Key: 3, Compensate: 6, Guard: 7}
few_hundred = settings(max_examples={"fast": 20, "nightly": 2000}.get(os.environ.get("WFC_HYPOTHESIS", ""), 150))


def _listed(end: str) -> list[Path]:
    found = subprocess.run(["git", "ls-files", "-z", f"*{end}"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in found.stdout.split("\0") if name]


def _tree(text: str) -> tuple[Module, bool]:
    """The tree of a text, and whether it parses."""
    problems: list[object] = []
    return parse(SourceFile("main.wf", text), problems.append), not problems


def _rank(clause: Clause) -> int:
    if isinstance(clause, Flag):
        return 4 if clause.word == "pivot" else 5
    return _RANKS[type(clause)]


def _fields(kind: type[Any]) -> "tuple[attrs.Attribute[Any], ...]":
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(kind)
    return fields


def _in_order(item: object) -> object:
    """A tree with its imports sorted, and the clauses of its calls in the order of the language."""
    if isinstance(item, tuple):
        parts = tuple(_in_order(part) for part in item)
        return tuple(sorted(parts, key=str)) if item and isinstance(item[0], Import) else parts
    if not isinstance(item, Value):
        return item
    fields = {field.name: getattr(item, field.name) for field in _fields(type(item)) if field.eq}
    if isinstance(item, Do):
        fields["clauses"] = tuple(sorted(item.clauses, key=_rank))
    return type(item).__name__, tuple(_in_order(value) for value in fields.values())


def _comments(text: str) -> list[str]:
    tokens = tokenize(text)
    gaps = zip([0, *tokens.ends], tokens.starts, strict=False)
    return [comment.rstrip() for start, end in gaps for comment in _COMMENT.findall(text[start:end])]


def _staying(text: str) -> list[str]:
    """The comments that keep their order; one that allows a problem may have to go to a line above."""
    return [comment for comment in _comments(text) if not comment.startswith("// allow ")]


def it_says_the_same(text: str) -> None:
    found = layout(text)
    assert found is not None
    before, after = _tree(text)[0], _tree(found)[0]
    if before == after:
        assert _staying(found) == _staying(text)
    else:
        assert _in_order(before) == _in_order(after)
    assert sorted(_comments(found)) == sorted(_comments(text))
    assert layout(found) == found


@pytest.mark.parametrize("path", _listed(".wf"), ids=lambda path: path.name)
def test_of_every_source(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if _tree(text)[1]:
        it_says_the_same(text)


def test_of_every_program_in_the_pages() -> None:
    texts = [text for path in _listed(".md") for text in _FENCE.findall(path.read_text(encoding="utf-8"))]
    sound = [text for text in texts if _tree(text)[1]]
    assert len(sound) > 700
    for text in sound:
        it_says_the_same(text)


@few_hundred
@given(strewn(programs(max_nodes=2).map(lambda program: program.text)))
def test_of_any_program_with_comments_anywhere(text: str) -> None:
    it_says_the_same(text)


@few_hundred
@given(strewn(grammatical()))
def test_of_any_text_of_the_grammar_with_comments_anywhere(text: str) -> None:
    if _tree(text)[1]:
        it_says_the_same(text)


@given(edited(programs(max_nodes=2).map(lambda program: program.text)))
def test_what_does_not_parse_has_none(text: str) -> None:
    if layout(text) is None:
        assert not _tree(text)[1]


_BREAKS = st.sampled_from(("\n", " ", "\n\n", "  \n   "))


@st.composite
def _respaced(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with other white space between its tokens."""
    text = draw(texts)
    tokens = tokenize(text)
    words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    blanks = draw(st.lists(_BREAKS, min_size=1, max_size=40))
    return "".join(word + blanks[i % len(blanks)] for i, word in enumerate(words))


@given(_respaced(programs(max_nodes=2).map(lambda program: program.text)))
def test_of_any_program_with_lines_ended_anywhere(text: str) -> None:
    it_says_the_same(text)
