"""The one workflow: an instance of a machine on Temporal.

Whatever comes (answers, events, the time, operators) is an input of the pure machine; what that asks for is done by
`hands`. Inputs that are there together are taken in the order of one instant; what has come goes before what was due,
so that a worker that was away does not take an answer that lies there for a timeout.

What comes from outside comes as a signal, and whoever sent it asks by a query whether it was taken. So it is kept where
no worker is there, which an update is not, and what comes twice under one id is taken once.
"""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import attrs
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from wfc.engine.catalogue import knows, program_of
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
    KNOWS,
    MIGRATE,
    OPERATE,
    RECORDS,
    STATUS,
    STOP,
    TAKEN,
    Begin,
)
from wfc.ir.boundary import Misfit
from wfc.ir.encode import decode_as
from wfc.ir.expressions import Ref
from wfc.ir.scenario import Migration
from wfc.machine.attempts import number_of
from wfc.machine.base import EVENTS, VALUES
from wfc.machine.instance import Instance
from wfc.machine.messages import Action, Answered, Event, Input, Operator, Record, Refused, Started, Time, Undone
from wfc.machine.migrate import Stays, migrate
from wfc.machine.store import StoredWrongError, restore, store, unpack, write_input, write_message
from wfc.machine.turn import Turned, apply, rank
from wfc.text.value import changed

OPENING = 1_000  # records and inputs that one answer of a query holds at most
REMEMBERED = 500  # of what was told from outside it is known whether it was taken
CARRIED = 100  # likewise, in a new run
OPERATORS, LAST = 1, 1_000  # among what falls on one instant
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)  # what reading raises that was not written by us


@attrs.frozen
class Refusal:
    """Why something is not taken that the machine has not even seen."""

    reason: str
    text: str


No = Refused | Refusal


@attrs.frozen
class Arrival:
    """Something that has come and waits for its turn. Who told it under an id may ask what has become of it."""

    rank: int
    act: Callable[[], No | None]
    id: str | None = None


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
        self.arrived: list[Arrival] = []
        self.taken: dict[str, No | None] = {}  # by the id under which it was told
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
            self.hands.look_at_history()
            self._batch()
            if not self.arrived and self.hands.renews:
                self.hands.renew({"taken": self._told_taken()})
        if self.instance is not None and self.instance.letters:
            await self.hands.children.leave_letters()
        return self.hands.end()

    def _open(self) -> None:
        begin = self.begin
        if begin.get("stored") is not None:
            self.instance = restore(self.program, begin["stored"])
            goes = begin.get("goes") or {}
            self.taken = {name: Refusal(*why) if why else None for name, why in goes.get("taken", {}).items()}
            self.hands.resume(goes)
            if begin.get("undo"):
                self.take(Undone(at=self.now()))
            return
        child = begin.get("parent") is not None
        data = unpack(begin["data"])
        refused = self.take(
            Started(at=self.now(), workflow=begin["workflow"], instance=self.id, data=data, child=child)
        )
        if refused is not None:
            self.hands.children.did_not_start(refused)
            raise ApplicationError(refused.text, type=refused.reason, non_retryable=True)

    def _over(self) -> bool:
        instance = self.instance
        assert instance is not None
        if instance.status == "running" or instance.frames or instance.fibers:
            return False
        if self.arrived or self.hands.work.is_busy:
            return False
        return not (self.hands.keeps_letters and instance.letters)

    def _due(self) -> bool:
        return bool(self.arrived) or self.broken is not None or self.hands.renews or self._over()

    def _batch(self) -> None:
        """Takes what has come since, in the order of one instant. What comes twice under one id is taken once."""
        batch = sorted(self.arrived, key=lambda each: each.rank)
        self.arrived.clear()
        for each in batch:
            if each.id is None:
                each.act()
            elif each.id not in self.taken:
                self.taken[each.id] = each.act()
        for name in list(self.taken)[:-REMEMBERED]:
            del self.taken[name]

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
        self.arrived.append(Arrival(rank(given), lambda: self._take_now(given)))

    def _take_now(self, given: Input) -> Refused | None:
        return self.take(changed(given, at=max(self.now(), given.at if self.simulated else 0)))

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

    # -- what comes from outside

    def _told(self, told: Any, rank_: int, read: Callable[[Any], Input | Refusal]) -> None:  # noqa: ANN401 - data
        """Something is told. It is read when it is its turn; what cannot be read is refused, and nothing stops."""

        def act() -> No | None:
            try:
                found = read(told)
            except UNREADABLE as error:
                return _unreadable(error)
            return found if isinstance(found, Refusal) else self._take_now(found)

        self.arrived.append(Arrival(rank_, act, _id_of(told)))

    @workflow.signal(name=EVENT)
    def hear(self, told: Any) -> None:  # noqa: ANN401 - data
        """An event."""
        self._told(told, EVENTS, self._event)

    def _event(self, told: Any) -> Event:  # noqa: ANN401 - data
        """An event; the field that is its key may be left out by who knows the instance."""
        type_, data = str(told["type"]), unpack(told["data"])
        definition = self.program.events.get(type_)
        if definition is not None and isinstance(definition.key, Ref) and isinstance(data, dict):
            data = {definition.key.name: self.begin.get("key"), **data}
        return Event(at=int(told.get("at", 0)), type=type_, data=data)

    @workflow.signal(name=OPERATE)
    def operate(self, told: Any) -> None:  # noqa: ANN401 - data
        """An operator acts."""
        self._told(told, OPERATORS, self._operator)

    def _operator(self, told: Any) -> Operator:  # noqa: ANN401 - data
        key, value, action = str(told.get("key", "")), unpack(told.get("value")), told["action"]
        if action not in get_args(Action):
            raise ValueError(f"there is no `{action}`")
        return Operator(at=int(told.get("at", 0)), action=action, key=key, value=value)

    @workflow.signal(name=STOP)
    def stop(self, told: Any) -> None:  # noqa: ANN401 - data
        """The parent asks its child to stop."""
        if _has(told, "at"):
            self.stopped = True
            self.arrive(Operator(at=told["at"], action="cancel"))

    @workflow.signal(name=ANSWER_TASK)
    def answer_task(self, told: Any) -> None:  # noqa: ANN401 - data
        """A person has done a task, or cannot do it."""
        self._told(told, VALUES, self._answer)

    def _answer(self, told: Any) -> Answered | Refusal:  # noqa: ANN401 - data
        """The answer of a person, if the task waits and it fits."""
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
                    else:
                        return Refusal("malformed", "a task is answered by a value or an error")
                except Misfit as misfit:
                    return Refusal("wrong-value", str(misfit))
                return Answered(
                    at=self.now(), call=call.id, attempt=number_of(call), kind=told["kind"], value=value, chance=0.0
                )
        return Refusal("unknown-call", f"no task waits under `{told['key']}`")

    def _error(self, raises: tuple[str, ...], target: str, given: Any) -> Any:  # noqa: ANN401 - an error
        name = given.get("is") if isinstance(given, dict) else given
        if name not in raises:
            known = f"it may raise {', '.join(raises)}" if raises else "it raises nothing"
            raise Misfit(f"`{target}` raises no `{name}`: {known}")
        fields = {key: item for key, item in given.items() if key != "is"} if isinstance(given, dict) else {}
        return {"is": name, **self.program.boundary.fields(self.program.errors[name].fields, fields, name)}

    @workflow.signal(name=CHILD)
    def child_ended(self, told: Any) -> None:  # noqa: ANN401 - data
        """A child has ended, or has undone itself."""
        if _has(told, "id", "call", "attempt", "outcome", "at"):
            self.hands.children.ended(told)

    @workflow.signal(name=GRANTED)
    def granted(self, told: Any) -> None:  # noqa: ANN401 - data
        """A resource is ours, or was not free."""
        if _has(told, "lock", "resource", "free"):
            self.hands.resources.granted(str(told["lock"]), str(told["resource"]), free=bool(told["free"]))

    def _told_taken(self) -> dict[str, tuple[str, str] | None]:
        """What was taken last: somebody may still ask, or tell it once more."""
        last = list(self.taken.items())[-CARRIED:]
        return {name: (refused.reason, refused.text) if refused is not None else None for name, refused in last}

    # -- other versions

    @workflow.signal(name=MIGRATE)
    def migrate(self, told: Any) -> None:  # noqa: ANN401 - data
        """Goes on in another version."""
        self.arrived.append(Arrival(LAST, lambda: self._move(told), _id_of(told)))

    def _move(self, told: Any) -> No | None:  # noqa: ANN401 - data
        """All that decides comes with the signal: another worker, which may know another source, decides the same."""
        assert self.instance is not None
        try:
            digest, way = str(told["machine"]), decode_as(Migration, told["way"], "migration")
        except UNREADABLE as error:
            return _unreadable(error)
        new = program_of(digest, self.begin["workflow"], simulated=self.simulated)
        if (way.workflow, way.old) != (self.instance.workflow, self.instance.version):
            text = f"there is no migration from version {self.instance.version} of `{self.instance.workflow}`"
            return Refusal("no-migration", text)
        found = migrate(self.program, new, self.instance, way, self.now())
        if isinstance(found, Stays):
            return Refusal(found.kind, found.text)
        self.program = new
        self.begin = {**self.begin, "machine": digest, "version": found.instance.version}
        self.journal.append(Time(at=found.instance.now))
        self.adopt(found)
        return None

    # -- questions

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        """Where it stands and what it waits for."""
        assert self.instance is not None
        return status_of(self.program, self.instance, self.hands.tasks) | {"machine": self.begin["machine"]}

    @workflow.query(name=TAKEN)
    def told_taken(self, name: str) -> dict[str, str] | None:
        """What has become of what was told under an id: None if nothing yet, empty if it was taken."""
        if name not in self.taken:
            return None
        refused = self.taken[name]
        return {"reason": refused.reason, "text": refused.text} if refused is not None else {}

    @workflow.query(name=KNOWS)
    def told_known(self, digest: str) -> bool:
        """Whether the worker that answers could go on in another machine."""
        return knows(digest)

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


def _id_of(told: Any) -> str | None:  # noqa: ANN401 - data
    """Under which something is told, if it can be asked for."""
    found = told.get("id") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


def _has(told: Any, *names: str) -> bool:  # noqa: ANN401 - data
    """Whether something that only other workflows tell is what they tell: anyone can send a signal."""
    return isinstance(told, dict) and all(name in told for name in names)


def _unreadable(error: Exception) -> Refusal:
    return Refusal("malformed", f"what was sent cannot be read: {error}")
