"""What `wfc scaffold` writes compiles, and once the workflow has changed, tsc names what is missing."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.backends.node.conftest import TSC
from tests.backends.typescript.conftest import MODULES, OPTIONS, ROOT
from wfc.cli.main import main

pytestmark = [pytest.mark.js, pytest.mark.slow]

PROGRAM = """
service carrier {
  activity book(parcel: Text, when_: Instant?) -> Decimal key parcel compensate recall(parcel)
  activity recall(parcel: Text) key parcel
}
service odd { query await(class: Text, context: Int, token: Secret<Text>) -> Text  task look(item: Text) }
secret token: Text
workflow parcels(parcel: Text) -> Text key parcel {
  state Booking { do carrier.book(parcel, none)  do odd.await(parcel, 1, token) as seen  do odd.look(seen)  done seen }
}
"""
MORE = PROGRAM.replace("service odd {", "service odd { activity added(a: Int) key a compensate none `new`").replace(
    "`", '"'
)


def _tsc(folder: Path) -> str:
    settings = {"compilerOptions": {**OPTIONS, "types": ["node"], "noEmit": True}, "include": ["**/*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}\n', encoding="utf-8")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    done = subprocess.run(["node", str(TSC), "-p", "."], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _compiled(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "parcels.wf").write_text(text, encoding="utf-8")
    assert main(["compile", "parcels.wf", "--target", "typescript"]) == 0
    assert main(["scaffold", "parcels.wf"]) == 0


def test_it_compiles_and_tsc_names_what_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _compiled(tmp_path, PROGRAM, monkeypatch)
    assert _tsc(tmp_path) == ""
    before = (tmp_path / "parcels.activities.ts").read_bytes()
    raised = MORE.replace("key parcel {\n  state", "version 2 key parcel {\n  state").replace(
        "done seen", "do odd.added(2)  done seen"
    )
    _compiled(tmp_path, raised, monkeypatch)
    assert (tmp_path / "parcels.activities.ts").read_bytes() == before
    said = _tsc(tmp_path)
    assert "parcels.activities.ts" in said
    assert "Property 'added' is missing" in said


def test_the_scaffold_of_every_example_compiles(tmp_path: Path) -> None:
    examples = sorted(path.parent.name for path in ROOT.glob("examples/*/README.md"))
    assert examples
    for example in examples:
        source, own = str(ROOT / "examples" / example), tmp_path / example
        assert main(["compile", source, "--target", "typescript", "--out", str(own / "workflows")]) == 0
        assert main(["scaffold", source, "--compiled", str(own / "workflows"), "--out", str(own)]) == 0
        assert list(own.glob("*.activities.ts"))
    assert _tsc(tmp_path) == ""
