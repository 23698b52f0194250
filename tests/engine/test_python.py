"""Activities in Python, called by `wfc run` on its own server: the example, a scaffold, and what is particular to them."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wfc.cli.main import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "order-fulfillment"
PATIENCE = 60.0


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def _wfc(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "wfc.cli.main", *words]
    return subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False, timeout=PATIENCE
    )


class Run:
    """`wfc run`, under way."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def told(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def until(self, text: str) -> None:
        """Waits for something that it says."""
        end = time.monotonic() + PATIENCE
        while text not in self.told():
            assert time.monotonic() < end, self.told()
            assert self.process.poll() is None, self.told()
            time.sleep(0.05)

    def ended(self) -> tuple[int, str]:
        """How it has ended, and all it has said."""
        return self.process.wait(PATIENCE), self.told()


@contextmanager
def _running(folder: Path, *words: str) -> Iterator[Run]:
    log = folder / "run.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "wfc.cli.main", "run", *words]
        process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=out, stderr=out)
    try:
        yield Run(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example, as its page says to begin."""
    shutil.copytree(EXAMPLE, tmp_path / "orders", ignore=shutil.ignore_patterns("node", "workflows", ".wfc"))
    folder = tmp_path / "orders" / "python"
    done = _wfc(folder, "compile", "..", "--target", "python", "--out", "workflows")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_commands_are_those_of_the_page(shop: Path) -> None:
    page = (shop / "README.md").read_text(encoding="utf-8")
    assert "wfc compile .. --target python --out workflows " in page
    assert "wfc run .. --input ../order.json --activities shop:activities\n" in page
    assert "wfc tasks complete o1 warehouse.pick\n" in page
    assert """wfc signal o1 DeliveryConfirmed '{"proof": "signed by Ann"}'\n""" in page


def test_the_example_delivers_an_order(shop: Path) -> None:
    with _running(shop, "..", "--input", "../order.json", "--activities", "shop:activities") as run:
        run.until("it waits for someone")
        done = _wfc(shop, "tasks", "complete", "o1", "warehouse.pick")
        assert done.returncode == 0, done.stderr
        run.until("go by air")
        while (done := _wfc(shop, "signal", "o1", "DeliveryConfirmed", '{"proof": "signed by Ann"}')).returncode:
            assert run.process.poll() is None, (done.stderr, run.told())
        code, told = run.ended()
    assert code == 0, told
    assert '{"is": "Delivered", "proof": "signed by Ann"}' in told
    assert "payments.charge, at attempt 2" in told
    said = [line.strip() for line in told.splitlines() if line.startswith("    shop:")]
    assert [line for line in said if "ann@" not in line and "books" not in line] == [
        "shop: 6.00 EUR charged for o1",
        "shop: {'pen': 2} reserved for o1",
        "shop: 0.2 kg of o1 go by air",
    ]


def test_the_example_undoes_a_cancelled_order_and_refuses_an_empty_one(shop: Path) -> None:
    with _running(shop, "..", "--input", "../order.json", "--activities", "shop:activities") as run:
        run.until("it waits for someone")
        done = _wfc(shop, "signal", "o1", "CancelRequested", '{"reason": "changed my mind"}')
        # The run may be over, and its server with it, before it can be asked whether it has taken the event.
        assert done.returncode == 0 or "has been told" in done.stderr, done.stderr
        code, told = run.ended()
    assert code == 0, told
    assert '{"is": "Cancelled", "reason": "changed my mind"}' in told
    assert told.index("the goods of o1 are on sale again") < told.index("shop: o1 refunded")
    order = json.loads((shop.parent / "order.json").read_text(encoding="utf-8"))
    order["order"] |= {"id": "o2", "lines": []}
    with _running(shop, "..", "--input", json.dumps(order), "--activities", "shop:activities") as run:
        code, told = run.ended()
    assert code == 0, told
    assert '{"is": "Cancelled", "reason": "there is nothing in it"}' in told


def test_what_is_not_written_yet_is_told_at_the_call_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = """
service carrier { activity book(parcel: Text) -> Text key parcel compensate none "comes back by itself" }
workflow parcels(parcel: Text) -> Text version 1 key parcel raises System {
  state Booking { do carrier.book(parcel) as number  done number }
}
"""
    (tmp_path / "parcels.wf").write_text(source, encoding="utf-8")
    assert main(["compile", "parcels.wf", "--target", "python"]) == 0
    assert main(["scaffold", "parcels.wf", "--target", "python"]) == 0
    words = ("parcels.wf", "--input", '{"parcel": "p1"}', "--activities", "parcels_services:activities")
    with _running(tmp_path, *words) as run:
        code, told = run.ended()
    assert code == 1, told
    assert "carrier.book: Invalid (this is not written yet)" in told
    assert "again in" not in told
    written = (
        (tmp_path / "parcels_services.py").read_text(encoding="utf-8").replace("raise NotWritten", "return parcel")
    )
    (tmp_path / "parcels_services.py").write_text(written, encoding="utf-8")
    words = ("parcels.wf", "--input", '{"parcel": "p2"}', "--activities", "parcels_services:activities")
    with _running(tmp_path, *words) as run:
        code, told = run.ended()
    assert code == 0, told
    assert told.rstrip().endswith('"p2"')


ODD = """
secret limit: Decimal
policy Alive { timeout 20s try 2 times heartbeat 1s }
record Found { total: Decimal, each: List<Decimal>, pause: Duration, last: Text? }
enum Verdict { Fine, Bad(class: Text) }
error Refused(class: Text)
service class {
  query import(limit: Secret<Decimal>, amounts: List<Decimal>, pause: Duration) -> Found with Alive
  query __sum(verdicts: List<Verdict>) -> Verdict raises Refused
}
workflow odd(id: Text) -> Text version 1 key id raises System {
  state A {
    do class.import(limit, [1.5, 2.25], 90s) as found
    do class.__sum([Fine, Bad("x")]) as verdict
       catch Refused as refused { done "{found.total} {found.pause} {refused.class}" }
    done "no"
  }
}
"""
CODE = """
import time
from decimal import Decimal

from wfc.activities import Context
from workflows.odd_activities import Found, OddActivities, Refused, Verdict


class Odd:
    def import_(self, limit: Decimal, amounts: list[Decimal], pause: int, context: Context) -> Found:
        for _ in range(12):  # from a thread, for longer than a silence may last
            time.sleep(0.2)
            context.heartbeat()
        assert type(limit) is Decimal and context.attempt == 1
        return {"total": sum(amounts, limit), "each": amounts, "pause": pause, "last": None}

    async def _sum(self, verdicts: list[Verdict], context: Context) -> Verdict:
        assert verdicts == [{"is": "Fine"}, {"is": "Bad", "class": "x"}]
        raise Refused(class_="y")


class Activities:
    class_ = Odd()


activities: OddActivities = Activities()
"""


def test_odd_names_secrets_and_signs_of_life_from_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.wf").write_text(ODD, encoding="utf-8")
    (tmp_path / "odd_code.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "secrets.json").write_text('{"limit": "10.5"}', encoding="utf-8")
    assert main(["compile", "odd.wf", "--target", "python"]) == 0
    words = ("odd.wf", "--input", '{"id": "1"}', "--activities", "odd_code:activities", "--secrets", "secrets.json")
    with _running(tmp_path, *words) as run:
        code, told = run.ended()
    assert code == 0, told
    assert told.rstrip().endswith('"14.25 1m30s y"')
