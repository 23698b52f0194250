"""Collects the cases of the Markdown files in this folder as tests."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.document import Block, Case, read_cases, rewrite
from tests.golden.laws import LAWS
from tests.golden.producers import PRODUCERS


class Mismatch(Exception):  # noqa: N818 - it is no error of the program
    """The program says something else than a block; the text is the difference."""


class GoldenFile(pytest.File):
    """A Markdown file; each `##` is a test."""

    def collect(self) -> Iterator[pytest.Item]:
        seen: set[str] = set()
        for case in read_cases(self.path.read_text(encoding="utf-8")):
            if case.title in seen:
                raise self.CollectError(f"two cases are called `{case.title}`")
            seen.add(case.title)
            yield GoldenCase.from_parent(self, name=case.title, case=case)


class GoldenCase(pytest.Item):
    """A case: each expected block is compared with what its producer makes; then the laws hold as well."""

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case

    def runtest(self) -> None:
        if not self.case.expected:
            raise Mismatch("the case expects nothing: add an empty block such as ```problems and run with --update")
        produced = {i: self._produce(block) for i, block in enumerate(self.case.expected)}
        wrong = {i: text for i, text in produced.items() if text != self.case.expected[i].text}
        if wrong and self.config.getoption("--update"):
            rewrite(self.path, self.case.title, wrong)
        elif wrong:
            raise Mismatch("\n".join(_difference(self.case.expected[i], text) for i, text in wrong.items()))
        for law in LAWS:
            law(self.case)

    def _produce(self, block: Block) -> str:
        producer = PRODUCERS.get(block.kind)
        if producer is None:
            raise Mismatch(f"nothing produces `{block.kind}`; known are {', '.join(sorted(PRODUCERS))}")
        text = producer(self.case, block)
        return f"{text.rstrip()}\n" if text.strip() else ""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Mismatch):
            return f"{self.path.name}, {self.case.title}:\n{excinfo.value}\nIf this is right: pytest --update"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self.case.blocks[0].first if self.case.blocks else 0, self.case.title


def _difference(block: Block, produced: str) -> str:
    lines = difflib.unified_diff(
        block.text.splitlines(), produced.splitlines(), f"```{block.info} in the file", "the program", lineterm="", n=3
    )
    return "\n".join(lines)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".md" and file_path.name != "README.md" and "expected" not in file_path.parts:
        return GoldenFile.from_parent(parent, path=file_path)
    return None
