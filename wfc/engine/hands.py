"""Does what the machine asks for by Temporal's means: activities, timers, children, signals."""

from collections.abc import Iterable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from wfc.engine.attempts import AGAIN, INNER, Attempts
from wfc.engine.attributes import WAITS, Named
from wfc.engine.children import Children
from wfc.engine.resources import Resources
from wfc.engine.wire import Begin
from wfc.engine.work import Home, Work
from wfc.machine.messages import (
    Alarm,
    Command,
    DeadLetter,
    Emitted,
    Ended,
    Lock,
    Measured,
    Send,
    Sent,
    Stop,
    Unlock,
)
from wfc.machine.store import pack, read, write


class Hands:
    """What an instance has under way outside."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.tasks: dict[str, Send] = {}  # by call
        self.work = Work(home)
        self.attempts = Attempts(self.work)
        self.resources = Resources(self.work)
        self.children = Children(self.work, self.attempts)
        self.keeps_letters: bool = (home.begin.get("goes") or {}).get("letters", False)
        self._waits: list[str] = []

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
                    self.work.alarm = at
                case Lock():
                    self.resources.lock(command)
                case Unlock(lock=lock):
                    self.resources.unlock(lock)
                case Emitted():
                    self.work.do(self._emit(command))
                case Measured():
                    self.home.meters.measured(command)
                case DeadLetter():
                    self.home.meters.letter(command)
                case Ended():
                    assert self.home.instance is not None
                    self.home.meters.ended(self.home.instance)
                    self.children.finish(command)
        self.tasks = {call: send for call, send in self.tasks.items() if self.work.call(call) is not None}
        self.resources.look()
        self.work.set_timer()
        self._show()

    def _send(self, send: Send) -> None:
        simulated = self.work.is_simulated
        if simulated and (send.limit is not None or send.concurrency is not None):
            self.home.arrive(Sent(at=0, call=send.call, attempt=send.attempt))  # it need not wait for its turn
        match send.kind:
            case "task" if not simulated:
                self.tasks[send.call] = send
            case "workflow" | "start":
                self.children.start(send)
            case "undo":
                self.children.undo(send)
            case _:
                self.attempts.send(send)

    def _stop(self, call: str, attempt: int) -> None:
        """Asks an attempt to stop: it answers when it has."""
        if self.tasks.pop(call, None) is None and not self.attempts.stop(call, attempt):
            self.children.stop(call)

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
            "machine": self.home.begin["machine"],
            "outgoing": event.mode == "outgoing",
        }
        await workflow.execute_activity("wfc.deliver", told, start_to_close_timeout=INNER, retry_policy=AGAIN)

    # -- the end

    def end(self) -> Any:  # noqa: ANN401 - a result of the language
        """What the workflow ends with; an instance that has failed ends with its error."""
        instance = self.home.instance
        assert instance is not None
        if self.home.begin.get("undo"):
            return None
        if instance.status == "done" or self.keeps_letters:
            return self.home.result()
        error = instance.error
        fields = {name: value for name, value in error.items() if name != "is"}
        told = f"{error['is']}: {fields}" if fields else str(error["is"])
        raise ApplicationError(told, pack(error), type=error["is"], non_retryable=True)

    # -- a long history

    def look_at_history(self) -> None:
        """Once it is long, nothing new is begun, until what is under way has ended."""
        if workflow.info().is_continue_as_new_suggested():
            self.attempts.are_held_back = True

    @property
    def renews(self) -> bool:
        """Whether the instance should and can go on with an empty history."""
        return self.attempts.are_held_back and self.work.rests

    def renew(self, goes: dict[str, Any]) -> None:
        """Goes on as a new run with the same id, with nothing of its history but what counts, and `goes`."""
        goes = {
            **goes,
            **self.children.goes(),
            "letters": self.keeps_letters,
            "tasks": {call: write(send) for call, send in self.tasks.items()},
            "sends": self.attempts.goes(),
            "locks": self.resources.goes(),
            "alarm": self.work.alarm,
            "stopped": self.home.stopped,
        }
        begin = self.home.begin
        following: Begin = {**begin, "stored": self.home.stored(), "goes": goes, "undo": False, "data": None}
        workflow.continue_as_new(following)

    def resume(self, goes: dict[str, Any]) -> None:
        """Takes up what was under way."""
        self.children.resume(goes)
        self.tasks = {call: read(Send, send) for call, send in goes.get("tasks", {}).items()}
        self.resources.resume(goes.get("locks", {}))
        self.work.alarm = goes.get("alarm")
        self.home.stopped = goes.get("stopped", False)
        self.attempts.resume(goes.get("sends", []))
        self.work.set_timer()
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
