"""What a scenario cannot bring about: other instances, lost locks, reports, answers of the wrong form."""

import pytest

from tests.conformance.documents import replayed
from tests.conformance.worlds import (
    HOUR,
    LISTENING,
    MINUTE,
    SECOND,
    SHOP,
    advance,
    instance,
    started,
    undone,
    world,
)
from wfc.machine.messages import Beat, Locked, Operator
from wfc.machine.status import places
from wfc.simulation.world import START, Reply

# ----------------------------------------------------------------------------------------------- locks

LOCKED = (
    SHOP
    + """
workflow W(id: Text = "1", swapped: Bool = false) -> Text key id {
  state Work {
    catch LockLost    { done "lost" }
    catch LockTimeout { done "in vain" }
    choose {
      when swapped { lock hall(), room() wait 1h { do s.pay()  wait 10m } }
      otherwise    { lock room(), hall() wait 1h { do s.pay()  wait 10m } }
    }
    done "through"
  }
}
"""
)


def test_instances_get_a_lock_in_the_order_in_which_they_have_asked() -> None:
    made = world(LOCKED)
    names = [started(made, id=str(number), swapped=number % 2 == 1) for number in range(3)]
    ends = []
    for minutes in (10, 20, 30):
        made.run_until(START + minutes * MINUTE)
        ends.append([instance(made, name).status for name in names])
    assert ends == [["done", "running", "running"], ["done", "done", "running"], ["done", "done", "done"]]
    assert [instance(made, name).value for name in names] == ["through"] * 3


def test_a_lock_asks_for_its_resources_in_the_order_of_rank_then_key() -> None:
    made = world(LOCKED)
    started(made, id="1", swapped=True)
    (lock,) = made.locks.held().values()
    assert [resource.name for resource in lock.resources] == ["room", "hall"]


def test_a_lost_lock_interrupts_its_block_and_the_work_is_undone_without_it() -> None:
    made = world(LOCKED, s__refund=[Reply("value", None, 5 * SECOND)])
    first = started(made, id="1")
    second = started(made, id="2")
    advance(made, MINUTE)
    ((holder, lock),) = made.locks.held()
    assert holder == first
    made.locks.release(first, lock)  # its lease is over: the next one gets it
    made.deliver(first, Locked(at=made.now, lock=lock, state="lost"))
    advance(made, SECOND)
    assert "lock lost" in [record.kind for record in made.records]
    assert [holder for holder, _ in made.locks.held()] == [second]
    assert instance(made, first).status == "running"
    advance(made, 5 * SECOND)
    assert instance(made, first).value == "lost"
    assert undone(made) == ["s.pay"]
    advance(made, HOUR)
    assert instance(made, second).value == "through"


def test_a_lock_that_is_cancelled_is_released() -> None:
    made = world(LOCKED)
    first, second = started(made, id="1"), started(made, id="2")
    advance(made, MINUTE)
    made.deliver(first, Operator(at=made.now, action="cancel"))
    advance(made, MINUTE)
    assert [holder for holder, _ in made.locks.held()] == [second]
    assert undone(made) == ["s.pay"]


# -------------------------------------------------------------------------------- reports of attempts, and a breaker that all share

BEATING = """
service s { query ask() -> Int }
workflow W() -> Int {
  state Ask {
    do s.ask() as x
       with { timeout 1h try 1 times heartbeat 20s }
       catch Timeout { done -1 }
    done x
  }
}
"""


def test_an_attempt_that_reports_goes_on_until_its_timeout() -> None:
    made = world(BEATING, s__ask=[Reply("value", 3, 50 * SECOND)])
    identity = started(made)
    for _ in range(3):
        advance(made, 15 * SECOND)
        made.deliver(identity, Beat(at=made.now, call=made.attempts[0].send.call, attempt=1))
    advance(made, 15 * SECOND)
    assert instance(made, identity).value == 3


def test_an_attempt_that_falls_silent_fails() -> None:
    made = world(BEATING, s__ask=[Reply("value", 3, 50 * SECOND)])
    identity = started(made)
    advance(made, 15 * SECOND)
    made.deliver(identity, Beat(at=made.now, call=made.attempts[0].send.call, attempt=1))
    advance(made, 19 * SECOND)
    assert instance(made, identity).status == "running"
    advance(made, SECOND)
    assert instance(made, identity).value == -1


def test_a_breaker_is_shared_by_instances() -> None:
    made = world(
        """
policy Guarded { timeout 5s try 1 times breaker opens after 2 failures within 1m probes after 1m }
service s with Guarded { query ask() -> Int }
workflow W(id: Int) -> Int key id {
  state Ask { do s.ask() as x catch Unavailable { done -1 }  done x }
}
""",
        s__ask=[Reply("system", "Unavailable"), Reply("system", "Unavailable"), Reply("value", 7)],
    )
    names = [started(made, id=number) for number in range(3)]
    assert [instance(made, name).value for name in names] == [-1, -1, -1]
    assert len(made.attempts) == 2
    advance(made, MINUTE)
    assert instance(made, started(made, id=3)).value == 7


# -------------------------------------------------------------------------------------------- children

PARENT = (
    SHOP
    + """
workflow Child() -> Int {
  state Work { do s.pay()  wait 1h  done 1 }
}
workflow W() -> Text {
  state Begin {
    do Child() as x catch Unavailable as problem { done problem.message }
    done "fine"
  }
}
"""
)


def test_a_parent_whose_child_an_operator_cancels_sees_unavailable() -> None:
    made = world(PARENT)
    identity = started(made)
    (child,) = [name for name in made.running if name != identity]
    assert child.startswith(f"{identity}/Child/")
    advance(made, MINUTE)
    assert made.deliver(child, Operator(at=made.now, action="cancel")) is None
    advance(made, MINUTE)
    assert undone(made) == ["s.pay"]
    assert instance(made, child).error["is"] == "OperatorCancel"
    assert instance(made, identity).value == "the service could not be reached"


def test_a_completed_child_has_its_log_until_its_root_ends() -> None:
    made = world(PARENT.replace('done "fine"', 'wait 1h  done "fine"'))
    identity = started(made)
    (child,) = [name for name in made.running if name != identity]
    advance(made, HOUR)
    assert instance(made, child).status == "done"
    made.deliver(identity, Operator(at=made.now, action="cancel"))
    advance(made, MINUTE)
    assert undone(made) == ["s.pay"]


# ---------------------------------------------------------------------------------------- dead letters

FAILING = """
error Broken
service s {
  activity pay() key "a" compensate refund()
  activity refund() with { timeout 5s try 1 times }
  activity pick() key "b" compensate restock()
  activity restock() with { timeout 5s try 1 times }
  query    check() -> Bool raises Broken
}
workflow W() -> Bool {
  catch Broken -> Sorry
  state Begin {
    do s.pay()
    do s.pick()
    do s.check()
    done true
  }
  state Sorry { wait 1h  done false }
}
"""


def test_the_flag_is_set_by_a_failed_undo_and_cleared_when_the_last_letter_is_done() -> None:
    silent = [Reply("hangs"), Reply("value", None)]
    broken = [Reply("error", {"is": "Broken"})]
    made = world(FAILING, s__check=broken, s__refund=list(silent), s__restock=list(silent))
    identity = started(made)
    advance(made, MINUTE)
    assert instance(made, identity).incomplete
    assert instance(made, identity).status == "running"
    letters = [letter for _, letter in made.letters]
    assert [letter.operation for letter in letters] == ["s.restock", "s.refund"]
    assert [letter.attempts for letter in letters] == [1, 1]
    made.deliver(identity, Operator(at=made.now, action="retry", key=letters[1].key))
    advance(made, MINUTE)
    assert instance(made, identity).incomplete
    made.deliver(identity, Operator(at=made.now, action="retry", key=letters[0].key))
    advance(made, MINUTE)
    assert not instance(made, identity).incomplete
    assert undone(made) == ["s.pay", "s.pick"]
    sent = [attempt.send.key for attempt in made.attempts if attempt.send.target == "s.refund"]
    assert len(sent) == 2
    assert len(set(sent)) == 1, "a redrive has the same key"


def test_a_redrive_that_fails_again_writes_a_letter_again() -> None:
    made = world(FAILING, s__check=[Reply("error", {"is": "Broken"})], s__refund=[Reply("hangs")])
    identity = started(made)
    advance(made, MINUTE)
    made.deliver(identity, Operator(at=made.now, action="retry", key=made.letters[0][1].key))
    advance(made, MINUTE)
    assert instance(made, identity).incomplete
    assert len(made.letters) == 2
    assert undone(made) == ["s.pick"]


# ------------------------------------------------------------------------------------- form of answers


POSITIVE = """
type Positive = Int where value > 0
record Amount { n: Int where n > 0 }
service s {
  activity pay() -> RESULT key "k" compensate refund()
  activity refund()
}
workflow W() -> Bool {
  catch Invalid -> Sorry
  state Pay   { do s.pay()  done true }
  state Sorry { done false }
}
"""


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("Int", "text"),
        ("Int", None),
        ("Int", {"is": "odd"}),
        ("Amount", {"n": 0}),
        ("List<Amount>", [{"n": 1}, {"n": 0}]),
        ("Positive", 0),
    ],
)
def test_an_answer_that_does_not_fit_its_type_is_invalid_and_in_doubt(result: str, answer: object) -> None:
    made = world(POSITIVE.replace("RESULT", result), s__pay=[Reply("value", answer)])
    identity = started(made)
    assert instance(made, identity).value is False
    assert undone(made) == ["s.pay"]
    assert len(made.attempts) == 2, "it is not tried again"


def test_a_business_error_that_is_not_declared_is_invalid() -> None:
    text = "workflow W() -> Bool { state A { do s.pay() catch any as p { done p is Invalid } done true } }"
    made = world(SHOP + text, s__pay=[Reply("error", {"is": "Broken"})])
    assert instance(made, started(made)).value is True
    assert undone(made) == ["s.pay"]


# ---------------------------------------------------------------------------------- where, what, again


def test_a_node_that_is_left_for_a_scope_is_left() -> None:
    made = world(
        """
workflow W() -> Bool {
  state First { wait 1m -> Inner }
  scope Inner -> Last { state One { wait 1m  done } }
  state Last  { wait 1m  done true }
}
"""
    )
    identity = started(made)
    found = [set(places(made.program, instance(made, identity)))]
    for _ in range(2):
        advance(made, MINUTE)
        found.append(set(places(made.program, instance(made, identity))))
    assert found == [{"First"}, {"Inner", "Inner.One"}, {"Last"}]
    left = [(record.at - START, record.path) for record in made.records if record.kind == "left"]
    assert (MINUTE, "First") in left


def test_an_attempt_that_is_tried_again_for_a_named_business_error_has_failed() -> None:
    text = """
workflow W() -> Bool raises Broken {
  state Ask { do s.check() as x with { try 2 times backoff 1s only Broken }  done x }
}
"""
    made = world(
        SHOP + text,
        s__check=[Reply("error", {"is": "Broken"}), Reply("value", True)],
    )
    started(made)
    advance(made, MINUTE)
    assert [record.kind for record in made.records].count("attempt failed") == 1


def test_the_journal_of_many_instances_replays() -> None:
    made = world(LOCKED)
    for number in range(3):
        started(made, id=str(number))
    advance(made, HOUR)
    assert replayed(made.program, made) == made.records


def test_what_is_left_in_the_inbox_is_in_the_record_of_completion() -> None:
    made = world(
        LISTENING.replace("on Stop      -> Heard", "on Stop when false -> Heard"),
        s__check=[Reply("value", True, SECOND)],
    )
    identity = started(made, id="1")
    made.send("Stop", {"id": "1"})
    advance(made, MINUTE)
    assert instance(made, identity).value == "answered"
    (record,) = [record for record in made.records if record.kind == "completed"]
    assert record.get("unconsumed") == ("Stop",)


# ----------------------------------------------------------------------------------------------- tasks


def test_who_may_do_a_task_is_what_the_call_says_or_else_the_task() -> None:
    made = world(
        """
service desk { task review(owner: Text) -> Bool assign [role("clerk"), person(owner)] }
workflow W() -> Bool {
  state Ask   { do desk.review("ann") as first -> Again }
  state Again { do desk.review("ann") as second assign role("manager")  done second }
}
"""
    )
    started(made)
    manager = {"is": "role", "name": "manager"}
    both = ({"is": "role", "name": "clerk"}, {"is": "person", "name": "ann"})
    assert [attempt.send.assign for attempt in made.attempts] == [both, manager]
