"""Every highlighter sees the same in a program: Pygments, VS Code's reader of TextMate grammars, Vim, Neovim and Emacs."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, _TokenType

from tests.editors.running import EDITORS, ROOT, VIMS, run_emacs, run_vim
from wfc.devtools.editor_words import GRAMMAR, read_words
from wfc.highlighting import WfLexer
from wfc.syntax import tables

JS = ROOT / "tests" / "js"

# A program, and below each line what is to be seen above it: k a word of the language, o one between values, c a
# constant, t a type, n a number, s a text, e an escape in it, d a comment, a an annotation. Dots are not looked at, and
# where there is nothing or `-`, nothing is to be seen.
SAMPLE = """\
/// What is "paid", 3 times.
dddddddddddddddddddddddddddd
module shop.state
kkkkkk
record Order { key: Text, @pii at: Int, sum: Money<EUR> }
kkkkkk ttttt   ---  tttt  aaaa --  ttt       ttttt ttt
workflow Main(order: Order) key order.key {
kkkkkkkk tttt -----  ttttt  kkk -----.---
  state Pay {
  kkkkk ttt
    do bank.charge(order, key: 3, rate : 2.5%)  // do it
    kk ----.------ -----  ---  n  ----   nnnn   dddddddd
    let ok = order.at > 30s and not true
    kkk --   -----.--   nnn ooo ooo cccc
    audit "paid \\" {order.key} // \\n"
    kkkkk ssssssee .         . sssee.
    choose { when sum is none or sum == 3.50EUR -> Done }
    kkkkkk   kkkk --- oo cccc oo ---    nnnnnnn    tttt
    done_ dones Undo.do
    ----- ----- tttt.--
  }

}

"""
LINES = SAMPLE.splitlines()
TEXT = "".join(f"{line}\n" for line in LINES[::2])


def expected() -> list[tuple[int, int, str]]:
    """Line, column and sign of all that is looked at, both from 0."""
    found: list[tuple[int, int, str]] = []
    for number, (line, signs) in enumerate(zip(LINES[::2], LINES[1::2], strict=True)):
        assert len(signs) <= len(line), line
        found += [
            (number, column, " " if sign == "-" else sign)
            for column, sign in enumerate(signs)
            if sign != "." and not line[column].isspace()
        ]
    return [(line, column, sign) for line, column, sign in found if sign != " " or LINES[2 * line + 1][column] == "-"]


def compared(seen: Callable[[int, int], str], same: Mapping[str, str] | None = None) -> None:
    """What a highlighter sees is what is expected, with signs that it does not tell apart."""
    alike = same or {}
    wrong = [
        (LINES[2 * line], column, sign, seen(line, column))
        for line, column, sign in expected()
        if alike.get(sign, sign) != alike.get(seen(line, column), seen(line, column))
    ]
    assert wrong == []


def test_the_groups_hold_every_word_of_the_grammar_once() -> None:
    groups = read_words((ROOT / GRAMMAR).read_text(encoding="utf-8")).groups()
    every = [word for group in groups.values() for word in group]
    assert sorted(every) == sorted(tables.WORDS)
    assert {"workflow", "state", "service", "import"} <= set(groups["declarations"])
    assert {"do", "wait", "parallel"} <= set(groups["steps"])
    assert set(groups["constants"]) == {"true", "false", "none"}
    assert {"and", "if", "in"} <= set(groups["operators"])
    assert {"compensate", "retries", "when"} <= set(groups["clauses"])


# ------------------------------------------------------------------------------------------------------------- Pygments


_TOKENS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "d"),
    (Keyword.Constant, "c"),
    (Keyword, "k"),
    (Operator.Word, "o"),
    (Name.Class, "t"),
    (Name.Decorator, "a"),
    (Number, "n"),
    (String.Escape, "e"),
    (String, "s"),
)


def test_pygments() -> None:
    signs = ""
    for token, text in WfLexer().get_tokens(TEXT):
        assert token is not Error, text
        signs += next((sign for kind, sign in _TOKENS if token[: len(kind)] == kind), " ") * len(text)
    starts = [sum(len(line) + 1 for line in LINES[: 2 * number : 2]) for number in range(len(LINES) // 2)]
    compared(lambda line, column: signs[starts[line] + column])


def test_pygments_reads_every_program_whole() -> None:
    sources = [*ROOT.glob("examples/*/*.wf"), *ROOT.glob("stdlib/*.wf"), *ROOT.glob("tests/samples/*.wf")]
    assert sources
    for source in sources:
        text = source.read_text(encoding="utf-8")
        tokens = list(WfLexer(ensurenl=False, stripnl=False).get_tokens(text))
        assert "".join(part for _, part in tokens) == text
        assert [part for token, part in tokens if token is Error] == []


# ------------------------------------------------------------------------------------------------------------- TextMate

_SCOPES = {
    "comment": "d",
    "constant.language": "c",
    "constant.numeric": "n",
    "constant.character.escape": "e",
    "keyword.operator.word": "o",
    "keyword.operator": " ",
    "keyword": "k",
    "storage.type": "k",
    "storage.modifier": "a",
    "entity.name.type": "t",
    "string": "s",
}


def textmate_tokens(folder: Path, scope: str, text: str) -> list[tuple[int, int, int, list[str]]]:
    """The tokens of a text: line, from, to, scopes."""
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    source = folder / "a.txt"
    source.write_text(text, encoding="utf-8")
    grammars = [str(path) for path in sorted((EDITORS / "vscode" / "syntaxes").glob("*.json"))]
    command = ["node", str(JS / "textmate-gate.mjs"), scope, str(source), *grammars]
    found: list[tuple[int, int, int, list[str]]] = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    return found


@pytest.mark.js
def test_a_block_on_a_page_is_coloured_as_well(tmp_path: Path) -> None:
    page = "text\n\n```wf fails shop.wf\nstate Pay {\n```\nstate\n```other\nstate\n```\n"
    tokens = textmate_tokens(tmp_path, "markdown.wf.codeblock", page)
    words = [line for line, _, _, scopes in tokens if "storage.type.wf" in scopes]
    assert words == [4]


@pytest.mark.js
def test_textmate(tmp_path: Path) -> None:
    tokens = textmate_tokens(tmp_path, "source.wf", TEXT)

    def seen(line: int, column: int) -> str:
        scopes = next(scopes for row, start, end, scopes in tokens if row == line + 1 and start <= column < end)
        found = next((scope for scope in reversed(scopes) if not scope.startswith(("meta.", "source."))), "")
        return next((sign for name, sign in _SCOPES.items() if found.startswith(name)), " ")

    compared(seen)


# ------------------------------------------------------------------------------------------------------------------ Vim

_GROUPS = {
    "wfComment": "d",
    "wfDocumentation": "d",
    "wfConstants": "c",
    "wfNumber": "n",
    "wfEscape": "e",
    "wfOperators": "o",
    "wfDeclarations": "k",
    "wfSteps": "k",
    "wfClauses": "k",
    "wfAnnotation": "a",
    "wfType": "t",
    "wfText": "s",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VIMS)
def test_vim(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text(TEXT, encoding="utf-8")
    row = "map(range(1, len(getline(l))), {_, c -> synIDattr(synID(l, c, 1), 'name')})"
    rows = f"map(range(1, line('$')), {{_, l -> {row}}})"
    lines = ["edit a.wf", f"let g:result = [&filetype, &commentstring, {rows}]"]
    filetype, comment, rows = run_vim(name, tmp_path, lines)
    assert (filetype, comment) == ("wf", "// %s")
    compared(lambda line, column: _GROUPS.get(rows[line][column], " "))


TYPED = """\
workflow A(x: Int) {
  state B {
    audit "{x} {"
    // {
    choose {
      when x > 1 {
        done
      }
      otherwise -> B
    }
  }
}
"""


LAID_OUT = (ROOT / "examples" / "order-fulfillment" / "order-fulfillment.wf").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", VIMS)
def test_vim_indents_by_braces(name: str, tmp_path: Path) -> None:
    (tmp_path / "b.wf").write_text(LAID_OUT, encoding="utf-8")
    keys = r"\<CR>".join(line.strip().replace('"', r"\"") for line in TYPED.splitlines())
    lines = [
        "edit new.wf",
        "setlocal formatoptions=",
        f'exe "normal! i{keys}"',
        "let g:typed = getline(1, '$')",
        "normal! gg=G",
        "let g:again = getline(1, '$')",
        "edit! b.wf",
        "normal! gg=G",
        "let g:result = [g:typed, g:again, getline(1, '$')]",
    ]
    assert run_vim(name, tmp_path, lines) == [TYPED.splitlines(), TYPED.splitlines(), LAID_OUT.splitlines()]


# ---------------------------------------------------------------------------------------------------------------- Emacs

_FACES = {
    "font-lock-comment-face": "d",
    "font-lock-comment-delimiter-face": "d",
    "font-lock-constant-face": "c",
    "font-lock-keyword-face": "k",
    "font-lock-preprocessor-face": "a",
    "font-lock-type-face": "t",
    "font-lock-string-face": "s",
}


@pytest.mark.slow
def test_emacs(tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text(TEXT, encoding="utf-8")
    forms = """
    (find-file "a.wf")
    (font-lock-ensure)
    (list (symbol-name major-mode)
          (vconcat (mapcar (lambda (i) (format "%s" (or (get-text-property i 'face) "")))
                           (number-sequence (point-min) (1- (point-max))))))
    """
    mode, faces = run_emacs(tmp_path, forms)
    assert mode == "wfc-mode"
    starts = [sum(len(line) + 1 for line in LINES[: 2 * number : 2]) for number in range(len(LINES) // 2)]
    alike = {"n": "c", "o": "k", "e": "s"}  # Emacs has no faces for these before version 29
    compared(lambda line, column: _FACES.get(faces[starts[line] + column], " "), alike)


@pytest.mark.slow
def test_emacs_indents_by_braces(tmp_path: Path) -> None:
    flat = "".join(f"{line.strip()}\n" for line in TYPED.splitlines())
    (tmp_path / "a.wf").write_text(flat, encoding="utf-8")
    (tmp_path / "b.wf").write_text(LAID_OUT, encoding="utf-8")
    each = '(progn (find-file "{}.wf") (indent-region (point-min) (point-max)) (buffer-string))'
    assert run_emacs(tmp_path, f"(list {each.format('a')} {each.format('b')})") == [TYPED, LAID_OUT]


@pytest.mark.slow
def test_emacs_compiles_the_mode_without_a_warning(tmp_path: Path) -> None:
    copy = tmp_path / "wfc-mode.el"
    copy.write_text((EDITORS / "emacs" / "wfc-mode.el").read_text(encoding="utf-8"), encoding="utf-8")
    forms = f"(setq byte-compile-error-on-warn t) (if (byte-compile-file {json.dumps(str(copy))}) 1 0)"
    assert run_emacs(tmp_path, forms) == 1
