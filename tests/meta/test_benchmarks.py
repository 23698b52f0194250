"""The benchmarks run: their programs parse, and each table is printed."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.program import python, workflows
from tests.golden.program import checked


@pytest.mark.parametrize("lines", [200, 1_000])
def test_the_programs_are_as_long_as_they_should_be_and_have_no_errors(lines: int) -> None:
    text = workflows(lines)
    assert abs(text.count("\n") - lines) < 30
    assert python(lines).count("\n") == lines
    assert not checked({"bench.wf": text}).has_errors


@pytest.mark.slow
def test_the_tables_are_printed(root: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.run", "--rounds", "1"]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert "start-up, times bare Python" in printed
    assert printed.count("times ast.parse") == 2
    assert printed.count("turns/s") == 2
    assert printed.count(" bytes") == 2
