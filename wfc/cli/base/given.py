"""What a command line names: files, JSON, a process, a scenario. Whatever is wrong with it is a UseError."""

import json
import os
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from wfc.cli.base.exits import WRONG_USE
from wfc.text.names import did_you_mean, listed

T = TypeVar("T")
SIZE_LIMIT = 50_000_000


class UseError(Exception):
    """Wrong use; the text says why. `code` is that of the command."""

    def __init__(self, text: str, code: int = WRONG_USE) -> None:
        super().__init__(text)
        self.code = code


def text_of(path: str) -> str:
    """The text of a file that a flag names."""
    try:
        if os.path.getsize(path) > SIZE_LIMIT:
            raise UseError(f"{path}: this file is too large")
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise UseError(f"{path}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UseError(f"{path}: this is not UTF-8 text") from None


def json_in(text: str, told: str) -> Any:  # noqa: ANN401 - data
    """The JSON of a text; `told` names it where it is none."""
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise UseError(f"{told}: this is no JSON ({error})") from None


def json_of(text: str, told: str) -> Any:  # noqa: ANN401 - data
    """JSON given on the command line, or in a file of that name."""
    if text.lstrip()[:1] in ("{", "[", '"'):
        return json_in(text, told)
    if os.path.exists(text):
        return json_in(text_of(text), text)
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        raise UseError(f"{told}: `{text}` is neither JSON nor a file") from None


def bare_json(text: str, told: str) -> Any:  # noqa: ANN401 - data
    """JSON, or a bare word as a text."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        if text and text[0] not in '{["':
            return text
        raise UseError(f"{told}: `{text}` is no JSON") from None


def the_process(every: Sequence[tuple[T, str, str]], name: str | None) -> T:
    """The one process that is meant, among those with their names and those of their workflows."""
    known = [process for _, process, _ in every]
    found = [item for item, *names in every if name is None or name in names]
    if not known:
        raise UseError("there is no workflow here that runs by itself")
    if not found:
        near = did_you_mean(name or "", known) or f"there is {listed(f'`{each}`' for each in known)}"
        raise UseError(f"there is no process named `{name}`; {near}")
    if len(found) > 1:
        names = listed((f"`{each}`" for each in known), "or")
        raise UseError(f"there are several workflows here: choose one with --process, {names}")
    return found[0]


def the_scenario(every: Sequence[tuple[T, str]], title: str) -> T:
    """The one scenario that is meant, among those with their titles, by a part of its title."""
    wanted = title.casefold()
    found = [each for each in every if wanted in each[1].casefold()]
    found = [each for each in found if each[1].casefold() == wanted] or found
    if not found:
        near = did_you_mean(title, [told for _, told in every])
        raise UseError(f"no scenario has `{title}` in its title" + (f"; {near}" if near else ""))
    if len(found) > 1:
        raise UseError(f"several scenarios have `{title}` in their titles: {listed(f'`{told}`' for _, told in found)}")
    return found[0][0]
