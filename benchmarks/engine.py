"""Instances and steps per second on Temporal, next to a workflow that does the same and was written by hand.

    python -m benchmarks.engine [INSTANCES]

One worker, one embedded server in memory, all instances at once; each calls three activities one after the other, with
an undo for each, and ends. Ratios count: both run in one process on one server, several rounds in turn.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ActivityError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.engine import control
from wfc.engine.catalogue import learn
from wfc.engine.server import Server
from wfc.engine.services import Attempt
from wfc.engine.wire import Outcome
from wfc.engine.worker import Partners, worker_of
from wfc.machine.program import Program
from wfc.project.sources import read_sources

ROUNDS = 3
STEPS = 3
TEXT = """\
module bench

service shop {
  activity hold(order: Text) key order compensate free(order)
  activity free(order: Text)
  activity charge(order: Text) key order compensate refund(order)
  activity refund(order: Text)
  activity ship(order: Text) key order compensate recall(order)
  activity recall(order: Text)
}

workflow Order(order: Text) -> Bool key order {
  state Hold   { do shop.hold(order)   -> Charge }
  state Charge { do shop.charge(order) -> Ship }
  state Ship   { do shop.ship(order)   done true }
}
"""


class Nothing:
    """Services that do nothing."""

    async def perform(self, attempt: Attempt) -> Outcome:
        """The answer."""
        _ = attempt
        return {"kind": "value", "value": None}


@activity.defn
async def step(order: str) -> None:
    """An activity that does nothing."""
    _ = order


@workflow.defn(sandboxed=False)
class ByHand:
    """What a person would write: three calls, each with its compensation kept."""

    @workflow.run
    async def run(self, order: str) -> bool:
        """Goes on from call to call; undoes them if one fails."""
        undo: list[str] = []
        try:
            for name in ("hold", "charge", "ship"):
                await workflow.execute_activity(
                    step, order, start_to_close_timeout=timedelta(seconds=30), heartbeat_timeout=timedelta(seconds=10)
                )
                undo.append(name)
        except ActivityError:
            for _ in reversed(undo):
                await workflow.execute_activity(step, order, start_to_close_timeout=timedelta(seconds=30))
            raise
        return True


def _program() -> Program:
    files, settings, report = loaded({"main.wf": TEXT})
    options = pipeline.Options()
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, options)
    return learn(pipeline.machine(pipeline.roots(checked, options)[0], checked.model, settings, options))


async def _timed(count: int, start: Callable[[int], Awaitable[str]], client: Client) -> tuple[float, int]:
    """Seconds until all have ended, and the events of one history."""
    begun = time.perf_counter()
    names = await asyncio.gather(*(start(number) for number in range(count)))
    await asyncio.gather(*(client.get_workflow_handle(name).result() for name in names))
    taken = time.perf_counter() - begun
    history = await client.get_workflow_handle(names[0]).fetch_history()
    return taken, len(history.events)


async def measure(count: int) -> float:
    """Prints a line a round; the smallest ratio of the two."""
    program = _program()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, memory=True)
        there = await server.start()
        try:
            client = await Client.connect(there.address)
            hand = Worker(
                client,
                task_queue="hand",
                workflows=[ByHand],
                activities=[step],
                max_concurrent_activities=200,
                workflow_runner=UnsandboxedWorkflowRunner(),
            )
            async with hand, worker_of(client, "wfc", Partners({}, Nothing())):
                return await _rounds(count, client, program)
        finally:
            server.stop()


async def _rounds(count: int, client: Client, program: Program) -> float:
    ratios = []
    for turn in range(ROUNDS):

        async def ours(number: int) -> str:
            data = {"order": f"{turn}-{number}"}  # noqa: B023 - called in this round
            return (await control.start(client, program, data, control.Terms()))[0]

        async def theirs(number: int) -> str:
            name = f"hand-{turn}-{number}"  # noqa: B023 - called in this round
            await client.start_workflow(ByHand.run, name, id=name, task_queue="hand")
            return name

        by_hand, hand_events = await _timed(count, theirs, client)
        by_us, our_events = await _timed(count, ours, client)
        ratios.append(by_us / by_hand)
        print(
            f"{count} instances: {by_us:.2f} s ({count / by_us:.0f} instances/s, {count * STEPS / by_us:.0f} steps/s, "
            f"{our_events} events each); by hand {by_hand:.2f} s ({hand_events} events): {by_us / by_hand:.2f}x"
        )
    return min(ratios)


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
