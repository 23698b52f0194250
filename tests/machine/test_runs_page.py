"""The page about runs names everything that the machine takes, gives and writes."""

import re
from pathlib import Path
from typing import get_args

import pytest

from wfc.machine.messages import Command, Input, RefusalReason
from wfc.text.names import kebab

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/runs.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "wfc/machine").glob("*.py")))
KINDS = sorted(
    set(re.findall(r'(?:note|keep|_report)\(\s*"([a-z ]+)"', SOURCES))
    | {"child undone", "redriven", "sla warned", "sla breached"}
)


def test_kinds_of_records_are_found() -> None:
    assert len(KINDS) > 25


@pytest.mark.parametrize("word", [*KINDS, *get_args(RefusalReason)])
def test_the_page_names_each_record_and_each_refusal(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("message", [*get_args(Input), *get_args(Command)])
def test_the_page_names_each_input_and_each_command(message: type) -> None:
    assert f"`{kebab(message.__name__)}`" in PAGE
