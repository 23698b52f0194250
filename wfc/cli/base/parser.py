"""The reader of a command's arguments."""

from argparse import ArgumentParser
from typing import NoReturn

from wfc.cli.base.exits import WRONG_USE


class Parser(ArgumentParser):
    """As argparse's, but a complaint is one line: who wants the whole usage asks for it."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong, and ends the run."""
        self.exit(WRONG_USE, f"{self.prog}: {message.removeprefix('argument ')} (see {self.prog} --help)\n")
