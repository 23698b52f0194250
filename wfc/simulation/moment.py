"""One input of a run, what came of it, and the signs that may be seen in it."""

import attrs

from wfc.ir.machine import Step
from wfc.machine.messages import Command, Input, Record, Send
from wfc.simulation.claim import GHOST, Sign


@attrs.frozen
class Moment:
    """One input and what came of it; a chain, newest first.

    `step`: what the token that took it stood at; `key`: of the call that was answered. `outside`: it did not come from
    a parent or child. `stopping`: the call had been asked to stop. `passed`: the places in the code that it led over.
    """

    instance: str
    given: Input
    step: Step | None
    key: str
    outside: bool
    records: tuple[Record, ...]
    commands: tuple[Command, ...]
    before: "Moment | None"
    stopping: bool = False
    passed: frozenset[int] = frozenset()

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
            case "there" | "halted" | "same key":
                return sign.kind == "there"  # the others are seen in the stage
            case "missing undo":
                return any(isinstance(command, Send) and command.target == GHOST for command in self.commands)
            case "undone" | "undo failed" as kind:
                return any(r.kind == kind and sign.path in ("", r.get("operation")) for r in self.records)
            case "entered":
                return any(r.kind == "entered" and r.path == sign.path for r in self.records)
            case "raised" as kind:
                return any(r.kind == kind and sign.path in ("", r.get("error")) for r in self.records)
            case "fired":
                return any(r.kind == "guard fired" and r.get("guard") == sign.path for r in self.records)
            case "promise":
                return any(r.kind == "sla breached" for r in self.records)
            case "completed" | "failed" as kind:
                return any(r.kind == kind and r.instance == root for r in self.records)
