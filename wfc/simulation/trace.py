"""A run as a file: every input in order. Fed to the machine again, it leads to the same run.

    format      1
    process     the name of the process
    machine     the digest of the machine: another version of the program is told apart
    start       the instant of the start, in milliseconds
    now         the instant at which the run was left
    journal     a list of {"instance", "input"}: what each instance was given, as it was given
    records     the audit records that came of it

A journal holds what was given and answered, personal data as well.
"""

import json
from collections.abc import Sequence
from typing import Any, Protocol

import attrs

from wfc.machine.instance import Instance
from wfc.machine.messages import Input, Record, Refused, Send, Sent, Started
from wfc.machine.program import Program
from wfc.machine.store import StoredWrongError, read_input, write_input, write_message
from wfc.machine.turn import turn
from wfc.simulation.witness import Run, Witness
from wfc.simulation.world import START, Attempt

FORMAT = 1


class TraceError(ValueError):
    """A file that is no trace of this program; the text says why."""


class ReplayError(ValueError):
    """A trace that does not lead where it says."""


@attrs.frozen
class Trace:
    """A trace as it was read."""

    process: str
    machine: str
    start: int
    now: int
    journal: tuple[tuple[str, Input], ...]
    records: tuple[Any, ...]


class Recorded(Protocol):
    """A run that can be written down."""

    @property
    def now(self) -> int:
        """The instant at which it was left."""

    @property
    def journal(self) -> Sequence[tuple[str, Input]]:
        """What each instance was given."""

    @property
    def records(self) -> Sequence[Record]:
        """What came of it."""


def write_trace(program: Program, world: Recorded) -> str:
    """The trace of a run, as text."""
    data = {
        "format": FORMAT,
        "process": program.machine.process,
        "machine": program.digest,
        "start": START,
        "now": world.now,
        "journal": [{"instance": identity, "input": write_input(given)} for identity, given in world.journal],
        "records": [write_message(record) for record in world.records],
    }
    return json.dumps(data, indent=1) + "\n"


def read_trace(text: str) -> Trace:
    """The trace that `write_trace` wrote; raises TraceError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"this is no JSON ({error})") from None
    if not isinstance(data, dict) or "journal" not in data:
        raise TraceError("this is no trace: it has no journal")
    if data.get("format") != FORMAT:
        raise TraceError(f"this is no trace in format {FORMAT}, which is the one this version of wfc reads")
    for name, kind in (
        ("process", str),
        ("machine", str),
        ("start", int),
        ("now", int),
        ("journal", list),
        ("records", list),
    ):
        if not isinstance(data.get(name), kind):
            raise TraceError(f"it is damaged: `{name}` is missing or of the wrong form")
    return Trace(
        process=data["process"],
        machine=data["machine"],
        start=data["start"],
        now=data["now"],
        journal=tuple(_entry(place, entry) for place, entry in enumerate(data["journal"], 1)),
        records=tuple(data["records"]),
    )


def _entry(place: int, entry: Any) -> tuple[str, Input]:  # noqa: ANN401 - data
    if not isinstance(entry, dict) or not isinstance(entry.get("instance"), str):
        raise TraceError(f"it is damaged: entry {place} of the journal names no instance")
    try:
        return entry["instance"], read_input(entry.get("input"))
    except (StoredWrongError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TraceError(f"it is damaged: entry {place} of the journal: {error}") from None


def replay(program: Program, trace: Trace) -> Run:
    """The run of a trace, from its inputs alone; raises ReplayError where the machine refuses one or does otherwise."""
    return _Replay(program, trace).run()


class _Replay:
    def __init__(self, program: Program, trace: Trace) -> None:
        self.program = program
        self.trace = trace
        self.instances: dict[str, Instance] = {}
        self.records: list[Record] = []
        self.attempts: list[Attempt] = []
        self.witness = Witness(program)

    def run(self) -> Run:
        journal: list[tuple[str, Input]] = []
        for place, (identity, given) in enumerate(self.trace.journal, 1):
            journal.append((identity, given))
            self._turn(place, identity, given)
            self.witness.look(self.instances[identity], journal, self.records)
        made = tuple(json.loads(json.dumps(write_message(record))) for record in self.records)
        if made != self.trace.records:
            place = next(
                (i for i, pair in enumerate(zip(made, self.trace.records, strict=False), 1) if pair[0] != pair[1]), 0
            )
            told = (
                f"record {place} is another"
                if place
                else f"it gives {len(made)} records, not {len(self.trace.records)}"
            )
            raise ReplayError(f"the inputs lead to another run than the trace tells: {told}")
        return Run(
            program=self.program,
            records=tuple(self.records),
            attempts=tuple(self.attempts),
            instances=self.instances,
            rests=tuple(self.witness.rests),
            remarks=tuple(self.witness.remarks),
            now=self.trace.now,
            start=self.trace.start,
        )

    def _turn(self, place: int, identity: str, given: Input) -> None:
        before = self.instances.get(identity)
        if isinstance(given, Started) and before is not None and before.status != "running":
            before = None  # a child that is tried again
        try:
            found = turn(self.program, before, given)
        except Exception as error:  # noqa: BLE001 - values of a damaged trace may be anything
            raise ReplayError(f"input {place} cannot be what it was: {type(error).__name__}") from None
        if isinstance(found, Refused):
            raise ReplayError(f"input {place} is refused: {found.text}")
        self.instances[identity] = found.instance
        self.records.extend(found.records)
        if isinstance(given, Sent):
            self.attempts = [attrs.evolve(a, at=given.at) if _is_sent(a, identity, given) else a for a in self.attempts]
        self.attempts += [Attempt(given.at, identity, each) for each in found.commands if isinstance(each, Send)]


def _is_sent(attempt: Attempt, identity: str, given: Sent) -> bool:
    return (attempt.instance, attempt.send.call, attempt.send.attempt) == (identity, given.call, given.attempt)
