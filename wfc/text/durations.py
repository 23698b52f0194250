"""Durations as the language writes them: `2h30m`, units falling, each at most once."""

import re

MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}

MAX_LENGTH = 100  # of what is written

_PART = re.compile(r"(\d+)(ms|[wdhms])")
_WHOLE = re.compile(r"(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?", re.ASCII)


def parse_duration(text: str) -> int | None:
    """Milliseconds of a duration such as `30s` or `1h30m`, or nothing where the text is none."""
    if not text or len(text) > MAX_LENGTH or _WHOLE.fullmatch(text) is None:
        return None
    return sum(int(number) * MILLISECONDS[unit] for number, unit in _PART.findall(text))


def show_duration(milliseconds: int) -> str:
    """The shortest way to write a duration of that length: `90000` is `1m30s`, zero is `0s`."""
    return "".join(_parts(milliseconds)) or "0s"


def spaced_duration(milliseconds: int) -> str:
    """A duration for reading: `1m 30s`, in days rather than weeks."""
    return " ".join(_parts(milliseconds, ("w",))) or "0s"


def _parts(milliseconds: int, without: tuple[str, ...] = ()) -> list[str]:
    shown: list[str] = []
    rest = milliseconds
    for unit, size in MILLISECONDS.items():
        if unit in without:
            continue
        count, rest = divmod(rest, size)
        if count:
            shown.append(f"{count}{unit}")
    return shown
