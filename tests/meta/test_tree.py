"""What holds for the files of the checkout as such."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from wfc.devtools.generate import outdated

_BINARY = {".png", ".ico", ".woff2", ".gz"}

# The home of somebody, a temporary folder, a mounted disk. Tests write paths as text only in their own folders.
_ABSOLUTE = re.compile(r"(?<![\w.~$}>-])(?:/(?:home|root|Users|work|mnt|tmp|private)/[\w.-]+|[A-Z]:\\\\?[\w.-]+)")

# Files over 800 lines, each with the reason why it is not split.
_LONG: dict[str, str] = {}

_PINNED = re.compile(r"^[\w.-]+==[\w.]+$")


def tracked(root: Path) -> Iterator[Path]:
    """Files of the checkout that are or would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in sorted(filter(None, names.split("\0"))):
        path = root / name
        if path.is_file() and path.suffix not in _BINARY:
            yield path


def test_no_file_names_a_place_on_one_machine(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{number}: {match.group()}"
        for path in tracked(root)
        if path.name != "package-lock.json" and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in _ABSOLUTE.finditer(line)
    ]
    assert found == []


def test_text_files_are_utf8_with_unix_line_ends_and_a_last_one(root: Path) -> None:
    for path in tracked(root):
        data = path.read_bytes()
        data.decode("utf-8")
        assert b"\r\n" not in data, path
        assert not data or data.endswith(b"\n"), path


def test_locked_packages_come_from_the_default_registry(root: Path) -> None:
    assert '"resolved"' not in (root / "tests/js/package-lock.json").read_text(encoding="utf-8")


def test_development_packages_have_exact_versions(root: Path) -> None:
    for name in ("requirements-dev.txt", "requirements-node.txt"):
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        for line in lines:
            assert line.startswith("#") or _PINNED.match(line), f"{name}: {line}"


def test_no_file_is_too_long_to_read(root: Path) -> None:
    for path in tracked(root):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".py" and name not in {*_LONG, "wfc/syntax/tables.py"}:
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 800, name


def test_generated_files_are_up_to_date() -> None:
    assert sorted(outdated()) == []
