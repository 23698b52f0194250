"""Services that answer as a scenario says, for a first run without any activities.

What a scenario does from outside, its events and its operators, is done as well, once the process waits. Delays are
waited for in the time of the process.
"""

from typing import Any

from wfc.engine.services import Attempt
from wfc.engine.wire import Outcome
from wfc.ir import scenario as s
from wfc.machine.program import Program
from wfc.machine.store import pack
from wfc.simulation.scenarios import Script, constant
from wfc.simulation.world import Reply


class SimulatedService:
    """Answers for all services. Answers of a scenario are for one instance at a time, and its children."""

    def __init__(self, program: Program, scenario: s.Scenario | None) -> None:
        self.program = program
        self.script = Script(program)
        self._given: dict[tuple[str, int], Outcome] = {}
        for item in scenario.items if scenario is not None else ():
            if isinstance(item, s.Send | s.Advance | s.Operate | s.Expect):
                break
            if isinstance(item, s.GivenAnswers):
                self.script.give(item)

    def give(self, item: s.GivenAnswers) -> None:
        """From now on an operation answers like this."""
        self.script.give(item)

    async def perform(self, attempt: Attempt) -> Outcome:
        """The answer; the same if the attempt is sent again."""
        place = f"{attempt.instance}/{attempt.call}", attempt.attempt
        if place not in self._given:
            reply = self.script.reply_to(attempt.target)
            self._given[place] = self._outcome(reply) if reply is not None else {"kind": "runs"}
        return self._given[place]

    def _outcome(self, reply: Reply) -> Outcome:
        if reply.kind == "hangs":
            return {"hangs": True}
        return {"kind": reply.kind, "value": pack(reply.value), "sent": reply.sent, "delay": reply.delay}


def input_of_scenario(program: Program, scenario: s.Scenario | None, workflow: str) -> dict[str, Any]:
    """The parameters that a scenario gives, and samples for the others."""
    params = program.workflows[workflow].params
    found = program.boundary.sample_fields(tuple(param for param in params if param.default is None))
    for item in scenario.items if scenario is not None else ():
        if isinstance(item, s.GivenInput):
            found[item.name] = constant(program, item.value)
    return found
