"""The tools that read what wfc writes find nothing: the TypeScript compiler, eslint, prettier, and mermaid's parser."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.backends.typescript.conftest import machines as modules_of
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.backends import json_, typescript, xstate
from wfc.cli.main import main

pytestmark = [pytest.mark.js, pytest.mark.slow]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULES = HERE / "node_modules"
EXAMPLE = ROOT / "examples" / "order-fulfillment"
PROGRAMS = (
    "tests/backends/*/programs/*.wf",
    "tests/golden/emit/cases/*.wf",
    "tests/samples/order.wf",
    "tests/samples/names.wf",
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what all examples compile to, in which the locked npm packages are found."""
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    assert MODULES.is_dir(), "the npm packages of tests/js are needed; `make setup` installs them"
    folder = tmp_path_factory.mktemp("compiled")
    for source in sorted(ROOT.glob("examples/*/*.wf")):
        assert main(["compile", str(source), "--out", str(folder / source.parent.name)]) == 0, source
    out = folder / "on-temporal"
    assert main(["compile", str(EXAMPLE), "--target", "typescript", "--host", "temporal", "--out", str(out)]) == 0
    (folder / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def every_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what all examples, and the programs of the tests of backends, compile to for every target."""
    folder = tmp_path_factory.mktemp("every-target")
    for source in sorted(ROOT.glob("examples/*/*.wf")):
        out = folder / source.parent.name
        assert main(["compile", str(source), "--target", "all", "--out", str(out)]) == 0, source
        assert main(["scaffold", str(source), "--out", str(out)]) == 0, source
    out = folder / "on-temporal"
    assert main(["compile", str(EXAMPLE), "--target", "typescript", "--host", "temporal", "--out", str(out)]) == 0
    for source in (path for place in PROGRAMS for path in ROOT.glob(place)):
        for machine in modules_of({source.name: source.read_text(encoding="utf-8")}):
            for output in (*typescript.emit(machine)[:3], *json_.emit(machine), *xstate.emit(machine)[:1]):
                path = folder / source.stem / output.path
                path.parent.mkdir(exist_ok=True)
                path.write_text(output.text, encoding="utf-8")
    return folder


def gate(script: str, files: Sequence[Path]) -> Any:
    """What a gate says about some files."""
    command = ["node", str(HERE / script), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def written(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"**/{pattern}") if "node_modules" not in path.parts)


def test_typescript_accepts_every_module(compiled: Path) -> None:
    files = written(compiled, "*.ts")
    assert "order-fulfillment.error-handlers.ts" in {path.name for path in files}
    assert gate("tsc-gate.mjs", files)["problems"] == []


def test_typescript_7_accepts_every_module(compiled: Path) -> None:
    tsc = MODULES / "typescript7" / "bin" / "tsc"
    assert _run_tsc(tsc, "--version", folder=compiled).startswith("Version 7.")
    assert _run_tsc(tsc, "-p", str(_configured(compiled)), folder=compiled) == ""
    (compiled / "wrong").mkdir()
    (compiled / "wrong" / "wrong.ts").write_text("export const one: string = 1;\n", encoding="utf-8")
    try:
        assert "TS2322" in _run_tsc(tsc, "-p", str(_configured(compiled)), folder=compiled)
    finally:
        (compiled / "wrong" / "wrong.ts").unlink()


def _run_tsc(tsc: Path, *arguments: str, folder: Path) -> str:
    done = subprocess.run(["node", str(tsc), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _configured(folder: Path) -> Path:
    """The settings of the strictest of users."""
    strict = ("strict", "exactOptionalPropertyTypes", "noUncheckedIndexedAccess", "noPropertyAccessFromIndexSignature")
    more = ("noImplicitOverride", "noImplicitReturns", "noUnusedLocals", "verbatimModuleSyntax", "erasableSyntaxOnly")
    options = {"target": "es2022", "module": "nodenext", "lib": ["es2022"], "types": ["node"], "noEmit": True}
    options["skipLibCheck"] = True  # the types of Temporal's SDK are less strict
    settings = {"compilerOptions": {**options, **dict.fromkeys(strict + more, True)}, "include": ["**/*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder / "tsconfig.json"


def test_eslint_finds_nothing(compiled: Path) -> None:
    _configured(compiled)
    said = gate("eslint-gate.mjs", [compiled])
    assert said["problems"] == []
    assert said["files"] == len(written(compiled, "*.ts"))


def test_prettier_would_change_nothing(every_target: Path) -> None:
    files = [path for kind in ("ts", "json", "md") for path in written(every_target, f"*.{kind}")]
    names = {path.name for path in files}
    assert {"order-fulfillment.workflow.ts", "wfc-node.ts", "wfc-process.ts", "wfc-xstate.ts"} <= names
    assert {"loan-approval.activities.ts", "loan-approval.state-machine.json", "delivery.xstate.json"} <= names
    assert {"README.md", "loan-approval.diagram.md"} <= names
    assert {"behaviours", "regions", "constructs", "differences", "order"} <= {path.parent.name for path in files}
    said = gate("prettier-gate.mjs", files)
    assert said["problems"] == []
    assert said["files"] == len(files)


def test_prettier_would_change_nothing_in_the_program_of_the_example() -> None:
    files = [*EXAMPLE.glob("node/src/*.ts"), *EXAMPLE.glob("temporal/src/*.ts"), *EXAMPLE.glob("*.mjs")]
    said = gate("prettier-gate.mjs", files)
    assert said["problems"] == []
    assert said["files"] == len(files) > 0


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.long)])
def test_prettier_would_change_nothing_of_generated_programs(part: int, tmp_path: Path) -> None:
    texts: list[Text] = []

    @seed(part)
    @settings(
        max_examples=40, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(programs())
    def draw(text: Text) -> None:
        texts.append(text)

    draw()
    files: list[Path] = []
    for i, text in enumerate(texts):
        for j, machine in enumerate(machines(text)):
            for output in typescript.emit(machine)[:3]:
                files.append(tmp_path / f"{i}-{j}-{output.path}")
                files[-1].write_text(output.text, encoding="utf-8")
    said = gate("prettier-gate.mjs", files)
    assert said["problems"] == []
    assert said["files"] == len(files) > 100


def test_mermaid_parses_every_picture(compiled: Path) -> None:
    files = written(compiled, "*.diagram.md")
    assert "order-fulfillment.diagram.md" in {path.name for path in files}
    said = gate("mermaid-gate.mjs", files)
    assert said["problems"] == []
    assert said["pictures"] >= len(files)


def test_the_typescript_gate_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.ts"
    wrong.write_text("const list: number[] = [];\nexport const first: number = list[0];\n", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    said = gate("tsc-gate.mjs", [wrong])
    assert [(problem["code"], problem["line"]) for problem in said["problems"]] == [("TS2322", 2)]


def test_the_lint_gates_find_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.ts"
    text = "// eslint-disable-next-line prefer-const\nexport let one: number = 1;\nvoid Promise.resolve( one );\n"
    wrong.write_text(text, encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    _configured(tmp_path)
    rules = [(problem["rule"], problem["line"]) for problem in gate("eslint-gate.mjs", [tmp_path])["problems"]]
    assert ("@typescript-eslint/no-inferrable-types", 2) in rules
    assert ("prefer-const", 2) in rules
    assert [problem["line"] for problem in gate("prettier-gate.mjs", [wrong])["problems"]] == [3]


def test_the_mermaid_gate_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.md"
    wrong.write_text("```mermaid\nflowchart LR\n  a -->\n```\n\n```mermaid\nflowchart LR\n", encoding="utf-8")
    said = gate("mermaid-gate.mjs", [wrong])
    assert [problem["line"] for problem in said["problems"]] == [2, 7]
