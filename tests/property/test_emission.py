"""Every backend writes every sound program, or says by name what it cannot do; always the same bytes."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.golden.program import compiled
from tests.strategies.compiled import digest
from tests.strategies.programs import Program, programs
from wfc.driver import backends
from wfc.driver.pipeline import Compiled, Options
from wfc.problems import UnsupportedFeature
from wfc.problems.problem import Severity

TARGETS = backends.names()
ELSEWHERE = """
import json, sys
from tests.golden.program import compiled
from tests.strategies.compiled import digest
from wfc.driver.backends import names
from wfc.driver.pipeline import Options
texts = json.load(sys.stdin)
print(json.dumps([digest(compiled({"main.wf": text}, Options(targets=names(), lenient=True))) for text in texts]))
"""


def emitted(program: Program, targets: tuple[str, ...]) -> Compiled:
    return compiled(program.files, Options(targets=targets, lenient=targets == TARGETS))


@pytest.mark.parametrize("target", TARGETS)
@given(program=programs())
def test_a_backend_emits_or_refuses_with_a_named_feature(target: str, program: Program) -> None:
    found = emitted(program, (target,))
    errors = [problem for problem in found.report.problems if problem.level() is Severity.ERROR]
    if errors:
        assert all(isinstance(p, UnsupportedFeature) and p.feature and p.target == target for p in errors)
        assert not found.outputs
    else:
        assert found.outputs
        assert all(output.text.endswith("\n") and "\r" not in output.text for output in found.outputs)


@given(programs())
def test_emitting_twice_gives_the_same_bytes(program: Program) -> None:
    assert digest(emitted(program, TARGETS)) == digest(emitted(program, TARGETS))


@settings(max_examples=4)
@given(st.lists(programs(), min_size=1, max_size=4), st.integers(1, 2**32 - 1))
def test_another_hash_seed_gives_the_same_bytes(some: list[Program], seed: int) -> None:
    here = [digest(emitted(program, TARGETS)) for program in some]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
    given_in = json.dumps([program.text for program in some])
    command = [sys.executable, "-c", ELSEWHERE]
    run = subprocess.run(command, input=given_in, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    assert json.loads(run.stdout) == here
