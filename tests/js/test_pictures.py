"""Chromium draws the pictures, with both mermaids in use, and Graphviz draws its own: each shows what its text says."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.golden.program import loaded
from wfc.backends import diagram, dot
from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.picture.flow import flow_charts
from wfc.picture.model import Arrow, Box, Group, Picture
from wfc.project.sources import read_sources

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULES = HERE / "node_modules"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MARKS = {"quot": '"', "lt": "<", "gt": ">", "amp": "&"}

pytestmark = [pytest.mark.js, pytest.mark.slow]
needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)), reason="there is no Chromium: `make setup` says more"
)

HOSTILE = r"""
/// Ends here? --> `a` "b" <script>alert(1)</script>
workflow Hostile(name: Text, subgraph: Text, graph: Int) {
  state end {
    sla "class x; <img src=x onerror=alert(2)>" within 1h
    after 2h -> style
    choose {
      when name == "\"; click A call alert(3)" -> style
      when name == "</script><script>alert(4)</script>" -> linkStyle
      when name == "#quot; #35; `md` **bold** _it_ $$x$$" -> linkStyle
      when name == "a\nb --- c | d \{e} [f] (g) \\ %% no comment" -> direction
      when name == "Grüße, 你好, \u{202e}abc\u{2066}" -> direction
      when name == "NAME" -> direction
      when graph * graph * graph > -1 * graph or name == "~~no~~ 1. - + x__" -> style
      otherwise -> constructor
    }
  }
  state style { done }
  state linkStyle { done }
  state direction { await { on Stop { done } after 1d -> o---order } }
  state constructor { fail TooBad(graph) }
}
""".replace("NAME", "x" * 200).replace("o---order", "end")
HOSTILE = "event Stop(name: Text) key name\nerror TooBad(of: Int)\n" + HOSTILE.replace(
    "graph: Int) {", "graph: Int) key name raises TooBad {"
)


LITERAL = ("; click A call alert(3)", "</script><script>alert(4)</script>", "#quot; #35; `md`", "$$x$$", "Grüße, 你好")


@cache
def machines() -> tuple[tuple[str, Machine], ...]:
    """The processes of the examples, of programs with names that mean something elsewhere, and a hostile one."""
    projects = [(place.name, sorted(place.glob("*.wf"))) for place in sorted(ROOT.glob("examples/*")) if place.is_dir()]
    programs = [*sorted(ROOT.glob("tests/backends/*/programs/*.wf")), ROOT / "tests/samples/names.wf"]
    projects += [(program.stem, [program]) for program in programs]
    texts = {name: {path.name: path.read_text(encoding="utf-8") for path in paths} for name, paths in projects}
    found: list[tuple[str, Machine]] = []
    for name, text in {**texts, "hostile": {"main.wf": HOSTILE}}.items():
        files, settings, report = loaded(text)
        checked = pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())
        assert checked.report.is_runnable, (name, [problem.message() for problem in checked.report.problems])
        roots = pipeline.roots(checked, pipeline.Options())
        found += [(name, pipeline.machine(root, checked.model, settings, pipeline.Options())) for root in roots]
    return tuple(found)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("pages")
    return tuple(written(folder, diagram))


def written(folder: Path, backend: Any) -> Iterator[Path]:
    """What a backend writes of all processes."""
    for name, machine in machines():
        for output in backend.emit(machine):
            place = folder / f"{name}-{output.path}"
            place.write_text(output.text, encoding="utf-8")
            yield place


@needs_browser
@pytest.mark.parametrize("mermaid", ["mermaid", pytest.param("mermaid12", marks=pytest.mark.long)])
def test_pictures_show_what_they_say(mermaid: str, drawn: tuple[Path, ...]) -> None:
    told = rendered(mermaid, drawn)
    assert len(told) >= 2 * len(drawn)  # and one of the rollback, where there is something to undo
    for picture in told:
        place = f"{Path(picture['file']).name}:{picture['line']}"
        assert "error" not in picture, (place, picture["error"])
        assert not picture["injected"], place
        shown = {line for label in picture["labels"] for line in label.split("\n") if line}
        wanted = labels(source(picture))
        assert shown == wanted, (place, sorted(shown - wanted), sorted(wanted - shown))
    hostile = "\n".join(line for picture in told if "hostile" in picture["file"] for line in picture["labels"])
    for part in LITERAL:
        assert part in hostile
    assert "x" * 61 not in hostile


def rendered(mermaid: str, files: tuple[Path, ...]) -> list[dict[str, Any]]:
    bundle = MODULES / mermaid / "dist" / "mermaid.min.js"
    assert bundle.is_file(), "the npm packages of tests/js are needed; `make setup` installs them"
    command = ["node", str(HERE / "render-gate.mjs"), str(bundle), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def source(picture: dict[str, Any]) -> str:
    lines = Path(picture["file"]).read_text(encoding="utf-8").split("\n")[picture["line"] - 1 :]
    return "\n".join(lines[: lines.index("```")])


def labels(text: str) -> set[str]:
    """The lines of text that a picture shows, read off its source."""
    found: set[str] = set()
    kind = text.partition("\n")[0].partition(" ")[0]
    for line in text.split("\n")[1:]:
        stripped = line.strip()
        if stripped.startswith(("accTitle", "classDef", "class ", "direction", "style ")):
            continue
        parts = re.findall(r'"([^"]*)"', stripped)
        if kind == "stateDiagram-v2" and " : " in stripped:
            parts = [stripped.split(" : ", 1)[1]]
        elif kind == "sequenceDiagram":
            parts = (
                [stripped.partition(" as ")[2]] if stripped.startswith("participant") else [stripped.partition(": ")[2]]
            )
        for part in parts:
            for piece in re.split(r"<br/>", re.sub(r"</?small>", "", part)):
                found.add(plain(piece))
    return {" ".join(line.split()) for line in found if line.strip()}


def plain(text: str) -> str:
    """What is written of a label, as it is read."""
    return html.unescape(re.sub(r"#(\d+|[a-z]+);", lambda m: MARKS.get(m[1]) or chr(int(m[1])), text))


def test_graphviz_shows_what_it_says(tmp_path: Path) -> None:
    files = list(written(tmp_path, dot))
    command = ["node", str(HERE / "dot-gate.mjs"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = {Path(each["file"]).name: each for each in json.loads(done.stdout)}
    for name, machine in machines():
        for output, picture in zip(dot.emit(machine), flow_charts(machine), strict=True):
            drawn = told[f"{name}-{output.path}"]
            assert not drawn["errors"], (output.path, drawn["errors"])
            assert not drawn["injected"], output.path
            assert {one_line(label) for label in drawn["labels"]} == texts(picture), output.path


def texts(picture: Picture) -> set[str]:
    """What a picture says."""
    found: list[str] = []
    for _, item in picture.walk():
        match item:
            case Box(lines=lines):
                found.extend(lines)
            case Arrow(text=text):
                found.extend(text.split("\n"))
            case Group(title=title):
                found.append(title)
    return {one_line(text) for text in found if text.strip()}


def one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
