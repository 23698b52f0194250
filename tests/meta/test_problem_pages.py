"""The docstring of a problem is its published page, and the examples in it do what the page says."""

import re

import pytest

from tests.golden.program import checked
from wfc.driver.catalogue import documentation, problem_classes

_EXAMPLE = re.compile(r"^```wf (?P<kind>fails|passes)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_WF_BLOCK = re.compile(r"^```wf\b(?P<info>[^\n]*)$", re.MULTILINE)

# These are about files, or several of them, or older versions, or thousands of lines, or arise only in compiling: no example can show them.
WITHOUT_EXAMPLE = frozenset(
    {
        "damaged-record",
        "duplicate-output",
        "edited-output",
        "import-cycle",
        "invalid-setting",
        "malformed-settings",
        "migration-gap",
        "missing-source",
        "nested-too-deep",
        "no-sources",
        "not-utf8",
        "nul-character",
        "oversized-source",
        "unknown-setting",
        "unmapped-state",
        "unmigrated-name",
        "unreadable-source",
        "unsupported-feature",
        "unwritable-output",
        "version-not-raised",
    }
)

CLASSES = problem_classes()


def examples(code: str, kind: str) -> list[str]:
    page = documentation(CLASSES[code])
    return [match["text"] for match in _EXAMPLE.finditer(page) if match["kind"] == kind]


@pytest.mark.parametrize("code", CLASSES)
def test_a_page_begins_with_a_sentence_and_says_more(code: str) -> None:
    page = documentation(CLASSES[code])
    first, blank, more = (*page.split("\n", 2), "", "")[:3]
    assert first.endswith("."), first
    assert blank == ""
    assert more, "a page says why it matters and what to do"
    assert all(match["info"] in {" fails", " passes"} for match in _WF_BLOCK.finditer(page))


@pytest.mark.parametrize("code", sorted(CLASSES.keys() - WITHOUT_EXAMPLE))
def test_the_examples_of_a_page_do_what_it_says(code: str) -> None:
    failing, passing = examples(code, "fails"), examples(code, "passes")
    assert failing, "a page has an example that is reported"
    assert passing, "and one that is not"
    for text in failing:
        assert code in [problem.code for problem in checked({"main.wf": text}).problems], text
    for text in passing:
        report = checked({"main.wf": text})
        assert code not in [problem.code for problem in report.problems], text
        assert not report.has_errors, [problem.message() for problem in report.problems]


def test_the_list_of_pages_without_example_is_short_and_true() -> None:
    assert {code for code in CLASSES if not examples(code, "fails")} <= WITHOUT_EXAMPLE <= CLASSES.keys()
