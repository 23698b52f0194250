"""Scripts played twice: by the simulator, and in simulated time around generated code. Both must tell the same story.

Here nothing is recorded beforehand: the world around the TypeScript has a clock, services, breakers, limits and locks of
its own (`host/world.mjs`), and must come to the same records at the same instants.
"""

import json
from random import Random
from typing import Any

from tests.backends.typescript.replays import Folder, data, node, plain, record
from wfc.backends import typescript
from wfc.machine.program import Program
from wfc.simulation.chance import Chance
from wfc.simulation.play import Played, play
from wfc.simulation.script import Act, Script, event_fields
from wfc.simulation.world import Reply
from wfc.text.value import Value, value

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
DELAYS = (0, 0, 0, 200, 5 * SECOND, 20 * SECOND, 3 * MINUTE, 2 * HOUR, 3 * DAY)
FAILURES = ("Timeout", "Unavailable", "Unavailable", "Invalid")


@value(kw_only=True)
class Told(Value):
    """A script, and what the simulator makes of it."""

    name: str
    case: dict[str, Any]
    wanted: dict[str, Any]


def drawn(program: Program, random: Random) -> Script:
    """A script by lot: answers, failures, silence, delays, events and operators."""
    chance = Chance(program, random)
    script = Script(data=chance.fields(program.machine.workflow.params))
    for name, operation in program.operations.items():
        for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
            times = random.choice((1, 1, 2, 5))
            script.replies.setdefault(name, []).extend(
                [_reply(program, chance, random, operation.raises, name)] * times
            )
        if random.random() < 0.3:
            script.counted.add(name)
        if random.random() < 0.3:
            script.delays[name] = random.choice(DELAYS)
    for event in sorted(program.heard[program.machine.workflow.name]):
        for _ in range(random.choice((0, 1, 1, 3))):
            given = chance.fields(program.events[event].fields)
            script.acts.append(Act(random.choice(DELAYS), "event", event, given))
    if random.random() < 0.3:
        script.acts.append(Act(random.choice(DELAYS), "cancel"))
    for name in program.operations:
        if random.random() < 0.2:
            script.acts.append(Act(random.choice(DELAYS), "retry", name))
    script.acts.sort(key=lambda act: act.at)
    return script


def _reply(program: Program, chance: Chance, random: Random, raises: tuple[str, ...], name: str) -> Reply:
    delay = random.choice(DELAYS)
    kind = random.choice(("value", "value", "value", "error", "system", "hangs"))
    if kind == "hangs":
        return Reply("hangs")
    if kind == "system":
        return Reply("system", random.choice(FAILURES), delay)
    if kind == "error" and raises:
        error = random.choice(raises)
        return Reply("error", {"is": error, **chance.fields(program.errors[error].fields)}, delay)
    return Reply("value", chance.value(program.operations[name].result), delay)


def told(name: str, folder: str, program: Program, script: Script, until: int) -> Told | None:
    """Plays a script; nothing if it goes on without end."""
    acts = list(script.acts)
    workflow = program.machine.workflow
    found = play(program, workflow.name, script, until=until)
    if found.ending == "endless":
        return None
    samples = {name: program.boundary.sample(operation.result) for name, operation in program.operations.items()}
    replies = {target: [_told(reply) for reply in given] for target, given in script.replies.items()}
    case = {
        "runtime": f"{typescript.SHARED}/wfc-runtime.js",
        "module": f"{folder}/{program.machine.process}.workflow.js",
        "workflow": workflow.name,
        "data": data(program.boundary.sample_fields(workflow.params) | script.data),
        "until": until,
        "samples": data(samples),
        "replies": replies,
        "delays": script.delays,
        "counted": sorted(script.counted),
        "acts": [_act(program, found, act) for act in acts],
    }
    return Told(name=name, case=case, wanted=_wanted(found))


def _told(reply: Reply) -> dict[str, Any]:
    return {"kind": reply.kind, "value": data(reply.value), "delay": reply.delay, "sent": reply.sent}


def _act(program: Program, found: Played, act: Act) -> dict[str, Any]:
    given = act.value
    if act.kind == "event" and found.instance in found.world.running:
        key = found.world.running[found.instance].key
        given = event_fields(program, program.events[act.name], act.value, key)
    return {"at": act.at, "kind": act.kind, "name": act.name, "value": data(given)}


def _wanted(found: Played) -> dict[str, Any]:
    world = found.world
    ends = {}
    for identity, running in world.running.items():
        inst = running.instance
        ends[identity] = [inst.status, data(inst.error if inst.status == "failed" else inst.value)]
    return {
        "records": [record(each) for each in world.records],
        "letters": [plain({"instance": of, **_letter(letter)}) for of, letter in world.letters],
        "emitted": [plain({"type": each.type, "data": data(each.data)}) for each in world.emitted],
        "measured": [plain([each.metric, data(each.value)]) for each in world.measured],
        "ends": plain(ends),
    }


def _letter(letter: Any) -> dict[str, Any]:
    found = {"queue": letter.queue, "key": letter.key, "path": letter.path, "operation": letter.operation}
    return {**found, "args": data(letter.args), "errors": data(letter.errors), "attempts": letter.attempts}


def differences(folder: Folder, runs: list[Told]) -> list[str]:
    """Where the world around generated code differs from the simulator."""
    given = json.dumps([run.case for run in runs])
    found = []
    for run, got in zip(runs, json.loads(node("scripts.mjs", str(folder.root), given=given)), strict=True):
        if "defect" in got:
            found.append(f"{run.name}: {got['defect']}")
            continue
        for kind, wanted in run.wanted.items():
            have = plain(got[kind])
            if have != wanted:
                found.append(f"{run.name}: {kind}\n{_first(wanted, have)}")
                break
    return found


def _first(wanted: Any, have: Any) -> str:
    if isinstance(wanted, list):
        for number, (one, other) in enumerate(zip([*wanted, None], [*have, None], strict=False)):
            if one != other:
                return f"  {number}: machine    {json.dumps(one)}\n  {number}: typescript {json.dumps(other)}"
    return f"  machine    {json.dumps(wanted)}\n  typescript {json.dumps(have)}"
