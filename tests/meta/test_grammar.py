"""The grammar file itself: strictly LALR, and read whole by the tables that are shipped."""

from pathlib import Path

from lark import Lark

from wfc.devtools.parser_tables import STARTS, digest
from wfc.syntax import reserved, tables

GRAMMAR = (Path(__file__).parents[2] / "grammar" / "workflow.lark").read_text(encoding="utf-8")


def test_lark_finds_no_conflict_in_strict_mode() -> None:
    # strict refuses shift/reduce conflicts and terminals that overlap without a priority
    Lark(GRAMMAR, parser="lalr", start=list(STARTS), strict=True)


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    assert digest(GRAMMAR) == tables.DIGEST


def test_no_priorities_and_no_second_lexer() -> None:
    assert "%declare" not in GRAMMAR.replace("no %declare", "")
    assert not any(line.split(":")[0].rpartition(".")[2].isdigit() for line in GRAMMAR.splitlines() if ":" in line)


def test_every_reserved_word_is_a_word_of_the_grammar() -> None:
    assert set(tables.WORDS) >= reserved.RESERVED
