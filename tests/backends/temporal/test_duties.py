"""The duties of the host on Temporal, each with a small workflow of `duties.wf`: all of them at once, on one server."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from tests.backends.temporal.conftest import HERE, PATIENCE, TERMS, Case, build, case_of
from tests.engine.outside import Answer
from wfc.cli.base.input import read_input
from wfc.driver import pipeline
from wfc.engine import control, wire
from wfc.engine.catalogue import learn
from wfc.machine.program import Program

pytestmark = [pytest.mark.js, pytest.mark.slow]


def _programs() -> dict[str, Program]:
    given = read_input([str(HERE / "duties.wf")])
    options = pipeline.Options()
    checked = pipeline.check(given.sources, given.settings, given.files, options)
    machines = [pipeline.machine(r, checked.model, given.settings, options) for r in pipeline.roots(checked, options)]
    return {machine.workflow.name: learn(machine) for machine in machines}


def _unstick(args: list[Any], times: int) -> Answer:
    _ = args
    return (503, None) if times == 1 else (200, None)


def _a(args: list[Any], times: int) -> Answer:
    _ = times
    return (422, {"is": "Broken", "reason": "as asked"}) if "broken" in args[0] else (200, args[0])


def _short(args: list[Any], times: int) -> Answer:
    _ = args, times
    time.sleep(1)
    return 200, "too late"


ANSWERS = {
    "s.a": _a,
    "s.short": _short,
    "s.parks": lambda *_: (503, None),
    "s.fused": lambda *_: (503, None),
    "s.sticky": lambda *_: (200, "stuck"),
    "s.unstick": _unstick,
    "s.open": lambda args, _: (200, "fits" if args == ["opened"] else "does not"),
}


class Duties:
    """Starts workflows, and waits for what they come to."""

    def __init__(self, client: Client, case: Case) -> None:
        self.client = client
        self.case = case
        self.programs = _programs()

    async def start(self, workflow: str, key: str, **more: str) -> str:
        program = self.programs[workflow]
        data = control.input_of(program, workflow, {"id": key, **more})
        identity, is_new = await control.start(self.client, program, data, TERMS)
        assert is_new
        return identity

    async def result(self, identity: str) -> Any:
        return await asyncio.wait_for(self.client.get_workflow_handle(identity).result(), PATIENCE)

    async def failure(self, identity: str) -> Any:
        """The name of the error with which an instance ends."""
        with pytest.raises(WorkflowFailureError) as caught:
            await self.result(identity)
        assert isinstance(caught.value.cause, ApplicationError)
        return caught.value.cause.type

    async def until(self, identity: str, what: str) -> Any:
        """Waits until something of the status is there."""
        end = time.monotonic() + PATIENCE
        while True:
            status = await control.query(self.client.get_workflow_handle(identity), wire.STATUS)
            if status[what]:
                return status
            assert time.monotonic() < end, f"{identity} has no {what}: {status}"
            await asyncio.sleep(0.1)

    async def kinds(self, identity: str) -> list[str]:
        """What was undone or answered, in order."""
        trail = await control.trail(self.client, self.client.get_workflow_handle(identity))
        told = ("answered", "undone", "child undone", "dead letter", "attempt failed", "parked")
        return [f"{r['kind']} {r['detail']['operation']}" for r in trail if r["kind"] in told]

    async def children(self) -> None:
        assert await self.result(await self.start("Parent", "fine")) == "child fine"
        assert await self.failure(await self.start("Parent", "broken")) == "Broken"

    async def undo_of_a_child(self) -> None:
        parent = await self.start("Parent", "undo")
        assert await self.failure(parent) == "Rejected"
        assert await self.kinds(parent) == ["answered Child", "child undone Child"]
        (child,) = [e.id async for e in self.client.list_workflows("WorkflowType = 'Child'") if e.id.startswith(parent)]
        assert await self.result(child) == "child undo"  # it has waited until its parent was over with it
        assert await self.kinds(child) == ["answered s.a", "answered s.u", "undone s.a"]

    async def stop_of_a_child(self) -> None:
        parent = await self.start("Impatient", "i")
        waiting = control.tasks(self.client, None)
        end = time.monotonic() + PATIENCE
        while (found := [name async for name, _ in waiting if name.startswith(parent)]) == []:
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
            waiting = control.tasks(self.client, None)
        await control.send(self.client, parent, "Stop", {"id": "i"})
        assert await self.result(parent) == "left"
        assert await self.failure(found[0]) == "OperatorCancel"

    async def parked(self) -> None:
        parked = await self.start("Parked", "p")
        (step,) = (await self.until(parked, "parked"))["parked"]
        assert (step["operation"], step["queue"]) == ("s.parks", "desk")
        with pytest.raises(control.ControlError, match="does not fit"):
            await control.operate(self.client, parked, "supply", step["key"], 7)
        await control.operate(self.client, parked, "supply", step["key"], "by hand")
        assert await self.result(parked) == "by hand"

    async def letter(self) -> None:
        letter = await self.start("Letter", "l")
        status = await self.until(letter, "letters")
        assert (status["status"], status["letters"][0]["queue"]) == ("failed", "letters")
        await control.operate(self.client, letter, "retry", status["letters"][0]["key"])
        assert await self.failure(letter) == "Rejected"
        told = ["answered s.sticky", "attempt failed s.unstick", "dead letter s.unstick"]
        assert await self.kinds(letter) == [*told, "answered s.unstick", "undone s.sticky"]

    async def tasks(self) -> None:
        slow = await self.start("Slow", "t")
        (task,) = (await self.until(slow, "tasks"))["tasks"]
        handle = self.client.get_workflow_handle(slow)
        with pytest.raises(control.ControlError) as wrong:
            await control.tell(handle, wire.ANSWER_TASK, {"key": task["key"], "kind": "value", "value": "x"})
        assert wrong.value.reason == "wrong-value"
        await control.tell(handle, wire.ANSWER_TASK, {"key": task["key"], "kind": "error", "value": "Rejected"})
        assert await self.result(slow) is None

    async def facts(self) -> None:
        hears = await self.start("Hears", "h")
        await self.result(await self.start("Tells", "t1", other="h"))
        assert await self.result(hears) == "from t1"

    async def times_and_secrets(self) -> None:
        assert await self.result(await self.start("Late", "x")) == "late"
        assert await self.result(await self.start("Secretly", "x")) == "fits"
        history = await self.client.get_workflow_handle("Secretly/x").fetch_history()
        stored = b"".join(event.SerializeToString() for event in history.events)
        assert b"token" in stored
        assert b"opened" not in stored
        assert await self.result(await self.start("Waits", "w")) == "over"

    async def breaker(self) -> None:
        assert await self.result(await self.start("Fused", "f")) == "open"
        assert self.case.outside.requests["Fused/f/s.fused/3 f"] == 0

    async def refusals(self) -> None:
        hears = await self.start("Hears", "r")
        handle = self.client.get_workflow_handle(hears)
        for type_, data, reason in (("Fact", {}, "wrong-event"), ("Stop", {"id": "r"}, "unknown-event")):
            with pytest.raises(control.ControlError) as wrong:
                await control.tell(handle, wire.EVENT, {"type": type_, "data": data})
            assert wrong.value.reason == reason
        with pytest.raises(control.ControlError) as wrong:
            await control.tell(handle, wire.MIGRATE, {"machine": "x"})
        assert wrong.value.reason == "no-migration"
        await handle.cancel()
        assert await self.failure(hears) == "OperatorCancel"


async def _all(program: Path, folder: Path) -> None:
    with case_of(program, folder, ANSWERS) as case:
        await case.start()
        duties = Duties(await Client.connect(case.address), case)
        every = [
            duties.children(),
            duties.undo_of_a_child(),
            duties.stop_of_a_child(),
            duties.parked(),
            duties.letter(),
            duties.tasks(),
            duties.facts(),
            duties.times_and_secrets(),
            duties.refusals(),
        ]
        found = await asyncio.gather(*every, return_exceptions=True)
        wrong = [each for each in found if each is not None]
        assert not wrong, "\n\n".join(repr(each)[:2000] for each in wrong) + case.log.read_text("utf-8")[-3000:]
        await duties.breaker()  # alone: an answered undo of another instance would close it, as it should


def test_the_host_does_its_duties(tmp_path: Path) -> None:
    asyncio.run(_all(build(tmp_path / "program", HERE / "duties.wf"), tmp_path / "run"))
