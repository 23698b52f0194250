"""Blocks that read like a terminal: lines after `$` are run in a folder with the case's files, the rest is output.

Known are `wfc ...`, with `< FILE` for standard input, and `cat FILE`, `ls FOLDER`, `rm FILE` and `edit FILE TEXT` (which
appends a line). Both streams are shown as they come, an escape character as `␛`, how long a run took as `0.01 s`; an exit
code other than 0 is told as `[exit 1]`.
"""

import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from tests.golden.document import Block, Case
from tests.golden.program import project
from wfc.cli.main import main

_PROMPT = "$ "
_TOOK = re.compile(r"\b\d+\.\d\d s$", re.MULTILINE)
_CALM = {"NO_COLOR": "1", "FORCE_COLOR": "", "WFC_DEBUG": "", "COLUMNS": "100"}


def console(case: Case, block: Block) -> str:
    """The session of a block, run again."""
    commands = [line.removeprefix(_PROMPT) for line in block.text.splitlines() if line.startswith(_PROMPT)]
    assert commands, "a console block holds at least one line `$ wfc ...`"
    with tempfile.TemporaryDirectory() as folder, chdir(folder), patch.dict(os.environ, _CALM):
        for path, text in project(case).items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        return "\n".join(_run(command) for command in commands)


def _run(command: str) -> str:
    words = shlex.split(command)
    output = _COMMANDS[words[0]](words[1:])
    return f"{_PROMPT}{command}\n{output}".rstrip("\n")


def _wfc(words: list[str]) -> str:
    given = b""
    if "<" in words:
        at = words.index("<")
        given = Path(words[at + 1]).read_bytes()
        del words[at : at + 2]
    screen = io.StringIO()
    with redirect_stdout(screen), redirect_stderr(screen), _standard_input(given):
        code = main(words)
    return _TOOK.sub("0.01 s", screen.getvalue().replace("\x1b", "␛")) + (f"[exit {code}]" if code else "")


@contextmanager
def _standard_input(given: bytes) -> Iterator[None]:
    with patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")):
        yield


def _cat(words: list[str]) -> str:
    return "".join(Path(word).read_text(encoding="utf-8") for word in words)


def _ls(words: list[str]) -> str:
    if not Path(words[0]).is_dir():
        return "there is no such folder"
    return "\n".join(sorted(path.name + "/" * path.is_dir() for path in Path(words[0]).iterdir()))


def _edit(words: list[str]) -> str:
    with Path(words[0]).open("a", encoding="utf-8") as file:
        file.write(f"{' '.join(words[1:])}\n")
    return ""


def _rm(words: list[str]) -> str:
    Path(words[0]).unlink()
    return ""


_COMMANDS: dict[str, Callable[[list[str]], str]] = {"wfc": _wfc, "cat": _cat, "ls": _ls, "rm": _rm, "edit": _edit}
