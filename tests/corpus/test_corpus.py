"""Inputs that once made the compiler crash or err; each goes through every stage. `// Sound:` ones have no errors."""

from pathlib import Path

import pytest

from tests.golden.program import checked, compiled
from tests.strategies.compiled import machines
from tests.strategies.model import World
from tests.strategies.programs import Program
from wfc.ir.encode import decode, encode
from wfc.problems.render.full import full

CORPUS = sorted(Path(__file__).resolve().parent.glob("*.wf"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_it_no_longer_does(path: Path) -> None:
    texts = {"main.wf": path.read_text(encoding="utf-8")}
    report = checked(texts)
    assert full(report.problems) is not None
    if texts["main.wf"].startswith("// Sound:"):
        assert not report.has_errors, full(report.problems)
    if not report.has_errors:
        compiled(texts)
        for machine in machines(Program(texts["main.wf"], World())):
            assert decode(encode(machine)) == machine
