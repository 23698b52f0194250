"""The project's settings: `wfc.toml`, or `[tool.wfc]` in `pyproject.toml`, in the folder or one around it."""

import re
from collections.abc import Callable, Mapping

from wfc import problems
from wfc.problems.problem import Problem, Reporter
from wfc.project.files import Files, join
from wfc.text.durations import parse_duration
from wfc.text.source import SourceFile, Span
from wfc.text.value import Value, field, value

DEFAULT_MAX_RETRIES = 3
DEFAULT_TIMEOUT_MS = 30_000
DEFAULT_OUT = "workflows"
SETTINGS_FILE = "wfc.toml"

PYPROJECT = "pyproject.toml"
_HEADER = re.compile(r"\s*\[\s*(?P<table>[^\[\]]+?)\s*\]\s*(?:#.*)?")
_ENTRY = re.compile(r"\s*(?P<key>[\w-]+|\"[^\"]*\"|'[^']*')\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^#]*[^#\s])?")
_TOML_PLACE = re.compile(r"\s*\((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)$")
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")


@value(kw_only=True)
class Settings(Value):
    """What a project says once for all its modules. `root` is the project's folder, relative to the working folder."""

    root: str = "."
    currency: str | None = None
    dead_letters: str | None = None
    max_retries: int = DEFAULT_MAX_RETRIES
    timeout_ms: int = DEFAULT_TIMEOUT_MS
    out: str = DEFAULT_OUT

    @property
    def out_folder(self) -> str:
        """The output folder, relative to the working folder."""
        return join(self.root, self.out)


@value
class _Setting(Value):
    """One key: the field it fills, how its value is read (nothing: refused), and what is said then."""

    name: str
    read: Callable[[object], object] = field(eq=False)
    expected: str


def _currency(given: object) -> str | None:
    return given if isinstance(given, str) and _CURRENCY.fullmatch(given) else None


def _queue(given: object) -> str | None:
    return given if isinstance(given, str) and _NAME.fullmatch(given) else None


def _count(given: object) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else None


def _duration(given: object) -> int | None:
    milliseconds = parse_duration(given) if isinstance(given, str) else None
    return milliseconds or None


def _folder(given: object) -> str | None:
    """A folder's path in normal form; it stays inside the project."""
    if not isinstance(given, str) or given.startswith("/") or any(character in given for character in "\\:\0"):
        return None
    parts = [part for part in given.split("/") if part not in {"", "."}]
    return None if ".." in parts or not given else "/".join(parts) or "."


SETTINGS: Mapping[str, _Setting] = {
    "currency": _Setting("currency", _currency, 'a currency of three capital letters, such as "EUR"'),
    "dead-letters": _Setting("dead_letters", _queue, "the name of a queue"),
    "max-retries": _Setting("max_retries", _count, "a whole number, 0 or more"),
    "out": _Setting("out", _folder, "a folder inside the project"),
    "timeout": _Setting("timeout_ms", _duration, 'a duration above zero, such as "30s"'),
}


def load_settings(files: Files, start: str, report: Reporter) -> Settings:
    """The settings that hold in a folder: those of the nearest settings file in it or around it, else the defaults."""
    for folder in files.around(start):
        for name in (SETTINGS_FILE, PYPROJECT):
            path = join(folder, name)
            if not files.is_file(path):
                continue
            found = _load(files, folder, path, report)
            if found is not None:
                return found
    return Settings(root=start)


def _load(files: Files, root: str, path: str, report: Reporter) -> Settings | None:
    """The settings in one file, or nothing where it is a `pyproject.toml` that says nothing about wfc."""
    table: str | None = "tool.wfc" if path.endswith(PYPROJECT) else None
    source = files.read(path)
    if isinstance(source, Problem):
        report(source)
        return Settings(root=root)
    if table and "wfc" not in source.text:
        return None
    given = _parse(source, report)
    if table and given is not None:
        given = _tool_table(given)
        if given is None:
            return None
    return _settings(given or {}, root, _Places(source, table), report)


def _parse(source: SourceFile, report: Reporter) -> Mapping[str, object] | None:
    import tomllib  # noqa: PLC0415 - most runs have no settings file

    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        place = _TOML_PLACE.search(text)
        at = Span(source, 0, 0)
        if place:
            text = text[: place.start()]
            at = _toml_span(source, place)
        report(problems.MalformedSettings(at=at, reason=text[:1].lower() + text[1:]))
        return None


def _toml_span(source: SourceFile, place: re.Match[str]) -> Span:
    end = len(source.text)
    if place["line"] is None:
        return Span(source, end, end)
    offset = min(source.line_starts[int(place["line"]) - 1] + int(place["column"]) - 1, end)
    return Span(source, offset, min(offset + 1, end))


def _tool_table(document: Mapping[str, object]) -> Mapping[str, object] | None:
    tool = document.get("tool")
    table = tool.get("wfc") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _settings(given: Mapping[str, object], root: str, places: "_Places", report: Reporter) -> Settings:
    chosen: dict[str, object] = {}
    for key, raw in given.items():
        setting = SETTINGS.get(key)
        if setting is None:
            report(problems.UnknownSetting(at=places.key(key), key=key, known=tuple(SETTINGS)))
            continue
        read = setting.read(raw)
        if read is None:
            at = places.value(key)
            report(problems.InvalidSetting(at=at, key=key, expected=setting.expected, found=_shown(raw)))
            continue
        chosen[setting.name] = read
    return Settings(root=root, **chosen)  # type: ignore[arg-type]  # each reader yields its field's type


def _shown(raw: object) -> str:
    """A value as the settings file would write it, or what kind of thing it is."""
    if isinstance(raw, str):
        return f'"{raw}"'
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int | float):
        return str(raw)
    if isinstance(raw, list):
        return "a list"
    return "a table" if isinstance(raw, dict) else f"the date {raw}"


class _Places:
    """Finds keys in the text again: the reader of TOML gives values without places."""

    def __init__(self, source: SourceFile, table: str | None) -> None:
        self._source = source
        self._keys: dict[str, Span] = {}
        self._values: dict[str, Span] = {}
        current: str | None = None
        for start in source.line_starts:
            header = _HEADER.match(source.text, start)
            if header and "\n" not in header[0].strip():
                current = header["table"].replace(" ", "")
                if current.rpartition(".")[0] == (table or ""):
                    self._keys.setdefault(current.rpartition(".")[2], self._span(header, "table"))
            elif current == table:
                self._entry(start)

    def _entry(self, start: int) -> None:
        entry = _ENTRY.match(self._source.text, start)
        if entry is None:
            return
        key = entry["key"].strip("\"'")
        self._keys.setdefault(key, self._span(entry, "key"))
        self._values.setdefault(key, self._span(entry, "value"))

    def _span(self, match: re.Match[str], group: str) -> Span:
        return Span(self._source, match.start(group), match.end(group))

    def key(self, key: str) -> Span:
        """Where a key stands, or the start of the file."""
        return self._keys.get(key) or Span(self._source, 0, 0)

    def value(self, key: str) -> Span:
        """Where the value of a key stands; its key, if that is all that can be found."""
        return self._values.get(key) or self.key(key)
