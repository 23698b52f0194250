import errno
from pathlib import Path

import pytest

from wfc.problems.problem import Problem
from wfc.project import files as module
from wfc.project.files import DiskFiles, Files, MemoryFiles, base_name, decode, join, parent
from wfc.text.source import SourceFile


def code(result: SourceFile | Problem | tuple[str, ...]) -> str:
    assert isinstance(result, Problem)
    return str(result.code)


def text(result: SourceFile | Problem) -> str:
    assert isinstance(result, SourceFile), result
    return result.text


def test_a_byte_order_mark_is_skipped() -> None:
    assert text(decode("a.wf", b"\xef\xbb\xbfmodule a")) == "module a"


def test_a_nul_and_its_place_are_told() -> None:
    problem = decode("a.wf", b"one\ntw\0o")
    assert code(problem) == "nul-character"
    assert isinstance(problem, Problem)
    assert problem.message() == "this is not text: a NUL character at offset 6, on line 2"
    assert str(problem.at) == "a.wf:1:1"


def test_bytes_that_are_not_utf8_and_their_place_are_told() -> None:
    problem = decode("a.wf", b"one\n\n\xff")
    assert isinstance(problem, Problem)
    assert problem.message() == "this is not UTF-8 text: byte 0xff at offset 5, on line 3"


def test_a_file_over_the_limit_is_refused_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = tmp_path / "big.wf"
    with big.open("wb") as file:
        file.truncate(50 << 20)
    problem = DiskFiles(str(tmp_path)).read("big.wf")
    assert isinstance(problem, Problem)
    assert problem.message() == "this file is too large: 50 MB, and the limit is 32 MB"
    monkeypatch.setattr(module, "SIZE_LIMIT", 4)
    assert code(decode("endless.wf", b"12345")) == "oversized-source"


def test_a_missing_file_and_a_folder_are_problems(tmp_path: Path) -> None:
    files = DiskFiles(str(tmp_path))
    assert code(files.read("a.wf")) == "missing-source"
    assert code(files.read(".")) == "unreadable-source"
    assert code(files.read("nul\0.wf")) == "unreadable-source"
    assert code(files.children("a")) == "unreadable-source"


def test_a_file_without_permission_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    problem = DiskFiles().read("a.wf")
    assert isinstance(problem, Problem)
    assert problem.message() == "cannot be read: permission denied"


def test_paths_are_shown_below_the_working_folder_where_they_lie_there(tmp_path: Path) -> None:
    files = DiskFiles(str(tmp_path / "work"))
    assert files.shown(str(tmp_path / "work" / "a" / "b.wf")) == "a/b.wf"
    assert files.shown("./a//b.wf") == "a/b.wf"
    assert files.shown("../b.wf") == "../b.wf"
    assert files.shown(str(tmp_path / "work")) == "."
    assert files.shown(str(tmp_path / "worker" / "b.wf")) == (tmp_path / "worker" / "b.wf").as_posix()


def test_a_link_to_a_folder_is_not_walked_into(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert DiskFiles(str(tmp_path)).children("a") == ("a/loop",)


@pytest.fixture(params=["disk", "memory"])
def three(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    contents = {"a.wf": "a", "shop/b.wf": "b", "shop/deep/c.wf": "c"}
    if request.param == "memory":
        return MemoryFiles(contents)
    for path, content in contents.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    return DiskFiles(str(tmp_path))


def test_disk_and_memory_answer_alike(three: Files) -> None:
    assert text(three.read("shop/b.wf")) == "b"
    assert code(three.read("shop/x.wf")) == "missing-source"
    assert three.is_file("shop/b.wf")
    assert not three.is_file("shop")
    assert three.is_folder("shop/deep")
    assert three.is_folder(".")
    assert not three.is_folder("a.wf")
    assert three.children(".") == ("a.wf", "shop/")
    assert three.children("shop") == ("shop/b.wf", "shop/deep/")
    around = three.around("shop/deep")
    assert [next(around), next(around), next(around)] == ["shop/deep", "shop", "."]


def test_paths_are_joined_and_taken_apart() -> None:
    assert join(".", "a.wf") == "a.wf"
    assert join("shop", "a.wf") == "shop/a.wf"
    assert join("shop", ".") == "shop"
    assert join("/", "a.wf") == "/a.wf"
    assert parent("shop/a.wf") == "shop"
    assert parent("a.wf") == "."
    assert parent("/a.wf") == "/"
    assert base_name("shop/deep/") == "deep"
