"""What the engine owes beside single runs: locks, limits, breakers, undone children, dead letters, versions, long histories.

All on one real server, with a worker in this process; services are functions of the test.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from temporalio.client import Client

from tests.engine.machines import compiled
from wfc.engine import control, wire
from wfc.engine.gates import Gates
from wfc.engine.server import Server
from wfc.engine.services import Attempt
from wfc.engine.wire import Outcome
from wfc.engine.worker import Partners, worker_of
from wfc.ir.encode import encode
from wfc.machine.program import Program

pytestmark = pytest.mark.slow

DONE: Outcome = {"kind": "value", "value": None}
DOWN: Outcome = {"kind": "system", "value": "Unavailable", "sent": True}
TEXT = """\
module duties

error Broken

resource shelf(name: Text) capacity 1 rank 10
queue desk

policy Once      { timeout 20s try 1 times }
policy Narrow    { timeout 20s try 1 times concurrency 1 }
policy Fused     { timeout 20s try 1 times breaker opens after 2 failures within 1m probes after 1m exhausted then fail }
policy Parking   { timeout 20s try 1 times exhausted then park in desk }
policy Undoing   { timeout 20s try 1 times exhausted then dead letter desk }

service slow   { activity work(name: Text) with Once key name compensate none "test" }
service narrow { activity work(name: Text) with Narrow key name compensate none "test" }
service fused  { query look(name: Text) with Fused }
service parts {
  activity hold(name: Text) with Once key name compensate free(name)
  activity free(name: Text) with Undoing
  query    fail(name: Text) raises Broken with Once
  activity wait(name: Text) -> Text with Parking key name compensate none "test"
}
event Go(name: Text) key name

workflow Locked(name: Text) key name raises LockTimeout, LockLost {
  state Only { lock shelf("one") wait 30s { do slow.work(name) } done }
}

workflow Impatient(name: Text) -> Text key name {
  catch LockTimeout -> Busy
  state Only { lock shelf("one") wait 0s { do slow.work(name) } done "free" }
  state Busy { done "busy" }
}

workflow Narrowed(name: Text) key name { state Only { do narrow.work(name) done } }

workflow Fuse(name: Text) key name { state Only { do fused.look(name) optional done } }

workflow Part(name: Text) -> Text key name { state Only { do parts.hold(name) done "held" } }

workflow Whole(name: Text) -> Text key name {
  catch any as problem -> Over
  state First  { do Part(name) as part -> Second }
  state Second { do parts.fail(name) done "never" }
  state Over   { done "undone" }
}

workflow Park(name: Text) -> Text key name { state Only { do parts.wait(name) as told done told } }

workflow Long(name: Text) -> Int key name {
  var count: Int = 0
  state Work {
    await { on Go { set count = count + 1 -> Look } }
  }
  gateway Look { choose { when count < 30 -> Work otherwise { done count } } }
}
"""


@attrs.define
class House:
    """The server, its client, and the programs."""

    client: Client
    programs: dict[str, Program]
    answer: Callable[[Attempt], Awaitable[Outcome]]

    async def perform(self, attempt: Attempt) -> Outcome:
        return await self.answer(attempt)

    async def start(self, workflow: str, name: str) -> str:
        return (await control.start(self.client, self.programs[workflow], {"name": name}, control.Terms()))[0]

    async def result(self, identity: str) -> Any:
        return await asyncio.wait_for(self.client.get_workflow_handle(identity).result(), 60)

    async def status(self, identity: str) -> Any:
        return await control.query(self.client.get_workflow_handle(identity), wire.STATUS)

    async def until(self, identity: str, holds: Callable[[Any], bool]) -> Any:
        status: Any = None
        for _ in range(300):
            status = await self.status(identity)
            if holds(status):
                return status
            await asyncio.sleep(0.1)
        raise AssertionError(status)


@asynccontextmanager
async def house(folder: Path, text: str = TEXT, *, worker: bool = True) -> AsyncIterator[House]:
    server = Server(str(folder), memory=True, settings={"limit.historyCount.suggestContinueAsNew": "60"})
    there = await server.start()
    try:
        client = await Client.connect(there.address)
        found = House(client, {name: program for name, (program, _) in compiled(text).items()}, nothing)
        if not worker:
            yield found
            return
        async with worker_of(client, wire.QUEUE, Partners({}, found), cached=0):  # so that each step is replayed
            yield found
    finally:
        server.stop()


async def nothing(attempt: Attempt) -> Outcome:
    _ = attempt
    return DONE


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


class Busy:
    """A service that counts how many are in it at once."""

    def __init__(self) -> None:
        self.now = self.most = self.count = 0

    async def answer(self, attempt: Attempt) -> Outcome:
        _ = attempt
        self.count += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.5)
        self.now -= 1
        return DONE


def test_what_instances_share(tmp_path: Path) -> None:
    async def work() -> None:
        async with house(tmp_path) as there:
            for workflow in ("Locked", "Narrowed"):
                busy = Busy()
                there.answer = busy.answer
                names = [await there.start(workflow, f"{workflow}{number}") for number in range(4)]
                await asyncio.gather(*map(there.result, names))
                assert (busy.count, busy.most) == (4, 1), workflow
            busy = Busy()
            there.answer = busy.answer
            first = await there.start("Locked", "holder")
            await there.until(first, lambda status: "slow.work" in str(status["waits"]))
            begun = asyncio.get_running_loop().time()
            assert await there.result(await there.start("Impatient", "second")) == "busy"
            assert asyncio.get_running_loop().time() - begun < 4
            await there.result(first)
            assert await there.result(await there.start("Impatient", "third")) == "free"

    run(work)


def test_an_open_breaker_keeps_everyone_off(tmp_path: Path) -> None:
    async def work() -> None:
        asked: list[str] = []

        async def down(attempt: Attempt) -> Outcome:
            asked.append(attempt.instance)
            return DOWN

        async with house(tmp_path) as there:
            there.answer = down
            for number in range(5):
                await there.result(await there.start("Fuse", str(number)))
                await asyncio.sleep(1.2)  # until the worker looks again
            assert len(asked) == 2, asked
            handle = there.client.get_workflow_handle("Fuse/4")
            told = [each for each in await control.all_of(handle, wire.RECORDS) if each["kind"] == "attempt failed"]
            assert [each["detail"]["detail"] for each in told] == ["the breaker is open"]

    run(work)


def test_a_completed_child_is_undone_and_its_dead_letter_outlives_everyone(tmp_path: Path) -> None:
    async def work() -> None:
        freed: list[str] = []
        broken = True

        async def answer(attempt: Attempt) -> Outcome:
            if attempt.target == "parts.fail":
                return {"kind": "error", "value": {"is": "Broken"}}
            if attempt.target == "parts.free":
                if broken:
                    return DOWN
                freed.append(attempt.key)
            return DONE

        async with house(tmp_path) as there:
            there.answer = answer
            assert await there.result(await there.start("Whole", "w")) == "undone"
            found: list[str] = []
            for _ in range(50):  # until the one that keeps the letter is listed, beside the one that has left it behind
                found = [each.id async for each in control.instances(there.client, waits="letter", running=True)]
                if found and all(each.endswith(wire.LETTERS) for each in found):
                    break
                await asyncio.sleep(0.1)
            ((instance, kind, step),) = [each async for each in control.stranded(there.client, None)]
            assert (kind, step["queue"]) == ("dead letter", "desk")
            broken = False
            await control.tell(
                there.client.get_workflow_handle(found[0]),
                wire.OPERATE,
                {"action": "retry", "key": step["key"]},
            )
            await there.result(found[0])
            assert len(freed) == 1, instance

    run(work)


def test_a_parked_step_takes_an_answer_that_fits(tmp_path: Path) -> None:
    async def down(attempt: Attempt) -> Outcome:
        _ = attempt
        return DOWN

    async def work() -> None:
        async with house(tmp_path) as there:
            there.answer = down
            identity = await there.start("Park", "p")
            await there.until(identity, lambda status: bool(status["parked"]))
            key = await control.stranded_key(there.client, identity, "parts.wait")
            with pytest.raises(control.ControlError, match="a text is expected"):
                await control.operate(there.client, identity, "supply", key, 7)
            await control.operate(there.client, identity, "supply", key, "by hand")
            assert await there.result(identity) == "by hand"
            with pytest.raises(control.ControlError, match="has ended"):
                await control.operate(there.client, identity, "cancel")

    run(work)


def test_a_long_history_is_left_behind(tmp_path: Path) -> None:
    async def work() -> None:
        async with house(tmp_path) as there:
            identity = await there.start("Long", "l")
            for _ in range(30):
                await control.send(there.client, identity, "Go", {})
            assert await there.result(identity) == 30
            handle = there.client.get_workflow_handle(identity)
            runs = [each.run_id async for each in there.client.list_workflows(f"WorkflowId = '{identity}'")]
            assert len(runs) > 1
            trail = await control.trail(there.client, handle)
            assert sum(1 for record in trail if record["kind"] == "event consumed") == 30

    run(work)


HOSTILE: list[Any] = [None, 7, "x", [], {}, {"id": []}, {"id": "a", "type": 7}, {"id": "b", "data": {"#": "x"}}]
HOSTILE += [{"id": "c", "action": "explode"}, {"id": "d", "key": {}, "kind": "value", "value": {"#": []}}]
HOSTILE += [{"id": "e", "machine": "x", "way": {}}, {"lock": [], "resource": {}, "free": 1}, {"owner": 1, "lock": {}}]


def test_what_nobody_can_read_stops_nobody(tmp_path: Path) -> None:
    async def work() -> None:
        signals = [wire.EVENT, wire.OPERATE, wire.ANSWER_TASK, wire.MIGRATE, wire.CHILD, wire.STOP, wire.GRANTED]
        async with house(tmp_path) as there:
            identity = await there.start("Long", "h")
            handle = there.client.get_workflow_handle(identity)
            gates = Gates(there.client, wire.QUEUE)
            await there.start("Locked", "l")  # so that there are keepers
            await there.start("Narrowed", "n")
            for given in HOSTILE:
                for name in signals:
                    await handle.signal(name, given)
                for keeper in ("wfc-resource/shelf/one", "wfc-service/narrow"):
                    for name in (wire.ASK, wire.PERMIT, wire.RELEASE):
                        await gates.tell(keeper, name, given)
            for count in range(30):
                await control.send(there.client, identity, "Go", {})
                if count == 0:
                    taken = await control.query(handle, wire.TAKEN, "c")
                    assert taken is not None
                    assert taken["reason"] == "malformed"
            assert await there.result(identity) == 30
            assert await there.result(await there.start("Locked", "l2")) is None
            assert await there.result(await there.start("Narrowed", "n2")) is None

    run(work)


OLD = """\
module moves

event Go(name: Text) key name

workflow Move(name: Text) -> Text version 1 key name {
  state Rest { await { on Go { done "old" } } }
}
"""
NEW = OLD.replace("version 1", "version 2").replace("Rest", "Waiting").replace('"old"', '"new"')
NEW += "\nmigration Move from 1 to 2 { at Rest -> Waiting }\n"


def test_an_instance_moves_to_a_new_version_even_if_the_worker_dies_meanwhile(tmp_path: Path) -> None:
    async def work() -> None:
        async with house(tmp_path, OLD, worker=False) as there:
            old = there.programs["Move"]
            async with worker_of(there.client, wire.QUEUE, Partners({}, there)):
                identity = await there.start("Move", "m")
                await there.until(identity, lambda status: bool(status["waits"]))
            new, ways = compiled(NEW)["Move"]
            assert new.digest != old.digest
            handle = there.client.get_workflow_handle(identity)
            # Nobody is there to take it: it is taken by whoever comes.
            moving = asyncio.create_task(
                control.tell(handle, wire.MIGRATE, {"machine": new.digest, "way": encode(ways[0])})
            )
            await asyncio.sleep(0.5)
            async with worker_of(there.client, wire.QUEUE, Partners({}, there)):
                await asyncio.wait_for(moving, 30)
                status = await there.status(identity)
                assert (status["version"], status["places"]) == (2, ["Waiting"])
                found = [each async for each in control.migrate_all(there.client, new, ways, [])]
                assert found == []  # there is nothing left to move
                await control.send(there.client, "m", "Go", {})
                assert await there.result(identity) == "new"

    run(work)
