"""One input of a run, what came of it, and the signs that may be seen in it."""

import attrs

from wfc.ir.machine import Step
from wfc.machine.messages import Command, Input, Record, Send
from wfc.simulation.claim import GHOST, Sign


@attrs.frozen
class Moment:
    """One input and what came of it; a chain, newest first.

    `step`: what the token that took it stood at; `key`: of the call that was answered. `outside`: it did not come from
    a parent or child.
    """

    instance: str
    given: Input
    step: Step | None
    key: str
    outside: bool
    records: tuple[Record, ...]
    commands: tuple[Command, ...]
    before: "Moment | None"

    def chain(self) -> "list[Moment]":
        """All moments up to this one, oldest first."""
        found: list[Moment] = []
        moment: Moment | None = self
        while moment is not None:
            found.append(moment)
            moment = moment.before
        return found[::-1]

    def shows(self, sign: Sign, root: str) -> bool:
        """Whether a sign is seen now; `root` is the instance whose end counts."""
        match sign.kind:
            case "there":
                return True
            case "missing undo":
                return any(isinstance(command, Send) and command.target == GHOST for command in self.commands)
            case "entered":
                return any(r.kind == "entered" and r.path == sign.path for r in self.records)
            case "raised":
                return any(r.kind == "raised" for r in self.records)
            case "completed" | "failed" as kind:
                return any(r.kind == kind and r.instance == root for r in self.records)
