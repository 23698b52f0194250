"""Real editors without a screen: each runs a script in a folder where `wfc` is a command, and leaves JSON behind."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "editors"
VIMS = ("vim", "nvim")
_LIMIT = 20  # seconds; an editor that asks somebody something would wait for ever


@cache
def _has_script_language(name: str) -> bool:
    """Whether a Vim is more than the small one of a base system."""
    told = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    return name == "nvim" or ("+eval" in told and "+syntax" in told)


def needed(name: str) -> None:
    """Skips the test where an editor is not installed."""
    if shutil.which(name) is None or (name in VIMS and not _has_script_language(name)):
        pytest.skip(f"there is no {name}: `make setup` installs it, or says more")


def run_vim(name: str, folder: Path, lines: list[str]) -> Any:
    """Runs lines of Vim script with our files; they leave their result in `g:result`."""
    needed(name)
    out = folder / f"{name}.json"
    script = folder / f"{name}.vim"
    body = [
        "set nocompatible encoding=utf-8 shortmess=aoOtIWF nomore",
        f"exe 'set runtimepath^=' .. fnameescape({_quoted(EDITORS / 'vim')})",
        "filetype plugin indent on",
        "syntax on",
        *lines,
        f"call writefile([json_encode(g:result)], {_quoted(out)})",
    ]
    text = ["try", *body, "catch", f"call writefile([v:exception, v:throwpoint], {_quoted(out)})", "endtry", "qall!"]
    script.write_text("\n".join([*text, ""]), encoding="utf-8")
    quiet = ["--headless"] if name == "nvim" else ["-es"]
    _run([name, "-u", "NONE", "-i", "NONE", "-n", *quiet, "-S", str(script), "+qall!"], folder)
    return _result(out)


def run_emacs(folder: Path, forms: str, *, with_mode: bool = True) -> Any:
    """Runs Lisp that gives a value for JSON."""
    needed("emacs")
    out = folder / "emacs.json"
    script = folder / "emacs.el"
    load = f"(load {json.dumps(str(EDITORS / 'emacs' / 'wfc-mode.el'))} nil t t)" if with_mode else ""
    script.write_text(
        f"(require 'json) {load}\n"
        f'(let ((result (condition-case failed (progn {forms}) (error (format "%S" failed)))))\n'
        f"  (let ((coding-system-for-write 'utf-8))\n"
        f"    (write-region (json-encode result) nil {json.dumps(str(out))} nil 'quiet)))\n",
        encoding="utf-8",
    )
    _run(["emacs", "--batch", "-Q", "-l", str(script)], folder)
    return _result(out)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A process environment in which `wfc` is a command."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    wfc = tools / "wfc"
    wfc.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfc.cli.main "$@"\n', encoding="utf-8")
    wfc.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **more}


def _run(command: list[str], folder: Path) -> None:
    # TERM is what Emacs says to its children when it has a screen.
    own = environment(folder, HOME=str(folder), LC_ALL="C.UTF-8", TERM="dumb")
    done = subprocess.run(
        command,
        cwd=folder,
        env=own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _result(out: Path) -> Any:
    text = out.read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError:
        pytest.fail(text)


def _quoted(path: Path) -> str:
    """A path as a text of Vim script."""
    return "'{}'".format(str(path).replace("'", "''"))
