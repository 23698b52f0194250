"""The extension for VS Code: it can be packed, and what its files say holds."""

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_watch import watching
from tests.editors.running import EDITORS, ROOT
from tests.formats.problems import hostile
from wfc.problems.problem import Report
from wfc.problems.render.concise import concise
from wfc.syntax.parse import parse
from wfc.text.source import SourceFile
from wfc.text.terminal import visible

EXTENSION = EDITORS / "vscode"
VSCE = ROOT / "tests" / "js" / "node_modules" / "@vscode" / "vsce" / "vsce"


def read(name: str) -> Any:
    return json.loads((EXTENSION / name).read_text(encoding="utf-8"))


@pytest.mark.js
@pytest.mark.slow
def test_it_packs_with_all_that_it_names(tmp_path: Path) -> None:
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    assert VSCE.exists(), "the npm packages of tests/js are needed; `make setup` installs them"
    folder = tmp_path / "vscode"
    shutil.copytree(EXTENSION, folder)
    shutil.copy(ROOT / "LICENSE", folder)
    command = ["node", str(VSCE), "package", "--no-dependencies", "--allow-missing-repository", "--out", "wfc.vsix"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    with zipfile.ZipFile(folder / "wfc.vsix") as packed:
        names = set(packed.namelist())
        manifest = packed.read("extension.vsixmanifest").decode()
    given = re.findall(r'"\./([^"]+)"', (EXTENSION / "package.json").read_text(encoding="utf-8"))
    assert given
    assert {f"extension/{name}" for name in [*given, "package.json"]} <= names
    assert 'Id="wfc"' in manifest
    assert f'Version="{read("package.json")["version"]}"' in manifest


def test_the_version_is_that_of_the_package() -> None:
    from wfc import __version__

    assert read("package.json")["version"] == __version__


def test_the_problem_matcher_reads_every_line() -> None:
    (given,) = read("package.json")["contributes"]["problemPatterns"]
    pattern = re.compile(given["regexp"])
    for problem in hostile():
        match = pattern.fullmatch(concise(problem))
        assert match is not None
        told = {key: match[group] for key, group in given.items() if isinstance(group, int)}
        line, column = problem.at.position
        assert told == {
            "file": visible(problem.at.source.path),
            "line": str(line),
            "column": str(column),
            "severity": problem.level().value,
            "code": problem.code,
            "message": visible(problem.message()),
        }


def test_the_tasks_of_the_page_are_read_by_matchers_that_are_there() -> None:
    page = (ROOT / "docs" / "editors" / "vscode.md").read_text(encoding="utf-8")
    (block,) = (
        block for block in re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) if '"tasks"' in block
    )
    tasks = {task["label"]: task for task in json.loads(block)["tasks"]}
    matchers = {f"${matcher['name']}": matcher for matcher in read("package.json")["contributes"]["problemMatchers"]}
    assert {task["problemMatcher"] for task in tasks.values() if task["problemMatcher"]} == set(matchers)
    for task in tasks.values():
        if task["problemMatcher"]:
            matcher = matchers[task["problemMatcher"]]
            assert task["command"] == f"{matcher['label']} --color never"
            assert task.get("isBackground", False) == ("background" in matcher)


@pytest.mark.slow
def test_the_watching_matcher_sees_where_a_round_begins_and_ends(tmp_path: Path) -> None:
    contributed = read("package.json")["contributes"]
    once, again = contributed["problemMatchers"]
    assert {**again, "name": once["name"], "label": once["label"], "background": None} == {**once, "background": None}
    assert once["pattern"] == f"${contributed['problemPatterns'][0]['name']}"
    background = again["background"]
    assert background["activeOnStart"]  # the first round begins without a line
    begins, ends = re.compile(background["beginsPattern"]), re.compile(background["endsPattern"])
    problem = re.compile(contributed["problemPatterns"][0]["regexp"])

    def kinds(lines: list[str]) -> list[str]:
        """What each line is to the editor; it asks no more of a line than whether a pattern is found in it."""
        told = (("begins", begins), ("ends", ends), ("problem", problem))
        return [" ".join(name for name, pattern in told if pattern.search(line)) for line in lines]

    (tmp_path / "wfc.toml").write_text("", encoding="utf-8")
    limits = tmp_path / "limits changed.wf"
    limits.write_text("const limit: Int = limt\n", encoding="utf-8")
    command = ("check", "--output-format", "concise", "--color", "never")
    with watching(tmp_path, ROOT, *command) as watcher:
        assert kinds(watcher.first) == ["problem", "", "ends"]
        limits.write_text("const limit: Int = more\n", encoding="utf-8")
        assert kinds(watcher.until("wfc: watching")[1]) == ["begins", "problem", "", "ends"]
        limits.write_text("const limit: Int = 3\n", encoding="utf-8")
        (tmp_path / "other.wf").write_text("const other: Int = 3\n", encoding="utf-8")
        assert kinds(watcher.until("wfc: watching")[1]) == ["begins", "", "ends"]


# What has to stand around a snippet so that it is a module.
_AROUND = {
    "workflow": "{}",
    "service": "{}",
    "policy": "{}",
    "scenario": "{}",
    "state": "workflow W() {{ {} }}",
    "gateway": "workflow W() {{ {} }}",
    "parallel": "workflow W() {{ state A {{ {} }} }}",
    "on": "workflow W() {{ {} }}",
    "after": "workflow W() {{ {} }}",
    "catch": "workflow W() {{ {} }}",
}


def test_every_snippet_is_the_language() -> None:
    snippets = read("snippets/wf.json")
    assert set(snippets) == set(_AROUND)
    for name, snippet in snippets.items():
        text = "\n".join(snippet["body"])
        text = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", text)
        text = re.sub(r"\$\{\d+\|([^,]*),[^}]*\|\}", r"\1", text)
        text = re.sub(r"\$\d+", "", text)
        assert "$" not in text
        report = Report()
        parse(SourceFile("main.wf", _AROUND[name].format(text)), report)
        assert [problem.message() for problem in report.problems] == [], text


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ("state A {", True),
        ("state A { // why", True),
        ("choose { when x -> B", True),
        ("state A { done }", False),
        ('audit "{"', False),
        ("// {", False),
        ("} otherwise {", True),
        ('state A { audit "}" ', True),
    ],
)
def test_a_line_is_indented_behind_a_brace_that_it_leaves_open(line: str, *, opens: bool) -> None:
    rules = read("language-configuration.json")["indentationRules"]
    assert bool(re.search(rules["increaseIndentPattern"], line)) == opens
    assert bool(re.search(rules["decreaseIndentPattern"], line)) == line.startswith("}")
