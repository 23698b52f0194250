"""What an instance has under way outside: what is done beside it, answers that are on their way, and its one timer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from wfc.engine.wire import Begin, Outcome
from wfc.machine.instance import Call, Instance
from wfc.machine.messages import Answered, Input, Time
from wfc.machine.program import Program
from wfc.machine.store import unpack


class Home(Protocol):
    """The instance."""

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


class Work:
    """What the parts of `Hands` share."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.alarm: int | None = None
        self.undecided: set[str] = set()  # locks that do not wait: their keepers say at once whether they are free
        self._working: set[asyncio.Task[None]] = set()
        self._simulated: list[tuple[int, Answered]] = []  # answers of simulated services, by when they come
        self._overdue = False  # the timer waits for what is undecided
        self._timer: tuple[int, asyncio.Task[None]] | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether services are simulated, and with them the time."""
        return self.home.begin.get("simulated", False)

    @property
    def rests(self) -> bool:
        """Whether nothing is under way."""
        return not (self._working or self._simulated)

    @property
    def is_busy(self) -> bool:
        """Whether something has been asked for that is not done."""
        return bool(self._working)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Does something, while everything goes on."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._ended)
        return task

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something that nobody stops."""
        _ = self.spawn(work)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.home.broken = task.exception()

    def call(self, name: str) -> Call | None:
        """A call that has not ended."""
        assert self.home.instance is not None
        fibers = self.home.instance.fibers.values()
        return next((fiber.call for fiber in fibers if fiber.call is not None and fiber.call.id == name), None)

    def answer(self, outcome: Outcome, *, call: str, attempt: int, incomplete: bool = False, sent: int = 0) -> None:
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
            self.set_timer()
        else:
            self.home.arrive(answer)

    async def signal(self, identity: str, name: str, told: Any) -> None:  # noqa: ANN401 - JSON
        """Tells another workflow something; one that has ended need not hear it."""
        handle = workflow.get_external_workflow_handle(identity)
        try:
            await handle.signal(name, told)
        except ApplicationError as error:
            if error.type != "ExternalWorkflowExecutionNotFound":
                workflow.logger.debug("%s does not hear %s: %s", identity, name, error)

    # -- time

    def decided(self, waiting: set[str]) -> None:
        """Which of the undecided locks still wait. Without any, time may go on."""
        self.undecided &= waiting
        if self._overdue and not self.undecided:
            self._overdue = False

    def set_timer(self) -> None:
        """One timer, for the next instant; one that is set for an earlier one only wakes us."""
        instants = [at for at, _ in self._simulated]
        at = min([*instants, *([self.alarm] if self.alarm is not None else [])], default=None)
        if at is None or self._overdue or (self._timer is not None and self._timer[0] <= at):
            return
        if self._timer is not None:
            self._timer[1].cancel()
        self._timer = at, asyncio.create_task(self._sleep(at))

    async def _sleep(self, at: int) -> None:
        left = at - self.home.now()
        await asyncio.sleep(max(1, left) / 1000)
        self._timer = None
        if self.undecided and self.is_simulated:
            self._overdue = True  # in a simulation no time passes until the keeper has answered
            return
        self.home.reached(at)
        for answer in [each for each in self._simulated if each[0] <= at]:
            self._simulated.remove(answer)
            self.home.arrive(answer[1])
        if self.alarm is not None and self.alarm <= at:
            self.home.arrive(Time(at=0))
        else:
            self.set_timer()
