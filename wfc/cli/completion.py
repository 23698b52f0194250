"""Write what a shell needs to complete `wfc`: commands, options and their values."""

import sys
from argparse import ArgumentParser, Namespace
from importlib import import_module
from typing import Any

from wfc.cli.base.exits import FINE

SHELLS = ("bash", "zsh", "fish")

_FILES = {"PATH", "FILE"}
_FOLDERS = {"DIR"}


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc completion` takes."""
    parser.add_argument(
        "shell",
        choices=SHELLS,
        help='bash, zsh: eval "$(wfc completion bash)" in your settings; fish: wfc completion fish | source',
    )


def run(chosen: Namespace) -> int:
    """Prints the script of a shell."""
    import shtab

    text = shtab.complete(whole_parser(), shell=chosen.shell)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    return FINE


def whole_parser() -> ArgumentParser:
    """All commands with their options, which are otherwise read one at a time."""
    from wfc.cli.main import command_names

    parser = ArgumentParser(prog="wfc", description="A compiler for business processes.")
    parser.add_argument("-V", "--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(dest="command")
    for name in command_names():
        command = import_module(f"wfc.cli.{name}")
        summary = (command.__doc__ or "").partition("\n")[0].rstrip(".")
        own = commands.add_parser(name, help=summary, description=summary)
        command.add_arguments(own)
        for action in own._actions:  # noqa: SLF001 - argparse has no public way to them, and shtab reads them as well
            _complete(name, action)
    return parser


def _complete(command: str, action: Any) -> None:  # noqa: ANN401 - shtab reads an attribute that an action does not declare
    """Says what completes the value of an option or argument, where it has no choices of its own."""
    import shtab

    if action.help:
        action.help = action.help.partition(";")[0]  # a shell has one line
    words = {action.metavar} if isinstance(action.metavar, str) else set(action.metavar or ())
    if command == "explain" and action.dest == "code":
        from wfc.driver.catalogue import problem_classes

        action.choices = list(problem_classes())
    elif words & _FOLDERS:
        action.complete = shtab.DIRECTORY
    elif words & _FILES:
        action.complete = shtab.FILE
