"""What only a real process shows: start-up, pipes, signals, devices."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WFC = [sys.executable, "-m", "wfc.cli.main"]


def environment(root: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root), **more}


def test_the_version_loads_next_to_nothing(root: Path) -> None:
    script = (
        "import sys; before = set(sys.modules); from wfc.cli.main import main; main(['--version']);"
        "print(*sorted(name for name in set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(root), capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[1].split()
    assert [name for name in loaded if not name.startswith("wfc")] == []


def test_check_leaves_heavy_modules_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text("const limit: Int = 3\n", encoding="utf-8")
    script = (
        "import sys; from wfc.cli.main import main; main(['check', 'a.wf']);"
        "print(*{'lark', 'rich', 'pathlib', 'tomllib', 'inspect'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env=environment(root, PYTHONPATH=os.pathsep.join([str(root), *sys.path[1:]])),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) <= {"inspect"}, "attrs loads inspect; the others cost a start-up each"


def test_a_reader_that_goes_away_is_no_error(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text("const x: Int = )\n" * 3000, encoding="utf-8")
    read, write = os.pipe()
    process = subprocess.Popen(
        [*WFC, "check", "a.wf"], env=environment(root), cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    os.close(read)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert process.returncode in {1, 141}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_device_is_told(root: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*WFC, "explain"], env=environment(root), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr == "wfc: cannot write the output: No space left on device\n"
    assert done.returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="signals are different there")
def test_an_interrupted_run_says_so_and_nothing_else(root: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*WFC, "check", "-"],
        env=environment(root),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)  # it now waits for standard input
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert (out, said, process.returncode) == ("", "wfc: interrupted\n", 130)


def test_bytes_that_are_no_text_come_through_standard_input(root: Path) -> None:
    done = subprocess.run(
        [*WFC, "check", "-", "--output-format", "concise"],
        env=environment(root),
        input=b"\xff",
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"<stdin>:1:1: error[not-utf8]: this is not UTF-8 text: byte 0xff at offset 0, on line 1\n"
    assert done.returncode == 2


def test_characters_the_output_cannot_show_do_not_end_the_run(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wf").write_text('const x: Int = "漢字" )\n', encoding="utf-8")
    done = subprocess.run(
        [*WFC, "check", "a.wf"],
        env=environment(root, PYTHONIOENCODING="ascii"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["explain", "not-utf8"]])
def test_a_pipe_gets_all_of_the_output(root: Path, arguments: list[str]) -> None:
    done = subprocess.run([*WFC, *arguments], env=environment(root), capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n")
    assert len(done.stdout) > 100
