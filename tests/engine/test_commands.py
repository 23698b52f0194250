"""`wfc run` and its companions as a person uses them: what they say when something is wrong, and that nothing is lost."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ORDERS = str(ROOT / "examples" / "order-fulfillment" / "order-fulfillment.wf")
HELLO = """\
module hello

service desk { query greet(name: Text) -> Text }
event Go(name: Text) key name

workflow Hello(name: Text, remark: Text) -> Text key name {
  state Wait { await { on Go -> Greet } }
  state Greet { do desk.greet(name) as told done told }
}

scenario "somebody is greeted" for Hello {
  given name = "ann"
  given remark = "PLAIN-MARK"
  given desk.greet returns "hello ann"
  send Go("ann")
  expect done "hello ann"
}
"""


def wfc(folder: Path, *given: str, patience: float = 60) -> tuple[int, str, str]:
    """Runs a command in a folder: exit code, output, messages."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TEMPORAL_ADDRESS", None)
    done = subprocess.run(
        [sys.executable, "-m", "wfc.cli.main", *given],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    (tmp_path / "hello.wf").write_text(HELLO, encoding="utf-8")
    return tmp_path


def test_a_first_run_ends_with_the_result(hello: Path) -> None:
    code, out, told = wfc(hello, "run", "hello.wf", "--simulate-activities")
    assert (code, out.splitlines()[-1]) == (0, '"hello ann"'), told
    assert "its pages are at http://127.0.0.1:" in told
    assert "desk.greet" in out


def test_what_is_stored_can_be_encrypted(hello: Path) -> None:
    code, _, told = wfc(hello, "run", "hello.wf", "--simulate-activities", "--codec", "tests.engine.codec:Turned")
    assert code == 0, told
    assert b"PLAIN-MARK" not in (hello / ".wfc" / "temporal.db").read_bytes()
    plain = hello / "plain"
    plain.mkdir()
    (plain / "hello.wf").write_text(HELLO, encoding="utf-8")
    assert wfc(plain, "run", "hello.wf", "--simulate-activities")[0] == 0
    assert b"PLAIN-MARK" in (plain / ".wfc" / "temporal.db").read_bytes()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("run", ORDERS), "nobody answers for `orders`"),
        (("run", ORDERS, "--simulate-activities", "--input", '{"ordr": 1}'), "has no parameter `ordr`; did you mean `order`?"),
        (("run", ORDERS, "--simulate-activities", "--input", '{"order": {"id": "x"}}'), "order.email: a value is missing"),
        (("run", ORDERS, "--simulate-activities", "--input", "{"), "this is no JSON"),
        (("run", ORDERS, "--simulate-activities", "no such scenario"), "no scenario has `no such scenario`"),
        (("run", ORDERS, "--activities", "nowhere:nothing"), "there is no module `nowhere`"),
        (("run", ORDERS, "--activities", "json:nothing"), "`json` has no `nothing`"),
        (("status",), "no server runs here"),
        (("status", "--address", "127.0.0.1:1"), "cannot be reached at 127.0.0.1:1: Connection refused"),
        (("run", ORDERS, "--simulate-activities", "--codec", "json:dumps"), "is no temporalio.converter.PayloadCodec"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_once(tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    code, out, told = wfc(tmp_path, *given)
    assert code in (1, 2)
    assert said in told, (out, told)
    assert "bug in wfc" not in told


def test_a_port_that_is_taken(hello: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, told = wfc(hello, "run", "hello.wf", "--simulate-activities", "--port", str(port))
    assert (code, f"port {port} is taken" in told) == (2, True), told


def test_a_database_that_the_server_cannot_read_stays_as_it_is(hello: Path) -> None:
    (hello / ".wfc").mkdir()
    (hello / ".wfc" / "temporal.db").write_text("of another kind", encoding="utf-8")
    code, _, told = wfc(hello, "run", "hello.wf", "--simulate-activities")
    assert (code, "is not a database" in told) == (2, True), told
    assert (hello / ".wfc" / "temporal.db").read_text(encoding="utf-8") == "of another kind"


def test_a_worker_serves_until_it_is_told_to_end_and_brings_its_server_back(hello: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "wfc.cli.main", "worker", "hello.wf", "--simulate-activities"]
    log = (hello / "log").open("w")
    worker = subprocess.Popen(command, cwd=hello, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        place = hello / ".wfc" / "server.json"
        for _ in range(200):
            if "serving hello" in (hello / "log").read_text():
                break
            time.sleep(0.1)
        data = '{"name": "bob", "remark": ""}'
        assert wfc(hello, "start", "hello.wf", "--input", data)[:2] == (0, "Hello/bob\n")
        code, _, told = wfc(hello, "start", "hello.wf", "--input", data)
        assert (code, "is there already" in told) == (1, True), told
        code, _, told = wfc(hello, "signal", "bob", "Goo")
        assert (code, "listens to `Goo`" in told) == (1, True), told
        os.kill(json.loads(place.read_text())["pid"], signal.SIGKILL)
        time.sleep(2)
        assert "waits for Go" in wfc(hello, "status", "bob")[1]
        assert wfc(hello, "signal", "bob", "Go")[0] == 0
        time.sleep(1)
        assert 'done "hello ann"' in wfc(hello, "status", "bob")[1]
        code, _, told = wfc(hello, "signal", "Hello/bob", "Go")
        assert (code, "`Hello/bob` has ended (done)" in told) == (1, True), told
        code, _, told = wfc(hello, "cancel", "carl")
        assert (code, "there is no instance `carl`" in told) == (1, True), told
    finally:
        worker.send_signal(signal.SIGINT)
        worker.wait(30)
        log.close()
    assert worker.returncode == 0
