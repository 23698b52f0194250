"""Sources in the place of those on the disk: how they differ, and writing them. Knows nothing of what changed them."""

import difflib
import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import suppress

from wfc.text.source import SourceFile


def difference(before: Sequence[SourceFile], after: Sequence[SourceFile]) -> Iterator[str]:
    """What has changed, as a unified difference, line by line."""
    for old, new in zip(before, after, strict=True):
        if old.text != new.text:
            lines = difflib.unified_diff(
                old.text.splitlines(keepends=True), new.text.splitlines(keepends=True), old.path, new.path
            )
            yield from (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write(before: Sequence[SourceFile], after: Sequence[SourceFile]) -> int:
    """Writes the sources that have changed, each beside the old one and then in its place; how many. Raises OSError."""
    count = 0
    for old, new in zip(before, after, strict=True):
        if old.text == new.text:
            continue
        folder, name = os.path.split(os.path.realpath(new.path))
        temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
        try:
            with open(new.path, "r+b") as file:  # fails where the file may not be written, which a rename would not
                mark = BOM_UTF8 if file.read(len(BOM_UTF8)) == BOM_UTF8 else b""
            with open(temporary, "wb") as file:
                file.write(mark + new.text.encode())
                file.flush()
                os.fsync(file.fileno())
            with suppress(OSError):
                os.chmod(temporary, os.stat(new.path).st_mode)
            os.replace(temporary, os.path.join(folder, name))
        finally:
            with suppress(OSError):
                os.remove(temporary)
        count += 1
    return count
