"""Recorded histories of the examples replay: what runs today goes on under the code of tomorrow.

A history belongs to a machine, which lies beside it. `python -m tests.engine.test_histories` records them anew; do that
only when an example has changed, never because this test fails: then running instances would fail as well.
"""

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from tests.conformance.documents import programs as told_programs
from tests.engine.recorded import NoSecrets, RecordedService, Recorder, again, server
from wfc.backends.json_ import text
from wfc.engine import wire
from wfc.engine.catalogue import learn
from wfc.engine.hands import Hands
from wfc.engine.keeper import Keeper
from wfc.engine.process import Process
from wfc.engine.runner import Runner
from wfc.engine.worker import Partners, worker_of
from wfc.ir.load import load
from wfc.machine.messages import Send
from wfc.simulation.scenarios import tell

HERE = Path(__file__).parent / "histories"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(path.name.partition(".")[0] for path in HERE.glob("*.json.gz"))
LONGEST = 2  # scenarios of an example that are recorded


async def _replay(name: str) -> list[BaseException]:
    """What goes wrong when the histories of an example are replayed."""
    stored = json.loads(gzip.decompress((HERE / f"{name}.json.gz").read_bytes()))
    for machine in stored["machines"]:
        learn(load(machine))
    replayer = Replayer(workflows=[Process, Keeper], unsandboxed_workflow_runner=Runner())
    failed: list[BaseException] = []
    for identity, history in stored["histories"]:
        found = await replayer.replay_workflow(
            WorkflowHistory.from_json(identity, history), raise_on_replay_failure=False
        )
        if found.replay_failure is not None:
            failed.append(found.replay_failure)
    assert stored["histories"]
    return failed


def test_each_example_has_one() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_histories_replay(name: str) -> None:
    assert asyncio.run(_replay(name)) == []


def test_a_change_that_running_instances_would_not_survive_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    perform: Callable[..., None] = Hands._send  # noqa: SLF001 - the change

    def twice(self: Hands, send: Send) -> None:
        perform(self, send)
        if send.kind == "activity":
            perform(self, send)

    monkeypatch.setattr(Hands, "_send", twice)
    failed = asyncio.run(_replay("order-fulfillment"))
    assert failed
    assert "Nondeterminism" in str(failed[0]), failed[0]


async def _record(texts: dict[str, str]) -> bytes:
    machines: dict[str, str] = {}
    histories: list[tuple[str, str]] = []
    for program, scenarios in told_programs(texts):
        machines[program.digest] = text(program.machine)
        for scenario in scenarios[:LONGEST]:
            recorder, service = Recorder(), RecordedService()
            told = tell(program, scenario, recorder.attach)
            service.learn(told.world, recorder)
            async with (
                await WorkflowEnvironment.start_time_skipping(test_server_existing_path=server()) as skipping,
                worker_of(skipping.client, wire.QUEUE, Partners({}, service, NoSecrets())),
            ):
                found = learn(program.machine)
                await again(skipping.client, found, told.world, recorder, told.instance, skipping.sleep)
                for identity in dict.fromkeys(identity for identity, _ in told.world.journal):
                    handle = skipping.client.get_workflow_handle(identity)
                    histories.append((identity, (await handle.fetch_history()).to_json()))
    stored = json.dumps({"machines": list(machines.values()), "histories": histories})
    return gzip.compress(stored.encode(), mtime=0)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for each in sorted(EXAMPLES.iterdir()):
        if each.is_dir():
            texts = {path.name: path.read_text(encoding="utf-8") for path in each.glob("*.wf")}
            (HERE / f"{each.name}.json.gz").write_bytes(asyncio.run(_record(texts)))
