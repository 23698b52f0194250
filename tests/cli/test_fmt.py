"""`wfc fmt` and bytes: line ends, byte order marks, files that cannot be written."""

import errno
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from wfc.cli.main import main
from wfc.driver import tidy
from wfc.fmt.layout import Unfaithful, prove
from wfc.fmt.words import words

UNTIDY = b"const   a: Int = 1\n"
TIDY = b"const a: Int = 1\n"


@pytest.fixture(autouse=True)
def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"const   a: Int = 1", TIDY),
        (b"\n\n  const\ta:\tInt = 1  \n\n", TIDY),
        (b"const   a: Int = 1\r\n// b  \r\nconst b: Int = 1\r\n", b"const a: Int = 1\r\n// b\r\nconst b: Int = 1\r\n"),
        (b"const   a: Int = 1\r\nconst b: Int = 1\n", b"const a: Int = 1\r\nconst b: Int = 1\r\n"),
        (b"const   a: Int = 1\nconst b: Int = 1\r\n", b"const a: Int = 1\nconst b: Int = 1\n"),
        (b"\xef\xbb\xbf" + UNTIDY, b"\xef\xbb\xbf" + TIDY),
        (b"\xef\xbb\xbfconst   a: Int = 1\r\n", b"\xef\xbb\xbfconst a: Int = 1\r\n"),
        (b"// a\r\r\n\tconst a: Int = 1", b"// a\r\nconst a: Int = 1\r\n"),
        ('const   a: Text = "日本 🎉" // é\n'.encode(), 'const a: Text = "日本 🎉"  // é\n'.encode()),
        (b"  // only this", b"// only this\n"),
        (b"\n \n", b""),
        (b"", b""),
    ],
)
def test_bytes(before: bytes, after: bytes) -> None:
    path = Path("a.wf")
    path.write_bytes(before)
    assert main(["fmt", "a.wf"]) == 0
    assert path.read_bytes() == after
    assert main(["fmt", "a.wf", "--check"]) == 0


def test_what_is_laid_out_is_not_written() -> None:
    path = Path("a.wf")
    path.write_bytes(TIDY)
    os.utime(path, (1, 1))
    assert main(["fmt", "a.wf"]) == 0
    assert path.stat().st_mtime == 1


def test_modes_and_links_stay() -> None:
    path = Path("a.wf")
    path.write_bytes(UNTIDY)
    path.chmod(0o640)
    Path("link.wf").symlink_to(path)
    assert main(["fmt", "link.wf"]) == 0
    assert path.read_bytes() == TIDY
    assert path.stat().st_mode & 0o777 == 0o640
    assert Path("link.wf").is_symlink()


def test_a_full_disk_leaves_the_file_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.wf").write_bytes(UNTIDY)
    Path("b.wf").write_bytes(UNTIDY)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "a.wf")

    with patch("os.fsync", full):
        assert main(["fmt", "a.wf", "b.wf"]) == 2
    told = capsys.readouterr().err
    assert "wfc: `a.wf` cannot be written: No space left on device\n" in told
    assert told.endswith("no files changed, 2 files left alone\n")
    assert Path("a.wf").read_bytes() == UNTIDY
    assert sorted(path.name for path in Path().iterdir()) == ["a.wf", "b.wf"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_written_is_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("a.wf")
    path.write_bytes(UNTIDY)
    path.chmod(0o440)
    assert main(["fmt", "a.wf"]) == 2
    assert "wfc: `a.wf` cannot be written: Permission denied\n" in capsys.readouterr().err
    assert path.read_bytes() == UNTIDY


@pytest.mark.parametrize("wrong", ["const a: Int = 2\n", "const a: Int = 1\n// more\n", "const a Int = 1\n", "?\x00"])
def test_a_layout_that_says_something_else_is_never_written(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = words(UNTIDY.decode())
    assert given is not None

    def wrongly(_: str) -> str:
        prove(given, wrong)
        return wrong

    path = Path("a.wf")
    path.write_bytes(UNTIDY)
    with patch.object(tidy, "layout", wrongly):
        assert main(["fmt", "a.wf"]) == 70
    assert path.read_bytes() == UNTIDY
    told = capsys.readouterr().err
    assert "this is a bug in wfc" in told
    assert "a.wf: the layout differs from its source in more than white space; the file is left as it is" in told


def test_a_doc_comment_that_speaks_of_something_else_is_noticed() -> None:
    given = words("/// of a\nconst a: Int = 1\nconst b: Int = 1\n")
    assert given is not None
    with pytest.raises(Unfaithful):
        prove(given, "const a: Int = 1\n/// of a\nconst b: Int = 1\n")


def test_what_is_nested_as_deep_as_the_parser_lets_through() -> None:
    deep = 120
    path = Path("a.wf")
    path.write_text(f"const a: Int = {'(' * deep}1{' + 2)' * deep} + {' + '.join(['3'] * 100)}\n", encoding="utf-8")
    assert main(["fmt", "a.wf"]) == 0
    assert main(["fmt", "a.wf", "--check"]) == 0
