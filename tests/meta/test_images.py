"""The images of the docs show what wfc draws today."""

import hashlib
import json
from pathlib import Path

from wfc.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
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
