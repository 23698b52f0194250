"""Worlds in which a test drives what a scenario cannot."""

from typing import Any

from tests.conformance.documents import program, watched
from wfc.machine.instance import Instance
from wfc.machine.messages import Input, Refused, Send
from wfc.machine.program import Program
from wfc.simulation.world import Reply, World

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


class Answers:
    """Answers by operation, attempt by attempt; the last is repeated, what is not mentioned answers with its sample."""

    def __init__(self, program: Program, **answers: list[Reply]) -> None:
        self.program = program
        self.answers = {name.replace("__", "."): list(replies) for name, replies in answers.items()}

    def chance(self) -> float:
        return 0.5

    def answer(self, call: Send, world: World) -> Reply | None:
        del world
        replies = self.answers.get(call.target)
        if replies:
            return replies.pop(0) if len(replies) > 1 else replies[0]
        operation = self.program.operations.get(call.target)
        return Reply("value", self.program.boundary.sample(operation.result)) if operation is not None else None


def world(text: str, **answers: list[Reply]) -> World:
    """A world whose every turn is looked at."""
    found = program(text)
    made = World(found, Answers(found, **answers))
    watched(made)
    return made


def started(made: World, workflow: str = "W", **data: Any) -> str:
    identity, refused = made.start(workflow, data)
    assert refused is None, refused
    made.settle()
    return identity


def advance(made: World, amount: int) -> None:
    made.run_until(made.now + amount)
    made.settle()


def instance(made: World, identity: str) -> Instance:
    return made.running[identity].instance


def undone(made: World) -> list[str]:
    return [str(record.get("operation")) for record in made.records if record.kind == "undone"]


def audits(made: World) -> list[str]:
    return [str(record.get("text")) for record in made.records if record.kind == "audit"]


def refusal(made: World, identity: str, given: Input) -> str:
    refused = made.deliver(identity, given)
    assert isinstance(refused, Refused), "it is accepted"
    return refused.reason


SHOP = """
error Broken
event Stop(id: Text) key id
resource room() rank 1
resource hall() rank 2

service s {
  activity pay(n: Int = 0) key "{n}" compensate refund(n)
  activity refund(n: Int)
  query    check(n: Int = 0) -> Bool raises Broken
}
"""

LISTENING = (
    SHOP
    + """
workflow W(id: Text = "1") -> Text key id {
  catch Broken -> Caught
  on Stop      -> Heard
  after 1h     -> Late
  state Work   { do s.check() with { timeout 2h try 1 times } done "answered" }
  state Caught { done "caught" }
  state Heard  { done "heard" }
  state Late   { done "late" }
}
"""
)
