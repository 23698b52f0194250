"""Inputs that are refused: they are answered to their sender and change nothing."""

from tests.conformance.worlds import HOUR, LISTENING, MINUTE, SECOND, advance, instance, refusal, started, undone, world
from wfc.machine.messages import Answered, Event, Operator, Time
from wfc.simulation.world import Reply


def test_an_event_is_refused_when_it_is_unknown_or_does_not_fit_or_finds_nobody() -> None:
    made = world(LISTENING, s__check=[Reply("hangs")])
    assert made.send("Stop", {"id": "1"}) is not None
    started(made, id="1")
    assert made.send("Nothing", {"id": "1"}) is not None
    assert made.send("Stop", {"id": 1}) is not None
    assert made.send("Stop", {"id": "2"}) is not None
    assert made.send("Stop", {"id": "1"}) is None


def test_a_finished_instance_refuses_everything() -> None:
    made = world(LISTENING, s__check=[Reply("value", True)])
    identity = started(made, id="1")
    assert instance(made, identity).status == "done"
    assert refusal(made, identity, Event(at=made.now, type="Stop", data={"id": "1"})) == "not-running"
    assert refusal(made, identity, Operator(at=made.now, action="cancel")) == "not-running"
    assert refusal(made, "W/none", Time(at=made.now)) == "not-running"


def test_a_command_for_a_step_that_does_not_wait_is_refused() -> None:
    made = world(LISTENING, s__check=[Reply("hangs")])
    identity = started(made, id="1")
    before = len(made.records)
    assert refusal(made, identity, Operator(at=made.now, action="retry", key="W/1/s.check/Work/1/1")) == "unknown-step"
    assert refusal(made, identity, Answered(at=made.now, call="nobody", kind="value")) == "unknown-call"
    assert len(made.records) == before


def test_a_running_id_is_refused_and_a_finished_one_begins_anew() -> None:
    made = world(LISTENING, s__check=[Reply("value", True, HOUR // 2)])
    started(made, id="1")
    _, refused = made.start("W", {"id": "1"})
    assert refused is not None
    assert refused.reason == "already-running"


def test_a_start_that_does_not_fit_its_type_is_refused() -> None:
    made = world(
        """
record Line { n: Int where n > 0 }
workflow W(line: Line) -> Int { state S { done line.n } }
"""
    )
    _, refused = made.start("W", {"line": {"n": 0}})
    assert refused is not None
    assert refused.reason == "wrong-input"
    assert made.records == []


PIVOT = """
queue desk
policy Sure { timeout 5s try 2 times backoff 10s exhausted then park in desk }
service s {
  activity pay() key "k" compensate refund()
  activity refund()
  activity burn() with Sure key "k" irreversible "ashes"
}
workflow W(id: Text = "1") -> Bool key id {
  state First { do s.pay() -> Burn }
  state Burn  { do s.burn() pivot -> Rest }
  state Rest  { wait 1h  done true }
}
"""


def test_an_operators_cancel_is_refused_behind_a_pivot_and_while_it_is_in_flight() -> None:
    made = world(PIVOT, s__pay=[Reply("value", None, SECOND)], s__burn=[Reply("value", None, SECOND)])
    identity = started(made, id="1")
    advance(made, SECOND)
    assert refusal(made, identity, Operator(at=made.now, action="cancel")) == "point-of-no-return"
    advance(made, MINUTE)
    assert refusal(made, identity, Operator(at=made.now, action="cancel")) == "point-of-no-return"
    advance(made, HOUR)
    assert instance(made, identity).status == "done"


def test_an_operators_cancel_is_refused_while_the_pivot_is_parked() -> None:
    made = world(PIVOT, s__burn=[Reply("hangs")])
    identity = started(made, id="1")
    advance(made, MINUTE)
    assert refusal(made, identity, Operator(at=made.now, action="cancel")) == "point-of-no-return"


def test_an_operators_cancel_is_taken_before_a_pivot() -> None:
    made = world(PIVOT, s__pay=[Reply("value", None, 2 * SECOND)])
    identity = started(made, id="1")
    advance(made, SECOND)
    assert made.deliver(identity, Operator(at=made.now, action="cancel")) is None
    advance(made, MINUTE)
    assert instance(made, identity).error["is"] == "OperatorCancel"
    assert undone(made) == ["s.pay"]
