"""What is still going on when something ends: blocks beside, undos, redrives, cancels, locks."""

from collections.abc import Callable
from typing import Any

from tests.machine.running import program
from wfc.machine.messages import Locked, Operator, Send
from wfc.machine.program import Program
from wfc.machine.verify import broken_laws
from wfc.simulation.world import Reply, Running, World

HEAD = """
module m
event Go(id: Text) key id
event Stop(id: Text) key id
resource room() rank 10
queue desk
policy Once { timeout 10s try 1 times exhausted then dead letter desk }
policy Patient { timeout 10s try 1 times exhausted then park in desk }
service s {
  activity pay(id: Text) key id compensate back(id) with Once
  activity back(id: Text) with Once
  activity book(id: Text) -> Int key id compensate unbook(result) with Once
  activity unbook(n: Int) with Once
  activity bye(id: Text) key id irreversible "gone" with Patient
}
"""

Answer = Callable[[Send], Reply]


class Model:
    def __init__(self, made: Program, answers: dict[str, Answer]) -> None:
        self.made = made
        self.answers = answers

    def chance(self) -> float:
        return 0.5

    def answer(self, call: Send, world: World) -> Reply:
        del world
        if call.target in self.answers:
            return self.answers[call.target](call)
        result = self.made.operations[call.target].result
        return Reply("value", 7 if result is not None else None)


def begun(text: str, **answers: Answer) -> tuple[World, Running]:
    made = program(HEAD + text)
    world = World(made, Model(made, {name.replace("__", "."): each for name, each in answers.items()}))
    world.watch = lambda running, _: _lawful(made, running)
    identity, refused = world.start("W", {"id": "a"})
    assert refused is None
    world.settle()
    return world, world.running[identity]


def _lawful(made: Program, running: Running) -> None:
    assert broken_laws(made, running.instance) == []


def undone(world: World) -> list[Any]:
    return [record.get("operation") for record in world.records if record.kind == "undone"]


def after(seconds: int) -> Answer:
    return lambda _: Reply("value", None, seconds * 1000)


def test_a_block_that_has_begun_at_the_end_reaches_its_first_waiting_step() -> None:
    world, running = begun('workflow W(id: Text) -> Text key id { after 0s also { audit "b" } state A { done "x" } }')
    assert running.instance.value == "x"
    assert [record.get("text") for record in world.records if record.kind == "audit"] == ["b"]


def test_a_lock_of_a_block_beside_is_given_back_when_what_it_stands_beside_ends() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          state A {
            on Go also { for each z in [1] { catch any { done } lock room() wait 1m { do s.pay(id) optional  wait 9h } } }
            wait 1h
            -> B
          }
          state B { lock room() wait 1m { audit "mine" } done "x" }
        }
        """
    )
    assert world.send("Go", {"id": "a"}) is None
    world.run_until(world.now + 2 * 3_600_000)
    assert running.instance.value == "x"
    assert not world.locks.held()


def test_branches_may_stand_in_a_block_beside() -> None:
    world, _ = begun(
        """
        workflow W(id: Text) -> Text key id {
          on Go also { parallel { branch P { do s.pay(id) optional } branch Q { do s.book(id) optional } } }
          state A { wait 1h done "x" }
        }
        """
    )
    world.send("Go", {"id": "a"})
    world.settle()
    assert {attempt.send.target for attempt in world.attempts} == {"s.pay", "s.book"}


def test_an_undo_in_a_block_beside_is_not_dropped_at_the_end() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          on Go also { do s.pay(id) catch any { audit "no" } }
          state A { wait 11s done "x" }
        }
        """,
        s__pay=lambda _: Reply("hangs"),
        s__back=after(5),
    )
    world.send("Go", {"id": "a"})
    world.run_until(world.now + 60_000)
    assert running.instance.value == "x"
    assert undone(world) == ["s.pay"]


def test_a_redrive_goes_on_when_its_instance_ends() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          scope S -> End {
            on Stop -> Rest
            state P { do s.pay(id) wait 9h done }
          }
          state Rest { wait 5s -> End }
          state End { done "x" }
        }
        """,
        s__back=lambda call: (
            Reply("system", "Unavailable") if call.attempt == 1 and not world_knows() else after(9)(call)
        ),
    )
    world.send("Stop", {"id": "a"})
    world.settle()
    (key,) = running.instance.letters
    retried.append(True)
    assert world.deliver("W/a", Operator(at=world.now, action="retry", key=key)) is None
    world.run_until(world.now + 6_000)
    assert running.instance.status == "done"
    world.run_until(world.now + 60_000)
    retried.clear()
    assert undone(world) == ["s.pay"]
    assert not running.instance.letters
    assert not running.instance.incomplete


retried: list[bool] = []


def world_knows() -> bool:
    return bool(retried)


def test_an_operator_supplies_the_answer_that_an_undo_needs() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          catch any -> End
          state P { do s.book(id) done "x" }
          state End { done "end" }
        }
        """,
        s__book=lambda _: Reply("hangs"),
    )
    world.finish()
    (letter,) = (each for each in running.instance.letters.values() if each.entry is not None)
    world.deliver("W/a", Operator(at=world.now, action="supply", key=letter.key, value=42))
    world.finish()
    assert [a.send.args for a in world.attempts if a.send.target == "s.unbook"] == [(42,)]
    assert undone(world) == ["s.book"]


def test_a_cancel_is_not_lost_while_losers_are_undone() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          state A {
            parallel join first { branch P { do s.pay(id) wait 1h } branch Q { wait 1s } }
            done "x"
          }
        }
        """,
        s__back=after(5),
    )
    world.run_until(world.now + 2000)
    world.deliver("W/a", Operator(at=world.now, action="cancel"))
    world.finish()
    assert running.instance.error == {"is": "OperatorCancel"}
    assert undone(world) == ["s.pay"]


def test_a_lock_that_gets_lost_does_not_undo_behind_the_point_of_no_return() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          state A {
            do s.pay(id)
            lock room() wait 1m { do s.bye(id) pivot }
            done "x"
          }
        }
        """,
        s__bye=after(5),
    )
    world.run_until(world.now + 1000)
    (lock,) = (frame.lock for frame in running.instance.frames.values() if frame.lock)
    world.deliver("W/a", Locked(at=world.now, lock=lock, state="lost"))
    world.finish()
    assert any(record.kind == "pivot" for record in world.records)
    assert "s.pay" not in undone(world)


def test_a_cancel_goes_before_the_tail_of_the_workflow_s_own_guard() -> None:
    world, running = begun(
        """
        workflow W(id: Text) -> Text key id {
          catch any { done "tail" }
          state A { do s.pay(id)  do s.book(id)  done "x" }
        }
        """,
        s__book=lambda _: Reply("system", "Invalid"),
        s__back=after(5),
    )
    world.run_until(world.now + 2000)
    world.deliver("W/a", Operator(at=world.now, action="cancel"))
    world.finish()
    assert running.instance.error == {"is": "OperatorCancel"}
