"""The program of `examples/order-fulfillment/temporal`: it is built, and runs an order whose card is declined."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.backends.temporal.conftest import PATIENCE, compiled
from tests.backends.typescript.conftest import MODULES, ROOT
from wfc.cli.main import main
from wfc.engine.server import Server

pytestmark = [pytest.mark.js, pytest.mark.slow]

EXAMPLE = ROOT / "examples" / "order-fulfillment"


def test_its_packages_are_those_of_the_tests() -> None:
    ours = json.loads((MODULES.parent / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    package = json.loads((EXAMPLE / "temporal" / "package.json").read_text(encoding="utf-8"))
    needed = {**package["dependencies"], **package["devDependencies"]}
    assert needed == {name: ours[name] for name in needed}


def test_an_order_that_is_too_dear_is_cancelled(tmp_path: Path) -> None:
    folder = tmp_path / "temporal"
    left_out = shutil.ignore_patterns("node_modules", "build", "workflows")
    shutil.copytree(EXAMPLE / "temporal", folder, ignore=left_out)
    command = ["compile", str(EXAMPLE), "--target", "typescript", "--host", "temporal"]
    assert main([*command, "--out", str(folder / "src" / "workflows")]) == 0
    compiled(folder)
    server = Server(str(tmp_path / ".wfc"), memory=True)
    address = asyncio.run(server.start()).address
    environment = {"PATH": os.environ["PATH"], "TEMPORAL_ADDRESS": address}
    log = tmp_path / "worker.log"
    try:
        with log.open("wb") as told:
            worker = subprocess.Popen(
                ["node", "build/worker.js"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
            )
        try:
            start = ["node", "build/start.js", "o3", "Standard", "3000.00"]
            done = subprocess.run(
                start, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        finally:
            worker.terminate()
            assert worker.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")[-2000:]
    finally:
        server.stop()
    reason = "it is too much for this card"
    assert done.stdout.splitlines() == [
        "order_fulfillment/o3 has begun",
        json.dumps({"is": "Cancelled", "reason": reason}, separators=(",", ":")),
    ], done.stderr
    lines = log.read_text(encoding="utf-8").splitlines()
    trail = [json.loads(line) for line in lines if line.startswith('{"at":')]
    failed = [record["detail"] for record in trail if record["kind"] == "attempt failed"]
    assert [detail["operation"] for detail in failed] == ["payments.charge"]  # the gateway falters once
    assert trail[-1]["kind"] == "completed"
