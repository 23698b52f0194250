"""Where sources come from: a disk, or a table in memory. Paths are posix style, relative to the working folder."""

import os
import stat
from collections.abc import Iterator, Mapping
from typing import Protocol

from wfc import problems
from wfc.problems.problem import Problem
from wfc.text.source import SourceFile, Span

SIZE_LIMIT = 32 << 20


class Files(Protocol):
    """What the compiler may ask of the world outside; nothing here raises."""

    def read(self, path: str) -> SourceFile | Problem:
        """The text of a file, or what is wrong with it."""

    def is_file(self, path: str) -> bool:
        """Whether a file (not a folder) lies at that path."""

    def is_folder(self, path: str) -> bool:
        """Whether a folder lies at that path."""

    def children(self, folder: str) -> tuple[str, ...] | Problem:
        """Paths of the files and folders in a folder, sorted; those of folders end with `/`."""

    def around(self, folder: str) -> Iterator[str]:
        """The folder and those around it, nearest first."""


def whole_file(path: str) -> Span:
    """The place of a problem with a file of which no text is known."""
    return Span(SourceFile(path, ""), 0, 0)


def join(folder: str, name: str) -> str:
    """The path of a name in a folder; `.` is left out."""
    if name == ".":
        return folder
    return name if folder in {"", "."} else f"{folder.rstrip('/')}/{name}"


def parent(path: str) -> str:
    """The folder a path lies in; `.` for a bare name."""
    folder, slash, _ = path.rstrip("/").rpartition("/")
    return folder or ("/" if slash else ".")


def base_name(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rpartition("/")[2]


def decode(path: str, data: bytes) -> SourceFile | Problem:
    """A source from its bytes, at most one more than the limit: UTF-8 without NUL; a byte order mark is skipped."""
    if len(data) > SIZE_LIMIT:
        return problems.OversizedSource(at=whole_file(path), size=None, limit=SIZE_LIMIT)
    nul = data.find(b"\0")
    if nul >= 0:
        return problems.NulCharacter(at=whole_file(path), offset=nul, line=_line(data, nul))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
        return problems.NotUtf8(at=whole_file(path), byte=data[at], offset=at, line=_line(data, at))
    return SourceFile(path, text.removeprefix("\ufeff"))


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


class DiskFiles:
    """The files of the machine, seen from a working folder (the process's own if none is given)."""

    def __init__(self, working_folder: str | None = None) -> None:
        self._base = os.path.realpath(working_folder or os.curdir)

    def on_disk(self, path: str) -> str:
        """The path as the operating system takes it."""
        return os.path.normpath(os.path.join(self._base, path))

    def shown(self, path: str) -> str:
        """The path as it is shown: below the working folder relative to it, always with `/`."""
        whole = self.on_disk(path)
        if os.path.isabs(path):
            below = whole == self._base or whole.startswith(self._base.rstrip(os.sep) + os.sep)
            path = os.path.relpath(whole, self._base) if below else whole
        return os.path.normpath(path).replace(os.sep, "/")

    def read(self, path: str) -> SourceFile | Problem:
        """The text of a file, or what is wrong with it."""
        shown = self.shown(path)
        try:
            with open(self.on_disk(path), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > SIZE_LIMIT:
                    return problems.OversizedSource(at=whole_file(shown), size=size, limit=SIZE_LIMIT)
                data = file.read(SIZE_LIMIT + 1)
        except FileNotFoundError:
            return problems.MissingSource(at=whole_file(shown))
        except (OSError, ValueError) as error:
            return problems.UnreadableSource(at=whole_file(shown), reason=_reason(error))
        return decode(shown, data)

    def is_file(self, path: str) -> bool:
        """Whether a file, a pipe or a device lies at that path."""
        mode = self._mode(path)
        return mode is not None and not stat.S_ISDIR(mode)

    def is_folder(self, path: str) -> bool:
        """Whether a folder lies at that path."""
        mode = self._mode(path)
        return mode is not None and stat.S_ISDIR(mode)

    def _mode(self, path: str) -> int | None:
        try:
            return os.stat(self.on_disk(path)).st_mode
        except (OSError, ValueError):
            return None

    def children(self, folder: str) -> tuple[str, ...] | Problem:
        """Paths of the files and folders in a folder, sorted; links to folders count as files and end no path with `/`.

        A link can lead back to a folder above it; whoever walks down must not go round in circles.
        """
        shown = self.shown(folder)
        try:
            with os.scandir(self.on_disk(folder)) as entries:
                names = [entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "") for entry in entries]
        except (OSError, ValueError) as error:
            return problems.UnreadableSource(at=whole_file(shown), reason=_reason(error))
        return tuple(join(shown, name) for name in sorted(names))

    def around(self, folder: str) -> Iterator[str]:
        """The folder and those around it, nearest first, up to the root of the disk."""
        whole = self.on_disk(folder)
        while True:
            yield self._relative(whole)
            above = os.path.dirname(whole)
            if above == whole:
                return
            whole = above

    def _relative(self, whole: str) -> str:
        try:
            return os.path.relpath(whole, self._base).replace(os.sep, "/")
        except ValueError:  # another drive
            return whole.replace(os.sep, "/")


class MemoryFiles:
    """Files in a table from path to text or bytes, for tests and for texts that lie on no disk."""

    def __init__(self, contents: Mapping[str, str | bytes]) -> None:
        self._contents = dict(contents)
        self._folders = {"."}
        for path in self._contents:
            folder = parent(path)
            while folder not in self._folders:
                self._folders.add(folder)
                folder = parent(folder)

    def read(self, path: str) -> SourceFile | Problem:
        """The text of a file, or what is wrong with it."""
        content = self._contents.get(path)
        if content is None:
            return problems.MissingSource(at=whole_file(path))
        return decode(path, content.encode() if isinstance(content, str) else content)

    def is_file(self, path: str) -> bool:
        """Whether the table has that path."""
        return path in self._contents

    def is_folder(self, path: str) -> bool:
        """Whether the table has paths below that one."""
        return path in self._folders

    def children(self, folder: str) -> tuple[str, ...] | Problem:
        """Paths of the files and folders in a folder, sorted; those of folders end with `/`."""
        if folder not in self._folders:
            return problems.MissingSource(at=whole_file(folder))
        files = [path for path in self._contents if parent(path) == folder]
        folders = [f"{path}/" for path in self._folders if path != "." and parent(path) == folder]
        return tuple(sorted(files + folders))

    def around(self, folder: str) -> Iterator[str]:
        """The folder and those around it, nearest first, up to `.`."""
        while folder != ".":
            yield folder
            folder = parent(folder)
        yield "."


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
