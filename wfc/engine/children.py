"""Children, parents, and what an instance leaves behind.

They tell each other by signals, so that either may go on in a new run.
"""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from wfc.engine import wire
from wfc.engine.attempts import Attempts
from wfc.engine.attributes import attributes_of, begin_key
from wfc.engine.wire import Begin, Outcome
from wfc.engine.work import Work
from wfc.machine.instance import Instance
from wfc.machine.messages import Ended, Refused, Send
from wfc.machine.program import CANCELLED, SYSTEM
from wfc.machine.store import pack

NOT_STARTED: Outcome = {"kind": "system", "value": "AlreadyRunning", "sent": False}


class Children:
    """The children of an instance, and its own parent."""

    def __init__(self, work: Work, attempts: Attempts) -> None:
        self.work = work
        self.attempts = attempts  # a simulation may answer in place of a child
        self.done: dict[str, Any] = {}  # completed ones that can undo themselves, as data
        self._callees: dict[str, str] = {}  # the child that a call waits for
        self._starting: dict[str, asyncio.Task[None]] = {}

    def start(self, send: Send) -> None:
        """Starts a child."""
        self._callees[send.call] = send.key
        self._starting[send.key] = self.work.spawn(self._child(send))

    def stop(self, call: str) -> None:
        """Asks the child of a call to stop: it tells when it has."""
        child = self._callees.get(call)
        if child is not None:
            self.work.do(self._stop(child, self.work.home.now()))

    def undo(self, send: Send) -> None:
        """A completed child is to undo itself."""
        self.work.do(self._undo(send))

    async def _child(self, send: Send) -> None:
        home = self.work.home
        if self.work.is_simulated and send.kind == "workflow":
            sent = home.now()
            outcome = await self.attempts.perform(send)
            if outcome.get("kind") != "runs":
                self.work.answer(outcome, call=send.call, attempt=send.attempt, sent=sent)
                return
        definition = home.program.workflows[send.target]
        data = {param.name: value for param, value in zip(definition.params, send.args, strict=True)}
        begin = self._beginning(send.target, send.key)
        begin["data"] = pack(data)
        begin["key"] = begin_key(home.program, send.target, data, send.key)
        if send.kind == "workflow":
            begin["parent"] = home.id, send.call, send.attempt
        try:
            await self._start(begin, send.key)
        except WorkflowAlreadyStartedError:
            self.work.answer(NOT_STARTED, call=send.call, attempt=send.attempt)
            return
        if send.kind == "start":
            self.work.answer({"kind": "value", "value": None}, call=send.call, attempt=send.attempt)

    def _beginning(self, name: str, instance: str) -> Begin:
        """What all that are started from here have in common."""
        home = self.work.home
        return Begin(
            format=wire.FORMAT,
            machine=home.begin["machine"],
            workflow=name,
            version=home.program.workflows[name].version,
            instance=instance,
            key=None,
            data=None,
            attributes=home.begin.get("attributes", False),
            simulated=self.work.is_simulated,
            at=home.now(),
            parent=None,
        )

    async def _start(self, begin: Begin, identity: str) -> None:
        started = await workflow.start_child_workflow(
            begin["workflow"],
            begin,
            id=identity,
            parent_close_policy=ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=attributes_of(self.work.home.program, begin),
            static_summary=begin["workflow"],
        )
        started.add_done_callback(_heard)  # how it ends is told by itself

    async def _stop(self, child: str, at: int) -> None:
        """Asks a child to stop, once it is there."""
        starting = self._starting.get(child)
        if starting is not None:
            await asyncio.wait([starting])
        await self.work.signal(child, wire.STOP, {"at": at})

    def ended(self, told: dict[str, Any]) -> None:
        """A child has ended, or has undone itself."""
        self._callees.pop(told["call"], None)
        self._starting.pop(told["id"], None)
        if told.get("stored") is not None:
            self.done[told["id"]] = told["stored"]
        self.work.answer(
            told["outcome"],
            call=told["call"],
            attempt=told["attempt"],
            incomplete=told.get("incomplete", False),
            sent=told["at"],
        )

    async def _undo(self, send: Send) -> None:
        """A completed child undoes itself; it goes on from where it was left."""
        stored = self.done.get(send.key)
        if stored is None:
            self.work.answer({"kind": "value", "value": None}, call=send.call, attempt=send.attempt)
            return
        begin = self._beginning(stored["workflow"], send.key)
        begin["stored"], begin["undo"] = stored["instance"], True
        begin["machine"] = stored["instance"]["machine"]  # it may be of an older version than its parent by now
        begin["goes"] = stored["goes"]
        begin["parent"] = self.work.home.id, send.call, send.attempt
        try:
            await self._start(begin, f"{send.key}/undo")
        except WorkflowAlreadyStartedError:
            outcome: Outcome = {"kind": "system", "value": "Unavailable", "sent": False}
            self.work.answer(outcome, call=send.call, attempt=send.attempt)

    # -- the parent

    def did_not_start(self, refused: Refused) -> None:
        """Tells the parent that its child was refused."""
        self._tell_parent({**NOT_STARTED, "detail": refused.text})

    def _tell_parent(self, outcome: Outcome, stored: Any = None, *, incomplete: bool = False) -> None:  # noqa: ANN401 - JSON
        home = self.work.home
        parent = home.begin.get("parent")
        if parent is None:
            return
        identity, call, attempt = parent
        told = {
            "id": home.id,
            "call": call,
            "attempt": attempt,
            "outcome": outcome,
            "stored": stored,
            "incomplete": incomplete,
            "at": home.now(),
        }
        self.work.do(self.work.signal(identity, wire.CHILD, told))

    def finish(self, ended: Ended) -> None:
        """Tells the parent how its child has ended, and what it needs in order to undo itself."""
        home = self.work.home
        instance = home.instance
        assert instance is not None
        if ended.kind == "undone":
            self._tell_parent({"kind": "value", "value": None}, incomplete=ended.incomplete)
        elif home.begin.get("parent") is not None and not home.begin.get("undo"):
            outcome = _end_of(instance, stopped=home.stopped)
            self._tell_parent(outcome, self._remains(instance), incomplete=instance.incomplete)

    def _remains(self, instance: Instance) -> Any:  # noqa: ANN401 - JSON
        if instance.status != "done" or not instance.log:
            return None
        letters, instance.letters = instance.letters, {}  # they are worked off where it has ended
        try:
            stored = self.work.home.stored()
        finally:
            instance.letters = letters
        return {"workflow": instance.workflow, "instance": stored, "goes": {"children": self.done}}

    # -- what outlives the instance

    async def leave_letters(self) -> None:
        """Dead letters outlive their instance: they are kept, with what their undo needs, until someone acts."""
        home = self.work.home
        assert home.instance is not None
        begin = self._beginning(home.instance.workflow, home.id)
        begin["stored"] = home.stored()
        begin["goes"] = {"letters": True, "children": self.done}
        begin["key"] = home.begin.get("key")
        name = f"{workflow.info().workflow_id}{wire.LETTERS}"
        try:
            await self._start(begin, name)
        except WorkflowAlreadyStartedError:  # of an earlier run with the same id
            await self._start(begin, f"{name}/{workflow.info().run_id}")

    def goes(self) -> dict[str, Any]:
        """What counts, for the next run."""
        return {"children": self.done, "callees": self._callees}

    def resume(self, goes: dict[str, Any]) -> None:
        """Takes up what counts."""
        self.done = dict(goes.get("children", {}))
        self._callees = dict(goes.get("callees", {}))


def _end_of(instance: Instance, *, stopped: bool) -> Outcome:
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
