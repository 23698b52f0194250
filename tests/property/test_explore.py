"""The explorer on programs with known answers, and on any: it breaks no law, and its traces lead where they say."""

from typing import Any

import attrs
import pytest
from hypothesis import given

from tests.golden.program import loaded
from tests.strategies.compiled import machines
from tests.strategies.programs import Program as Text
from tests.strategies.programs import programs
from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.machine.program import Program
from wfc.machine.status import movers
from wfc.project.sources import read_sources
from wfc.simulation.closing import one_attempt
from wfc.simulation.explore import Bounds, Explored, explore, follow


@given(programs(max_nodes=4, max_steps=8))
def test_no_law_is_broken_and_traces_lead_where_they_say(text: Text) -> None:
    for machine in machines(text):
        found = explore(machine, None, Bounds(states=300, cancel=True, failing_undos=True))
        assert found.broken == ()
        leads_there(machine, found)


def leads_there(machine: Machine, found: Explored) -> None:
    program = Program(one_attempt(machine))
    for end, trace in found.ends.items():
        inst = follow(program, trace).instance
        if end.kind == "stuck":
            assert inst.status == "running"
            assert movers(program, inst) == []
            continue
        assert inst.status == end.kind
        if inst.error is not None:
            assert inst.error["is"] == end.name


def machine_of(text: str) -> Machine:
    files, settings, report = loaded({"main.wf": text})
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())
    assert checked.report.is_runnable, [problem.message() for problem in checked.report.problems]
    (root,) = pipeline.roots(checked, pipeline.Options())
    return pipeline.machine(root, checked.model, settings, pipeline.Options())


BRANCHES = """
import std.policies { Once }
service s {
  activity a() key "a" with Once compensate none "nothing is left of it"
  activity b() key "b" with Once compensate none "nothing is left of it"
}
workflow W() key "w" {
  catch any { done }
  state Both {
    parallel {
      branch A { do s.a()  done }
      branch B { do s.b()  done }
    }
    done
  }
}
"""


def test_two_branches_side_by_side_meet_in_every_order() -> None:
    found = explore(machine_of(BRANCHES))
    assert found.complete
    # both under way; one is done, or the other; one is asked to stop since the other has failed, in two ways, and so
    # for the other
    assert found.states == 7
    assert [(str(end), end.left) for end in found.ends] == [("done", ())]
    assert found.nodes == {"Both"}


LEFT = """
import std.policies { Once }
error Refused
service s {
  activity write(n: Int) raises Refused key "a" with Once irreversible "it is on paper"
  activity check(n: Int) raises Refused key "b" with Once compensate none "nothing is left of it"
}
workflow W(n: Int) key "w" raises Refused {
  state Writing { do s.write(n) -> Checking }
  state Checking { do s.check(n) done }
}
"""


def test_an_effect_that_stands_at_a_failing_end_is_found() -> None:
    machine = machine_of(LEFT)
    found = explore(machine)
    assert found.complete
    assert found.stuck == ()
    ends = {(str(end), end.left) for end in found.ends}
    assert ("failed Refused", ()) in ends
    assert ("failed Refused", (("s.write", 1),)) in ends
    assert ("done", (("s.write", 1),)) in ends
    leads_there(machine, found)
    shortest = next(trace for end, trace in found.ends.items() if str(end) == "failed Refused" and end.left)
    assert [choice.text for choice in shortest] == ["the instance starts", "s.write answers", "s.check raises Refused"]


def test_a_bound_that_is_met_is_told() -> None:
    machine = machine_of(LEFT)
    found = explore(machine, None, Bounds(states=1))
    assert not found.complete
    assert found.cut == ("the search ended after 1 states, and there are more",)


STUCK = """
event Go(k: Text) key k
workflow W() key "w" {
  state Waiting { await { on Go -> Ended } }
  state Ended { done }
}
"""


def test_a_stuck_state_is_told_with_its_way() -> None:
    machine = machine_of(STUCK)
    assert explore(machine).stuck == ()
    deaf: Machine = _without_events(machine)
    found = explore(deaf)
    assert [[choice.text for choice in trace] for trace in found.stuck] == [["the instance starts"]]
    leads_there(deaf, found)


def _without_events(value: Any) -> Any:
    """The same machine, but nothing is listened to: no program that passes the checks is like that."""
    if isinstance(value, tuple):
        return tuple(_without_events(item) for item in value)
    if not attrs.has(type(value)):
        return value
    fields = [field.name for field in attrs.fields(type(value)) if field.init]
    changes = {name: _without_events(getattr(value, name)) for name in fields}
    if type(value).__name__ == "Await":
        changes["guards"] = ()
    return type(value)(**changes)


@pytest.mark.parametrize("events", [1, 2])
def test_events_come_as_often_as_is_said(events: int) -> None:
    text = """
event Tick(k: Text) key k
workflow W() -> Int key "w" {
  var count: Int = 0
  on Tick also { set count = count + 1 }
  state Waiting { wait 1d  done count }
}
"""
    found = explore(machine_of(text), None, Bounds(events=events))
    assert found.complete
    assert found.states == events + 1
