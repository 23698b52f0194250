"""Turns the lark grammar into the tables that the parser drives: `wfc/syntax/tables.py`.

lark reads the grammar, proves it free of conflicts and computes the LALR(1) automaton; the result is written as plain
literals, so that a run of wfc imports neither lark nor builds anything.
"""

from hashlib import sha256
from pathlib import Path
from typing import cast

from lark import Lark
from lark.grammar import Rule
from lark.parsers.lalr_analysis import IntParseTable
from lark.parsers.lalr_parser import LALR_Parser

VALUE_TERMINALS = ("NAME", "STRING", "INT", "DECIMAL", "DURATION", "MONEY", "PERCENT")
STARTS = ("file", "expr")


def build(grammar: str) -> Lark:
    """The grammar as lark sees it, strict about conflicts where `interegular` is installed."""
    return Lark(grammar, parser="lalr", start=list(STARTS), maybe_placeholders=False)


def _plan(rule: Rule) -> tuple[str, tuple[int, ...]]:
    """How a rule makes its value from the values of its symbols: the builder's name and the kept positions.

    The name is empty for a rule that passes its only value on, and `*` for one that collects a list.
    """
    keep_all = rule.options.keep_all_tokens
    kept = tuple(i for i, sym in enumerate(rule.expansion) if keep_all or not getattr(sym, "filter_out", False))
    name = str(rule.alias or rule.origin.name)
    if rule.alias is None and (name.startswith("_") or (rule.options.expand1 and len(kept) == 1)):
        return ("" if len(kept) == 1 else "*"), kept
    return name, kept


def tables(grammar: str) -> str:
    """The text of `wfc/syntax/tables.py` for a grammar."""
    lark = build(grammar)
    lalr = lark.parser.parser
    assert isinstance(lalr, LALR_Parser)
    table = cast("IntParseTable", lalr._parse_table)  # noqa: SLF001 - lark has no public way to its tables
    order = _canonical_order(table)
    spelling = {term.name: term.pattern.value for term in lark.terminals if term.pattern.type == "str"}
    names = [*VALUE_TERMINALS, "$END", *sorted(spelling)]
    number = {name: i for i, name in enumerate(names)}
    rules = sorted({arg for row in table.states.values() for act, arg in row.values() if act.name == "Reduce"}, key=str)
    rule_number = {rule: i for i, rule in enumerate(rules)}
    origins = sorted({str(rule.origin.name) for rule in rules})
    actions: list[dict[int, int]] = []
    gotos: list[dict[int, int]] = []
    for state in order:
        row: dict[int, int] = {}
        goto: dict[int, int] = {}
        for symbol, (act, arg) in sorted(table.states[state].items()):
            if act.name == "Reduce":
                row[number[symbol]] = -1 - rule_number[arg]
            elif symbol in number:
                row[number[symbol]] = order[arg]
            else:
                goto[origins.index(symbol)] = order[arg]
        actions.append(row)
        gotos.append(goto)
    plans = [(origins.index(str(r.origin.name)), len(r.expansion), *_plan(r)) for r in rules]
    words = {text: number[name] for name, text in spelling.items() if text.isidentifier()}
    signs = {text: number[name] for name, text in spelling.items() if not text.isidentifier()}
    starts = {name: (order[table.start_states[name]], order[table.end_states[name]]) for name in STARTS}
    lines = [
        '"""The parser tables. Generated from grammar/workflow.lark; do not edit."""',
        "",
        f'DIGEST = "{digest(grammar)}"',
        f"TERMINALS = {tuple(spelling.get(name, name) for name in names)!r}",
        f"WORDS = {dict(sorted(words.items()))!r}",
        f"SIGNS = {dict(sorted(signs.items()))!r}",
        f"ORIGINS = {tuple(origins)!r}",
        f"START = {starts!r}",
        "RULES: tuple[tuple[int, int, str, tuple[int, ...]], ...] = (",
        *(f"    {plan!r}," for plan in plans),
        ")",
        *_rows("ACTIONS", actions),
        *_rows("GOTOS", gotos),
    ]
    return "\n".join(lines) + "\n"


def _canonical_order(table: IntParseTable) -> dict[int, int]:
    """New numbers of the states, in the order in which symbols taken by name reach them from the start.

    lark's own numbers follow the order of its sets, which differs from run to run.
    """
    order: dict[int, int] = {}
    waiting = [table.start_states[start] for start in STARTS]
    for state in waiting:
        if state not in order:
            order[state] = len(order)
            row = table.states[state]
            waiting += [arg for _, (act, arg) in sorted(row.items()) if act.name != "Reduce"]
    return order


def _rows(name: str, rows: list[dict[int, int]]) -> list[str]:
    """A list of rows in which equal rows are one object."""
    distinct: dict[str, int] = {}
    index = [distinct.setdefault(repr(row), len(distinct)) for row in rows]
    return [
        f"_{name}: tuple[dict[int, int], ...] = (",
        *(f"    {row}," for row in distinct),
        ")",
        f"{name} = tuple(_{name}[i] for i in {tuple(index)!r})",
    ]


def digest(grammar: str) -> str:
    """What tells whether the tables belong to this grammar."""
    return sha256(grammar.encode()).hexdigest()[:16]


def generate(root: Path) -> dict[str, str]:
    """The generated files by path below the checkout."""
    return {"wfc/syntax/tables.py": tables((root / "grammar" / "workflow.lark").read_text(encoding="utf-8"))}
