"""Writes the page that says which target can do what, from small programs with one construct each."""

import re
from collections.abc import Iterator
from pathlib import Path

from wfc.driver import pipeline
from wfc.driver.backends import HOSTED, backends, names
from wfc.ir.machine import Machine
from wfc.problems.problem import Report
from wfc.project.files import MemoryFiles
from wfc.project.settings import Settings
from wfc.project.sources import read_sources

SOURCE = "tests/features/features.md"
PAGE = "docs/reference/targets.md"
ON_TEMPORAL = "TypeScript on Temporal"
TITLES = {"json": "JSON", "typescript": "TypeScript", "xstate": "XState", "diagram": "Mermaid", "dot": "Graphviz"}
_CASE = re.compile(r"^## (?P<title>.+?)\n.*?^```wf\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEAD = """<!-- Written by `python -m wfc.devtools.generate`; do not edit. -->

# What each target can do

Each row is a small program with one construct of [the language](language.md). A tick says that the target takes it.
What it writes then behaves as the machine does: in the tests the scenarios of the program run in the TypeScript and in
XState, and give the records that the machine gives. What a target cannot express it refuses by name, with the place in
the source, and writes nothing: numbers lead to the words of the refusal. `TypeScript on Temporal` is the same code with
`--host temporal`.
"""


def generate(root: Path) -> dict[str, str]:
    """The page by its path."""
    return {PAGE: _page(list(cases((root / SOURCE).read_text(encoding="utf-8"))))}


def cases(text: str) -> Iterator[tuple[str, str]]:
    """The constructs with a program each."""
    for found in _CASE.finditer(text):
        yield found["title"], found["text"]


def machines(text: str) -> tuple[Machine, ...]:
    """The processes of a program, which must be without errors."""
    files, settings = MemoryFiles({"main.wf": text}), Settings()
    checked = pipeline.check(read_sources((), settings, files, Report()), settings, files, pipeline.Options())
    if not checked.report.is_runnable:
        raise ValueError([problem.message() for problem in checked.report.problems])
    roots = pipeline.roots(checked, pipeline.Options())
    return tuple(pipeline.machine(root, checked.model, settings, pipeline.Options()) for root in roots)


def _page(found: list[tuple[str, str]]) -> str:
    known = [name for name in TITLES if name in names()]
    targets = {TITLES[name]: backend for name, backend in zip(known, backends(known), strict=True)}
    targets[ON_TEMPORAL] = next(backends([HOSTED], "temporal"))
    lines = [_HEAD, f"| construct | {' | '.join(targets)} |", "| --- |" + " :-: |" * len(targets)]
    notes: dict[str, int] = {}
    for title, text in found:
        every = machines(text)
        cells = []
        for backend in targets.values():
            refused = dict.fromkeys(what for machine in every for what, _ in backend.unsupported(machine))
            numbers = [notes.setdefault(what, len(notes) + 1) for what in refused]
            cells.append(", ".join(f"[{number}](#refusals)" for number in numbers) or "✓")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    if notes:
        lines += ["", "## Refusals", "", *(f"{number}. {what}" for what, number in notes.items())]
    return "\n".join(lines) + "\n"
