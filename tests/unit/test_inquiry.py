"""Looking for runs has a bound, and where it is met the problem says so."""

import json

import pytest

from tests.golden.program import checked
from wfc.problems.render.full import full
from wfc.problems.render.json import render_json
from wfc.simulation import inquiry

TEXT = """
service shop {
  activity charge(order: Text) key order
  query check(order: Text)
}
workflow Order(order: Text) key order {
  state Pay { do shop.charge(order)  do shop.check(order) }
}
"""


def test_beyond_the_bound_a_problem_is_told_without_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = checked({"main.wf": TEXT}).problems
    assert all(problem.trace is not None and problem.trace.acts for problem in before)
    monkeypatch.setattr(inquiry, "BUDGET", -1)
    after = checked({"main.wf": TEXT}).problems
    assert [problem.message() for problem in after] == [problem.message() for problem in before]
    assert full(after).count("No run was looked for any more") == len(after) == 2
    assert [problem["trace"] for problem in json.loads(render_json(after))] == [None, None]
