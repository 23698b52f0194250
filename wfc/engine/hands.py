"""Does what the machine asks for by Temporal's means: activities, timers, children, signals.

Every attempt is an activity that always answers, whatever has happened; only the loss of a worker shows as a failure of
Temporal. Then the same attempt is sent again, with the same key, if doing it twice does no harm; else it is an
`Unavailable` of which nobody knows whether it was sent.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, Protocol

import attrs
from temporalio import workflow
from temporalio.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

from wfc.engine import wire
from wfc.engine.wire import Begin, Outcome
from wfc.ir.machine import Do
from wfc.machine.code import Calling
from wfc.machine.instance import Call, Instance
from wfc.machine.messages import (
    Alarm,
    Answered,
    Command,
    DeadLetter,
    Emitted,
    Ended,
    Input,
    Lock,
    Locked,
    Measured,
    Refused,
    Send,
    Sent,
    Stop,
    Time,
    Unlock,
)
from wfc.machine.program import CANCELLED, SYSTEM, Program
from wfc.machine.steps import DISTANT
from wfc.machine.store import pack, read, unpack, write

LOST = timedelta(seconds=10)  # silence after which a worker counts as lost
ENDLESS = timedelta(days=3650)  # the worker itself ends an attempt whose time is over, once it has begun
INNER = timedelta(seconds=30)  # an attempt of what the engine itself does
AGAIN = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
ONCE = RetryPolicy(maximum_attempts=1)
ONCE_ASKED = (1, DISTANT)  # what a lock waits that is only to be asked for once

KEY = SearchAttributeKey.for_keyword(wire.KEY)
PROCESS = SearchAttributeKey.for_keyword(wire.PROCESS)
WAITS = SearchAttributeKey.for_keyword_list(wire.WAITS)

Caller = tuple[str, str, int]  # instance, call, attempt


class Home(Protocol):
    """What hands need of their instance."""

    begin: Begin
    program: Program
    instance: Instance | None
    id: str
    stopped: bool
    broken: BaseException | None
    meters: Any

    def arrive(self, given: Input) -> None:
        """An input has come."""

    def now(self) -> int:
        """The recorded time."""

    def reached(self, at: int) -> None:
        """A timer says that it is so late."""

    def stored(self) -> Any:  # noqa: ANN401 - JSON
        """The instance as data."""

    def result(self) -> Any:  # noqa: ANN401 - JSON
        """What it has ended with."""


class Hands:
    """What an instance has under way outside."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.tasks: dict[str, Send] = {}  # by call
        self.children: dict[str, Any] = {}  # completed ones that can undo themselves, as data
        self._callees: dict[str, str] = {}  # the child that a call waits for
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._attempts: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._begun: set[tuple[str, int]] = set()
        self._simulated: list[tuple[int, Answered]] = []  # answers of simulated services, by when they come
        self._grants: dict[tuple[str, str], asyncio.Future[bool]] = {}
        self._locks: dict[str, tuple[asyncio.Task[None] | None, tuple[str, ...]]] = {}  # with what has been asked
        self._held_back: list[Send] = []  # until a long history has been left behind
        self._alarm: int | None = None
        self._asked_once: set[str] = set()  # locks that do not wait: their keepers say at once whether they are free
        self._overdue = False  # the timer waits for these answers
        self._timer: tuple[int, asyncio.Task[None]] | None = None
        self._waits: list[str] = []
        self._renewing = False
        self.keeps_letters = home.begin.get("goes") is not None and (home.begin.get("goes") or {}).get("letters", False)

    # -- work in the background

    @property
    def busy(self) -> bool:
        """Whether something has been asked for that is not done."""
        return bool(self._working)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._ended)
        return task

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something, while everything goes on."""
        _ = self._spawn(work)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.home.broken = task.exception()

    # -- commands

    def obey(self, commands: Iterable[Command]) -> None:
        """Does what a turn has asked for."""
        for command in commands:
            match command:
                case Send():
                    self._send(command)
                case Stop(call=call, attempt=attempt):
                    self._stop(call, attempt)
                case Alarm(at=at):
                    self._alarm = at
                case Lock(lock=lock):
                    self._locks[lock] = self._spawn(self._lock(command)), ()
                case Unlock(lock=lock):
                    self._unlock(lock)
                case Emitted():
                    self._do(self._emit(command))
                case Measured():
                    self.home.meters.measured(command)
                case DeadLetter():
                    self.home.meters.letter(command)
                case Ended():
                    self._finish(command)
        self.tasks = {call: send for call, send in self.tasks.items() if self._call(call) is not None}
        self._look_at_locks()
        self._set_timer()
        self._show()

    def _send(self, send: Send) -> None:
        simulated = self.home.begin.get("simulated", False)
        if simulated and (send.limit is not None or send.concurrency is not None):
            self.home.arrive(Sent(at=0, call=send.call, attempt=send.attempt))  # it need not wait for its turn
        match send.kind:
            case "task" if not simulated:
                self.tasks[send.call] = send
            case "workflow" | "start":
                self._callees[send.call] = send.key
                self._starting[send.key] = self._spawn(self._child(send))
            case "undo":
                self._do(self._undo(send))
            case _ if self._renewing:
                self._held_back.append(send)
            case _:
                self._attempts[send.call, send.attempt] = self._spawn(self._attempt(send))

    def _stop(self, call: str, attempt: int) -> None:
        """Asks an attempt to stop: it answers when it has."""
        if self.tasks.pop(call, None) is not None:
            return
        found = self._attempts.get((call, attempt))
        if found is not None:
            self._stop_attempt(found, call, attempt)
        elif any(each.call == call for each in self._held_back):
            self._held_back = [each for each in self._held_back if each.call != call]
            self._answer({"kind": "cancelled"}, call=call, attempt=attempt)
        elif (child := self._callees.get(call)) is not None:
            self._do(self._stop_child(child, self.home.now()))

    # -- attempts

    def _stop_attempt(self, found: "asyncio.Task[None]", call: str, attempt: int) -> None:
        if self.home.begin.get("simulated"):
            return  # a simulated service goes on, and is not stopped by being asked to
        found.cancel()
        if (call, attempt) not in self._begun:  # it never will
            del self._attempts[call, attempt]
            self._answer({"kind": "cancelled"}, call=call, attempt=attempt)

    async def _attempt(self, send: Send) -> None:
        self._begun.add((send.call, send.attempt))
        sent = self.home.now()
        try:
            outcome = await self._perform(send)
        except (CancelledError, asyncio.CancelledError):
            outcome = {"kind": "cancelled"}
        finally:
            self._attempts.pop((send.call, send.attempt), None)
            self._begun.discard((send.call, send.attempt))
        self._answer(outcome, call=send.call, attempt=send.attempt, sent=sent)

    async def _perform(self, send: Send) -> Outcome:
        """How an attempt has ended."""
        call = self._call(send.call)
        policy = call.policy if call is not None else None
        beat = policy.heartbeat if policy is not None else None
        safe = send.undo or self._is_safe(call)
        simulated = self.home.begin.get("simulated", False)  # then the machine and the simulation do all that
        try:
            found: Outcome = await workflow.execute_activity(
                send.target,
                {
                    "machine": self.home.begin["machine"],
                    "instance": self.home.id,
                    "target": send.target,
                    "key": send.key,
                    "call": send.call,
                    "attempt": send.attempt,
                    "args": pack(send.args),
                    "timeout": None if simulated else send.timeout,
                    "beats": beat is not None,
                    "undo": send.undo,
                    "breaker": None if simulated else send.breaker,
                    "limit": None if simulated else send.limit,
                    "concurrency": None if simulated else send.concurrency,
                },
                start_to_close_timeout=ENDLESS,
                heartbeat_timeout=timedelta(milliseconds=beat) if beat is not None else LOST,
                retry_policy=AGAIN if safe and beat is None else ONCE,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=call.path if call is not None else None,
            )
        except ActivityError as error:
            return _lost(error, again=safe, beats=beat is not None)
        return found

    def _is_safe(self, call: Call | None) -> bool:
        """Whether an attempt may be sent twice: the service honours the key, or nothing is done."""
        if call is None or call.pc < 0:
            return True
        instruction = self.home.program.code[call.pc]
        assert isinstance(instruction, Calling)
        step = instruction.call.step
        return instruction.call.keyed or (isinstance(step, Do) and step.effect == "none" and call.kind == "query")

    def _answer(self, outcome: Outcome, *, call: str, attempt: int, incomplete: bool = False, sent: int = 0) -> None:
        """How an attempt has ended; that of a simulated service may come later, or never."""
        if outcome.get("hangs"):
            return
        delay = outcome.get("delay", 0)
        answer = Answered(
            at=sent + delay,
            call=call,
            attempt=attempt,
            kind=outcome["kind"],  # type: ignore[arg-type]  # one of four words
            value=unpack(outcome.get("value")),
            sent=outcome.get("sent", True),
            chance=outcome.get("chance", workflow.random().random()),
            detail=outcome.get("detail", ""),
            incomplete=incomplete,
        )
        if delay:
            self._simulated.append((answer.at, answer))
            self._set_timer()
        else:
            self.home.arrive(answer)

    def _call(self, name: str) -> Call | None:
        assert self.home.instance is not None
        fibers = self.home.instance.fibers.values()
        return next((fiber.call for fiber in fibers if fiber.call is not None and fiber.call.id == name), None)

    # -- locks: a keeper for each resource

    async def _lock(self, lock: Lock) -> None:
        """Asks for one resource after another, in their order: nobody waits in a circle."""
        asked: tuple[str, ...] = ()
        if lock.wait in ONCE_ASKED:
            self._asked_once.add(lock.lock)
        for resource in lock.resources:
            name = f"{resource.name}/{resource.key}"
            place = lock.lock, name
            once = lock.wait in ONCE_ASKED
            asked += (_resource_keeper(name),)
            self._locks[lock.lock] = self._locks[lock.lock][0], asked
            self._grants[place] = asyncio.get_running_loop().create_future()
            part = write(attrs.evolve(lock, resources=(resource,)))  # type: ignore[misc]  # attrs to mypy only by the decorator
            try:
                await self._ask(asked[-1], {"lock": part, "owner": self.home.id, "name": name, "once": once})
                if not await self._grants[place]:
                    self.home.arrive(Locked(at=0, lock=lock.lock, state="lost"))
                    return
            finally:
                self._grants.pop(place, None)
        self._locks[lock.lock] = None, asked
        self.home.arrive(Locked(at=0, lock=lock.lock, state="granted"))

    def granted(self, lock: str, resource: str, *, free: bool) -> None:
        """A resource is ours; or it was not free, and we did not want to wait."""
        waiting = self._grants.get((lock, resource))
        if waiting is not None and not waiting.done():
            waiting.set_result(free)

    def _look_at_locks(self) -> None:
        """When it is known of each lock that does not wait whether it is free, time may go on."""
        assert self.home.instance is not None
        self._asked_once &= {fiber.lock for fiber in self.home.instance.fibers.values() if fiber.wait == "lock"}
        if self._overdue and not self._asked_once:
            self._overdue = False

    def _unlock(self, lock: str) -> None:
        task, asked = self._locks.pop(lock, (None, ()))
        if task is not None:
            task.cancel()
        for keeper in asked:
            self._do(self._signal(keeper, wire.RELEASE, {"owner": self.home.id, "lock": lock}))

    async def _ask(self, keeper: str, told: dict[str, Any]) -> None:
        """Tells a keeper something; it is started if it is not there."""
        await workflow.execute_activity(
            wire.ASK, {"keeper": keeper, "told": told}, start_to_close_timeout=INNER, retry_policy=AGAIN
        )

    # -- children

    async def _child(self, send: Send) -> None:
        if self.home.begin.get("simulated") and send.kind == "workflow":
            sent = self.home.now()
            outcome = await self._perform(send)
            if outcome.get("kind") != "runs":
                self._answer(outcome, call=send.call, attempt=send.attempt, sent=sent)
                return
        program = self.home.program
        definition = program.workflows[send.target]
        data = {param.name: value for param, value in zip(definition.params, send.args, strict=True)}
        begin = self._beginning(send.target, send.key)
        begin["data"] = pack(data)
        begin["key"] = begin_key(program, send.target, data, send.key)
        if send.kind == "workflow":
            begin["parent"] = self.home.id, send.call, send.attempt
        try:
            await self._start(begin, send.key)
        except WorkflowAlreadyStartedError:
            running: Outcome = {"kind": "system", "value": "AlreadyRunning", "sent": False}
            self._answer(running, call=send.call, attempt=send.attempt)
            return
        if send.kind == "start":
            self._answer({"kind": "value", "value": None}, call=send.call, attempt=send.attempt)

    def _beginning(self, workflow_name: str, instance: str) -> Begin:
        """What all that are started from here have in common."""
        begin = self.home.begin
        return Begin(
            format=wire.FORMAT,
            machine=begin["machine"],
            workflow=workflow_name,
            version=self.home.program.workflows[workflow_name].version,
            instance=instance,
            key=None,
            data=None,
            attributes=begin.get("attributes", False),
            simulated=begin.get("simulated", False),
            at=self.home.now(),
            parent=None,
        )

    async def _start(self, begin: Begin, identity: str) -> None:
        started = await workflow.start_child_workflow(
            begin["workflow"],
            begin,
            id=identity,
            parent_close_policy=ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=attributes_of(self.home.program, begin),
            static_summary=begin["workflow"],
        )
        started.add_done_callback(_heard)  # how it ends is told by itself

    async def _stop_child(self, child: str, at: int) -> None:
        """Asks a child to stop, once it is there."""
        starting = self._starting.get(child)
        if starting is not None:
            await asyncio.wait([starting])
        await self._signal(child, wire.STOP, {"at": at})

    def child_ended(self, told: dict[str, Any]) -> None:
        """A child has ended, or has undone itself."""
        self._callees.pop(told["call"], None)
        self._starting.pop(told["id"], None)
        if told.get("stored") is not None:
            self.children[told["id"]] = told["stored"]
        self._answer(
            told["outcome"],
            call=told["call"],
            attempt=told["attempt"],
            incomplete=told.get("incomplete", False),
            sent=told["at"],
        )

    async def _undo(self, send: Send) -> None:
        """A completed child undoes itself; it goes on from where it was left."""
        stored = self.children.get(send.key)
        if stored is None:
            self._answer({"kind": "value", "value": None}, call=send.call, attempt=send.attempt)
            return
        begin = self._beginning(stored["workflow"], send.key)
        begin["stored"], begin["undo"] = stored["instance"], True
        begin["machine"] = stored["instance"]["machine"]  # it may be of an older version than its parent by now
        begin["goes"] = stored["goes"]
        begin["parent"] = self.home.id, send.call, send.attempt
        try:
            await self._start(begin, f"{send.key}/undo")
        except WorkflowAlreadyStartedError:
            outcome: Outcome = {"kind": "system", "value": "Unavailable", "sent": False}
            self._answer(outcome, call=send.call, attempt=send.attempt)

    # -- the end

    def did_not_start(self, refused: Refused) -> None:
        """Tells the parent that its child was refused."""
        outcome: Outcome = {"kind": "system", "value": "AlreadyRunning", "sent": False, "detail": refused.text}
        self._tell_parent(outcome)

    def _tell_parent(self, outcome: Outcome, stored: Any = None, *, incomplete: bool = False) -> None:  # noqa: ANN401 - JSON
        parent = self.home.begin.get("parent")
        if parent is None:
            return
        identity, call, attempt = parent
        told = {
            "id": self.home.id,
            "call": call,
            "attempt": attempt,
            "outcome": outcome,
            "stored": stored,
            "incomplete": incomplete,
            "at": self.home.now(),
        }
        self._do(self._signal(identity, wire.CHILD, told))

    def _finish(self, ended: Ended) -> None:
        instance = self.home.instance
        assert instance is not None
        self.home.meters.ended(instance)
        if ended.kind == "undone":
            self._tell_parent({"kind": "value", "value": None}, incomplete=ended.incomplete)
        elif self.home.begin.get("parent") is not None and not self.home.begin.get("undo"):
            self._tell_parent(
                end_of(instance, stopped=self.home.stopped), self._remains(), incomplete=instance.incomplete
            )

    def _remains(self) -> Any:  # noqa: ANN401 - JSON
        """What a completed child needs in order to undo itself."""
        instance = self.home.instance
        assert instance is not None
        if instance.status != "done" or not instance.log:
            return None
        letters, instance.letters = instance.letters, {}  # they are worked off where it has ended
        try:
            return {"workflow": instance.workflow, "instance": self.home.stored(), "goes": {"children": self.children}}
        finally:
            instance.letters = letters

    async def leave_letters(self) -> None:
        """Dead letters outlive their instance: they are kept, with what their undo needs, until someone acts."""
        instance = self.home.instance
        assert instance is not None
        begin = self._beginning(instance.workflow, self.home.id)
        begin["stored"] = self.home.stored()
        begin["goes"] = {"letters": True, "children": self.children}
        begin["key"] = self.home.begin.get("key")
        name = f"{workflow.info().workflow_id}{wire.LETTERS}"
        try:
            await self._start(begin, name)
        except WorkflowAlreadyStartedError:  # of an earlier run with the same id
            await self._start(begin, f"{name}/{workflow.info().run_id}")

    def end(self) -> Any:  # noqa: ANN401 - a result of the language
        """What the workflow ends with; an instance that has failed ends with its error."""
        instance = self.home.instance
        assert instance is not None
        if instance.status == "done" or self.home.begin.get("undo") or self.keeps_letters:
            return self.home.result() if not self.home.begin.get("undo") else None
        error = instance.error
        fields = {name: value for name, value in error.items() if name != "is"}
        told = f"{error['is']}: {fields}" if fields else str(error["is"])
        raise ApplicationError(told, pack(error), type=error["is"], non_retryable=True)

    # -- events and signals

    async def _emit(self, emitted: Emitted) -> None:
        """A fact is heard by others, after this turn."""
        event = self.home.program.events[emitted.type]
        key = None
        if event.key is not None:
            key = self.home.program.compile(event.key)(Named(self.home.program, emitted.data))
        told = {
            "type": emitted.type,
            "data": pack(emitted.data),
            "key": key,
            "from": self.home.id,
            "at": self.home.now(),
        }
        told |= {"machine": self.home.begin["machine"], "outgoing": event.mode == "outgoing"}
        await workflow.execute_activity("wfc.deliver", told, start_to_close_timeout=INNER, retry_policy=AGAIN)

    async def _signal(self, identity: str, name: str, told: Any = None) -> None:  # noqa: ANN401 - JSON
        """Tells another workflow something; one that has ended need not hear it."""
        handle = workflow.get_external_workflow_handle(identity)
        try:
            await handle.signal(name, args=[] if told is None else [told])
        except ApplicationError as error:
            if error.type != "ExternalWorkflowExecutionNotFound":
                workflow.logger.debug("%s does not hear %s: %s", identity, name, error)

    # -- time

    def _set_timer(self) -> None:
        """One timer, for the next instant; one that is set for an earlier one only wakes us."""
        instants = [at for at, _ in self._simulated]
        at = min([*instants, *([self._alarm] if self._alarm is not None else [])], default=None)
        if at is None or self._overdue or (self._timer is not None and self._timer[0] <= at):
            return
        if self._timer is not None:
            self._timer[1].cancel()
        self._timer = at, asyncio.create_task(self._sleep(at))

    async def _sleep(self, at: int) -> None:
        left = at - self.home.now()
        await asyncio.sleep(max(1, left) / 1000)
        self._timer = None
        if self._asked_once and self.home.begin.get("simulated"):
            self._overdue = True  # in a simulation no time passes until the keeper has answered
            return
        self.home.reached(at)
        for answer in [each for each in self._simulated if each[0] <= at]:
            self._simulated.remove(answer)
            self.home.arrive(answer[1])
        if self._alarm is not None and self._alarm <= at:
            self.home.arrive(Time(at=0))
        else:
            self._set_timer()

    # -- a long history

    def renews(self) -> bool:
        """Whether the instance should and can go on with an empty history."""
        info = workflow.info()
        if not self._renewing and info.is_continue_as_new_suggested():
            self._renewing = True
        return self._renewing and not self._working and workflow.all_handlers_finished()

    def renew(self) -> None:
        """Goes on as a new run with the same id, with nothing of its history but what counts."""
        begin = self.home.begin
        goes = {
            "letters": self.keeps_letters,
            "children": self.children,
            "callees": self._callees,
            "tasks": {call: write(send) for call, send in self.tasks.items()},
            "sends": [write(send) for send in self._held_back],
            "locks": {lock: asked for lock, (_, asked) in self._locks.items()},
            "alarm": self._alarm,
            "stopped": self.home.stopped,
        }
        following: Begin = {**begin, "stored": self.home.stored(), "goes": goes, "undo": False, "data": None}
        workflow.continue_as_new(following)

    def resume(self, goes: dict[str, Any]) -> None:
        """Takes up what was under way."""
        self.children = dict(goes.get("children", {}))
        self._callees = dict(goes.get("callees", {}))
        self.tasks = {call: read(Send, send) for call, send in goes.get("tasks", {}).items()}
        self._locks = {lock: (None, tuple(asked)) for lock, asked in goes.get("locks", {}).items()}
        self._alarm = goes.get("alarm")
        self.home.stopped = goes.get("stopped", False)
        for send in goes.get("sends", []):
            self._send(read(Send, send))
        self._set_timer()
        self._show()

    # -- what is seen from outside

    def _show(self) -> None:
        """Tells by an attribute whether someone has to act."""
        instance = self.home.instance
        if instance is None or not self.home.begin.get("attributes"):
            return
        waits = ["task"] if self.tasks else []
        if any(fiber.call is not None and fiber.call.state == "parked" for fiber in instance.fibers.values()):
            waits.append("parked")
        if instance.letters:
            waits.append("letter")
        if waits != self._waits:
            self._waits = waits
            workflow.upsert_search_attributes([WAITS.value_set(waits)])


class Named:
    """Fields or parameters, read by an expression of a declaration."""

    def __init__(self, program: Program, names: dict[str, Any]) -> None:
        self.program = program
        self.names = names
        self.now = None

    def read(self, kind: str, name: str) -> Any:  # noqa: ANN401 - values of the language
        """A field, or a constant."""
        return self.names[name] if kind in ("param", "operand") else self.program.constants[name]


def begin_key(program: Program, name: str, data: dict[str, Any], identity: str) -> Any:  # noqa: ANN401 - a text or a number
    """The key by which events find an instance."""
    definition = program.workflows[name]
    if definition.key is None:
        return identity.rpartition("/")[2]
    names = program.boundary.fields(definition.params, data, "")
    return program.compile(definition.key)(Named(program, names))


def attributes_of(program: Program, begin: Begin) -> TypedSearchAttributes | None:
    """The attributes by which an instance is found."""
    if not begin.get("attributes"):
        return None
    return TypedSearchAttributes(
        [SearchAttributePair(KEY, str(begin.get("key"))), SearchAttributePair(PROCESS, program.machine.process)]
    )


def end_of(instance: Instance, *, stopped: bool) -> Outcome:
    """What a parent is told of its child's end."""
    if instance.status == "done":
        return {"kind": "value", "value": pack(instance.value)}
    error = instance.error["is"]
    if error == CANCELLED:
        return {"kind": "cancelled"} if stopped else {"kind": "system", "value": "Unavailable", "sent": False}
    if error in SYSTEM:
        return {"kind": "system", "value": error, "sent": False}
    return {"kind": "error", "value": pack(instance.error)}


def _heard(ended: "asyncio.Task[Any]") -> None:
    """A child that fails is no failure of this workflow."""
    if not ended.cancelled():
        _ = ended.exception()


def _lost(error: ActivityError, *, again: bool, beats: bool) -> Outcome:
    """An attempt that its worker has not answered."""
    if isinstance(error.cause, CancelledError):
        if not again:
            return {"kind": "cancelled"}  # no worker has begun with it
        # It may have been sent by a worker that was lost since, and Temporal does not say so.
        return {"kind": "system", "value": "Unavailable", "sent": True, "detail": "stopped before a worker answered"}
    if beats:
        return {"kind": "system", "value": "Timeout", "sent": True, "detail": "no heartbeat"}
    return {"kind": "system", "value": "Unavailable", "sent": True, "detail": "the worker was lost"}


def _resource_keeper(name: str) -> str:
    return f"wfc-resource/{name}"
