"""Two things at one instant that a scenario cannot bring there."""

from tests.conformance.documents import program
from tests.conformance.worlds import HOUR, LISTENING, MINUTE, SHOP, advance, audits, instance, started, world
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Event, Operator, Send, Started, Time
from wfc.machine.turn import Turned, turn
from wfc.simulation.world import START, Reply


def test_an_operator_comes_before_an_error() -> None:
    made = world(LISTENING, s__check=[Reply("error", {"is": "Broken"}, HOUR - 1)])
    identity = started(made, id="1")
    made.later(made.now + HOUR - 1, identity, Operator(at=made.now + HOUR - 1, action="cancel"))
    advance(made, HOUR)
    assert instance(made, identity).error["is"] == "OperatorCancel"


def test_an_error_comes_before_an_event() -> None:
    made = world(LISTENING, s__check=[Reply("error", {"is": "Broken"}, MINUTE)])
    identity = started(made, id="1")
    made.later(made.now + MINUTE, identity, Event(at=made.now + MINUTE, type="Stop", data={"id": "1"}))
    advance(made, HOUR)
    assert instance(made, identity).value == "caught"


def test_a_value_comes_before_an_event() -> None:
    made = world(LISTENING, s__check=[Reply("value", True, MINUTE)])
    identity = started(made, id="1")
    made.later(made.now + MINUTE, identity, Event(at=made.now + MINUTE, type="Stop", data={"id": "1"}))
    advance(made, HOUR)
    assert instance(made, identity).value == "answered"


def test_an_event_comes_before_a_deadline() -> None:
    made = world(LISTENING, s__check=[Reply("hangs")])
    identity = started(made, id="1")
    made.later(made.now + HOUR, identity, Event(at=made.now + HOUR, type="Stop", data={"id": "1"}))
    advance(made, 3 * HOUR)
    assert instance(made, identity).value == "heard"


def test_an_event_comes_before_a_deadline_of_its_instant_whatever_the_host_reports_first() -> None:
    found = program(LISTENING)
    at = START + HOUR
    inst: Instance | None = None
    for given in (
        Started(at=START, workflow="W", instance="W/1", data={"id": "1"}),
        Event(at=at, type="Stop", data={"id": "1"}),
        Time(at=at + 2 * HOUR),
    ):
        turned = turn(found, inst, given)
        assert isinstance(turned, Turned)
        inst = turned.instance
    assert inst is not None
    assert inst.value == "heard"


def test_a_deadline_comes_before_an_answer_that_the_host_brings_late() -> None:
    """The machine knows the time from its inputs: what was due before an input has its turn first."""
    found = program(LISTENING)
    turned = turn(found, None, Started(at=START, workflow="W", instance="W/1", data={"id": "1"}))
    assert isinstance(turned, Turned)
    (sent,) = [command for command in turned.commands if isinstance(command, Send)]
    answer = Answered(at=START + HOUR + 1, call=sent.call, attempt=sent.attempt, kind="value", value=True)
    turned = turn(found, turned.instance, answer)
    assert isinstance(turned, Turned)
    assert turned.instance.value == "late"


def test_a_lock_grant_comes_before_an_event() -> None:
    made = world(
        SHOP
        + """
workflow W(id: Text = "1") -> Text key id {
  state Work {
    parallel as both {
      branch A { lock room() wait 1h { do s.check() with { timeout 2m } optional }  done "a" }
      branch B {
        on Stop { done "stopped" }
        lock room() wait 1h { audit "granted" }
        done "b"
      }
    }
    done both.B
  }
}
""",
        s__check=[Reply("value", True, MINUTE)],
    )
    identity = started(made, id="1")
    at = made.now + MINUTE
    made.later(at, identity, Event(at=at, type="Stop", data={"id": "1"}))
    advance(made, MINUTE)
    assert audits(made) == ["granted"]
    assert instance(made, identity).value == "b"
