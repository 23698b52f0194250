"""The images of the docs show what wfc draws today."""

import hashlib
import json
from pathlib import Path

from tests.pictures.sources import IMAGES as EDITORS
from tests.pictures.sources import PICTURES, TOLD, drawn_from, shown
from wfc.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
IMAGES = DOCS / "images"
_SMALL = 150_000  # bytes
EXAMPLES = ("order-fulfillment", "loan-approval")


def test_images_are_of_the_pictures_of_today(tmp_path: Path) -> None:
    sources = [str(ROOT / "examples" / name) for name in EXAMPLES]
    assert main(["compile", *sources, "--target", "diagram", "--out", str(tmp_path)]) == 0
    drawn = {}
    for name in EXAMPLES:
        text = (tmp_path / f"{name}.diagram.md").read_text(encoding="utf-8")
        for number, part in enumerate(text.split("```mermaid\n")[1:], 1):
            picture = part.partition("\n```")[0]
            drawn[f"{name}-{number}.png"] = hashlib.sha256(picture.encode()).hexdigest()
    told = json.loads((IMAGES / "pictures.json").read_text(encoding="utf-8"))
    assert told == drawn, "draw them again: make pictures"
    assert {path.name for path in IMAGES.glob("*.png")} == set(drawn)


def test_editors_are_drawn_with_the_files_of_today() -> None:
    told = json.loads(TOLD.read_text(encoding="utf-8"))
    drawn = {name: drawn_from(name) for name in PICTURES}
    assert told == drawn, "draw them again: make pictures, make pictures-vscode"
    found = {path.name: path for path in EDITORS.iterdir() if path != TOLD}
    assert set(found) == set(drawn)
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    for name, path in found.items():
        assert f"images/editors/{name})" in pages
        assert path.stat().st_size < _SMALL, f"{name} is too large for a page"


def test_a_word_that_no_picture_shows_asks_for_no_new_ones() -> None:
    assert shown(r"\%(activity\|metric\|state\)") == shown(r"\%(activity\|state\)")
    assert shown('"metric"\n  "state"') == shown('"state"')
    assert shown("activity|state") != shown("activity|stated")
    assert shown("(activity)|state") != shown("activity|state")
