"""Each format of `wfc check` is what its readers take, whatever a problem says: by their schema or by the reader itself."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import xmlschema
from jsonschema import Draft4Validator, Draft202012Validator
from junitparser import JUnitXml

from tests.formats.problems import PATHS, TEXT, OddThing, hostile, many
from wfc.cli.main import main
from wfc.problems.problem import Problem
from wfc.problems.render.fingerprint import fingerprints
from wfc.problems.render.formats import FORMATS, rendered
from wfc.problems.render.json import problem_object
from wfc.problems.render.view import View
from wfc.text.source import SourceFile, Span
from wfc.text.terminal import visible

HERE = Path(__file__).resolve().parent
JS = HERE.parent / "js"
VIEW = View()
STRICT = View(strict=True)


def shown(form: str, problems: Sequence[Problem], view: View = VIEW) -> str:
    return rendered(form, problems, view)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_whole_lines_and_no_steering(form: str) -> None:
    text = shown(form, hostile())
    assert text.endswith("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", text)


@pytest.mark.parametrize("form", FORMATS)
def test_no_problems_are_a_whole_text_too(form: str) -> None:
    empty = {"full", "concise", "json-lines", "github", "pylint"}
    assert (shown(form, ()) == "") == (form in empty)


@pytest.mark.parametrize("form", FORMATS)
def test_the_time_grows_with_the_problems(form: str) -> None:
    def took(problems: tuple[Problem, ...]) -> float:
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            shown(form, problems)
            best = min(best, time.process_time() - begin)
        return best

    few, lots = many(200), many(2000)
    took(few)
    assert took(lots) < 10 * 4 * max(took(few), 0.002)


# --------------------------------------------------------------------------------------------------------- fingerprints


def test_fingerprints_differ_and_stay_when_lines_come_above() -> None:
    every = hostile()
    marks = fingerprints(every)
    assert len(set(marks)) == len(every)
    assert marks == fingerprints(hostile())
    text = "a\nodd here\nb\nodd here\n"
    moved = f"new\n\n{text}"
    before = [OddThing(at=Span(SourceFile("a.wf", text), place, place + 3)) for place in (2, 13)]
    after = [OddThing(at=Span(SourceFile("a.wf", moved), place + 5, place + 8)) for place in (2, 13)]
    assert fingerprints(before) == fingerprints(after)
    assert fingerprints(before[:1]) == fingerprints(before)[:1]


# ---------------------------------------------------------------------------------------------------------------- lines


def test_a_line_of_json_is_an_object_of_json() -> None:
    every = hostile()
    lines = shown("json-lines", every).splitlines()
    assert [json.loads(line) for line in lines] == [problem_object(problem) for problem in every]
    assert [json.loads(line) for line in lines] == json.loads(shown("json", every))


# GitHub's runner: the command, properties apart by commas, and then the text (ActionCommand.cs of actions/runner).
_COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>.*?)::(?P<data>.*)")


def unescaped(text: str, escapes: str) -> str:
    for code in escapes.split():
        text = text.replace(code, chr(int(code[1:], 16)))
    return text.replace("%25", "%")


def runner_reads(line: str) -> tuple[str, dict[str, str], str]:
    """What GitHub's runner makes of a line."""
    match = _COMMAND.fullmatch(line)
    assert match is not None, line
    given = (item.partition("=") for item in match["properties"].split(","))
    properties = {key: unescaped(value, "%0D %0A %3A %2C") for key, _, value in given}
    return match["name"], properties, unescaped(match["data"], "%0D %0A")


def test_github_reads_every_annotation() -> None:
    every = hostile()
    lines = shown("github", every).split("\n")[:-1]
    assert len(lines) == len(every)
    for problem, line in zip(every, lines, strict=True):
        name, properties, text = runner_reads(line)
        assert name == {"error": "error", "warning": "warning", "hint": "notice"}[problem.level().value]
        assert properties["file"] == problem.at.source.path
        assert properties["title"] == f"wfc ({problem.code})"
        told = "\n".join([problem.message(), *problem.help()]).replace("\r\n", "\n")
        assert text == "\n".join(map(visible, told.split("\n")))
        if not problem.at.is_known:
            assert set(properties) == {"file", "title"}
            continue
        assert int(properties["line"]) == problem.at.line
        same = properties["line"] == properties["endLine"]
        assert ("col" in properties) == ("endColumn" in properties) == same
        assert not same or int(properties["col"]) == problem.at.position[1]


# Jenkins' warnings plug-in, its reader of Pylint (PyLintParser of jenkinsci/analysis-model).
_PYLINT = re.compile(r"(?P<path>.*):(?P<line>\d+): \[(?P<category>\D\d*)\((?P<symbol>.*)\), .*?\] (?P<message>.*)")


def test_jenkins_reads_every_line_as_one_of_pylint() -> None:
    every = hostile()
    lines = shown("pylint", every).split("\n")[:-1]
    for problem, line in zip(every, lines, strict=True):
        match = _PYLINT.fullmatch(line)
        assert match is not None, line
        assert match["path"] == visible(problem.at.source.path)
        assert int(match["line"]) == problem.at.line
        assert match["symbol"] == problem.code
        assert match["category"] == {"error": "E", "warning": "W", "hint": "I"}[problem.level().value]
        assert match["message"] == visible(problem.message())


# ------------------------------------------------------------------------------------------------------------ documents


def test_gitlab_takes_the_report() -> None:
    schema = json.loads((HERE / "gitlab.schema.json").read_text(encoding="utf-8"))
    problems = hostile()
    report = json.loads(shown("gitlab", problems))
    Draft202012Validator(schema).validate(report)
    assert [found["description"] for found in report] == [problem.message() for problem in problems]
    assert [found["location"]["lines"]["begin"] for found in report] == [problem.at.line for problem in problems]
    assert len({found["fingerprint"] for found in report}) == len(problems)
    assert json.loads(shown("gitlab", ())) == []
    assert not Draft202012Validator(schema).is_valid([{**report[0], "location": {"path": "./a", "lines": {}}}])


def junit(text: str) -> JUnitXml:
    """The report as a reader of JUnit's XML has it, if it is one by the schema."""
    xmlschema.XMLSchema(str(HERE / "junit.xsd")).validate(text)
    return JUnitXml.fromstring(text.encode())


@pytest.mark.parametrize("view", [VIEW, STRICT])
def test_junit_has_a_case_for_each_problem(view: View) -> None:
    every = hostile()
    report = junit(shown("junit", every, view))
    suites = list(report)
    assert [suite.name for suite in suites] == [*PATHS[:-1], "no\ufffdutf8.wf"]
    cases = [case for suite in suites for case in suite]
    assert (report.tests, report.failures, report.errors) == (len(every), sum(map(view.fails, every)), 0)
    for problem, case in zip(every, cases, strict=True):
        failures = [result.message for result in case.result]
        assert bool(failures) == view.fails(problem)
        if failures:
            assert failures == [re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", lambda m: visible(m[0]), problem.message())]
        text = case.result[0].text if failures else case.system_out
        assert text.startswith(f"{visible(problem.at.source.path)}:".replace("\udce4", "\ufffd"))


def test_junit_without_problems_is_a_case_that_has_passed() -> None:
    report = junit(shown("junit", ()))
    assert [(case.name, case.is_passed) for suite in report for case in suite] == [("no problems", True)]
    assert (report.tests, report.failures) == (1, 0)


def test_the_junit_of_scenarios_is_valid_as_well(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.wf"
    broken.write_text("const a: Int = b\n", encoding="utf-8")
    for path in (root / "examples" / "order-fulfillment" / "order-fulfillment.wf", broken):
        main(["test", str(path), "--output-format", "junit"])
        assert junit(capsys.readouterr().out).tests


# ---------------------------------------------------------------------------------------------- what needs npm packages


def npm(path: str) -> Path:
    found = JS / "node_modules" / path
    assert found.exists(), "the npm packages of tests/js are needed; `make setup` installs them"
    return found


@pytest.mark.js
def test_sarif_is_valid_and_says_everything() -> None:
    schema = npm("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")
    validator = Draft4Validator(json.loads(schema.read_text(encoding="utf-8")))
    empty, log = (json.loads(shown("sarif", problems)) for problems in ((), hostile()))
    validator.validate(empty)
    validator.validate(log)
    assert not validator.is_valid({**log, "runs": [{**log["runs"][0], "results": [{}]}]})
    assert empty["runs"][0]["results"] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for problem, result in zip(hostile(), run["results"], strict=True):
        assert_result(problem, result, rules)
    assert [rule["id"] for rule in rules] == ["odd-thing", "other-thing"]
    assert rules[0]["shortDescription"]["text"] == "For tests: `odd`."
    assert rules[0]["fullDescription"]["text"] == "It is odd because of <this>."
    assert rules[0]["help"]["markdown"].endswith("Reported:\n\n```wf\nodd\n```")


def assert_result(problem: Problem, result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == problem.code
    assert result["message"]["text"].startswith(problem.message())
    (location,) = result["locations"]
    place = location["physicalLocation"]
    uri = place["artifactLocation"]["uri"]
    assert unquote(uri.removeprefix("file://"), errors="surrogateescape") == problem.at.source.path
    assert uri.isascii()
    assert re.fullmatch(r"(file:///)?[^:?#\[\] ]+", uri), uri
    assert ("region" in place) == problem.at.is_known
    assert len(result.get("fixes", ())) == len(problem.fixes)
    if problem.fixes:
        assert [len(fix["artifactChanges"]) for fix in result["fixes"]] == [1, 2]
    flows = result.get("codeFlows", [])
    if problem.trace is not None and problem.trace.steps:
        told = [step["location"]["message"]["text"] for step in flows[0]["threadFlows"][0]["locations"]]
        assert told == [step.text for step in problem.trace.steps]
    else:
        assert flows == []


@pytest.mark.js
def test_reviewdog_takes_the_diagnostics(tmp_path: Path) -> None:
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    npm("@umbrelladocs/rdformat-validator")
    texts = {"none": shown("rdjson", ()), "all": shown("rdjson", hostile()), "wrong": '{"diagnostics": [{"odd": 1}]}'}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = ["node", str(JS / "rdjson-gate.mjs"), *(str(tmp_path / name) for name in texts)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said[str(tmp_path / "none")] == said[str(tmp_path / "all")] == []
    assert said[str(tmp_path / "wrong")] != []


def test_reviewdog_finds_the_bytes() -> None:
    every = hostile()
    document = json.loads(shown("rdjson", every))
    assert document["severity"] == "ERROR"
    lines = TEXT.encode().split(b"\n")
    for problem, found in zip(every, document["diagnostics"], strict=True):
        assert found["location"]["path"] == problem.at.source.path
        assert len(found.get("suggestions", ())) == (1 if problem.fixes else 0)
        if not problem.at.is_known:
            assert "range" not in found["location"]
            continue
        start, end = found["location"]["range"]["start"], found["location"]["range"]["end"]
        whole = b"\n".join(lines[start["line"] - 1 : end["line"]])
        tail = len(lines[end["line"] - 1]) - (end["column"] - 1)
        assert whole[start["column"] - 1 : len(whole) - tail].decode() == problem.at.text


# ------------------------------------------------------------------------------------------------------ on the terminal


@pytest.mark.parametrize("form", FORMATS)
def test_the_command_line_writes_it(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a b.wf").write_text("const limit: Int = limt\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "a b.wf"), "--output-format", form]) == 1
    assert "unknown-name" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "gone.wf"), "--output-format", form]) == 2
    assert "missing-source" in capsys.readouterr().out
