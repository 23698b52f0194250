"""An instance on Temporal as the run of a simulation: its inputs, fed to the machine once more, tell everything."""

from typing import Any

import attrs
from temporalio.client import Client

from wfc.engine import wire
from wfc.engine.control import ControlError, query
from wfc.machine.attempts import number_of
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Event, Input, Operator, Record, Refused, Send, Sent, Started
from wfc.machine.program import Program
from wfc.machine.store import read_input
from wfc.machine.turn import apply
from wfc.simulation.lines import Line
from wfc.simulation.timeline import timeline
from wfc.simulation.witness import Run, Witness
from wfc.simulation.world import Attempt


class Mirror:
    """The run so far of an instance and its children."""

    def __init__(self, program: Program, root: str) -> None:
        self.program = program
        self.witness = Witness(program)
        self.instances: dict[str, Instance] = {}
        self.records: list[Record] = []
        self.attempts: list[Attempt] = []
        self.due: dict[tuple[str, str, int], int] = {}  # when attempts are to be sent again: that is told at once
        self.journal: list[tuple[str, Input]] = []
        self.known: dict[str, int] = {root: 0}  # inputs that have been fetched, by instance
        self.lost = False  # it went on in another version, which this mirror does not have

    async def fetch(self, client: Client) -> bool:
        """Takes in what is new; whether there was something."""
        fresh: list[tuple[str, Input]] = []
        for identity in list(self.known):
            handle = client.get_workflow_handle(identity)
            try:
                found: list[Any] = await query(handle, wire.JOURNAL, self.known[identity])
            except ControlError as error:
                if error.reason != "unknown-instance":
                    raise
                continue
            self.known[identity] += len(found)
            fresh += [(identity, read_input(given)) for given in found]
        fresh.sort(key=lambda item: item[1].at)
        for identity, given in fresh:
            self._feed(identity, given)
        return bool(fresh)

    def _feed(self, identity: str, given: Input) -> None:
        before = self.instances.get(identity)
        if isinstance(given, Started) and before is not None and before.status != "running":
            before = None  # a child that is tried again
        found = apply(self.program, before, given)
        if isinstance(found, Refused):
            self.lost = True
            return
        self.instances[identity] = found.instance
        self.journal.append((identity, given))
        self.records.extend(found.records)
        if isinstance(given, Sent):
            place = identity, given.call, given.attempt
            self.attempts = [
                attrs.evolve(each, at=given.at) if (each.instance, each.send.call, each.send.attempt) == place else each
                for each in self.attempts
            ]
        for command in found.commands:
            if isinstance(command, Send):
                self.attempts.append(Attempt(given.at, identity, command))
                if command.kind in ("workflow", "start"):
                    self.known.setdefault(command.key, 0)
        for fiber in found.instance.fibers.values():
            call = fiber.call
            if call is not None and call.state == "pause":
                again = identity, call.id, number_of(call) + 1
                self.due[again] = next(timer.at for timer in fiber.due if timer.what == "pause")
        self.witness.look(found.instance, self.journal, self.records)

    @property
    def was_told(self) -> bool:
        """Whether what came last came from outside: whoever told it asks now whether it was taken."""
        given = self.journal[-1][1] if self.journal else None
        if isinstance(given, Answered):
            return any(each.send.kind == "task" and each.send.call == given.call for each in self.attempts)
        return isinstance(given, Event | Operator)

    def lines(self) -> tuple[Line, ...]:
        """The timeline so far."""
        if not self.journal:
            return ()
        start = self.journal[0][1].at
        return timeline(
            Run(
                program=self.program,
                records=tuple(self.records),
                attempts=tuple(self.attempts),
                instances=self.instances,
                rests=tuple(self.witness.rests),
                remarks=tuple(self.witness.remarks),
                now=max(instance.now for instance in self.instances.values()),
                start=start,
                due=self.due,
            )
        )
