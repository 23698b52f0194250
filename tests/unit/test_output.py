import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wfc.driver import output
from wfc.driver.output import MANIFEST, WriteResult, differences, write
from wfc.problems.render.concise import concise
from wfc.text.output import Output

A = Output("a.json", "{}\n")
B = Output("sub/b.md", "one\ntwo\n")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def on_disk() -> dict[str, str]:
    every = sorted(path for path in Path("out").rglob("*") if path.is_file())
    return {path.relative_to("out").as_posix(): path.read_text(encoding="utf-8") for path in every}


def texts() -> dict[str, str]:
    return {path: text for path, text in on_disk().items() if path != MANIFEST}


def told(result: WriteResult) -> list[str]:
    return [concise(problem) for problem in result.problems]


def test_writes_files_and_a_manifest() -> None:
    result = write([A, B], "out")
    assert (result.written, result.unchanged, result.problems) == (("out/a.json", "out/sub/b.md"), (), ())
    assert texts() == {"a.json": "{}\n", "sub/b.md": "one\ntwo\n"}
    manifest = json.loads(on_disk()[MANIFEST])
    assert sorted(manifest["files"]) == ["a.json", "sub/b.md"]


def test_a_second_run_changes_nothing() -> None:
    write([A, B], "out")
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    result = write([A, B], "out")
    assert (result.written, result.unchanged) == ((), ("out/a.json", "out/sub/b.md"))
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")} == before


def test_a_file_edited_by_hand_is_kept_unless_forced() -> None:
    write([A, B], "out")
    Path("out/a.json").write_text("mine", encoding="utf-8")
    result = write([Output("a.json", "[]\n"), Output("sub/b.md", "new\n")], "out")
    assert told(result) == ["out/a.json:1:1: error[edited-output]: was edited by hand since wfc wrote it"]
    assert texts() == {"a.json": "mine", "sub/b.md": "one\ntwo\n"}
    assert not write([Output("a.json", "[]\n")], "out", force=True).problems
    assert texts()["a.json"] == "[]\n"


def test_a_file_of_somebody_else_is_kept() -> None:
    Path("out").mkdir()
    Path("out/a.json").write_text("theirs", encoding="utf-8")
    assert told(write([A], "out")) == ["out/a.json:1:1: error[edited-output]: was not written by wfc"]
    assert texts() == {"a.json": "theirs"}


def test_the_same_text_written_by_somebody_else_is_taken_over() -> None:
    Path("out").mkdir()
    Path("out/a.json").write_text(A.text, encoding="utf-8")
    assert write([A], "out").unchanged == ("out/a.json",)
    assert write([Output("a.json", "[]\n")], "out").written == ("out/a.json",)


def test_other_line_ends_are_no_edit() -> None:
    write([B], "out")
    Path("out/sub/b.md").write_bytes(b"one\r\ntwo\r\n")
    assert write([Output("sub/b.md", "three\n")], "out").written == ("out/sub/b.md",)


def test_orphans_are_removed_only_when_the_outputs_are_complete() -> None:
    write([A, B], "out")
    assert write([A], "out").removed == ()
    assert write([A], "out", complete=True).removed == ("out/sub/b.md",)
    assert texts() == {"a.json": "{}\n"}
    assert write([A], "out", complete=True).removed == ()


def test_an_edited_orphan_is_kept() -> None:
    write([A, B], "out")
    Path("out/sub/b.md").write_text("mine", encoding="utf-8")
    assert [problem.code for problem in write([A], "out", complete=True).problems] == ["edited-output"]
    assert texts()["sub/b.md"] == "mine"


def test_a_manifest_cannot_reach_out_of_its_folder() -> None:
    Path("precious").write_text("x", encoding="utf-8")
    Path("out").mkdir()
    files = {"../precious": ["sha256:" + "0" * 64], "/precious": [], "a/../../precious": []}
    Path("out", MANIFEST).write_text(json.dumps({"version": 1, "files": files}), encoding="utf-8")
    assert write([A], "out", complete=True, force=True).removed == ()
    assert Path("precious").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"files": 3}', '{"files": {"a.json": 1}}'])
def test_a_damaged_manifest_knows_no_file(damage: str) -> None:
    Path("out").mkdir()
    Path("out", MANIFEST).write_text(damage, encoding="utf-8")
    assert write([A], "out").written == ("out/a.json",)


def failing(error: BaseException, real: Callable[..., None], allowed: int) -> Callable[..., None]:
    """The real function, which fails after some calls."""
    calls = 0

    def call(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls > allowed:
            raise error
        real(*arguments)

    return call


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_a_full_disk_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    write([A, B], "out")
    before = on_disk()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(FULL, os.fsync, allowed))
        result = write([Output("a.json", "[]\n"), Output("sub/b.md", "new\n")], "out")
    assert told(result) == ["out:1:1: error[unwritable-output]: cannot be written: no space left on device"]
    assert on_disk() == before


@pytest.mark.parametrize("allowed", range(4))
def test_an_interruption_leaves_whole_files_that_the_next_run_knows(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    write([A, B], "out")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(KeyboardInterrupt(), os.replace, allowed))
        with pytest.raises(KeyboardInterrupt):
            write([Output("a.json", "[]\n"), Output("sub/b.md", "new\n")], "out")
    left = texts()
    assert set(left) == {"a.json", "sub/b.md"}
    assert left["a.json"] in {"{}\n", "[]\n"}
    assert left["sub/b.md"] in {"one\ntwo\n", "new\n"}
    assert not write([Output("a.json", "third\n"), Output("sub/b.md", "third\n")], "out").problems


def test_a_folder_that_cannot_be_made_is_a_problem() -> None:
    Path("out").write_text("a file", encoding="utf-8")
    assert told(write([A], "out")) == ["out:1:1: error[unwritable-output]: cannot be written: file exists"]


def test_differences_tell_what_writing_would_change() -> None:
    write([A, B], "out")
    assert differences([A, B], "out") == ""
    assert differences([A, Output("sub/b.md", "one\n2\n")], "out") == (
        "--- out/sub/b.md\n+++ out/sub/b.md\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    )
    assert differences([A], "out") == ""
    assert differences([A], "out", complete=True) == ("--- out/sub/b.md\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n")
    assert differences([Output("c", "x")], "out") == (
        "--- /dev/null\n+++ out/c\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    )


def test_temporary_files_never_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_write_whole", failing(FULL, lambda *_: None, 0))
    write([A, B], "out")
    assert on_disk() == {}


def test_a_record_is_written_once_and_is_not_ours() -> None:
    record = Output("versions/a.v1.json", "{}\n")
    result = write([A], "out", records=[record])
    assert result.written == ("out/a.json", "out/versions/a.v1.json")
    assert list(json.loads(on_disk()[MANIFEST])["files"]) == ["a.json"]
    assert write([B], "out", complete=True).removed == ("out/a.json",)
    assert texts() == {"sub/b.md": "one\ntwo\n", "versions/a.v1.json": "{}\n"}


def test_the_difference_shows_a_record_that_is_missing() -> None:
    assert "+++ out/versions/a.v1.json" in differences([], "out", records=[Output("versions/a.v1.json", "{}\n")])
