"""Every document is held against the pure machine in simulated time."""

import difflib

import pytest

from tests.conformance.documents import Document, documents, play, programs, replayed, trace
from tests.golden.document import rewrite
from wfc.machine.program import Program
from wfc.simulation.scenarios import Told

DOCUMENTS = list(documents())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_it_is_as_the_document_says(document: Document, *, request: pytest.FixtureRequest) -> None:
    told = _told(document)
    wrong = [_difference(each) for _, each in told if each.difference is not None]
    assert not wrong, "\n\n".join(wrong)
    for program, each in told:
        assert replayed(program, each.world) == each.world.records, each.scenario.title
    _compare(document, [each for _, each in told], update=request.config.getoption("--update"))


def _told(document: Document) -> list[tuple[Program, Told]]:
    told = [(p, play(p, scenario)) for p, scenarios in programs(document.case.files) for scenario in scenarios]
    assert told, "a document has a scenario"
    return told


def _difference(told: Told) -> str:
    assert told.difference is not None
    found = told.difference
    line = f"line {found.item.at.line}: " if found.item is not None and found.item.at is not None else ""
    return f"{line}expected {found.expected}, found {found.found}\n{trace(told)}"


def _compare(document: Document, told: list[Told], *, update: bool) -> None:
    block = document.trace
    assert block is not None, "a document has a trace block; --update fills it"
    text = "\n\n".join(trace(each, keys="keys" in block.argument) for each in told) + "\n"
    if text == block.text:
        return
    if update:
        rewrite(document.file, document.case.title, {document.case.expected.index(block): text})
        return
    shown = difflib.unified_diff(block.text.splitlines(), text.splitlines(), "the document", "the machine", lineterm="")
    pytest.fail("\n".join([*shown, "If this is right: pytest --update"]), pytrace=False)
