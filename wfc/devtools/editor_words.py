"""Writes what highlighters of editors know of the language: the words of the grammar, sorted by what they do.

Files that people write keep their own text; of these only the lines between two marks are written here. The grammar of
TextMate, which VS Code reads, is JSON and has no room for marks, so it is written whole.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from lark.grammar import NonTerminal, Rule, Terminal

from wfc.devtools.parser_tables import build
from wfc.text.value import Value, value

GRAMMAR = "grammar/workflow.lark"
VIM = "editors/vim/syntax/wf.vim"
EMACS = "editors/emacs/wfc-mode.el"
PYGMENTS = "wfc/highlighting.py"
TEXTMATE = "editors/vscode/syntaxes/wf.tmLanguage.json"

_DECLARING = ("module_decl", "import_decl", "_decl", "_node", "op_kind")
_STEPS = ("_step",)
_OPERATORS = ("expr", "or_", "and_", "not_", "cmp")
_CONSTANTS = ("true", "false", "none")
_WIDTH = 110


@value
class Words(Value):
    """The words of the language; each in one group, the first that it fits."""

    constants: tuple[str, ...]  # values
    operators: tuple[str, ...]  # between values
    declarations: tuple[str, ...]  # what gives a name to something
    steps: tuple[str, ...]  # what begins a step
    clauses: tuple[str, ...]  # all others

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups by name."""
        return {name: getattr(self, name) for name in ("constants", "operators", "declarations", "steps", "clauses")}


def generate(root: Path) -> dict[str, str]:
    """The files by path below the checkout."""
    words = read_words((root / GRAMMAR).read_text(encoding="utf-8"))
    written = {
        VIM: _between(root / VIM, '"', list(_vim(words))),
        EMACS: _between(root / EMACS, ";;", list(_emacs(words))),
        PYGMENTS: _between(root / PYGMENTS, "#", list(_pygments(words))),
    }
    return {**written, TEXTMATE: _textmate(words)}


def read_words(grammar: str) -> Words:
    """The words of a grammar."""
    lark = build(grammar)
    spelling = {term.name: term.pattern.value for term in lark.terminals if term.pattern.type == "str"}
    texts = {name: text for name, text in spelling.items() if text.isidentifier()}
    rules: dict[str, list[Rule]] = {}
    for rule in lark.rules:
        rules.setdefault(str(rule.origin.name), []).append(rule)
    constants = {
        texts[rule.expansion[0].name] for rule in lark.rules if rule.alias in _CONSTANTS and len(rule.expansion) == 1
    }
    operators = {
        texts[symbol.name]
        for name in _OPERATORS
        for rule in rules[name]
        for symbol in rule.expansion
        if symbol.name in texts
    }
    groups: list[tuple[str, ...]] = []
    left = set(texts.values())
    for group in (constants, operators, _first(_DECLARING, rules, texts), _first(_STEPS, rules, texts), set(left)):
        groups.append(tuple(sorted(group & left)))
        left -= group
    return Words(*groups)


def _first(names: tuple[str, ...], rules: dict[str, list[Rule]], texts: dict[str, str]) -> set[str]:
    """The words with which rules begin."""
    found: set[str] = set()
    todo, seen = list(names), set(names)
    while todo:
        for rule in rules[todo.pop()]:
            symbol = rule.expansion[0]
            if isinstance(symbol, Terminal) and symbol.name in texts:
                found.add(texts[symbol.name])
            elif isinstance(symbol, NonTerminal) and symbol.name not in seen:
                seen.add(str(symbol.name))
                todo.append(str(symbol.name))
    return found


# ------------------------------------------------------------------------------------------------------- between marks


def _between(path: Path, comment: str, lines: list[str]) -> str:
    """The text of a file with other lines between its marks."""
    text = path.read_text(encoding="utf-8")
    begin, end = f"{comment} words: written by python -m wfc.devtools.generate", f"{comment} end of words"
    pattern = re.compile(rf"(?<=^{re.escape(begin)}\n).*?(?=^{re.escape(end)}$)", re.DOTALL | re.MULTILINE)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{path} needs the lines `{begin}` and `{end}`, once")
    return pattern.sub(lambda _: "".join(f"{line}\n" for line in lines), text)


def _vim(words: Words) -> Iterator[str]:
    for name, group in words.groups().items():
        # Not behind a dot, where a member stands, and not before a colon, where a name does.
        choice = "\\|".join(group)
        yield f"syn match wf{name.capitalize()} /\\%(\\.\\)\\@1<!\\<\\%({choice}\\)\\>\\%(\\s*:\\)\\@!/"


def _emacs(words: Words) -> Iterator[str]:
    for name, group in words.groups().items():
        yield f"(defconst wfc--{name}"
        yield "  (regexp-opt"
        yield from _wrapped([f'"{word}"' for word in group], "   '(", "     ", ")")
        yield "   'symbols))"


def _pygments(words: Words) -> Iterator[str]:
    for name, group in words.groups().items():
        yield f"_{name.upper()} = ("
        yield from (f'    "{word}",' for word in group)
        yield ")"


def _wrapped(items: list[str], first: str, indent: str, last: str) -> Iterator[str]:
    line = first
    for item in items:
        if len(line) + len(item) > _WIDTH:
            yield line.rstrip()
            line = indent
        line += f"{item} "
    yield line.rstrip() + last


# ------------------------------------------------------------------------------------------------------------- TextMate

_SCOPES = {
    "constants": "constant.language.wf",
    "operators": "keyword.operator.word.wf",
    "declarations": "storage.type.wf",
    "steps": "keyword.control.wf",
    "clauses": "keyword.other.wf",
}


def _textmate(words: Words) -> str:
    """The grammar for TextMate, which VS Code and others read."""
    patterns: list[dict[str, object]] = [
        {"name": "comment.line.documentation.wf", "match": r"///.*$"},
        {"name": "comment.line.double-slash.wf", "match": r"//.*$"},
        {
            "name": "string.quoted.double.wf",
            "begin": '"',
            "end": r'"|$',
            "patterns": [
                {"name": "constant.character.escape.wf", "match": r"\\u\{[0-9A-Fa-f]*\}|\\."},
                {
                    "name": "meta.interpolation.wf",
                    "begin": r"\{",
                    "end": r"\}|(?=\"|$)",
                    "beginCaptures": {"0": {"name": "punctuation.section.interpolation.begin.wf"}},
                    "endCaptures": {"0": {"name": "punctuation.section.interpolation.end.wf"}},
                    "contentName": "source.wf",
                    "patterns": [{"include": "#expression"}],
                },
            ],
        },
        {"include": "#expression"},
    ]
    known: list[dict[str, object]] = [
        # Not behind a dot, where a member stands, and not before a colon, where a name does.
        {"name": _SCOPES[name], "match": rf"(?<![\w.])(?:{'|'.join(group)})(?!\w|\s*:)"}
        for name, group in words.groups().items()
    ]
    expression: list[dict[str, object]] = [
        {"name": "storage.modifier.annotation.wf", "match": r"@[A-Za-z_]\w*"},
        {
            "name": "constant.numeric.wf",
            "match": r"(?<!\w)(?:(?:\d+(?:ms|[smhdw]))+(?!\w)|\d+(?:\.\d+)?(?:%|[A-Z]{3}(?!\w)|(?!\w)))",
        },
        *known,
        {"name": "entity.name.type.wf", "match": r"(?<!\w)[A-Z]\w*"},
        {"name": "keyword.operator.wf", "match": r"->|=>|==|!=|<=|>=|\?\?|\?\.|[-+*/<>=|?]"},
    ]
    document = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "comment": "Written by `python -m wfc.devtools.generate` from grammar/workflow.lark; do not edit.",
        "name": "wfc",
        "scopeName": "source.wf",
        "fileTypes": ["wf"],
        "patterns": patterns,
        "repository": {"expression": {"patterns": expression}},
    }
    return json.dumps(document, indent=2) + "\n"
