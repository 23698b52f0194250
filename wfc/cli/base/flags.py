"""Short forms of script entries, as flags of `wfc simulate` write them."""

import json
import re
from decimal import Decimal
from typing import Any

from wfc.text.durations import parse_duration

_WORD = re.compile(r"[^\W\d][\w .-]*")
_FAILURE = re.compile(r"(?P<name>\w+)(?::(?P<fields>\{.*\}))?(?:\*(?P<times>\d{1,6}))?", re.DOTALL)


class FlagError(ValueError):
    """A flag in the wrong form; the text says which is right."""


def answer_entry(text: str) -> dict[str, Any]:
    """`OP=JSON`; a bare word is a text, or a case by its name."""
    operation, given = _two(text, "--answer", "OP=JSON, such as inventory.check=Available")
    bare = _WORD.fullmatch(given) and given not in ("true", "false", "null")
    return {"answer": operation, "returns": given if bare else _json(given, "--answer")}


def failure_entry(text: str) -> dict[str, Any]:
    """`OP=ERROR`, with `:{...}` for fields and `*N` for so many attempts."""
    form = 'OP=ERROR, OP=ERROR*3 or OP=ERROR:{"field": value}'
    operation, given = _two(text, "--fail", form)
    found = _FAILURE.fullmatch(given)
    if found is None:
        raise FlagError(f"--fail: `{text}` is not of the form {form}")
    entry: dict[str, Any] = {"answer": operation, "raises": found["name"]}
    if found["fields"] is not None:
        entry["fields"] = _json(found["fields"], "--fail")
    if found["times"] is not None:
        entry["times"] = int(found["times"])
    return entry


def delay_entry(text: str) -> dict[str, Any]:
    """`OP=DURATION`."""
    operation, given = _two(text, "--delay", "OP=DURATION, such as payments.charge=2h")
    return {"answer": operation, "after": given}


def event_entry(text: str) -> dict[str, Any]:
    """`EVENT`, with `={...}` for fields and `@DURATION` for when."""
    name, _, given = text.partition("=")
    entry: dict[str, Any] = {}
    rest, sign, at = (given or name).rpartition("@")
    if sign and parse_duration(at) is not None:
        entry["at"] = at
        name, given = (name, rest) if given else (rest, "")
    elif "@" in name and not given:
        raise FlagError(f"--event: `{at}` is not a duration such as 30s or 2h30m")
    if given:
        entry["fields"] = _json(given, "--event")
    return {"event": name, **entry}


def _two(text: str, flag: str, form: str) -> tuple[str, str]:
    before, sign, after = text.partition("=")
    if not sign or not before or not after:
        raise FlagError(f"{flag}: `{text}` is not of the form {form}")
    return before, after


def _json(text: str, flag: str) -> Any:  # noqa: ANN401 - data
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise FlagError(f"{flag}: `{text}` is no JSON ({error})") from None
