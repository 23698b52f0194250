"""What people and other programs do with instances: start, look, send events, act as an operator or on a task."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import attrs
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from wfc.engine import wire
from wfc.engine.attributes import attributes_of, begin_key
from wfc.engine.runner import TOO_EARLY
from wfc.engine.wire import Begin
from wfc.ir.boundary import Misfit
from wfc.ir.encode import encode
from wfc.ir.scenario import Migration
from wfc.machine.program import Program
from wfc.machine.store import pack
from wfc.text.names import did_you_mean, listed

QUERY_TIME = timedelta(seconds=15)  # a worker that has just died is asked for ten seconds more
AGAIN = 50  # questions that came too early
# Seconds between two questions whether something was taken, from and to, and until nothing is asked any more. A run
# that ends stays for a second to answer them.
SOON, LATER, AT_LAST = 0.01, 0.25, 5.0


class ControlError(Exception):
    """Something that was asked for cannot be done; the text says why, `reason` in one word."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


@attrs.frozen
class Found:
    """An instance that Temporal knows."""

    id: str
    run: str
    workflow: str
    status: str  # running, done, failed, terminated...
    started: int  # milliseconds since 1970
    ended: int | None
    key: str
    waits: tuple[str, ...]


# ---------------------------------------------------------------------------------------------------------------- start


def identity_of(program: Program, workflow: str, data: Mapping[str, Any], key: str | None) -> tuple[str, Any]:
    """The id of an instance that is started from outside, and the key by which events find it."""
    definition = program.workflows[workflow]
    if definition.key is not None:
        found = begin_key(program, workflow, dict(data), "")
        return root_id(workflow, found), found
    shown = key or uuid4().hex[:12]
    return f"{workflow}/{shown}", shown


def root_id(workflow: str, key: Any) -> str:  # noqa: ANN401 - a text or a number
    """The id of an instance that was started from outside under a key."""
    return f"{workflow}/{key}" if str(key) else f"{workflow}/1"


def input_of(program: Program, workflow: str, given: Any) -> dict[str, Any]:  # noqa: ANN401 - data
    """The parameters of a workflow, looked at; raises ControlError."""
    params = program.workflows[workflow].params
    if not isinstance(given, dict):
        raise ControlError("the input is an object with a field per parameter", "wrong-input")
    unknown = [name for name in given if name not in {param.name for param in params}]
    if unknown:
        names = [param.name for param in params]
        near = did_you_mean(unknown[0], names) or f"there is {listed(f'`{name}`' for name in names)}"
        raise ControlError(f"`{workflow}` has no parameter `{unknown[0]}`; {near}", "wrong-input")
    try:
        return program.boundary.fields(params, given, "")
    except Misfit as misfit:
        raise ControlError(f"the input does not fit: {misfit}", "wrong-input") from None


@attrs.frozen
class Terms:
    """How an instance is started. `again`: also if one has ended under this id. `simulated`: people are simulated too.

    `attributes`: whether the server knows the attributes by which instances are found. `at`: when a simulation begins.
    """

    queue: str = wire.QUEUE
    key: str | None = None
    again: bool = True
    simulated: bool = False
    attributes: bool = True
    at: int = 0


async def start(client: Client, program: Program, data: Mapping[str, Any], terms: Terms) -> tuple[str, bool]:
    """Starts an instance; its id, and whether it is new. One that runs already is not started twice."""
    workflow = program.machine.workflow
    identity, found = identity_of(program, workflow.name, data, terms.key)
    begin = Begin(
        format=wire.FORMAT,
        machine=program.digest,
        workflow=workflow.name,
        version=workflow.version,
        instance=identity,
        key=found,
        data=pack(dict(data)),
        parent=None,
        attributes=terms.attributes,
        simulated=terms.simulated,
        at=terms.at,
    )
    try:
        await client.start_workflow(
            workflow.name,
            begin,
            id=identity,
            task_queue=terms.queue,
            id_reuse_policy=(
                WorkflowIDReusePolicy.ALLOW_DUPLICATE if terms.again else WorkflowIDReusePolicy.REJECT_DUPLICATE
            ),
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=attributes_of(program, begin),
            static_summary=f"{program.machine.process}, version {workflow.version}",
        )
    except WorkflowAlreadyStartedError:
        return identity, False
    return identity, True


# ----------------------------------------------------------------------------------------------------------------- find


async def find(client: Client, wanted: str) -> WorkflowHandle[Any, Any]:
    """An instance by its id, or by its key if only one has it; what is left of it, if it has dead letters."""
    if "/" in wanted:
        return client.get_workflow_handle(wanted)
    found = [each async for each in instances(client, key=wanted)]
    running = [each for each in found if each.status == "running"] or found
    names = list(dict.fromkeys(each.id for each in running))
    if not names:
        raise ControlError(f"there is no instance `{wanted}`", "unknown-instance")
    if len(names) > 1:
        raise ControlError(f"several instances have the key `{wanted}`: {listed(names)}", "unknown-instance")
    return client.get_workflow_handle(names[0])


async def instances(
    client: Client,
    *,
    key: str | None = None,
    process: str | None = None,
    waits: str | None = None,
    running: bool = False,
) -> AsyncIterator[Found]:
    """The instances that Temporal has, the newest first."""
    parts = []
    if key is not None:
        parts.append(f"{wire.KEY} = '{_quoted(key)}'")
    elif process is not None:
        parts.append(f"{wire.PROCESS} = '{_quoted(process)}'")
    else:
        parts.append(f"{wire.PROCESS} IS NOT NULL")
    if waits is not None:
        parts.append(f"{wire.WAITS} = '{_quoted(waits)}'")
    if running:
        parts.append("ExecutionStatus = 'Running'")
    async for each in client.list_workflows(" AND ".join(parts)):
        yield _found(each)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


STATUSES = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.COMPLETED: "done",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled in Temporal",
    WorkflowExecutionStatus.TERMINATED: "terminated in Temporal",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "running",
    WorkflowExecutionStatus.TIMED_OUT: "timed out in Temporal",
}


def _found(each: WorkflowExecution) -> Found:
    named = {pair.key.name: pair.value for pair in each.typed_search_attributes}
    return Found(
        id=each.id,
        run=each.run_id,
        workflow=each.workflow_type,
        status=STATUSES.get(each.status, "unknown") if each.status is not None else "unknown",
        started=int(each.start_time.timestamp() * 1000),
        ended=int(each.close_time.timestamp() * 1000) if each.close_time is not None else None,
        key=str(named.get(wire.KEY, "")),
        waits=tuple(named.get(wire.WAITS, ())),
    )


async def listeners(client: Client, program: Program, event: str, key: Any) -> AsyncIterator[str]:  # noqa: ANN401 - a text or a number
    """The ids of running instances that an event with a key is meant for.

    A process that is started from outside is found by its name, so that one that has just begun is not missed;
    children are found by their attribute, which follows in a moment.
    """
    hearing = [name for name, heard in program.heard.items() if event in heard]
    told = dict.fromkeys(root_id(name, key) for name in hearing)
    for identity in told:
        yield identity
    try:
        async for each in instances(client, key=str(key), running=True):
            if each.workflow in hearing and each.id not in told and not each.id.endswith(wire.LETTERS):
                yield each.id
    except RPCError as error:
        if error.status not in (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNIMPLEMENTED):
            raise  # else it is a server without our attributes, or without lists


# ------------------------------------------------------------------------------------------------------------------ act


async def send(client: Client, wanted: str, event: str, given: Any) -> list[str]:  # noqa: ANN401 - data
    """Delivers an event to an instance, or to all that run under a key; their ids. ControlError if nobody takes it."""
    if "/" in wanted:
        names = [wanted]
    else:
        names = [each.id async for each in instances(client, key=wanted, running=True)]
        names = [name for name in names if not name.endswith(wire.LETTERS)]
        if not names:
            raise ControlError(f"no running instance has the key `{wanted}`", "not-running")
    taken: list[str] = []
    refused: ControlError | None = None
    for identity in names:
        try:
            await tell(client.get_workflow_handle(identity), wire.EVENT, {"type": event, "data": pack(given)})
            taken.append(identity)
        except ControlError as error:
            refused = error
    if not taken and refused is not None:
        raise refused
    return taken


async def tell(handle: WorkflowHandle[Any, Any], name: str, told: Mapping[str, Any]) -> None:
    """Tells an instance something that it may refuse; raises ControlError with its reason.

    What has been told is kept by Temporal, and taken once, also where no worker is there to say so.
    """
    identity = uuid4().hex
    try:
        await handle.signal(name, {**told, "id": identity})
    except RPCError as error:
        raise await _unreachable(handle, error) from None
    pause, end = SOON, time.monotonic() + AT_LAST
    while time.monotonic() < end:
        try:
            found = await query(handle, wire.TAKEN, identity)
        except ControlError as error:
            raise ControlError(f"`{handle.id}` has been told, but {error}", error.reason) from None
        if found is not None:
            if found:
                raise ControlError(found["text"], found["reason"])
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, LATER)
    raise ControlError(f"`{handle.id}` has been told, but does not say whether it takes that", "worker")


async def _unreachable(handle: WorkflowHandle[Any, Any], error: RPCError) -> ControlError:
    if error.status is not RPCStatusCode.NOT_FOUND:
        return ControlError(f"Temporal says: {error.message}", "server")
    try:
        found = await handle.describe()
    except RPCError:
        return ControlError(f"there is no instance `{handle.id}`", "unknown-instance")
    status = STATUSES.get(found.status, "unknown") if found.status is not None else "unknown"
    return ControlError(f"`{handle.id}` has ended ({status})", "not-running")


async def query(handle: WorkflowHandle[Any, Any], name: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
    """Asks an instance; raises ControlError, also where no worker answers."""
    for _ in range(AGAIN):
        try:
            return await _query(handle, name, *args)
        except WorkflowQueryFailedError as error:
            if TOO_EARLY not in str(error):
                raise ControlError(f"`{handle.id}` cannot answer: {error}", "worker") from None
            await asyncio.sleep(SOON)
    raise ControlError(f"`{handle.id}` cannot answer just now", "worker")


async def _query(handle: WorkflowHandle[Any, Any], name: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
    try:
        return await handle.query(name, args=args, rpc_timeout=QUERY_TIME)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ControlError(f"there is no instance `{handle.id}`", "unknown-instance") from None
        if error.status in (
            RPCStatusCode.DEADLINE_EXCEEDED,
            RPCStatusCode.FAILED_PRECONDITION,
            RPCStatusCode.CANCELLED,
        ):
            raise ControlError(f"no worker answers for `{handle.id}`: start one with `wfc worker`", "worker") from None
        raise ControlError(f"Temporal says: {error.message}", "server") from None


async def all_of(handle: WorkflowHandle[Any, Any], name: str) -> list[Any]:
    """All records or inputs of an instance."""
    found: list[Any] = []
    while True:
        more = await query(handle, name, len(found))
        found += more
        if not more:
            return found


async def operate(client: Client, identity: str, action: str, key: str = "", value: Any = None) -> None:  # noqa: ANN401 - data
    """An operator acts; on a dead letter also where its instance has ended."""
    handle = await find(client, identity)
    told = {"action": action, "key": key, "value": pack(value)}
    try:
        await tell(handle, wire.OPERATE, told)
    except ControlError as error:
        if action == "cancel" or error.reason not in ("not-running", "unknown-instance"):
            raise
        try:
            await tell(client.get_workflow_handle(handle.id + wire.LETTERS), wire.OPERATE, told)
        except ControlError as other:
            raise (error if other.reason == "unknown-instance" else other) from None


# ---------------------------------------------------------------------------------------------------------------- lists


async def trail(client: Client, handle: WorkflowHandle[Any, Any]) -> list[Any]:
    """The audit records of an instance over all its runs, then those of its dead letters."""
    found: list[Any] = []
    for run in await _runs(client, handle.id):
        found += await all_of(client.get_workflow_handle(handle.id, run_id=run), wire.RECORDS)
    for run in await _runs(client, handle.id + wire.LETTERS):
        found += await all_of(client.get_workflow_handle(handle.id + wire.LETTERS, run_id=run), wire.RECORDS)
    if not found:
        found = await all_of(handle, wire.RECORDS)
    return found


async def _runs(client: Client, identity: str) -> list[str]:
    """The runs of the last start of an id, the oldest first: a long history goes on in a new one."""
    found: list[tuple[Any, str, str]] = []
    async for each in client.list_workflows(f"WorkflowId = '{_quoted(identity)}'"):
        described = await client.get_workflow_handle(identity, run_id=each.run_id).describe()
        chain = getattr(described.raw_description.workflow_execution_info, "first_run_id", "") or each.run_id
        found.append((each.start_time, chain, each.run_id))
    found.sort(key=lambda item: item[0])
    return [run for _, chain, run in found if chain == found[-1][1]]


async def tasks(client: Client, wanted: str | None) -> AsyncIterator[tuple[str, Any]]:
    """The tasks that wait for people, with their instances."""
    async for handle in _waiting(client, wanted, "task"):
        for each in (await query(handle, wire.STATUS))["tasks"]:
            yield handle.id, each


async def task(client: Client, wanted: str, name: str) -> tuple[WorkflowHandle[Any, Any], str]:
    """The one task of an instance with a key, or of an operation."""
    handle = await find(client, wanted)
    there = (await query(handle, wire.STATUS))["tasks"]
    found = [each["key"] for each in there if name in (each["key"], each["task"])]
    if not found:
        names = listed(f"`{each['task']}`" for each in there)
        raise ControlError(f"`{handle.id}` has no task `{name}`" + (f"; there is {names}" if there else ""), "no-task")
    if len(found) > 1:
        raise ControlError(f"there are several: say which by its key, {listed(found, 'or')}", "no-task")
    return handle, found[0]


async def _waiting(client: Client, wanted: str | None, *waits: str) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """An instance, or all in which something waits for people."""
    if wanted is not None:
        handle = await find(client, wanted)
        yield handle
        letters = client.get_workflow_handle(handle.id + wire.LETTERS)
        try:
            await letters.describe()
        except RPCError:
            return
        yield letters
        return
    told: set[str] = set()
    for kind in waits:
        async for each in instances(client, waits=kind, running=True):
            if each.id not in told:
                told.add(each.id)
                yield client.get_workflow_handle(each.id)


async def stranded(client: Client, wanted: str | None) -> AsyncIterator[tuple[str, str, Any]]:
    """Parked steps and dead letters: instance, kind, what is known of it."""
    async for handle in _waiting(client, wanted, "parked", "letter"):
        status = await query(handle, wire.STATUS)
        if status["status"] != "running" and wanted is not None and not handle.id.endswith(wire.LETTERS):
            continue  # its letters lie beside it
        for each in status["parked"]:
            yield status["instance"], "parked", each
        for each in status["letters"]:
            yield status["instance"], "dead letter", each


async def stranded_key(client: Client, wanted: str, name: str) -> str:
    """The key of the one step of an instance that waits for an operator, by key or operation."""
    there = [each async for _, _, each in stranded(client, wanted)]
    found = [each["key"] for each in there if name in (each["key"], each["operation"])]
    if not found:
        names = listed(f"`{each['operation']}`" for each in there)
        text = f"nothing of `{name}` waits for an operator in `{wanted}`"
        raise ControlError(text + (f"; there is {names}" if there else ""), "unknown-step")
    if len(found) > 1:
        raise ControlError(f"there are several: say which by its key, {listed(found, 'or')}", "unknown-step")
    return str(found[0])


async def migrate_all(
    client: Client, program: Program, ways: Iterable[Migration], only: list[str]
) -> AsyncIterator[tuple[str, str | None]]:
    """Asks instances to go on in a version; for each why it stays, if it does."""
    process = program.machine.process
    names = [(await find(client, name)).id for name in only]
    if not names:
        names = [each.id async for each in instances(client, process=process, running=True)]
    for name in names:
        handle = client.get_workflow_handle(name)
        try:
            status = await query(handle, wire.STATUS)
            if status["machine"] == program.digest or status["workflow"] != program.machine.workflow.name:
                continue
            await _migrate(handle, program, ways, status["version"])
        except ControlError as error:
            yield name, str(error)
        else:
            yield name, None


async def _migrate(handle: WorkflowHandle[Any, Any], program: Program, ways: Iterable[Migration], version: int) -> None:
    workflow = program.machine.workflow
    way = next((way for way in ways if way.workflow == workflow.name and way.old == version), None)
    if way is None:
        raise ControlError(f"there is no migration from version {version} of `{workflow.name}`", "no-migration")
    if not await query(handle, wire.KNOWS, program.digest):
        text = f"its worker does not know version {workflow.version}: start one that does, then migrate"
        raise ControlError(text, "unknown-machine")
    await tell(handle, wire.MIGRATE, {"machine": program.digest, "way": encode(way, places=False)})
