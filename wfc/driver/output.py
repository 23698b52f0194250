"""Writes generated files so that a folder is never left half written, and never loses what somebody wrote by hand.

New texts are written beside the old files and synced to the disk; only when all of them are complete do they take the
old ones' places. A manifest of digests in the folder says which files are ours and how we left them. While files change
places it holds the old and the new digest of each, so that an interruption at any moment leaves only files that the
next run knows as its own.

Records are written once, and are not ours afterwards: they are in no manifest, and no later run touches them.
"""

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256

from wfc import problems
from wfc.problems.problem import Problem
from wfc.project.files import join, whole_file
from wfc.text.layout import layout
from wfc.text.output import Output
from wfc.text.value import Value, value

MANIFEST = ".wfc-manifest.json"

_VERSION = 1
Digests = Mapping[str, tuple[str, ...]]


@value(kw_only=True)
class WriteResult(Value):
    """What became of the outputs, as paths below the working folder. With problems, nothing was changed."""

    problems: tuple[Problem, ...] = ()
    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def write(
    outputs: Sequence[Output],
    folder: str,
    *,
    records: Sequence[Output] = (),
    force: bool = False,
    complete: bool = False,
) -> WriteResult:
    """Writes the outputs and the new records into a folder, all of them or none.

    A file that was edited by hand is a problem unless `force` is given. `complete` says that the outputs are all that
    the folder should hold: files of earlier runs that are not among them are removed.
    """
    manifest = _read_manifest(folder)
    changed = [output for output in outputs if _content(folder, output.path) != _encoded(output)]
    orphans = _orphans(outputs, folder, manifest) if complete else []
    endangered = [*(output.path for output in changed), *orphans]
    edited = [] if force else list(_edited(endangered, folder, manifest))
    if edited:
        return WriteResult(problems=tuple(edited))
    try:
        _replace(outputs, [*changed, *records], orphans, folder, manifest)
    except OSError as error:
        at = whole_file(_shown_path(error, folder))
        return WriteResult(problems=(problems.UnwritableOutput(at=at, reason=_reason(error)),))
    written = {output.path for output in (*changed, *records)}
    return WriteResult(
        written=tuple(join(folder, output.path) for output in (*outputs, *records) if output.path in written),
        unchanged=tuple(join(folder, output.path) for output in outputs if output.path not in written),
        removed=tuple(join(folder, path) for path in orphans),
    )


def differences(
    outputs: Sequence[Output], folder: str, *, records: Sequence[Output] = (), complete: bool = False
) -> str:
    """What `write` would change, as a unified diff; empty where the folder is up to date."""
    pieces: list[str] = []
    for output in sorted((*outputs, *records), key=lambda output: output.path):
        data = _content(folder, output.path)
        if data != _encoded(output):
            pieces += _diff(data, output.text, join(folder, output.path))
    for path in _orphans(outputs, folder, _read_manifest(folder)) if complete else ():
        pieces += _diff(_content(folder, path), None, join(folder, path))
    return "".join(pieces)


def _diff(old: bytes | None, new: str | None, path: str) -> Iterator[str]:
    before = [] if old is None else old.decode("utf-8", errors="replace").splitlines(keepends=True)
    after = [] if new is None else new.splitlines(keepends=True)
    names = ("/dev/null" if old is None else path, "/dev/null" if new is None else path)
    for line in difflib.unified_diff(before, after, *names):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _encoded(output: Output) -> bytes:
    return output.text.encode("utf-8")


def _content(folder: str, path: str) -> bytes | None:
    """What lies at an output's place now, or nothing."""
    try:
        with open(_on_disk(folder, path), "rb") as file:
            return file.read()
    except OSError:
        return None


def _on_disk(folder: str, path: str) -> str:
    return os.path.join(folder, *path.split("/"))


def _digest(data: bytes) -> str:
    """A digest that stays when version control changes the line ends."""
    return "sha256:" + sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _edited(paths: Iterable[str], folder: str, manifest: Digests) -> Iterator[Problem]:
    for path in sorted(paths):
        data = _content(folder, path)
        if data is not None and _digest(data) not in manifest.get(path, ()):
            yield problems.EditedOutput(at=whole_file(join(folder, path)), foreign=path not in manifest)


def _orphans(outputs: Sequence[Output], folder: str, manifest: Digests) -> list[str]:
    """Files of earlier runs that are no longer among the outputs."""
    wanted = {output.path for output in outputs}
    return sorted(path for path in manifest if path not in wanted and os.path.isfile(_on_disk(folder, path)))


def _replace(
    outputs: Sequence[Output], changed: Sequence[Output], orphans: Sequence[str], folder: str, manifest: Digests
) -> None:
    gone = set(orphans)
    kept = {path: digests for path, digests in manifest.items() if path not in gone}
    final = {**kept, **{output.path: (_digest(_encoded(output)),) for output in outputs}}
    if final == manifest and not changed:
        return
    os.makedirs(folder, exist_ok=True)
    waiting: list[tuple[str, str]] = []
    try:
        for output in changed:
            target = _on_disk(folder, output.path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            waiting.append((_beside(target), target))
            _write_whole(waiting[-1][0], _encoded(output))
        if changed or orphans:
            _write_manifest(folder, {path: _union(manifest, final, path) for path in {**manifest, **final}})
        while waiting:
            os.replace(*waiting[0])
            del waiting[0]
        for path in orphans:
            os.remove(_on_disk(folder, path))
        _write_manifest(folder, final)
    finally:
        for temporary, _ in waiting:
            with suppress(OSError):
                os.remove(temporary)


def _union(old: Digests, new: Digests, path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*old.get(path, ()), *new.get(path, ())]))


def _beside(target: str) -> str:
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}.{os.getpid()}.tmp")


def _write_whole(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_manifest(folder: str) -> Digests:
    """The manifest of a folder; a missing or damaged one knows of no file."""
    data = _content(folder, MANIFEST)
    try:
        document = json.loads(data or b"{}")
        files = document["files"].items()
        return {path: tuple(digests) for path, digests in files if _is_inside(path) and isinstance(digests, list)}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _is_inside(path: str) -> bool:
    """Whether a path of the manifest stays in its folder: files are removed by it."""
    return bool(path) and not any(part in {"", ".", ".."} or "\\" in part or ":" in part for part in path.split("/"))


def _write_manifest(folder: str, digests: Digests) -> None:
    document = {"version": _VERSION, "files": {path: list(digests[path]) for path in sorted(digests)}}
    target = os.path.join(folder, MANIFEST)
    temporary = _beside(target)
    try:
        _write_whole(temporary, f"{layout(document)}\n".encode())
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            os.remove(temporary)


def _shown_path(error: OSError, folder: str) -> str:
    """The path the system complains about, as the user knows it: never that of a temporary file."""
    named = error.filename2 or error.filename
    if not isinstance(named, str) or named.endswith(".tmp"):
        return folder
    return named.replace(os.sep, "/")


def _reason(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
