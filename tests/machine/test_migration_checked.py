"""What the checks of migrations say is what the machine does: over the golden programs, instance by instance."""

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.golden.document import read_cases
from tests.golden.program import compiled, loaded
from wfc.driver import pipeline
from wfc.driver.records import versions
from wfc.flow.versions import Move, Plan
from wfc.ir.forms import Forms
from wfc.ir.load import load
from wfc.ir.machine import Machine
from wfc.ir.samples import Samples
from wfc.ir.walk import heard
from wfc.machine.instance import Instance
from wfc.machine.messages import Alarm, Answered, Event, Lock, Locked, Send, Started, Time
from wfc.machine.migrate import Stays, migrate
from wfc.machine.program import Program
from wfc.machine.turn import Turned, turn
from wfc.machine.verify import broken_laws
from wfc.problems.problem import Report
from wfc.project.sources import read_sources

HEAD = """
event Go(id: Text) key id
event Stop(id: Text) key id
service s {
  activity hold(id: Text) key id compensate free(id)
  activity free(id: Text) key id
  task look(id: Text) -> Text
}
"""
OLD = """
workflow w(id: Text) -> Text version 1 key id {
  var note: Text = "old"
  on Stop -> Stopped
  state Hold { do s.hold(id) -> Look }
  state Look { do s.look(id) as seen  set note = seen  -> Inner }
  scope Inner -> Both {
    after 3d -> Late
    state One { wait 1d -> Two }
    state Two { await { on Go { done }  after 2d { done } } }
  }
  state Both {
    parallel {
      branch Left  { state L { wait 1d  done } }
      branch Right { do s.look(id) }
    }
    -> Lock
  }
  state Lock { lock desk(id) wait 1d { wait 2d }  done note }
  state Late { undo  wait 1d  done "late" }
  state Stopped { wait 1d  done "stopped" }
}
resource desk(id: Text) capacity 1 rank 10 lease 5d
"""
CHANGES = {  # what changes in the text, and the rules of the migration
    "nothing": ((), ""),
    "a scope is entered from outside": ((("wait 1d -> Two", "wait 2d -> Two"),), "at Inner -> Inner  at Look -> Inner"),
    "out of guards of the workflow": ((("state Look { ", 'state Look { audit "x" '),), "at Look -> Stopped"),
    "into guards of the workflow": ((('wait 1d  done "stopped"', 'wait 2d  done "stopped"'),), "at Stopped -> Look"),
    "guards of the workflow are new": ((("on Stop -> Stopped", "on Stop -> Stopped\n  after 90d -> Stopped"),), ""),
    "guards of the workflow are gone": (
        (("  on Stop -> Stopped\n", ""), ('  state Stopped { wait 1d  done "stopped" }\n', "")),
        "at Look -> Look  otherwise stay",
    ),
    "a scope is gone": (
        (
            ("after 3d -> Late", ""),
            ('  state Late { undo  wait 1d  done "late" }\n', ""),
            ("scope Inner", "scope Other"),
            ("-> Inner", "-> Other"),
        ),
        "at Inner.Two -> Other.One  at Inner.One -> Both",
    ),
    "branches have changed": (
        (("branch Left  { state L { wait 1d", "branch Left  { state L { wait 2d"),),
        "at Both -> Look",
    ),
    "a lock has changed": ((("wait 1d { wait 2d }", "wait 1d { wait 3d }"),), "at Lock -> Lock"),
    "values for what is the same": (
        (('done "late"', 'done "too late"'),),
        'at Look -> Look { set note = "moved {note}" }',
    ),
    "an undo is another": ((("compensate free(id)", 'compensate none "it ends by itself"'),), ""),
}

ROOT = Path(__file__).parents[2]
PAGES = ("unmapped-state", "unmigrated-name", "migration-gap")
WALKS = 12
STEPS = 16
DAY = 86_400_000


def cases() -> Iterator[Any]:
    for page in PAGES:
        for case in read_cases((ROOT / f"tests/golden/checks/{page}.md").read_text(encoding="utf-8")):
            if case.recorded:
                yield pytest.param(case.files, case.recorded, id=f"{page}: {case.title}")
    for title, (changes, rules) in CHANGES.items():
        new = HEAD + OLD.replace("version 1", "version 2") + f"migration w from 1 to 2 {{ {rules} }}"
        for before, after in changes:
            assert before in new
            new = new.replace(before, after)
        yield pytest.param({"main.wf": new}, (HEAD + OLD,), id=title)
    folder = ROOT / "examples" / "loan-approval"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.wf")}
    old = (folder / "workflows/versions/loan-approval.v2.json").read_text(encoding="utf-8")
    yield pytest.param(texts | {"workflows/versions/loan-approval.v2.json": old}, (), id="loan-approval")


def moves(texts: dict[str, str], recorded: tuple[str, ...]) -> list[Move]:
    found = dict(texts)
    for text in recorded:
        found.update((f"workflows/{record.path}", record.text) for record in compiled({"main.wf": text}).records)
    files, settings, report = loaded(found)
    sources = read_sources((), settings, files, report)
    model = pipeline.check(sources, settings, files, pipeline.Options()).model
    past = versions(model, sources, settings, "workflows", files, Report())
    return [Move(way, way.old, version.machine) for version in past for way in version.ways if way.old is not None]


class World:
    """An instance, and what it waits for from outside."""

    def __init__(self, inst: Instance, calls: tuple[Send, ...], locks: tuple[str, ...], alarm: int | None) -> None:
        self.inst = inst
        self.calls = calls
        self.locks = locks
        self.alarm = alarm

    def after(self, found: Turned) -> "World":
        calls = (*self.calls, *(each for each in found.commands if isinstance(each, Send)))
        locks = (*self.locks, *(each.lock for each in found.commands if isinstance(each, Lock)))
        alarms = [each.at for each in found.commands if isinstance(each, Alarm)]
        return World(found.instance, calls, locks, alarms[-1] if alarms else self.alarm)


def begun(program: Program, machine: Machine) -> World:
    samples = Samples(Forms(machine))
    workflow = machine.workflow
    data = {param.name: samples.value(param.type) for param in workflow.params}
    found = turn(program, None, Started(at=0, workflow=workflow.name, instance="it", data=data))
    assert isinstance(found, Turned), found
    return World(found.instance, (), (), None).after(found)


def onward(program: Program, machine: Machine, world: World) -> Iterator[World]:
    """What may happen next: an answer, a failure, a lock, an event, the time."""
    samples = Samples(Forms(machine))
    at = world.inst.now + 1
    inputs: list[tuple[Any, World]] = []
    results = {op.name: op.result for op in machine.operations} | {w.name: w.result for w in machine.workflows}
    raises = {op.name: op.raises for op in machine.operations} | {w.name: w.raises for w in machine.workflows}
    for call in world.calls:
        rest = World(world.inst, tuple(c for c in world.calls if c is not call), world.locks, world.alarm)
        value = samples.value(results[call.target]) if results[call.target] is not None else None
        inputs.append((Answered(at=at, call=call.call, attempt=call.attempt, kind="value", value=value), rest))
        failed = Answered(at=at, call=call.call, attempt=call.attempt, kind="system", value="Unavailable", sent=False)
        inputs.append((failed, rest))
        for name in raises[call.target][:1]:
            error = {"is": name, **{field.name: samples.value(field.type) for field in program.errors[name].fields}}
            inputs.append((Answered(at=at, call=call.call, attempt=call.attempt, kind="error", value=error), rest))
    for lock in world.locks:
        rest = World(world.inst, world.calls, tuple(each for each in world.locks if each != lock), world.alarm)
        inputs.append((Locked(at=at, lock=lock, state="granted"), rest))
    for event in sorted(heard(machine.workflow.region)):
        definition = program.events[event]
        data = {field.name: samples.value(field.type) for field in definition.fields}
        inputs.append((Event(at=at, type=event, data=data), world))
    if world.alarm is not None:
        inputs.append((Time(at=max(world.alarm, at)), world))
    for given, before in inputs:
        found = turn(program, world.inst, given)
        if isinstance(found, Turned):
            yield before.after(found)


def reached(program: Program, machine: Machine, start: World, walks: int) -> list[World]:
    """Where some random runs come by."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    found = [start]
    for _ in range(walks):
        world = start
        for _ in range(STEPS):
            further = list(onward(program, machine, world)) if world.inst.status == "running" else []
            if not further:
                break
            world = chance.choice(further[:1] * 3 + further)
            found.append(world)
    return found


@cache
def programs(move: Move) -> tuple[Program, Program]:
    return Program(move.old.machine), Program(move.new.machine)


def plans_of(move: Move, old: Program, inst: Instance) -> list[Plan]:
    """What the checks say of the places at which an instance rests."""
    stands = {old.labels[f.pc - 1].partition(":")[2].rpartition("#")[0] for f in inst.fibers.values()}
    return [plan for plan in move.plans if plan.rest.place in stands]


@pytest.mark.parametrize(("texts", "recorded"), [*cases()])
def test_the_machine_does_what_the_checks_say(texts: dict[str, str], recorded: tuple[str, ...]) -> None:
    every = moves(texts, recorded)
    assert every
    for move in every:
        old, new = programs(move)
        for world in reached(old, move.old.machine, begun(old, move.old.machine), WALKS):
            found = migrate(old, new, world.inst, move.migration, world.inst.now + DAY)
            if isinstance(found, Stays) and found.kind == "not-at-rest":
                continue
            plans = plans_of(move, old, world.inst)
            assert plans, "an instance rests where the checks say that none can"
            fates = {plan.fate for plan in plans}
            if isinstance(found, Turned):
                assert fates & {"keep", "enter"}
                assert broken_laws(new, found.instance) == []
                whole = not move.parameters and not any(list(move.needs(plan)) for plan in plans)
                if whole:  # it goes on, without a value missing
                    after = World(found.instance, (), (), found.instance.alarm)
                    assert reached(new, move.new.machine, after, 2)
            else:
                said = {
                    "unmapped-state": fates & {"nowhere", "watched", "branch", "into branch"},
                    "stay": fates & {"stay"},
                    "refuse": fates & {"stay"},
                    "migration-gap": any(list(move.gaps(plan)) for plan in plans),
                    "unmigrated-name": move.parameters or any(list(move.unread(plan)) for plan in plans),
                }
                assert said[found.kind], (found.kind, found.text, fates)


def test_a_loaded_machine_is_the_one_that_was_written() -> None:
    for record in compiled({"main.wf": "workflow w(id: Text) key id { wait 1d  done }"}).records:
        assert load(record.text).workflow.name == "w"
