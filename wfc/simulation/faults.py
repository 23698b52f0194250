"""The fault matrix: every single fault at every step that a scenario reaches, and how each of these runs ends.

A run with a fault goes through the scenario's items without its expectations, and then on until it has ended or waits
for somebody. What a run leaves behind is told by effects: what services have really done, and what has been undone of
that, whatever the process believes.
"""

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from wfc.ir import scenario as s
from wfc.machine.messages import Event, Operator, Refused, Send
from wfc.machine.program import Program
from wfc.machine.status import waits_for
from wfc.machine.verify import broken_laws
from wfc.simulation.scenarios import Run, Script, constant
from wfc.simulation.world import Reply, RunawayError, World

DAY = 86_400_000
PATIENCE = 400 * DAY  # how long a run with a fault is followed
STEPS = 3000

FaultKind = Literal[
    "business error", "attempt timeout", "crash before the effect", "crash after the effect", "failed rollback",
    "operator cancels", "event", "duplicate event", "late event",
]  # fmt: skip
EndKind = Literal["done", "failed", "waits", "stuck", "endless"]


@attrs.frozen
class Step:
    """An attempt of the run without faults: the number among all attempts, and the one among those of its operation."""

    number: int
    operation: str
    turn: int
    undo: bool


@attrs.frozen
class Fault:
    """A fault at a step; at no step for events that come late or twice. `name` is the error or the event."""

    kind: FaultKind
    step: Step | None
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip() if self.name else self.kind


@attrs.frozen
class Cell:
    """How a run with a fault has ended.

    `undone` in order; `stands`: effects that took place and have not been undone; `letters`: those a person has to look
    at; `doubt`: whether the process knows that something is left. `broken`: laws of the machine, always empty.
    """

    fault: Fault
    end: EndKind
    text: str
    undone: tuple[str, ...]
    stands: tuple[str, ...]
    letters: tuple[str, ...]
    broken: tuple[str, ...] = ()
    reached: bool = True

    @property
    def is_bad(self) -> bool:
        """Whether the run hangs, or breaks a law."""
        return self.end in ("stuck", "endless") or bool(self.broken)


@attrs.frozen
class Matrix:
    """All single faults of one scenario."""

    scenario: s.Scenario
    steps: tuple[Step, ...]
    cells: tuple[Cell, ...]


def matrix(program: Program, scenario: s.Scenario) -> Matrix:
    """Runs a scenario once as it is, then once with each fault."""
    plain = _Faulty(program, scenario, None)
    plain.play()
    steps = plain.books.steps
    return Matrix(scenario, tuple(steps), tuple(_Faulty(program, scenario, f).cell() for f in _faults(program, plain)))


def _faults(program: Program, plain: "_Faulty") -> Iterator[Fault]:
    heard = sorted(program.heard[plain.scenario.workflow])
    for step in plain.books.steps:
        operation = program.operations.get(step.operation)
        if operation is not None:
            for error in operation.raises:
                yield Fault("business error", step, error)
            if operation.kind != "task":
                yield Fault("attempt timeout", step)
                yield Fault("crash before the effect", step)
                yield Fault("crash after the effect", step)
        if not step.undo:
            yield Fault("operator cancels", step)
            if step.operation in plain.books.undoable:
                yield Fault("failed rollback", step)
        elif operation is not None:
            yield Fault("failed rollback", step)
        for event in heard:
            yield Fault("event", step, event)
    for item in plain.scenario.items:
        if isinstance(item, s.Send):
            yield Fault("duplicate event", None, item.event)
            yield Fault("late event", None, item.event)


class _FaultyScript(Script):
    """Answers as the scenario says, but for one fault; keeps the books of what services have really done."""

    def __init__(self, program: Program, fault: Fault | None) -> None:
        super().__init__(program)
        self.fault = fault
        self.steps: list[Step] = []
        self.undoable: set[str] = set()
        self.effects: dict[str, str] = {}  # by key: the operation
        self.failing = ""  # undos of this key fail, whatever is tried
        self.run: _Faulty | None = None

    def answer(self, call: Send, world: World) -> Reply | None:
        if self.failing and call.key.startswith(f"{self.failing}/undo"):
            return Reply("system", "Unavailable")
        reply = super().answer(call, world)
        if call.kind == "workflow" or (call.kind == "start" and reply is None):
            return reply
        turn = 1 + sum(1 for step in self.steps if step.operation == call.target)
        step = Step(len(self.steps), call.target, turn, call.undo)
        self.steps.append(step)
        fault = self.fault
        if fault is not None and fault.step is not None and fault.step.number == step.number:
            reply = self._with_fault(fault, call, reply, world)
        elif reply is not None and reply.kind == "value":
            self._happened(call)
        return reply

    def _happened(self, call: Send) -> None:
        if call.kind == "activity" and not call.undo and call.effect != "none":
            self.effects.setdefault(call.key, call.target)
            if call.effect == "reversible":
                self.undoable.add(call.target)

    def _with_fault(self, fault: Fault, call: Send, reply: Reply | None, world: World) -> Reply | None:
        delay = reply.delay if reply is not None else 0
        match fault.kind:
            case "business error":
                fields = self.program.errors[fault.name].fields
                return Reply("error", {"is": fault.name, **self.program.boundary.sample_fields(fields)}, delay)
            case "attempt timeout":
                return Reply("hangs")
            case "crash before the effect":
                return Reply("system", "Unavailable", delay)
            case "crash after the effect":
                self._happened(call)
                return Reply("hangs")
            case "failed rollback" if call.undo:
                self.failing = call.key.partition("/undo")[0]
                return Reply("system", "Unavailable", delay)
            case _:
                pass
        if reply is not None and reply.kind == "value":
            self._happened(call)
        assert self.run is not None
        run = self.run
        if fault.kind == "event":
            world.act(world.now, lambda: run.event(fault.name))
            return attrs.evolve(reply, delay=max(1, delay)) if reply is not None else None
        if fault.kind == "failed rollback":
            self.failing = call.key
        world.act(world.now + delay, run.cancel)
        return reply


class _Faulty(Run):
    """A run of a scenario with a fault: its items without the expectations."""

    def __init__(self, program: Program, scenario: s.Scenario, fault: Fault | None) -> None:
        self.books = _FaultyScript(program, fault)
        super().__init__(program, scenario, self.books)
        self.fault = fault
        self.books.run = self
        self.broken: list[str] = []
        self.late: list[s.Send] = []
        self.world.watch = lambda running, _: self.broken.extend(broken_laws(program, running.instance))

    # -- what is done otherwise than in a scenario that is told

    def expect(self, item: s.Expect) -> None:
        """Nothing is expected; the clock has run for what was in flight."""

    def accepted(self, refused: Refused | None, wanted: str) -> None:
        """What is refused has come too late, which is no difference here."""

    def send(self, item: s.Send) -> None:
        fault = self.fault
        if fault is not None and fault.name == item.event and fault.kind == "late event":
            self.late.append(item)
            return
        super().send(item)
        if fault is not None and fault.name == item.event and fault.kind == "duplicate event":
            super().send(item)

    def event(self, name: str) -> None:
        """Sends an event as the scenario does, or one made of samples."""
        if not self.instance or self.instance not in self.world.running:
            return
        for item in self.scenario.items:
            if isinstance(item, s.Send) and item.event == name:
                self.world.send(name, constant(self.program, item.value))
                return
        data = self.program.boundary.sample_fields(self.program.events[name].fields)
        given = Event(at=self.world.now, type=name, data=data)
        self.world.deliver(self.instance, given)

    def cancel(self) -> None:
        """An operator cancels."""
        if self.instance in self.world.running:
            self.world.deliver(self.instance, Operator(at=self.world.now, action="cancel"))

    # -- the run

    def play(self) -> None:
        """The items, then whatever follows until the instance has ended or waits."""
        for item in self.scenario.items:
            if isinstance(item, s.Operate) and not self._can(item):
                continue
            self.item(item)
        if not self.instance:
            self.start()
        self._on()
        for item in self.late:
            super().send(item)
        if self.late:
            self._on()

    def _can(self, item: s.Operate) -> bool:
        return item.action == "cancels" or self.parked(item.target) is not None or self.letter(item.target) is not None

    def _on(self) -> None:
        until = self.world.now + PATIENCE
        for _ in range(STEPS):
            following = self.world.next()
            if following is None or following > until:
                return
            self.world.run_until(following)

    def cell(self) -> Cell:
        """How it has ended."""
        assert self.fault is not None
        endless = False
        try:
            self.play()
        except RunawayError:
            endless = True
        end: EndKind = "endless"
        text = "it goes on without end"
        if not endless:
            end, text = self._ended()
        undone, stands = self._effects()
        letters = tuple(dict.fromkeys(letter.operation for _, letter in self.world.letters))
        reached = self.fault.step is None or len(self.books.steps) > self.fault.step.number
        return Cell(self.fault, end, text, undone, stands, letters, tuple(dict.fromkeys(self.broken)), reached)

    def _ended(self) -> tuple[EndKind, str]:
        running = self.world.running.get(self.instance)
        if running is None:
            return "failed", "it was not started"
        inst = running.instance
        if inst.status != "running":
            return inst.status, self.end()
        found = [
            each
            for other in self.world.running.values()
            if other is running or other.parent is not None
            for each in waits_for(self.program, other.instance)
        ]
        if not found:
            return "stuck", "it waits for nothing, for ever"
        return "waits", f"waits for {', '.join(dict.fromkeys(found))}"

    def _effects(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What has been undone, in order, and which effects stand."""
        undone: list[str] = []
        keys: set[Any] = set()
        covered: dict[Any, list[str]] = {}
        last: list[str] = []
        for record in self.world.records:
            if record.kind == "covered":
                last = list(record.get("keeps"))
            elif record.kind == "undoable":
                covered[record.get("key")] = last
            elif record.kind == "undone":
                undone.append(str(record.get("operation")))
                keys.add(record.get("key"))
                keys.update(covered.get(record.get("key"), ()))
        return tuple(undone), tuple(name for key, name in self.books.effects.items() if key not in keys)
