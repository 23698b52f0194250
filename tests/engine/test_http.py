"""Services over HTTP, and events that are sent out: a real server answers, by `wfc run` as a person calls it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """\
module shop

error Declined(reason: Text, left: Decimal)
record Receipt { id: Text, fee: Decimal }
policy Often { timeout 5s try 4 times backoff 50ms }

service bank at "ADDRESS/bank" with Often {
  activity charge(order: Text, amount: Decimal) -> Receipt key order compensate none "a test"
  activity reserve(order: Text) raises Declined key order compensate none "a test"
  query    ping()
  query    wrong(order: Text)
}
event Charged(order: Text, fee: Decimal, at_once: Bool) outgoing

workflow Shop(order: Text) -> Text key order {
  var why: Text = ""
  catch Declined as problem { set why = "{problem.reason}, {problem.left} left" -> Refused }
  state Charging { do bank.charge(order, 12.50) as receipt -> Telling }
  state Telling {
    do bank.ping()
    emit Charged(order, receipt.fee, true)
    do bank.reserve(order)
    done "reserved"
  }
  state Refused {
    do bank.wrong(order) optional
    done why
  }
}
"""


class Bank:
    """What the server answers; each path first as it is told here, and the last answer ever after."""

    def __init__(self) -> None:
        refused = {"type": "urn:shop:Declined", "title": "no", "reason": "limit", "left": "0.50"}
        self.answers: dict[str, list[tuple[int, str, Any]]] = {
            "/bank/charge": [(503, "", None), (429, "", None), (200, "application/json", {"id": "r1", "fee": "0.30"})],
            "/bank/ping": [(204, "", None)],
            "/bank/reserve": [(409, "application/problem+json", refused)],
            "/bank/wrong": [(404, "text/plain", "nothing here")],
            "/events": [(500, "", None), (202, "", None)],
        }
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    def of(self, path: str) -> list[tuple[dict[str, str], Any]]:
        return [(headers, body) for place, headers, body in self.asked if place == path]


@contextmanager
def _bank() -> Iterator[tuple[Bank, str]]:
    bank = Bank()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bank.asked.append((self.path, dict(self.headers), body))
            there = bank.answers[self.path]
            status, kind, told = there.pop(0) if len(there) > 1 else there[0]
            data = json.dumps(told).encode() if told is not None else b""
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield bank, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _run(folder: Path, address: str, *words: str) -> tuple[int, str, str]:
    (folder / "shop.wf").write_text(PROGRAM.replace("ADDRESS", address), encoding="utf-8")
    command = [sys.executable, "-m", "wfc.cli.main", "run", "shop.wf", "--input", '{"order": "o1"}', *words]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_services_over_http_and_events_sent_out(tmp_path: Path) -> None:
    (tmp_path / "headers.json").write_text('{"bank": {"Authorization": "Bearer b"}, "outgoing": {"X-Who": "shop"}}')
    with _bank() as (bank, address):
        code, out, said = _run(tmp_path, address, "--headers", "headers.json", "--outgoing", f"{address}/events")
    assert (code, out.splitlines()[-1]) == (0, '"limit, 0.50 left"'), said

    charges = bank.of("/bank/charge")
    assert [body for _, body in charges] == [{"order": "o1", "amount": "12.50"}] * 3
    assert {headers["Idempotency-Key"] for headers, _ in charges} == {"Shop/o1/bank.charge/o1"}
    assert [headers["Wfc-Attempt"] for headers, _ in charges] == ["1", "2", "3"]
    assert {headers["Authorization"] for headers, _ in charges} == {"Bearer b"}
    assert len(bank.of("/bank/reserve")) == 1, "a business error is not tried again"
    assert len(bank.of("/bank/wrong")) == 1, "nor is what the other side calls wrong"

    events = bank.of("/events")
    assert len(events) == 2, "until it is taken"
    assert events[0][1] == events[1][1]
    (headers, event) = events[0]
    assert (headers["X-Who"], headers["Idempotency-Key"]) == ("shop", event.pop("id"))
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert event == {
        "specversion": "1.0",
        "source": "/Shop/o1",
        "type": "Charged",
        "datacontenttype": "application/json",
        "data": {"order": "o1", "fee": "0.30", "at_once": True},
    }


OWN = """\
from wfc.activities import OutgoingEvent

def told(event: OutgoingEvent) -> None:
    with open("told.txt", "a") as file:
        print(event.name, event.fields["order"], repr(event.fields["fee"]), event.instance, file=file)
"""


def test_events_go_to_a_function_or_it_is_said_that_they_go_nowhere(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    with _bank() as (_, address):
        code, _, said = _run(tmp_path, address, "--outgoing", "own:told")
    assert code == 0, said
    assert (tmp_path / "told.txt").read_text() == "Charged o1 Decimal('0.30') Shop/o1\n"
    with _bank() as (_, address):
        code, _, said = _run(tmp_path, address)
    assert code == 0, said
    assert "Charged goes nowhere: --outgoing says who takes it" in said
    code, _, said = _run(tmp_path, "http://127.0.0.1:1", "--outgoing", "own:untold")
    assert (code, said) == (2, "wfc: --outgoing: `own` has no `untold`; did you mean `told`?\n")


def test_a_service_that_is_not_there(tmp_path: Path) -> None:
    code, out, _ = _run(tmp_path, "http://127.0.0.1:1", "--outgoing", "http://127.0.0.1:1")
    assert code == 1
    assert "cannot be reached" in " ".join(out.split())
