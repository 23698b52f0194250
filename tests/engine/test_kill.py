"""kill -9, at every step at once: many orders, each held at another step, when the worker, the server or both die.

Each order then ends as it does when nothing dies, and every effect has happened once for its key. The outside service is
real, and honours keys. What was in flight is sent again with its key when the worker counts as lost.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Replayer

from tests.engine.machines import compiled, machine_of
from tests.engine.outside import Outside
from wfc.engine import control, wire
from wfc.engine.catalogue import learn
from wfc.engine.process import Process
from wfc.engine.runner import Runner
from wfc.engine.server import Server
from wfc.ir.encode import encode

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ORDERS = ROOT / "examples" / "order-fulfillment" / "order-fulfillment.wf"
PATIENCE = 180.0
WORD = "order_fulfillment"

# The steps of an order that is delivered, then of one that comes back.
FORTH = ["orders.validate", "payments.charge", "inventory.check", "inventory.reserve", "customer.notify"]
FORTH += ["inventory.deduct", "warehouse.weigh", "carrier.book"]
BACK = ["carrier.recall", "inventory.release", "payments.refund"]


def _answers() -> dict[str, Any]:
    def charge(args: list[Any], times: int) -> tuple[int, Any]:
        if args[0].startswith("falters") and times == 1:
            return 503, None
        return 200, {"id": f"p-{args[0]}", "risk": 5}

    return {
        "payments.charge": charge,
        "inventory.check": lambda *_: (200, {"is": "Available"}),
        "warehouse.weigh": lambda *_: (200, "0.2"),
    }


def _cases() -> dict[str, tuple[str, str]]:
    """The orders: at which operation each is held, and on which side of its effect."""
    found = {}
    for step in [*FORTH, *BACK]:
        for side in ("before", "after"):
            word = "back" if step in BACK else "forth"
            found[f"{word}-{step.replace('.', '-')}-{side}"] = step, side
    return found


LIKE = {"forth": "calm-forth", "plain": "calm-forth", "back": "back-calm", "falters": "falters-calm"}
FALTERING = ["falters-1", "falters-2", "falters-3"]


def _like(order: str) -> str:
    """The order that goes the same way when nothing dies."""
    return LIKE[order.partition("-")[0]]


class Case:
    """A server, a worker and the outside, of which some are killed."""

    def __init__(self, folder: Path, outside: Outside) -> None:
        self.folder = folder
        self.outside = outside
        self.source = ORDERS  # what the worker serves
        self.server: Server | None = None
        self.address = ""
        self.worker: subprocess.Popen[bytes] | None = None

    async def start_server(self) -> None:
        port = int(self.address.rpartition(":")[2]) if self.address else None
        self.server = Server(str(self.folder / ".wfc"), port)
        self.address = (await self.server.start()).address

    def start_worker(self) -> None:
        command = [sys.executable, "-m", "wfc.cli.main", "worker", str(self.source), "--address", self.address]
        command += ["--activities", "tests.engine.outside:partners", "--folder", str(self.folder / ".wfc")]
        environment = {**os.environ, "OUTSIDE": self.outside.url, "PYTHONPATH": str(ROOT)}
        log = (self.folder / "worker.log").open("ab")
        self.worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        log.close()

    def kill(self, *, worker: bool, server: bool) -> None:
        if worker and self.worker is not None:
            self.worker.send_signal(signal.SIGKILL)
        if server and self.server is not None and self.server.process is not None:
            self.server.process.send_signal(signal.SIGKILL)
        if worker and self.worker is not None:
            self.worker.wait()
        if server and self.server is not None and self.server.process is not None:
            self.server.process.wait()

    def stop(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.worker.kill()
            self.worker.wait()
        if self.server is not None:
            self.server.stop()


@contextmanager
def _case(folder: Path) -> Iterator[Case]:
    outside = Outside(_answers())
    case = Case(folder, outside)
    try:
        yield case
    finally:
        case.stop()
        outside.close()


def _input(order: str) -> dict[str, Any]:
    lines = [{"sku": "pen", "quantity": 2, "price": "3.00"}]
    return {"order": {"id": order, "email": "ann@example.com", "lines": lines, "method": "Express"}}


async def _push(client: Client, orders: list[str]) -> dict[str, str]:
    """Does what people do, until all orders have ended; how each has ended."""
    ends: dict[str, str] = {}
    limit = time.monotonic() + PATIENCE
    while len(ends) < len(orders):
        assert time.monotonic() < limit, f"still running: {sorted(set(orders) - set(ends))}"
        left = [order for order in orders if order not in ends]
        found = await asyncio.gather(*(_nudge(client, order) for order in left))
        ends |= {order: end for order, end in zip(left, found, strict=True) if end}
        await asyncio.sleep(0.1)
    return ends


async def _nudge(client: Client, order: str) -> str:
    handle = client.get_workflow_handle(f"{WORD}/{order}")
    try:
        status = await control.query(handle, wire.STATUS)
        if status["status"] != "running":
            return f"{status['status']} {status['value'] or status['error']}"
        for task in status["tasks"]:
            await control.tell(handle, wire.ANSWER_TASK, {"key": task["key"], "kind": "value", "value": None})
        if "fulfilment.shipped" in status["places"]:
            event = "DeliveryFailed" if order.startswith("back") else "DeliveryConfirmed"
            fields = {"reason": "lost"} if order.startswith("back") else {"proof": "signed"}
            await control.tell(handle, wire.EVENT, {"type": event, "data": fields})
    except control.ControlError as error:
        if error.reason not in ("worker", "server", "unknown-call", "not-running"):
            raise
    return ""


async def _undisturbed(folder: Path, orders: list[str]) -> tuple[dict[str, str], dict[str, int]]:
    """How the orders end, and what they do, when nothing dies."""
    with _case(folder) as case:
        await case.start_server()
        case.start_worker()
        client = await Client.connect(case.address)
        await _start(client, orders)
        return await _push(client, orders), dict(case.outside.effects)


async def _start(client: Client, orders: list[str]) -> None:
    program = learn(machine_of(ORDERS))
    for order in orders:
        data = control.input_of(program, WORD, _input(order))
        await control.start(client, program, data, control.Terms())


async def _replay(client: Client, orders: list[str]) -> None:
    """Whoever goes on with an order must read its history as the one that wrote it meant it."""
    replayer = Replayer(workflows=[Process], unsandboxed_workflow_runner=Runner())
    for order in orders:
        history = await client.get_workflow_handle(f"{WORD}/{order}").fetch_history()
        await replayer.replay_workflow(history)


async def _killed(folder: Path, *, worker: bool, server: bool) -> None:
    cases = _cases()
    orders = [*cases, *FALTERING, "plain"]
    ends, calm = await _undisturbed(folder / "calm", sorted(set(LIKE.values())))
    wanted = {order: ends[_like(order)] for order in orders}
    effects = {
        key.replace(f"/{_like(order)}/", f"/{order}/")
        .replace(f"/{_like(order)}", f"/{order}")
        .replace(f"rder {_like(order)}", f"rder {order}"): times
        for order in orders
        for key, times in calm.items()
        if key.startswith(f"{WORD}/{_like(order)}/")
    }
    with _case(folder / "killed") as case:
        for order, (step, side) in cases.items():
            case.outside.holds[f"{WORD}/{order}", step] = side  # type: ignore[assignment]
        for order in FALTERING:  # their first attempt fails just before, so that they wait for the next
            case.outside.holds[f"{WORD}/{order}", "payments.charge"] = "falters"
        await case.start_server()
        case.start_worker()
        client = await Client.connect(case.address)
        await _start(client, orders)
        end = time.monotonic() + PATIENCE
        while len(case.outside.held) < len(cases) + len(FALTERING):
            assert time.monotonic() < end, sorted(set(case.outside.holds))
            await asyncio.gather(*(_nudge(client, order) for order in orders))
            await asyncio.sleep(0.1)
        case.outside.falter.set()
        await asyncio.sleep(0.2)
        case.kill(worker=worker, server=server)
        case.outside.free.set()
        await asyncio.sleep(0.5)
        if server:
            await case.start_server()
        if worker:
            case.start_worker()
        found = await _push(await Client.connect(case.address), orders)
        done = dict(case.outside.effects)
        await _replay(await Client.connect(case.address), orders)
    for order, (step, side) in cases.items():
        print(f"{step:<20} {side:<7} {found[order]}")  # noqa: T201 - the table; `pytest -s` shows it
    assert found == wanted
    assert done == effects
    assert set(done.values()) == {1}


@pytest.mark.parametrize("dies", ["both", *(pytest.param(one, marks=pytest.mark.long) for one in ("worker", "server"))])
def test_every_step_survives(tmp_path: Path, dies: str) -> None:
    for part in ("calm", "killed"):
        (tmp_path / part).mkdir()
    asyncio.run(_killed(tmp_path, worker=dies != "server", server=dies != "worker"))


OLD = """\
module moves

service parts { activity hold(name: Text) key name compensate none "a test" }
event Go(name: Text) key name

workflow Move(name: Text) -> Text version 1 key name {
  state Rest { await { on Go { done "old" } } }
}
"""
NEW = (
    OLD.replace("version 1", "version 2")
    .replace("Rest", "Held")
    .replace('done "old"', 'do parts.hold(name) done "new"')
)
NEW += "\nmigration Move from 1 to 2 { at Rest -> Held }\n"
MOVING = [f"m{number}" for number in range(30)]


async def _moved(folder: Path, *, server: bool) -> None:
    with _case(folder) as case:
        case.source = folder / "moves.wf"
        case.source.write_text(OLD, encoding="utf-8")
        await case.start_server()
        case.start_worker()
        client = await Client.connect(case.address)
        old, _ = compiled(OLD)["Move"]
        for name in MOVING:
            await control.start(client, old, {"name": name}, control.Terms())
        handles = [client.get_workflow_handle(f"Move/{name}") for name in MOVING]
        assert {tuple((await control.query(handle, wire.STATUS))["places"]) for handle in handles} == {("Rest",)}
        case.kill(worker=True, server=False)
        case.source.write_text(NEW, encoding="utf-8")
        case.start_worker()
        new, ways = compiled(NEW)["Move"]
        first = [why async for _, why in control.migrate_all(client, new, ways, [handle.id for handle in handles[:3]])]
        assert first == [None] * 3
        # Now all others are asked at once, and while they are, whoever should answer dies.
        told = {"machine": new.digest, "way": encode(ways[0], places=False)}
        asking = [asyncio.create_task(control.tell(handle, wire.MIGRATE, told)) for handle in handles[3:]]
        await asyncio.sleep(0.05)
        case.kill(worker=True, server=server)
        if server:
            await case.start_server()
        case.start_worker()
        await asyncio.gather(*asking, return_exceptions=True)
        client = await Client.connect(case.address)
        end = time.monotonic() + PATIENCE
        while [each async for each in control.migrate_all(client, new, ways, [handle.id for handle in handles])]:
            assert time.monotonic() < end
        for name in MOVING:
            handle = client.get_workflow_handle(f"Move/{name}")
            status = await control.query(handle, wire.STATUS)
            assert (status["version"], status["places"]) == (2, ["Held"]), status
            await control.tell(handle, wire.EVENT, {"type": "Go", "data": {"name": name}})
            assert await asyncio.wait_for(handle.result(), PATIENCE) == "new"
            history = await handle.fetch_history()
            await Replayer(workflows=[Process], unsandboxed_workflow_runner=Runner()).replay_workflow(history)
        assert case.outside.effects == dict.fromkeys((f"Move/{name}/parts.hold/{name}" for name in MOVING), 1)


@pytest.mark.parametrize("dies", ["both", pytest.param("worker", marks=pytest.mark.long)])
def test_a_migration_survives(tmp_path: Path, dies: str) -> None:
    asyncio.run(_moved(tmp_path, server=dies == "both"))
