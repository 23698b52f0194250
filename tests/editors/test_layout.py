"""Vim, Neovim and Emacs lay a buffer out as `wfc fmt` does: the cursor stays in its word, and what is refused stays."""

import json
from pathlib import Path

import pytest

from tests.editors.running import VIMS, run_emacs, run_vim
from wfc.driver.tidy import tidied
from wfc.text.source import SourceFile

pytestmark = pytest.mark.slow

CROWDED = """\
const first: Int = 1
event Cancelled(id:Text) key id

workflow Order(id: Text, who: Text = "漢字  🦊 é")
  key id {   // from shop to door
  on Cancelled -> stopped
  state sending { audit "é  {id}" done

    // booked
  }
  state stopped { done }


}
"""
BROKEN = "workflow Order(id: Text {\n  state   sending {}\n"


def laid_out(text: str) -> list[str]:
    tidy = tidied(SourceFile("a b.wf", text))
    assert isinstance(tidy, SourceFile)
    assert tidy.text != text
    return tidy.text.splitlines()


@pytest.mark.parametrize("name", VIMS)
def test_vim(name: str, tmp_path: Path) -> None:
    (tmp_path / "a b.wf").write_text(CROWDED, encoding="utf-8")
    words = ["first", "Order", "🦊", "door", "sending", "{id}", "booked", "stopped { done"]
    lines = ["edit a\\ b.wf", "let g:result = {'words': []}"]
    for word in words:
        lines += [
            "silent undo 0 | call cursor(1, 1)",
            f"call search('\\V{word}')",
            "let g:from = getpos('.')",
            "silent WfcFmt",
            "call add(g:result.words, strpart(getline('.'), col('.') - 1))",
            "let g:result.text = getline(1, '$')",
            "normal! u",
            "call add(g:result.words, getline(1, '$') ==# readfile('a b.wf'))",
        ]
    lines += ["normal! gggqG", "let g:result.gq = getline(1, '$')", "let g:tick = b:changedtick", "WfcFmt"]
    result = run_vim(name, tmp_path, [*lines, "let g:result.again = b:changedtick - g:tick"])
    tidy = laid_out(CROWDED)
    assert result["text"] == result["gq"] == tidy
    assert result["again"] == 0
    for word, found in zip(words, result["words"][::2], strict=True):
        assert found.startswith(word), (word, found)
    assert result["words"][1::2] == [1] * len(words)


@pytest.mark.parametrize("name", VIMS)
def test_vim_leaves_alone_what_wfc_refuses(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text(BROKEN, encoding="utf-8")
    lines = ["edit a.wf", "call cursor(2, 4)", "redir => g:said", "silent WfcFmt", "normal! gggqG", "redir END"]
    result = run_vim(name, tmp_path, [*lines, "let g:result = [getline(1, '$'), &modified, g:said]"])
    assert result[:2] == [BROKEN.splitlines(), 0]
    assert result[2].count("a.wf:1:24: error[missing-sign]") == 2


@pytest.mark.parametrize("name", VIMS)
def test_vim_wraps_a_comment_by_itself(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text("// one two three\nconst a:Int = 1\n", encoding="utf-8")
    lines = ["edit a.wf", "setlocal textwidth=10", "normal! gggqq", "let g:result = getline(1, '$')"]
    assert run_vim(name, tmp_path, lines) == ["// one two", "// three", "const a:Int = 1"]


@pytest.mark.parametrize("name", VIMS)
@pytest.mark.parametrize(("text", "changes"), [(CROWDED, True), (BROKEN, False)])
def test_vim_lays_out_before_a_save_and_saves_in_any_case(
    name: str, text: str, *, changes: bool, tmp_path: Path
) -> None:
    (tmp_path / "a.wf").write_text(text, encoding="utf-8")
    lines = ["autocmd BufWritePre *.wf WfcFmt", "edit a.wf", "call append('$', '// more')", "silent write"]
    assert run_vim(name, tmp_path, [*lines, "let g:result = &modified"]) == 0
    typed = f"{text}// more\n"
    expected = "".join(f"{line}\n" for line in laid_out(typed)) if changes else typed
    assert (tmp_path / "a.wf").read_text(encoding="utf-8") == expected


def emacs(folder: Path, text: str, forms: str) -> dict[str, object]:
    (folder / "a b.wf").write_text(text, encoding="utf-8")
    told = run_emacs(folder, f'(find-file "a b.wf") {forms}')
    assert isinstance(told, dict), told
    return told


_STATE = "(cons 'text (buffer-string)) (cons 'at (buffer-substring (point) (min (point-max) (+ (point) 6))))"


def test_emacs(tmp_path: Path) -> None:
    go = '(goto-char (point-min)) (search-forward "booked") (backward-word) (narrow-to-region (point) (+ 3 (point)))'
    told = emacs(
        tmp_path, CROWDED, f"{go} (let ((done (wfc-format-buffer))) (widen) (list (cons 'done done) {_STATE}))"
    )
    assert told == {"done": True, "text": "".join(f"{line}\n" for line in laid_out(CROWDED)), "at": "booked"}


def test_emacs_leaves_alone_what_wfc_refuses(tmp_path: Path) -> None:
    go = '(search-forward "sending")'
    said = '(cons \'said (with-current-buffer "*Messages*" (buffer-string)))'
    forms = f"{go} (let ((done (wfc-format-buffer))) (list (cons 'done done) {_STATE} {said}))"
    told = emacs(tmp_path, BROKEN, forms)
    assert (told["done"], told["text"], told["at"]) == (None, BROKEN, " {}\n")
    assert "a b.wf:1:24: error[missing-sign]" in str(told["said"])


@pytest.mark.parametrize(
    ("text", "command", "changes"),
    [(CROWDED, "wfc", True), (BROKEN, "wfc", False), (CROWDED, "no-such-wfc", False)],
)
def test_emacs_lays_out_before_a_save_and_saves_in_any_case(
    text: str, command: str, *, changes: bool, tmp_path: Path
) -> None:
    mode = f"(setq wfc-command {json.dumps(command)}) (wfc-format-on-save-mode)"
    emacs(tmp_path, text, f'{mode} (goto-char (point-max)) (insert "// more\n") (save-buffer) (list {_STATE})')
    typed = f"{text}// more\n"
    expected = "".join(f"{line}\n" for line in laid_out(typed)) if changes else typed
    assert (tmp_path / "a b.wf").read_text(encoding="utf-8") == expected
