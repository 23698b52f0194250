"""The worker: performs attempts, and what the engine itself has to do outside of workflows."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Any

import attrs
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from wfc.activities import Context
from wfc.engine import wire
from wfc.engine.catalogue import program_of
from wfc.engine.gates import Gates, pass_of
from wfc.engine.keeper import Keeper
from wfc.engine.outgoing import Publisher
from wfc.engine.process import Process
from wfc.engine.runner import Runner
from wfc.engine.services import Attempt, Service, outcome_of, unavailable
from wfc.engine.wire import Outcome
from wfc.ir.machine import FieldDef
from wfc.ir.types import Secret
from wfc.machine.program import Program
from wfc.machine.store import unpack

BEAT = 2.0  # seconds between two signs of life of an attempt


@attrs.frozen
class Partners:
    """Who answers: a service by its name, or one for all; and the secrets that they need."""

    services: Mapping[str, Service]
    otherwise: Service | None = None
    secrets: Mapping[str, Any] = attrs.field(factory=dict)
    outgoing: Publisher | None = None  # takes events that are sent out

    def of(self, name: str) -> Service | None:
        """Who answers for a service."""
        return self.services.get(name, self.otherwise)


class Activities:
    """The activities of a worker."""

    def __init__(self, client: Client, queue: str, partners: Partners) -> None:
        self.client = client
        self.queue = queue
        self.partners = partners
        self.gates = Gates(client, queue)

    # -- attempts

    @activity.defn(dynamic=True)
    async def perform(self, args: Sequence[RawValue]) -> Outcome:
        """One attempt. It always answers; being asked to stop is told to the user's code, which may go on."""
        told: dict[str, Any] = activity.payload_converter().from_payload(args[0].payload)
        program = program_of(told["machine"], told["instance"])
        params, service = self._callee(program, told["target"])
        context = Context(told["key"], told["instance"], told["attempt"], _beat_of_any_thread())
        given: tuple[Any, ...] = unpack(told["args"])
        secret = {place for place, param in enumerate(params) if isinstance(param.type, Secret)}
        names = [str(arg["secret"]) for place, arg in enumerate(given) if place in secret and "secret" in arg]
        missing = [name for name in names if name not in self.partners.secrets]
        if missing:
            return unavailable(f"this worker has no secret `{missing[0]}`", sent=False)
        # Secrets travel by name. Only here, where they are used, they have their value.
        given = tuple(
            self.partners.secrets[arg["secret"]] if place in secret else arg for place, arg in enumerate(given)
        )
        attempt = Attempt(
            program=program,
            target=told["target"],
            instance=told["instance"],
            key=told["key"],
            call=told["call"],
            attempt=told["attempt"],
            args=given,
            timeout=told["timeout"],
            context=context,
        )
        if service is None:
            return unavailable(f"nobody answers for `{attempt.target}` here", sent=False)
        beating = asyncio.create_task(_beat())
        try:
            wanted = pass_of(told)
            if wanted is not None:
                try:
                    if not await self.gates.enter(wanted):
                        return unavailable("the breaker is open", sent=False)
                except asyncio.CancelledError:
                    return {"kind": "cancelled"}  # while it waited for its turn
            if told["beats"]:
                beating.cancel()  # from now on the user's code does it
            outcome = await self._timed(service, attempt)
            if wanted is not None:
                await self.gates.left(wanted, outcome)
            return outcome
        finally:
            beating.cancel()

    def _callee(self, program: Program, target: str) -> tuple[tuple[FieldDef, ...], Service | None]:
        """The parameters of what is called, and who answers; for a workflow only a simulation does."""
        operation = program.operations.get(target)
        if operation is None:
            return program.workflows[target].params, self.partners.otherwise
        return operation.params, self.partners.of(operation.service)

    async def _timed(self, service: Service, attempt: Attempt) -> Outcome:
        """The outcome of an attempt, within its time; a stop is passed on, and waited for."""
        working = asyncio.ensure_future(service.perform(attempt))
        limit = attempt.timeout / 1000 if attempt.timeout is not None else None
        loop = asyncio.get_running_loop()
        end = loop.time() + limit if limit is not None else None
        while True:
            left = end - loop.time() if end is not None else None
            if left is not None and left <= 0:
                working.cancel()
                return {"kind": "system", "value": "Timeout", "sent": True}
            try:
                done, _ = await asyncio.wait([working], timeout=left)
            except asyncio.CancelledError:
                attempt.context.stopping.set()
                continue
            if done:
                return _outcome(working)

    # -- for workflows

    @activity.defn(name=wire.ASK)
    async def ask(self, told: dict[str, Any]) -> None:
        """Tells a keeper something; starts it if it is not there."""
        await self.gates.tell(told["keeper"], wire.ASK, told["told"])

    @activity.defn(name="wfc.is-running")
    async def is_running(self, identity: str) -> bool:
        """Whether a workflow still runs."""
        try:
            found = await self.client.get_workflow_handle(identity).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status is WorkflowExecutionStatus.RUNNING

    @activity.defn(name="wfc.deliver")
    async def deliver(self, told: dict[str, Any]) -> None:
        """Hands an event to all running instances that it is meant for, and outgoing ones to whoever takes them."""
        program = program_of(told["machine"], told["from"])
        info = activity.info()
        once = f"{info.workflow_run_id}/{info.activity_id}"  # the same in each attempt
        if told["outgoing"]:
            if self.partners.outgoing is not None:
                await self.partners.outgoing.publish(program, told, once)
            return
        from wfc.engine.control import listeners  # noqa: PLC0415 - it knows this module's Partners

        async for identity in listeners(self.client, program, told["type"], told["key"]):
            try:
                handle = self.client.get_workflow_handle(identity)
                fact = {"type": told["type"], "data": told["data"], "at": told["at"]}
                await handle.signal(wire.EVENT, {**fact, "id": once})
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise


def _outcome(working: "asyncio.Future[Outcome]") -> Outcome:
    if working.cancelled():
        return unavailable("it was cancelled", sent=True)
    error = working.exception()
    return outcome_of(error) if error is not None else working.result()


def _beat_of_any_thread() -> Callable[[], None]:
    """Says that the attempt of this task is alive; methods that are not `async` do so from a thread."""
    loop, here = asyncio.get_running_loop(), copy_context()

    def beat() -> None:
        loop.call_soon_threadsafe(activity.heartbeat, context=here)

    return beat


async def _beat() -> None:
    while True:
        await asyncio.sleep(BEAT)
        activity.heartbeat()


def worker_of(client: Client, queue: str, partners: Partners, *, concurrency: int = 200, cached: int = 1_000) -> Worker:
    """A worker for everything the engine has. `cached`: how many instances it keeps in memory between two steps."""
    own = Activities(client, queue, partners)
    return Worker(
        client,
        task_queue=queue,
        workflows=[Process, Keeper],
        activities=[own.perform, own.ask, own.is_running, own.deliver],
        max_concurrent_activities=concurrency,
        max_cached_workflows=cached,
        unsandboxed_workflow_runner=Runner(),
    )
