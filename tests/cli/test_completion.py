"""Shells complete commands, options, values and files of `wfc`: each is asked itself."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pexpect
import pytest

from wfc.cli.completion import SHELLS, whole_parser
from wfc.cli.main import command_names, main

pytestmark = pytest.mark.slow

_LIMIT = 30
_MARK = "----"

# What is offered behind a line, and what is not.
CASES = {
    "wfc c": ({"check", "compile", "completion"}, {"explain", "main"}),
    "wfc check --outp": ({"--output-format"}, {"--out"}),
    "wfc check --output-format g": ({"github", "gitlab"}, {"sarif"}),
    "wfc explain missing-r": ({"missing-rollback"}, {"unknown-name"}),
    "wfc completion ": ({"bash", "fish", "zsh"}, {"check"}),
    "wfc check orde": ({"orders.wf", "order two.wf"}, {"other.txt"}),
}


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "TERM": "dumb", "PS1": "> "}


def asked(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def bash(folder: Path, script: Path, lines: Sequence[str]) -> str:
    """What bash offers behind lines."""
    asking = [f'eval "$(cat {shlex.quote(str(script))})"']
    for line in lines:
        words = shlex.split(line) + ([""] if line.endswith(" ") else [])
        asking += [
            f"COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}",
            f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} COMPREPLY=()",
            f"_shtab_wfc wfc {shlex.quote(words[-1])} {shlex.quote(words[-2])}",
            f"printf '%s\\n' \"${{COMPREPLY[@]}}\" {_MARK}",
        ]
    return asked(folder, "bash", "--noprofile", "--norc", "-c", "\n".join(asking))


def fish(folder: Path, script: Path, lines: Sequence[str]) -> str:
    """What fish offers behind lines."""
    asking = (f"complete -C {shlex.quote(line)} | string split -f 1 \\t; echo {_MARK}" for line in lines)
    return asked(folder, "fish", "--no-config", "-c", "\n".join([f"cat {shlex.quote(str(script))} | source", *asking]))


def zsh(folder: Path, script: Path, lines: Sequence[str]) -> str:
    """What zsh offers when the tab key is pressed behind lines: it has a terminal, as a person gives it."""
    child = pexpect.spawn(
        "zsh",
        ["-f", "-i"],
        cwd=str(folder),
        env=environment(folder),
        encoding="utf-8",
        timeout=_LIMIT,
        dimensions=(50, 200),
    )
    try:
        child.sendline("PROMPT='' RPROMPT=''; unsetopt zle_bracketed_paste prompt_cr; LISTMAX=1000")
        child.sendline(f'autoload -Uz compinit; compinit -u -D; eval "$(cat {shlex.quote(str(script))})"')
        # What is offered goes to a file as well, one a line.
        child.sendline(
            "compadd() { local -a got; builtin compadd -O got $@; print -rl -- $got >> offered; builtin compadd $@ }"
        )
        for number, line in enumerate(lines):
            child.sendline(f"echo READY${{:-}}{number}")
            child.expect(f"READY{number}")
            child.send(f"{line}\t\x15echo {_MARK} >> offered; echo DONE${{:-}}{number}\n")
            child.expect(f"DONE{number}")
    finally:
        child.close(force=True)
    return (folder / "offered").read_text(encoding="utf-8")


OFFERS: Mapping[str, Callable[[Path, Path, Sequence[str]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_offers_what_fits(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}: `make setup` installs it, or says more")
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("orders.wf", "order two.wf", "other.txt"):
        (folder / name).touch()
    assert main(["completion", shell]) == 0
    script = tmp_path / f"script.{shell}"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    *told, rest = OFFERS[shell](folder, script, list(CASES)).split(f"{_MARK}\n")
    assert (len(told), rest) == (len(CASES), "")
    for text, (line, (offered, not_offered)) in zip(told, CASES.items(), strict=True):
        seen = {word.strip().replace("\\ ", " ") for word in text.splitlines()}
        assert offered <= seen, line
        assert not not_offered & seen, line


def test_every_command_is_there() -> None:
    shown = whole_parser().format_help()
    assert [name for name in command_names() if f"\n    {name} " not in shown] == []


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
