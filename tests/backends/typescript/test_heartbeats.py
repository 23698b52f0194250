"""Attempts that report that they are alive: generated code hears them, and misses them, as the machine does."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.backends.typescript.conftest import machine_of
from tests.backends.typescript.replays import Folder, difference, replays
from wfc.machine import messages as m
from wfc.machine.program import Program
from wfc.machine.turn import Turned, apply

pytestmark = pytest.mark.js

RUNS = 60
TURNS = 40  # more than any run takes
PROGRAM = """
policy Reports { timeout 20s heartbeat 2s try 3 times backoff 1s }
policy Whole { timeout 9s overall 15s heartbeat 2s try 3 times backoff 1s }
service s {
  activity one(name: Text) -> Text with Reports key name compensate none "a test"
  activity two(name: Text) -> Text with Whole key name compensate none "a test"
}
workflow W(id: Text) -> Text key id {
  state A {
    do s.one(id) as x
       catch any -> B
    do s.two(x) as y
       catch any -> B
    done y
  }
  state B { do s.two(id) as z done z }
}
"""


def history(program: Program, lots: Random) -> list[tuple[str, m.Input]]:
    """A run by lot: attempts are sent, report in time or late, answer or not."""
    given: m.Input = m.Started(at=0, workflow="W", instance="W/1", data={"id": "1"})
    journal: list[tuple[str, m.Input]] = []
    instance, alarm, send = None, None, m.Send(call="", attempt=0, kind="", target="", key="", args=())
    for _ in range(TURNS):
        found = apply(program, instance, given)
        if isinstance(found, Turned):
            journal.append(("W/1", given))
            instance = found.instance
            for command in found.commands:
                if isinstance(command, m.Alarm):
                    alarm = command.at
                elif isinstance(command, m.Send):
                    send = command
                elif isinstance(command, m.Ended):
                    return journal
        now = given.at + lots.choice((0, 400, 1_000, 1_999))
        if alarm is not None and now >= alarm:
            given = m.Time(at=alarm)
            continue
        given = lots.choices(
            (
                m.Beat(at=now, call=send.call, attempt=send.attempt),
                m.Sent(at=now, call=send.call, attempt=send.attempt),
                m.Answered(at=now, call=send.call, attempt=send.attempt, kind="value", value="ok"),
                m.Time(at=alarm if alarm is not None else now),
            ),
            (6, 1, 1, 2),
        )[0]
    return journal


def test_heartbeats_are_heard_and_missed(tmp_path: Path) -> None:
    program = Program(machine_of(PROGRAM))
    folder = Folder(tmp_path)
    name = folder.add(program.machine)
    journals = [history(program, Random(number)) for number in range(RUNS)]  # noqa: S311 - lots, no secrets
    runs = [run for i, journal in enumerate(journals) for run in replays(f"run {i}", name, program, journal)]
    folder.transpile()
    wrong = [each for run, got in zip(runs, folder.run(runs), strict=True) if (each := difference(run, got))]
    assert not wrong, "\n\n".join(wrong[:3])
    given = Counter(type(each).__name__ for journal in journals for _, each in journal)
    assert given["Beat"] > RUNS, given
    failed = [record for run in runs for turn in run.turns for record in turn["records"]]
    assert sum(record["kind"] == "attempt failed" for record in failed) > RUNS
