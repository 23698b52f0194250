"""Vim, Neovim and Emacs find file, line, column and kind of each problem in what `wfc check` says."""

import json
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from tests.editors.running import VIMS, run_emacs, run_vim
from wfc.checks.partial_catch import PartialCatch
from wfc.cli.main import main
from wfc.driver.catalogue import documentation

pytestmark = pytest.mark.slow

CHECK = "wfc check . 'with space' --output-format concise"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Problems of all kinds, in files and at places that are hard to find."""
    folder = tmp_path / "pro ject"
    (folder / "with space").mkdir(parents=True)
    hint = documentation(PartialCatch).split("```wf fails\n")[1].split("```")[0]
    shop = 'service {0} {{ query look(a: Text = "漢字 🦊 é")\tactivity charge(order: Text) key order }}\n'
    order = "workflow {1}(order: Text) key order {{\n\tstate A {{ let spare = 1 do {0}.charge(order)  do {0}.look()  done }}\n}}\n"
    texts = {
        "hint.wf": hint,
        "with space/ä (1).wf": (shop + order).format("shop", "Order"),
        "two words.wf": "\n\n" + (order + shop).format("store", "Other"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def found(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What wfc itself says of the project."""
    with chdir(folder):
        main(["check", ".", "with space", "--output-format", "json"])
    problems: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert {problem["severity"] for problem in problems} == {"error", "warning", "hint"}
    assert len({problem["file"] for problem in problems}) == 3
    return problems


def places(problems: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    starts = [problem["range"]["start"] for problem in problems]
    return [
        (problem["file"], at["line"], at["column"], problem["severity"])
        for problem, at in zip(problems, starts, strict=True)
    ]


def in_bytes(folder: Path, file: str, line: int, column: int) -> int:
    text = (folder / file).read_text(encoding="utf-8").split("\n")[line - 1]
    return len(text[: column - 1].encode()) + 1


_LIST = "map(getqflist(), {_, e -> [bufname(e.bufnr), e.lnum, e.col, e.type, e.text, e.valid]})"


@pytest.mark.parametrize("name", VIMS)
def test_vim_with_the_compiler_finds_place_and_kind(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = found(project, capsys)
    lines = ["edit hint.wf", "silent make! . 'with space'", f"let g:result = {_LIST}"]
    entries = run_vim(name, project, lines)
    kinds = {"e": "error", "w": "warning", "i": "hint"}
    seen = [(file, line, column, kinds[kind.lower()]) for file, line, column, kind, _, _ in entries]
    expected = [
        (file, line, in_bytes(project, file, line, column), kind) for file, line, column, kind in places(problems)
    ]
    assert seen == expected
    for problem, entry in zip(problems, entries, strict=True):
        assert entry[4].strip() == f"[{problem['code']}]: {problem['message']}"


@pytest.mark.parametrize("name", VIMS)
def test_vim_as_it_is_finds_the_places(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems = found(project, capsys)
    lines = ["set errorformat&", f'cgetexpr system("{CHECK} 2>/dev/null")']
    entries = run_vim(name, project, [*lines, f"let g:result = {_LIST}"])
    assert [tuple(entry[:2]) for entry in entries] == [place[:2] for place in places(problems)]


@pytest.mark.parametrize("name", VIMS)
def test_a_complaint_of_wfc_is_no_problem_of_a_file(name: str, project: Path) -> None:
    lines = ["edit hint.wf", "silent make! --no-such-option", f"let g:result = {_LIST}"]
    assert run_vim(name, project, lines) == []


# Each message of the compilation buffer: file and type, and where `next-error` goes.
_COMPILE = """
(require 'compile)
(require 'text-property-search)
(setq default-directory {folder} compilation-ask-about-save nil next-error-verbose nil)
(let* ((coding-system-for-read 'utf-8)
       (process-adaptive-read-buffering nil)
       (buffer (compile {command}))
       found)
  (while (get-buffer-process buffer) (accept-process-output nil 0.05))
  (with-current-buffer buffer
    (compilation--ensure-parse (point-max))
    (goto-char (point-min))
    (let (types match)
      (while (setq match (text-property-search-forward 'compilation-message nil nil t))
        (push (compilation--message->type (prop-match-value match)) types))
      (goto-char (point-min))
      (setq compilation-current-error nil compilation-skip-threshold 0)
      (dolist (type (nreverse types))
        (with-current-buffer buffer (compilation-next-error 1) (setq next-error-last-buffer buffer)
          (compile-goto-error))
        (with-current-buffer (window-buffer (selected-window))
          (push (list (file-relative-name buffer-file-name {folder}) (line-number-at-pos)
                      (1+ (- (point) (line-beginning-position))) type)
                found)))))
  (vconcat (nreverse found)))
"""


def emacs_finds(folder: Path, *, with_mode: bool) -> list[tuple[Any, ...]]:
    quoted = json.dumps(f"{folder}/", ensure_ascii=False)
    forms = _COMPILE.format(
        folder=quoted,
        command=json.dumps(CHECK),
    )
    entries = run_emacs(folder, forms, with_mode=with_mode)
    assert isinstance(entries, list), entries
    kinds = {2: "error", 1: "warning", 0: "hint"}
    return [(file, line, column, kinds[kind]) for file, line, column, kind in entries]


def test_emacs_with_the_mode_finds_place_and_kind(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert emacs_finds(project, with_mode=True) == places(found(project, capsys))


def test_emacs_as_it_is_finds_files_lines_errors_and_warnings(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = [
        (file, line, "error" if kind == "hint" else kind) for file, line, _, kind in places(found(project, capsys))
    ]
    seen = [(file, line, kind) for file, line, _, kind in emacs_finds(project, with_mode=False)]
    assert seen == expected
