"""What a pipeline takes from this repository: the hooks of pre-commit, and the action of GitHub."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.editors.running import ROOT, environment

HOOKS = ROOT / ".pre-commit-hooks.yaml"
BROKEN = "const limit: Int = limt\n"
FINE = "const limit: Int = 3\n"


def hooks() -> dict[str, dict[str, Any]]:
    return {hook["id"]: hook for hook in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))}


def taken(*command: str) -> bool:
    """Whether a module of Python ends well."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    return done.returncode == 0


def test_pre_commit_takes_the_hooks(tmp_path: Path) -> None:
    assert taken("pre_commit", "validate-manifest", str(HOOKS))
    (tmp_path / "wrong.yaml").write_text("- id: a\n", encoding="utf-8")
    assert not taken("pre_commit", "validate-manifest", str(tmp_path / "wrong.yaml"))
    assert set(hooks()) == {"wfc-check", "wfc-fix", "wfc-fmt"}
    (tmp_path / "a b.wf").write_text(BROKEN, encoding="utf-8")
    for name, text, code in (("wfc-check", BROKEN, 1), ("wfc-fix", BROKEN, 1), ("wfc-check", FINE, 0)):
        (tmp_path / "a b.wf").write_text(text, encoding="utf-8")
        command = [*hooks()[name]["entry"].split(), "a b.wf"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path, NO_COLOR="1"), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert ("a b.wf:1:20: error[unknown-name]" in done.stdout) == (code == 1)


@pytest.mark.slow
def test_pre_commit_stops_a_commit_whose_files_are_not_laid_out(tmp_path: Path) -> None:
    """As pre-commit runs it; only that the hook's command is on the path, not in an environment of its own."""
    hook = {**hooks()["wfc-fmt"], "language": "system"}
    config = yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]})
    (tmp_path / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "a b.wf").write_text("const  limit: Int=3\n", encoding="utf-8")
    (tmp_path / "broken.wf").write_text("const limit\n", encoding="utf-8")
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}

    def done(*command: str) -> subprocess.CompletedProcess[str]:
        given = environment(tmp_path, NO_COLOR="1", **home)
        return subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)

    run = (sys.executable, "-m", "pre_commit", "run", "wfc-fmt", "--files")
    assert done("git", "init", "--quiet").returncode == 0
    assert done("git", "add", ".").returncode == 0
    first = done(*run, "a b.wf")
    assert "files were modified by this hook" in first.stdout, first.stdout
    assert (tmp_path / "a b.wf").read_text(encoding="utf-8") == FINE
    assert done("git", "add", ".").returncode == 0
    assert done(*run, "a b.wf", "wfc.toml").returncode == 0
    refused = done(*run, "broken.wf")
    assert refused.returncode == 1
    assert "broken.wf:" in refused.stdout
    assert (tmp_path / "broken.wf").read_text(encoding="utf-8") == "const limit\n"


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return found


def test_github_takes_the_action(tmp_path: Path) -> None:
    valid = ("check_jsonschema", "--builtin-schema", "vendor.github-actions")
    assert taken(*valid, str(ROOT / "action.yml"))
    (tmp_path / "action.yml").write_text(yaml.safe_dump({**action(), "runs": {"using": "composite"}}), encoding="utf-8")
    assert not taken(*valid, str(tmp_path / "action.yml"))


@pytest.mark.parametrize(
    ("paths", "text", "strict", "code"),
    [
        ("", FINE, "false", "0"),
        ("", BROKEN, "false", "1"),
        ("a b.wf\n$(touch bad)\n", BROKEN, "false", "2"),
        ("a b.wf", "workflow W(a: Int) {\n  state A { done }\n}\n", "true", "1"),
        ("--no-such-option", FINE, "false", "2"),
    ],
)
def test_the_step_of_the_action_checks(paths: str, text: str, strict: str, code: str, *, tmp_path: Path) -> None:
    step = next(step for step in action()["runs"]["steps"] if step.get("id") == "check")
    (tmp_path / "wfc.toml").write_text("", encoding="utf-8")
    (tmp_path / "a b.wf").write_text(text, encoding="utf-8")
    (tmp_path / "step.sh").write_text(step["run"], encoding="utf-8")
    output = tmp_path / "output"
    output.touch()
    given = {"WFC_PATHS": paths, "WFC_STRICT": strict, "WFC_SARIF": "true"}
    runner = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(tmp_path)}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"],  # as GitHub starts `shell: bash`
        cwd=tmp_path,
        env=environment(tmp_path, NO_COLOR="1", **given, **runner),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "bad").exists()
    said = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
    assert said["code"] == code
    assert ("::" in done.stdout) == (text != FINE)
    if paths.startswith("--"):
        assert "sarif-file" not in said
        return
    results = json.loads(Path(said["sarif-file"]).read_text(encoding="utf-8"))["runs"][0]["results"]
    assert bool(results) == (code != "0")
