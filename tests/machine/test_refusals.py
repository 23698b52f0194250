"""What does not fit is refused with a named reason, and changes nothing."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.machine.running import program, run, sent
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Beat, Event, Input, Locked, Operator, Refused, Sent, Started, Time, Undone
from wfc.machine.store import StoredWrongError, read_input, restore, store, write_input
from wfc.machine.turn import Turned, turn

TEXT = """
module m
type Many = Int where value > 0
error Declined(reason: Text)
event Cancel(id: Text, count: Many) key id
queue desk
policy Stubborn { timeout 10s try 1 times exhausted then park in desk }
service s {
  activity pay(id: Text) -> Int raises Declined key id compensate back(id) with Stubborn
  activity back(id: Text)
  activity ship(id: Text) key id irreversible "gone" with Stubborn
}
workflow W(id: Text, many: Many) -> Int key id raises Declined {
  on Cancel as wish when wish.count > 1 -> Ended
  state Pay { do s.pay(id) as paid -> Ship }
  state Ship { do s.ship(id) pivot  done paid * many }
  state Ended { done 0 }
}
"""

PROGRAM = program(TEXT)
BEGIN = Started(at=1000, workflow="W", instance="W/a", data={"id": "a", "many": 2})
PAYING = run(PROGRAM, [BEGIN])
CALL = sent(PAYING)[0].call
PARKED = run(PROGRAM, [Time(at=11_000)], PAYING.instance)
KEY = "W/a/s.pay/a"
SHIPPING = run(PROGRAM, [Answered(at=2000, call=CALL, kind="value", value=5)], PAYING.instance)

TASK = """
type Many = Int where value > 0
error Declined(reason: Text)
service desk { task count(id: Text) -> Many raises Declined assign role("clerk") }
workflow W(id: Text) -> Int key id raises Declined { state Ask { do desk.count(id) as many  done many } }
"""
DESK = program(TASK)
ASKED = run(DESK, [Started(at=1000, workflow="W", instance="W/a", data={"id": "a"})])
ASKING = sent(ASKED)[0].call

REFUSED: list[tuple[str, Instance | None, Input, str]] = [
    ("a workflow that is not there", None, Started(at=0, workflow="X", instance="X/1", data={}), "unknown-workflow"),
    ("a missing parameter", None, Started(at=0, workflow="W", instance="W/1", data={"id": "a"}), "wrong-input"),
    ("a parameter of the wrong type", None, Started(at=0, workflow="W", instance="W/1", data={"id": 1, "many": 1}), "wrong-input"),
    ("a parameter that does not fit", None, Started(at=0, workflow="W", instance="W/1", data={"id": "a", "many": 0}), "wrong-input"),
    ("a parameter too many", None, Started(at=0, workflow="W", instance="W/1", data={"id": "a", "many": 1, "x": 1}), "wrong-input"),
    ("parameters that are none", None, Started(at=0, workflow="W", instance="W/1", data=[]), "wrong-input"),
    ("an input for no instance", None, Time(at=0), "not-running"),
    ("a second start", PAYING.instance, BEGIN, "already-running"),
    ("an event nobody listens to", PAYING.instance, Event(at=1000, type="Other", data={}), "unknown-event"),
    ("an event of the wrong form", PAYING.instance, Event(at=1000, type="Cancel", data={"id": "a", "count": "many"}), "wrong-event"),
    ("an event that does not fit", PAYING.instance, Event(at=1000, type="Cancel", data={"id": "a", "count": 0}), "wrong-event"),
    ("an answer for no call", PAYING.instance, Answered(at=1000, call="c999", kind="value", value=1), "unknown-call"),
    ("an answer for a later attempt", PAYING.instance, Answered(at=1000, call=CALL, attempt=2, kind="value", value=1), "unknown-call"),
    ("an answer for a parked call", PARKED.instance, Answered(at=11_000, call=CALL, kind="value", value=1), "unknown-call"),
    ("an answer for the second time", SHIPPING.instance, Answered(at=2000, call=CALL, kind="value", value=1), "unknown-call"),
    ("a beat of no call", PAYING.instance, Beat(at=1000, call="c999"), "unknown-call"),
    ("a word that no call was sent", PAYING.instance, Sent(at=1000, call="c999"), "unknown-call"),
    ("a lock nobody wants", PAYING.instance, Locked(at=1000, lock="l1", state="granted"), "unknown-lock"),
    ("a lock nobody holds", PAYING.instance, Locked(at=1000, lock="l1", state="lost"), "unknown-lock"),
    ("an input from the past", PAYING.instance, Time(at=999), "goes-back-in-time"),
    ("an operator on nothing", PAYING.instance, Operator(at=1000, action="retry", key=KEY), "unknown-step"),
    ("a value that does not fit", PARKED.instance, Operator(at=11_000, action="supply", key=KEY, value="x"), "wrong-value"),
    ("an error the call does not raise", PARKED.instance, Operator(at=11_000, action="raise", key=KEY, value={"is": "Other"}), "wrong-value"),
    ("an error without its fields", PARKED.instance, Operator(at=11_000, action="raise", key=KEY, value={"is": "Declined"}), "wrong-value"),
    ("a cancel at the point of no return", SHIPPING.instance, Operator(at=2000, action="cancel"), "point-of-no-return"),
    ("the undo of what still runs", PAYING.instance, Undone(at=1000), "not-running"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("instance", "given_input", "reason"), [each[1:] for each in REFUSED], ids=[e[0] for e in REFUSED]
)
def test_it_is_refused_and_nothing_has_changed(instance: Instance | None, given_input: Input, reason: str) -> None:
    before = store(PROGRAM, instance) if instance is not None else None
    found = turn(PROGRAM, instance, given_input)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert found.text
    if instance is not None:
        assert store(PROGRAM, instance) == before


def test_an_ended_instance_takes_nothing_more() -> None:
    shipped = run(PROGRAM, [Answered(at=3000, call=sent(SHIPPING)[0].call, kind="value")], SHIPPING.instance)
    assert shipped.instance.value == 10
    for given_input in (
        Event(at=3000, type="Cancel", data={"id": "a", "count": 2}),
        Operator(at=3000, action="cancel"),
    ):
        found = turn(PROGRAM, shipped.instance, given_input)
        assert isinstance(found, Refused)
        assert found.reason == "not-running"


def test_a_wrong_answer_is_the_error_invalid_and_leaves_the_call_in_doubt() -> None:
    found = run(PROGRAM, [Answered(at=2000, call=CALL, kind="value", value="five")], PAYING.instance)
    kinds = [record.kind for record in found.records]
    assert kinds == ["attempt failed", "in doubt", "raised", "parked"]
    assert found.records[0].get("error") == "Invalid"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("value", 0),
        ("value", "five"),
        ("value", None),
        ("error", {"is": "Odd"}),
        ("error", {"is": "Timeout"}),
        ("error", {"is": "Declined"}),
        ("error", None),
    ],
)
def test_a_wrong_answer_of_a_person_is_refused_and_the_task_still_waits(kind: Any, value: Any) -> None:
    found = turn(DESK, ASKED.instance, Answered(at=2000, call=ASKING, kind=kind, value=value))
    assert isinstance(found, Refused)
    assert found.reason == "wrong-value"
    then = run(DESK, [Answered(at=3000, call=ASKING, kind="value", value=5)], ASKED.instance)
    assert then.instance.value == 5


def test_an_undeclared_error_is_invalid_too() -> None:
    found = run(PROGRAM, [Answered(at=2000, call=CALL, kind="error", value={"is": "Odd"})], PAYING.instance)
    assert found.records[0].get("error") == "Invalid"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(anything, st.sampled_from(["value", "error", "system", "cancelled"]))
def test_any_answer_is_taken_without_a_crash(value: Any, kind: Any) -> None:
    for each in (value, {"is": value}, {"is": "Declined", "reason": value}):
        found = turn(PROGRAM, PAYING.instance, Answered(at=2000, call=CALL, kind=kind, value=each))
        assert isinstance(found, Turned)


@given(anything)
def test_any_event_and_any_parameters_are_taken_or_refused(data: Any) -> None:
    turn(PROGRAM, PAYING.instance, Event(at=2000, type="Cancel", data=data))
    turn(PROGRAM, None, Started(at=0, workflow="W", instance="W/1", data=data))
    turn(PROGRAM, PARKED.instance, Operator(at=11_000, action="supply", key=KEY, value=data))
    turn(PROGRAM, PARKED.instance, Operator(at=11_000, action="raise", key=KEY, value=data))


@given(anything)
def test_any_data_is_read_as_an_instance_or_refused(data: Any) -> None:
    with pytest.raises(StoredWrongError):
        restore(PROGRAM, data)
    with pytest.raises(StoredWrongError):
        read_input(data)


@given(st.data())
def test_a_damaged_instance_is_refused_or_read(data: st.DataObject) -> None:
    """One place of a stored instance is replaced by something else."""
    stored = json.loads(json.dumps(store(PROGRAM, PAYING.instance)))
    place: Any = stored
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(anything)
            break
        place = place[key]
    with suppress(StoredWrongError):
        restore(PROGRAM, stored)


def test_an_instance_of_another_version_is_refused() -> None:
    other = program(TEXT.replace("10s", "11s"))
    with pytest.raises(StoredWrongError, match="another version"):
        restore(other, store(PROGRAM, PAYING.instance))


@pytest.mark.parametrize("each", [each[2] for each in REFUSED])
def test_an_input_is_data_and_back(each: Input) -> None:
    again = read_input(json.loads(json.dumps(write_input(each))))
    assert type(again) is type(each)
    assert write_input(again) == write_input(each)


def test_deadlines_that_lead_to_each_other_at_once_do_not_hang() -> None:
    made = program("""
module m
workflow W(limit: Duration) {
  state A { after limit -> B  wait 1h  done }
  state B { after limit -> A  wait 1h  done }
}
""")
    refused = turn(made, None, Started(at=0, workflow="W", instance="W/1", data={"limit": 0}))
    assert isinstance(refused, Refused)
    assert refused.reason == "endless"
