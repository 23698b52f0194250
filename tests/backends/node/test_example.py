"""The program of `examples/order-fulfillment/node`: it is built, started, and runs an order and a cancellation over HTTP."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, Queue
from subprocess import PIPE, STDOUT
from threading import Thread
from typing import Any

import pytest

from tests.backends.node.conftest import TSC
from tests.backends.typescript.conftest import MODULES, ROOT
from wfc.cli.main import main

pytestmark = [pytest.mark.js, pytest.mark.slow]

EXAMPLE = ROOT / "examples" / "order-fulfillment"
PATIENCE = 60  # seconds
TOLD = {"called", "answered", "attempt failed", "guard fired", "undone", "completed"}
LINES = [{"sku": "pen", "quantity": 2, "price": "3.00"}]


class Running:
    """The program under way, and what it has printed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.trail: list[dict[str, Any]] = []
        self._lines: Queue[str] = Queue()
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = int(self.until(lambda line: "listening" in line)["listening"].rpartition(":")[2])

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Reads on to the line that is wanted."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                line: dict[str, Any] = json.loads(self._lines.get(timeout=0.2))
            except Empty:
                assert self.process.poll() is None, self.trail[-5:]
                continue
            self.trail.append(line)
            if wanted(line):
                return line
        raise AssertionError(self.trail[-5:])

    def until_called(self, order: str, operation: str) -> None:
        self.until(lambda r: r["instance"].endswith(f"/{order}") and r["detail"].get("operation") == operation)

    def until_completed(self, order: str) -> None:
        self.until(lambda r: r["instance"].endswith(f"/{order}") and r["kind"] == "completed")

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """An answer over HTTP."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        told = json.loads(response.read())
        connection.close()
        return response.status, told

    def essence(self, order: str) -> list[str]:
        """The records of an order that say what was done, each as a line."""
        found = [r for r in self.trail if r.get("instance") == f"order_fulfillment/{order}" and r["kind"] in TOLD]
        return [" ".join(filter(None, (r["kind"], r["detail"].get("operation")))) for r in found]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "node"
    left_out = shutil.ignore_patterns("node_modules", "build", "workflows")
    shutil.copytree(EXAMPLE / "node", folder, ignore=left_out)
    assert main(["compile", str(EXAMPLE), "--target", "typescript", "--out", str(folder / "src" / "workflows")]) == 0
    (folder / "node_modules").symlink_to(MODULES, target_is_directory=True)
    done = subprocess.run(["node", str(TSC), "-p", str(folder)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    return folder


@pytest.fixture
def running(program: Path) -> Iterator[Running]:
    environment = {"PATH": os.environ["PATH"], "PORT": "0"}
    command = ["node", "build/main.js"]
    with subprocess.Popen(command, cwd=program, env=environment, stdout=PIPE, stderr=STDOUT, text=True) as process:
        started = Running(process)
        try:
            yield started
        finally:
            process.kill()
            process.wait()
            started.reader.join()


def test_its_packages_are_those_of_the_tests() -> None:
    ours = json.loads((MODULES.parent / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    package = json.loads((EXAMPLE / "node" / "package.json").read_text(encoding="utf-8"))
    needed = {**package["dependencies"], **package["devDependencies"]}
    assert needed == {name: ours[name] for name in needed}


def test_an_order_is_delivered_and_another_cancelled(running: Running) -> None:
    order = {"id": "o1", "email": "ann@example.com", "method": "Express", "lines": LINES}
    assert running.ask("POST", "/orders", order) == (201, {"instance": "order_fulfillment/o1"})
    assert running.ask("POST", "/orders", order)[0] == 409
    running.until_called("o1", "warehouse.pick")
    (task,) = running.ask("GET", "/tasks")[1]
    assert (task["operation"], task["args"]) == ("warehouse.pick", ["o1"])
    assert running.ask("POST", "/tasks", {"id": task["id"]}) == (202, {})
    assert running.ask("POST", "/tasks", {"id": task["id"]}) == (409, {"refused": "unknown-call"})

    assert running.ask("POST", "/orders", {**order, "id": "o2", "method": "Standard"})[0] == 201
    running.until_called("o2", "warehouse.pick")
    assert running.ask("POST", "/events/CancelRequested", {"order": "o2"}) == (409, {"refused": "wrong-event"})
    assert running.ask("POST", "/events/CancelRequested", {"order": "o2", "reason": "too slow"}) == (202, {})
    running.until_completed("o2")
    assert (
        running.ask("POST", "/events/DeliveryConfirmed", {"order": "o2", "proof": "x"})[1]["refused"] == "not-running"
    )

    assert running.ask("POST", "/events/DeliveryConfirmed", {"order": "o1", "proof": "signed by Ann"}) == (202, {})
    running.until_completed("o1")

    begun = [
        "called orders.validate",
        "answered orders.validate",
        "called payments.charge",
        "attempt failed payments.charge",
        "answered payments.charge",
        "called inventory.check",
        "answered inventory.check",
        "called inventory.reserve",
        "answered inventory.reserve",
    ]
    for_one, for_two = running.essence("o1"), running.essence("o2")
    beside = {
        "called customer.notify",
        "called inventory.deduct",
        "answered customer.notify",
        "answered inventory.deduct",
    }
    for essence in (for_one, for_two):
        assert essence[:9] == begun
        assert set(essence[9:13]) == beside  # two branches: their order is open
        assert essence[13] == "called warehouse.pick"
    assert for_one[14:] == [
        "answered warehouse.pick",
        "called warehouse.weigh",
        "answered warehouse.weigh",
        "called carrier.book",
        "answered carrier.book",
        "guard fired",
        "completed",
    ]
    assert for_two[14:] == [
        "guard fired",
        "called inventory.release",
        "answered inventory.release",
        "undone inventory.reserve",
        "called payments.refund",
        "answered payments.refund",
        "undone payments.charge",
        "called customer.notify",
        "answered customer.notify",
        "completed",
    ]


def test_a_wrong_request_is_refused_and_the_program_goes_on(running: Running) -> None:
    assert running.ask("POST", "/orders", {"id": "o1"})[0] == 409
    assert running.ask("POST", "/events/Unknown", {})[1] == {"refused": "unknown-event"}
    assert running.ask("GET", "/nothing")[0] == 404
    connection = HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
    connection.request("POST", "/orders", "{")
    assert connection.getresponse().status == 400
    connection.close()
    running.process.terminate()
    assert running.process.wait(PATIENCE) == 0
