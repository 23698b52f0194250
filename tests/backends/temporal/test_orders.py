"""Orders on a real server, run by generated TypeScript: their records are those of the machine, and they survive `kill -9`.

They are started, seen to and looked at with the engine's own client, which the commands of `wfc` use.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from tests.backends.temporal.conftest import PATIENCE, TERMS, build, case_of
from tests.engine.machines import machine_of
from tests.engine.outside import Answer
from wfc.engine import control, wire
from wfc.engine.catalogue import learn
from wfc.machine.program import Program
from wfc.simulation.play import play
from wfc.simulation.script import Act, Script
from wfc.simulation.world import Reply

pytestmark = [pytest.mark.js, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
ORDERS = ROOT / "examples" / "order-fulfillment" / "order-fulfillment.wf"
WORD = "order_fulfillment"
HOUR = 3_600_000

# What becomes of an order is said by the first part of its name.
ENDS = {"delivered": "Delivered", "falters": "Delivered", "back": "Cancelled", "gone": "Cancelled", "poor": "Cancelled"}
FORTH = ["orders.validate", "payments.charge", "inventory.check", "inventory.reserve", "customer.notify"]
FORTH += ["inventory.deduct", "warehouse.weigh", "carrier.book"]
BACK = ["carrier.recall", "inventory.release", "payments.refund"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("orders"), ORDERS)


@pytest.fixture(scope="module")
def program() -> Program:
    return learn(machine_of(ORDERS))


def _charge(args: list[Any], times: int) -> Answer:
    if args[0].startswith("falters") and times == 1:
        return 503, None
    if args[0].startswith("poor"):
        return 422, {"is": "CardDeclined", "reason": "limit"}
    return 200, {"id": f"p-{args[0]}", "risk": 5}


ANSWERS = {
    "payments.charge": _charge,
    "inventory.check": lambda args, times: (200, {"is": "Available"}),  # noqa: ARG005
    "warehouse.weigh": lambda args, times: (200, "0.2"),  # noqa: ARG005
}


def _order(name: str) -> dict[str, Any]:
    lines = [{"sku": "pen", "quantity": 2, "price": "3.00"}]
    return {"order": {"id": name, "email": "ann@example.com", "lines": lines, "method": "Express"}}


async def _start(client: Client, program: Program, orders: Iterable[str]) -> None:
    for order in orders:
        data = control.input_of(program, WORD, _order(order))
        assert await control.start(client, program, data, TERMS) == (f"{WORD}/{order}", True)


async def _push(client: Client, orders: Iterable[str], told: set[str]) -> dict[str, str]:
    """Does what people do, until all orders have ended; how each has ended. Those that are `told` know their delivery."""
    ends: dict[str, str] = {}
    waiting = list(orders)
    end = time.monotonic() + PATIENCE
    while waiting:
        assert time.monotonic() < end, f"still running: {waiting}"
        for order in waiting:
            found = await _nudge(client, order, told)
            if found:
                ends[order] = found
        waiting = [order for order in waiting if order not in ends]
        await asyncio.sleep(0.1)
    return ends


async def _nudge(client: Client, order: str, told: set[str]) -> str:
    """Picks, confirms or cancels, once, as far as it is time for that; how the order has ended, if it has."""
    handle = client.get_workflow_handle(f"{WORD}/{order}")
    kind = order.partition("-")[0]
    try:
        status = await control.query(handle, wire.STATUS)
        if status["status"] != "running":
            return str(status["value"]["is"])
        for task in status["tasks"]:
            if kind == "gone":
                event = {"type": "CancelRequested", "data": {"order": order, "reason": "no"}}
                await control.tell(handle, wire.EVENT, event)
            else:
                await control.tell(handle, wire.ANSWER_TASK, {"key": task["key"], "kind": "value", "value": None})
        if "fulfilment.shipped" in status["places"] and order not in told:
            event = {"type": "DeliveryConfirmed", "data": {"order": order, "proof": "signed"}}
            if kind == "back":
                event = {"type": "DeliveryFailed", "data": {"order": order, "reason": "lost"}}
            await control.tell(handle, wire.EVENT, event)
            told.add(order)
    except control.ControlError as error:
        if error.reason not in ("worker", "server", "unknown-call", "not-running"):
            raise
    return ""


# ------------------------------------------------------------------------------------------------- as in the machine


def _machine(program: Program, kind: str) -> list[Any]:
    """The records of the machine itself, in simulated time."""
    paid = Reply("value", {"id": "p", "risk": 5})
    script = Script(data=control.input_of(program, WORD, _order(kind)))
    script.replies = {
        "payments.charge": [paid],
        "inventory.check": [Reply("value", {"is": "Available"})],
        "warehouse.weigh": [Reply("value", program.boundary.sample(program.operations["warehouse.weigh"].result))],
    }
    if kind == "falters":
        script.replies["payments.charge"] = [Reply("system", "Unavailable"), paid]
    if kind == "poor":
        script.replies["payments.charge"] = [Reply("error", {"is": "CardDeclined", "reason": "limit"})]
    if kind == "gone":
        script.replies["warehouse.pick"] = [Reply("hangs")]
        script.acts = [Act(HOUR, "event", "CancelRequested", {"order": kind, "reason": "no"})]
    elif kind == "back":
        script.acts = [Act(HOUR, "event", "DeliveryFailed", {"order": kind, "reason": "lost"})]
    elif kind != "poor":
        script.acts = [Act(HOUR, "event", "DeliveryConfirmed", {"order": kind, "proof": "signed"})]
    played = play(program, WORD, script)
    assert played.ending == "ended"
    return [{"kind": r.kind, "path": r.path, "detail": dict(r.detail)} for r in played.world.records]


def _by_place(records: list[Any]) -> dict[str, list[str]]:
    """What happens at each node, in order; between two branches there is none."""
    found = defaultdict(list)
    for record in records:
        detail = record.get("detail", {})
        told = [
            record["kind"],
            *(str(detail[name]) for name in ("operation", "key", "error", "guard") if name in detail),
        ]
        found[record["path"]].append(" ".join(told))
    return dict(found)


async def _compared(built: Path, folder: Path, program: Program) -> None:
    with case_of(built, folder, ANSWERS) as case:
        await case.start()
        client = await Client.connect(case.address)
        await _start(client, program, ENDS)
        assert await _push(client, ENDS, set()) == ENDS
        for kind in ENDS:
            found = await control.trail(client, client.get_workflow_handle(f"{WORD}/{kind}"))
            assert _by_place(found) == _by_place(_machine(program, kind)), kind
        assert set(case.outside.effects.values()) == {1}
        # The same id again, while its end is known: one that has ended may be started anew.
        data = control.input_of(program, WORD, _order("delivered"))
        assert (await control.start(client, program, data, TERMS))[1]
        assert not (await control.start(client, program, data, TERMS))[1]


def test_their_records_are_those_of_the_machine(built: Path, tmp_path: Path, program: Program) -> None:
    asyncio.run(_compared(built, tmp_path, program))


# ------------------------------------------------------------------------------------------------------------- kill -9


async def _killed(built: Path, folder: Path, program: Program) -> None:
    """Orders of which each is held at another step, before or behind its effect, while their worker dies."""
    held = {}
    for step in [*FORTH, *BACK]:
        for side in ("before", "after"):
            word = "back" if step in BACK else "delivered"
            held[f"{word}-{step.replace('.', '-')}-{side}"] = step, side
    orders = [*held, "falters-1", "gone-1", "poor-1"]
    with case_of(built, folder, ANSWERS) as case:
        for order, (step, side) in held.items():
            case.outside.holds[f"{WORD}/{order}", step] = side  # type: ignore[assignment]
        await case.start()
        client = await Client.connect(case.address)
        await _start(client, program, orders)
        end = time.monotonic() + PATIENCE
        told: set[str] = set()
        while len(case.outside.held) < len(held):
            reached = {name.partition("/")[2] for name, _ in case.outside.held}
            assert time.monotonic() < end, sorted(set(held) - reached)
            for order in set(held) - reached:
                await _nudge(client, order, told)
            await asyncio.sleep(0.1)
        case.kill_worker()
        case.outside.free.set()
        case.start_worker()
        found = await _push(client, orders, told)
        assert found == {order: ENDS[order.partition("-")[0]] for order in orders}
        assert set(case.outside.effects.values()) == {1}
        for kind in ("delivered", "back"):
            wanted = _by_place(_machine(program, kind))
            for order in (each for each in held if each.startswith(kind)):
                trail = await control.trail(client, client.get_workflow_handle(f"{WORD}/{order}"))
                assert _by_place(_renamed(trail, order, kind)) == wanted, order


def _renamed(records: list[Any], order: str, kind: str) -> list[Any]:
    """Records with another name of their order in their keys."""
    detail = ({**r.get("detail", {})} for r in records)
    return [
        {**r, "detail": {name: _shown(item, order, kind) for name, item in d.items()}}
        for r, d in zip(records, detail, strict=True)
    ]


def _shown(item: Any, order: str, kind: str) -> Any:
    return item.replace(order, kind) if isinstance(item, str) else item


def test_every_step_survives_the_death_of_its_worker(built: Path, tmp_path: Path, program: Program) -> None:
    asyncio.run(_killed(built, tmp_path, program))
