"""How the command line ends, whatever happens. What the commands say is in tests/golden/cli."""

import io
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from wfc import __version__
from wfc.cli import check
from wfc.cli.main import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("WFC_DEBUG", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


Captured = pytest.CaptureFixture[str]


def source(text: str = "const limit: Int = 3\n", path: str = "main.wf") -> None:
    Path(path).write_text(text, encoding="utf-8")


def test_the_version_is_told(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"wfc {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["chek"],
        ["check", "--no-such-option"],
        ["check", "--output-format", "xml"],
        ["compile", "--timeout", "soon"],
        ["compile", "--timeout", "0s"],
        ["compile", "--max-retries", "-1"],
        ["compile", "--target", ","],
        ["explain", "nothing-like-it"],
        ["new"],
        ["check", "nowhere.wf"],
        ["compile", "nowhere.wf"],
        ["test", "nowhere.wf"],
        ["test", "--output-format", "xml"],
        ["simulate"],
        ["simulate", "nowhere.wf"],
        ["simulate", "nowhere.wf", "--seed", "many"],
    ],
)
def test_wrong_use_is_exit_code_2_and_says_why(arguments: list[str], capsys: Captured) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out + said.err


@pytest.mark.parametrize("command", ["check", "compile", "explain", "new", "simulate", "test"])
def test_each_command_has_help(command: str, capsys: Captured) -> None:
    assert main([command, "--help"]) == 0
    assert f"usage: wfc {command}" in capsys.readouterr().out


def fail(error: BaseException) -> object:
    def run(*_: object) -> int:
        raise error

    return run


def test_a_bug_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(check, "run", fail(AssertionError("impossible")))
    assert main(["check"]) == 70
    said = capsys.readouterr().err
    assert "this is a bug in wfc" in said
    assert "AssertionError: impossible" in said
    assert f"wfc {__version__}" in said
    assert "Traceback" not in said


def test_a_bug_is_raised_for_who_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFC_DEBUG", "1")
    monkeypatch.setattr(check, "run", fail(AssertionError("impossible")))
    with pytest.raises(AssertionError):
        main(["check"])


def test_an_interruption_is_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(check, "run", fail(KeyboardInterrupt()))
    assert main(["check"]) == 130
    assert capsys.readouterr().err == "wfc: interrupted\n"


@pytest.mark.parametrize(
    ("environment", "arguments", "terminal", "coloured"),
    [
        ({}, [], False, False),
        ({}, [], True, True),
        ({"TERM": "dumb"}, [], True, False),
        ({"NO_COLOR": "1"}, [], True, False),
        ({"NO_COLOR": ""}, [], True, True),
        ({"FORCE_COLOR": "1"}, [], False, True),
        ({"FORCE_COLOR": "0"}, [], False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, [], True, False),
        ({"NO_COLOR": "1"}, ["--color", "always"], False, True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], True, False),
    ],
)
def test_colours_are_used_where_they_are_wanted(
    environment: dict[str, str],
    arguments: list[str],
    terminal: bool,  # noqa: FBT001 - a column of the table above
    coloured: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    source("const limit: Int =\n")
    assert main(["check", *arguments]) == 1
    assert ("\x1b[" in capsys.readouterr().out) is coloured


def test_a_page_is_rendered_for_a_terminal(capsys: Captured) -> None:
    assert main(["explain", "unknown-setting", "--color", "always"]) == 0
    assert "\x1b[" in capsys.readouterr().out


def test_every_problem_is_listed(capsys: Captured) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("unknown-setting ") for line in lines)
    assert all(len(line.split("  ", 1)) == 2 for line in lines)


def test_the_scenarios_of_all_examples_pass(root: Path, capsys: Captured) -> None:
    folders = [str(path) for path in sorted((root / "examples").iterdir()) if path.is_dir()]
    assert main(["test", *folders]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"\d+ scenarios of 8 workflows: \d+ passed in \d+\.\d\d s\n", said.err)


SCENARIO = """
workflow waiting(name: Text) -> Text key name { state a { wait 1d  done name } }
scenario "name" for waiting { given name = "n"  advance 1d  expect done "other" }
"""


def test_titles_with_any_characters_make_sound_xml(capsys: Captured) -> None:
    odd = "a\u0001b\u009bc\u202ed\ufffee <&'>]]> \U0001f600"
    source(SCENARIO.replace('"name"', f'"{odd}"'))
    assert main(["test", "--output-format", "junit"]) == 1
    document = ET.fromstring(capsys.readouterr().out)  # noqa: S314 - we have written it ourselves
    case = document.find("testsuite/testcase")
    assert case is not None
    assert case.get("name", "").endswith("<&'>]]> \U0001f600")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == 'expected done "other", found done "n"'
    assert "waits 1d" in (failure.text or "")


def test_the_records_are_told_as_json(capsys: Captured) -> None:
    source(SCENARIO.replace('"other"', '"n"'))
    assert main(["test", "--output-format", "json", "-v"]) == 0
    (workflow,) = json.loads(capsys.readouterr().out)["workflows"]
    (scenario,) = workflow["scenarios"]
    assert [record["kind"] for record in scenario["records"]] == ["started", "entered", "left", "completed"]
    assert [line["kind"] for line in scenario["timeline"]] == ["note", "node", "wait", "end"]


def test_progress_is_told_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    source(SCENARIO.replace('"other"', '"n"'))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["test"]) == 0
    assert capsys.readouterr().err.startswith("\r\x1b[K1 scenario of 1 workflow: 1 passed")


def test_signs_are_ascii_where_the_output_knows_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    source(SCENARIO)
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["simulate", "main.wf"]) == 0
    screen.flush()
    shown = screen.buffer.getvalue().decode("ascii")
    assert shown.splitlines() == [" 0s  - waiting 1 starts", "     a", "       . waits 1d", '+1d  = done ""']


def test_simulate_runs_a_machine_without_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.wf").write_text('workflow Small(id: Text) -> Text key id { state A { wait 1d  done "good" } }\n')
    assert main(["compile", "main.wf", "--target", "json", "--out", "."]) == 0
    assert main(["simulate", "main.wf", "--trace", "run.json"]) == 0
    capsys.readouterr()
    assert main(["simulate", "main.wf"]) == 0
    of_source = capsys.readouterr().out
    Path("main.wf").write_text("// One line more.\n" + Path("main.wf").read_text())
    assert main(["simulate", "main.wf", "--replay", "run.json"]) == 0
    assert capsys.readouterr().out == of_source
    Path("main.wf").unlink()
    assert main(["simulate", "small.state-machine.json"]) == 0
    assert capsys.readouterr().out == of_source
    assert main(["simulate", "small.state-machine.json", "--replay", "run.json"]) == 0
    assert "good" in capsys.readouterr().out
    assert main(["simulate", "small.state-machine.json", "--process", "other"]) == 2
    assert "this is the machine of `small`" in capsys.readouterr().err
    assert main(["simulate", "run.json"]) == 2
    assert "it is no machine that wfc wrote" in capsys.readouterr().err
