"""The one workflow: an instance of a machine on Temporal.

Whatever comes (answers, events, the time, operators) is an input of the pure machine; what that asks for is done by
`hands`. Inputs that are there together are taken in the order of one instant; what has come goes before what was due,
so that a worker that was away does not take an answer that lies there for a timeout.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from wfc.engine.catalogue import migration_to, program_of
from wfc.engine.hands import Hands
from wfc.engine.meters import Meters
from wfc.engine.view import status_of
from wfc.engine.wire import (
    ANSWER_TASK,
    CHILD,
    EVENT,
    FORMAT,
    GRANTED,
    JOURNAL,
    MIGRATE,
    OPERATE,
    RECORDS,
    STATUS,
    STOP,
    Begin,
)
from wfc.ir.boundary import Misfit
from wfc.ir.expressions import Ref
from wfc.machine.attempts import number_of
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Event, Input, Operator, Record, Refused, Started, Time, Undone
from wfc.machine.migrate import Stays, migrate
from wfc.machine.store import StoredWrongError, pack, restore, store, unpack, write_input, write_message
from wfc.machine.turn import Turned, apply, rank, turn
from wfc.text.value import changed

OPENING = 1_000  # records and inputs that one answer of a query holds at most


@workflow.defn(dynamic=True, sandboxed=False)
class Process:
    """An instance. Its id is that of the Temporal workflow, its type that of the workflow in the source."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        begin: Begin = workflow.payload_converter().from_payload(args[0].payload)
        if begin["format"] != FORMAT:
            raise StoredWrongError(f"this worker reads instances in format {FORMAT}, not {begin['format']}")
        self.begin = begin
        self.simulated = begin.get("simulated", False)
        told = f"{begin['workflow']}, version {begin['version']}"
        self.program = program_of(begin["machine"], told, simulated=self.simulated)
        self.id = begin["instance"]
        self.instance: Instance | None = None
        self.records: list[Record] = []
        self.journal: list[Input] = []
        self._reached = begin.get("at", 0) if self.simulated else 0
        self.stopped = False  # its parent has asked it to stop
        self.arrived: list[tuple[Input, asyncio.Future[Refused | None] | None]] = []
        self.broken: BaseException | None = None
        self.meters = Meters(self.program, begin["workflow"])
        self.hands = Hands(self)

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Any:  # noqa: ANN401 - a result of the language
        """Goes on until the instance has ended and all it has asked for is done."""
        _ = args
        self._open()
        while not self._over():
            await workflow.wait_condition(self._due)
            if self.broken is not None:
                raise self.broken
            self._batch()
            if not self.arrived and self.hands.renews():
                self.hands.renew()
        if self.instance is not None and self.instance.letters:
            await self.hands.leave_letters()
        return self.hands.end()

    def _open(self) -> None:
        begin = self.begin
        if begin.get("stored") is not None:
            self.instance = restore(self.program, begin["stored"])
            self.hands.resume(begin.get("goes") or {})
            if begin.get("undo"):
                self.take(Undone(at=self.now()))
            return
        child = begin.get("parent") is not None
        data = unpack(begin["data"])
        refused = self.take(
            Started(at=self.now(), workflow=begin["workflow"], instance=self.id, data=data, child=child)
        )
        if refused is not None:
            self.hands.did_not_start(refused)
            raise ApplicationError(refused.text, type=refused.reason, non_retryable=True)

    def _over(self) -> bool:
        instance = self.instance
        assert instance is not None
        if instance.status == "running" or instance.frames or instance.fibers or self.arrived or self.hands.busy:
            return False
        return not (self.hands.keeps_letters and instance.letters)

    def _due(self) -> bool:
        return bool(self.arrived) or self.broken is not None or self.hands.renews() or self._over()

    def _batch(self) -> None:
        """Takes what has come since, in the order of one instant."""
        batch = sorted(self.arrived, key=lambda item: rank(item[0]))
        self.arrived.clear()
        for given, done in batch:
            refused = self.take(changed(given, at=max(self.now(), given.at if self.simulated else 0)))
            if done is not None and not done.done():
                done.set_result(refused)

    # -- inputs

    def now(self) -> int:
        """The recorded time, which never goes back. In a simulation it goes on only by what is simulated."""
        known = max(self._reached, self.instance.now if self.instance is not None else 0)
        if self.simulated and known:
            return known
        return max(workflow.time_ns() // 1_000_000, known)

    def reached(self, at: int) -> None:
        """A timer says that it is so late, whatever the clock says: what is due must not depend on its last digit."""
        self._reached = max(self._reached, at)

    def arrive(self, given: Input) -> None:
        """An input has come; it is told the time when it is its turn."""
        self.arrived.append((given, None))

    def take(self, given: Input) -> Refused | None:
        """One turn; answers that nobody waits for any more are let go."""
        found = apply(self.program, self.instance, given)
        if isinstance(found, Refused):
            if found.reason == "endless":
                raise RuntimeError(f"`{self.id}` goes round without ever waiting")
            return found
        self.journal.append(given)
        self.adopt(found)
        return None

    def adopt(self, found: Turned) -> None:
        """What a turn has led to."""
        self.instance = found.instance
        self.records.extend(found.records)
        self.meters.saw(found.records)
        self.hands.obey(found.commands)

    async def _asked(self, given: Input) -> None:
        """An update: it is answered when its turn is over."""
        done: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self.arrived.append((given, done))
        _accept(await done)

    def _try(self, given: Input) -> None:
        """Refuses an update before it becomes part of the history."""
        if self.instance is None:
            return  # it comes with the first task of this worker, and is looked at when it is its turn
        found = turn(self.program, self.instance, changed(given, at=max(self.now(), given.at)))
        _accept(found if isinstance(found, Refused) else None)

    # -- what comes from outside

    def _event(self, told: Any) -> Event:  # noqa: ANN401 - data
        """An event; the field that is its key may be left out by who knows the instance."""
        type_, data = str(told["type"]), unpack(told["data"])
        definition = self.program.events.get(type_)
        if definition is not None and isinstance(definition.key, Ref) and isinstance(data, dict):
            data = {definition.key.name: self.begin.get("key"), **data}
        return Event(at=told.get("at", 0), type=type_, data=data)

    @workflow.signal(name=EVENT)
    def hear(self, told: dict[str, Any]) -> None:
        """An event of another instance, or of someone who does not ask what becomes of it."""
        self.arrive(self._event(told))

    @workflow.update(name=EVENT)
    async def deliver(self, told: dict[str, Any]) -> None:
        """An event."""
        await self._asked(self._event(told))

    @deliver.validator
    def _try_event(self, told: dict[str, Any]) -> None:
        self._try(self._event(told))

    def _operator(self, told: Any) -> Operator:  # noqa: ANN401 - data
        key, value = told.get("key", ""), unpack(told.get("value"))
        return Operator(at=told.get("at", 0), action=told["action"], key=key, value=value)

    @workflow.update(name=OPERATE)
    async def operate(self, told: dict[str, Any]) -> None:
        """An operator acts."""
        await self._asked(self._operator(told))

    @operate.validator
    def _try_operator(self, told: dict[str, Any]) -> None:
        self._try(self._operator(told))

    @workflow.signal(name=STOP)
    def stop(self, told: dict[str, Any]) -> None:
        """The parent asks its child to stop."""
        self.stopped = True
        self.arrive(Operator(at=told["at"], action="cancel"))

    def _answer(self, told: Any) -> Answered:  # noqa: ANN401 - data
        """The answer of a person; raises ApplicationError for a task that is not there."""
        assert self.instance is not None
        for fiber in self.instance.fibers.values():
            call = fiber.call
            if call is not None and call.kind == "task" and call.key == told["key"] and call.state == "sent":
                value = unpack(told.get("value"))
                operation = self.program.operations[call.target]
                try:
                    if told["kind"] == "value":
                        value = self.program.boundary.answer(operation, value)
                    elif told["kind"] == "error":
                        value = self._error(operation.raises, call.target, value)
                except Misfit as misfit:
                    raise ApplicationError(str(misfit), type="wrong-value", non_retryable=True) from None
                return Answered(
                    at=self.now(), call=call.id, attempt=number_of(call), kind=told["kind"], value=value, chance=0.0
                )
        raise ApplicationError(f"no task waits under `{told['key']}`", type="unknown-call", non_retryable=True)

    def _error(self, raises: tuple[str, ...], target: str, given: Any) -> Any:  # noqa: ANN401 - an error
        name = given.get("is") if isinstance(given, dict) else given
        if name not in raises:
            known = f"it may raise {', '.join(raises)}" if raises else "it raises nothing"
            raise Misfit(f"`{target}` raises no `{name}`: {known}")
        fields = {key: item for key, item in given.items() if key != "is"} if isinstance(given, dict) else {}
        return {"is": name, **self.program.boundary.fields(self.program.errors[name].fields, fields, name)}

    @workflow.update(name=ANSWER_TASK)
    async def answer_task(self, told: dict[str, Any]) -> None:
        """A person has done a task, or cannot do it."""
        await workflow.wait_condition(lambda: self.instance is not None)
        await self._asked(self._answer(told))

    @answer_task.validator
    def _try_answer(self, told: dict[str, Any]) -> None:
        if self.instance is not None:
            self._answer(told)

    @workflow.signal(name=CHILD)
    def child_ended(self, told: dict[str, Any]) -> None:
        """A child has ended, or has undone itself."""
        self.hands.child_ended(told)

    @workflow.signal(name=GRANTED)
    def granted(self, told: dict[str, Any]) -> None:
        """A resource is ours, or was not free."""
        self.hands.granted(told["lock"], told["resource"], free=told["free"])

    # -- other versions

    @workflow.update(name=MIGRATE)
    async def migrate(self, told: dict[str, Any]) -> None:
        """Goes on in another version."""
        await workflow.wait_condition(lambda: self.instance is not None and not self.arrived)
        found = self._moved(told)
        self.program = program_of(told["machine"], self.begin["workflow"], simulated=self.simulated)
        self.begin = {**self.begin, "machine": told["machine"], "version": found.instance.version}
        self.journal.append(Time(at=found.instance.now))
        self.adopt(found)

    @migrate.validator
    def _try_migrate(self, told: dict[str, Any]) -> None:
        if self.instance is not None:
            self._moved(told)

    def _moved(self, told: Any) -> Turned:  # noqa: ANN401 - data
        assert self.instance is not None
        new = program_of(told["machine"], self.begin["workflow"])
        way = migration_to(told["machine"], self.instance.workflow, self.instance.version)
        if way is None:
            text = f"there is no migration from version {self.instance.version} of `{self.instance.workflow}`"
            raise ApplicationError(text, type="no-migration", non_retryable=True)
        found = migrate(self.program, new, self.instance, way, self.now())
        if isinstance(found, Stays):
            raise ApplicationError(found.text, type=found.kind, non_retryable=True)
        return found

    # -- questions

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        """Where it stands and what it waits for."""
        assert self.instance is not None
        return status_of(self.program, self.instance, self.hands.tasks) | {"machine": self.begin["machine"]}

    @workflow.query(name=RECORDS)
    def told_records(self, known: int) -> list[Any]:
        """The audit records behind those that are known."""
        return [write_message(record) for record in self.records[known : known + OPENING]]

    @workflow.query(name=JOURNAL)
    def told_journal(self, known: int) -> list[Any]:
        """The inputs behind those that are known."""
        return [write_input(given) for given in self.journal[known : known + OPENING]]

    # -- for whoever goes on with it

    def stored(self) -> Any:  # noqa: ANN401 - JSON
        """The instance as data."""
        assert self.instance is not None
        return store(self.program, self.instance)

    def result(self) -> Any:  # noqa: ANN401 - JSON
        """What it has ended with, as data for people."""
        assert self.instance is not None
        kind = self.program.workflows[self.instance.workflow].result
        return self.program.boundary.write(self.instance.value, kind) if kind is not None else None

    def packed(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """A value as another instance reads it."""
        return pack(value)


def _accept(refused: Refused | None) -> None:
    if refused is not None:
        raise ApplicationError(refused.text, type=refused.reason, non_retryable=True)
