"""One run of a scenario with a fault, or without: the scenario's items without its expectations, and what follows."""

from collections import Counter
from typing import Any

import attrs

from wfc.ir import scenario as s
from wfc.machine.messages import Event, Operator, Refused, Send
from wfc.machine.program import Program
from wfc.machine.status import movers
from wfc.machine.verify import broken_laws
from wfc.simulation.canonical import shape, world_form
from wfc.simulation.cells import Ending, EndKind, Fault, Step
from wfc.simulation.ledger import Effect, Ledger, Standing
from wfc.simulation.scenarios import Run, Script, constant
from wfc.simulation.world import Reply, RunawayError, World

DAY = 86_400_000
PATIENCE = 400 * DAY  # how long a run is followed
STEPS = 3000
_SOON = 8  # instants after which a run may begin to go round


class DisturbedScript(Script):
    """Answers as the scenario says, but for one fault; keeps the books of what services have really done."""

    def __init__(self, program: Program, fault: Fault | None) -> None:
        super().__init__(program)
        self.fault = fault
        self.steps: list[Step] = []
        self.situations: list[Any] = []  # of each step: the same for steps at which a fault does the same
        self.undoable: set[str] = set()
        self.ledger = Ledger()
        self.failing = ""  # undos of this key fail, whatever is tried
        self.pace = 0  # milliseconds that every answer takes at least: at one instant, answers come before an operator
        self.run: Disturbed | None = None
        self._turns: Counter[str] = Counter()

    def answer(self, call: Send, world: World) -> Reply | None:
        if self.failing and call.key.startswith(f"{self.failing}/undo"):
            return Reply("system", "Unavailable")
        reply = super().answer(call, world)
        if call.kind == "workflow" or (call.kind == "start" and reply is None):
            return reply
        self._turns[call.target] += 1
        step = Step(len(self.steps), call.target, self._turns[call.target], call.undo)
        self.steps.append(step)
        fault = self.fault
        if fault is None:
            self.situations.append(self._situation(call, reply, world))
        elif fault.step is not None and fault.step.number == step.number:
            return self._with_fault(fault, call, reply, world)
        if reply is not None and reply.kind == "value":
            self._happened(call, world)
        return attrs.evolve(reply, delay=max(self.pace, reply.delay)) if reply is not None and self.pace else reply

    def _situation(self, call: Send, reply: Reply | None, world: World) -> Any:  # noqa: ANN401 - anything to compare by
        """Where everything stands but for the time and the number of attempts, and what is answered."""
        assert self.run is not None
        where = frozenset(
            (identity == world.attempts[-1].instance, shape(running.instance))
            for identity, running in world.running.items()
        )
        return call.target, call.undo, self.run.place, repr(reply), where

    def _happened(self, call: Send, world: World) -> None:
        if call.kind == "activity" and not call.undo and call.effect != "none":
            self.ledger.happened(call.key, Effect(call.target, world.attempts[-1].instance, call.effect))
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
                self._happened(call, world)
                return Reply("hangs")
            case "failed rollback" if call.undo:
                self.failing = call.key.partition("/undo")[0]
                return Reply("system", "Unavailable", delay)
            case _:
                pass
        if reply is not None and reply.kind == "value":
            self._happened(call, world)
        assert self.run is not None
        run = self.run
        if fault.kind == "failed rollback":  # once this has been done, and before anything else is
            self.failing = call.key
            self.pace = 1
            world.act(world.now + delay, run.cancel)
            return reply
        if fault.kind == "event":
            world.act(world.now, lambda: run.event(fault.name))
        else:
            world.act(world.now, run.cancel)
        return attrs.evolve(reply, delay=max(1, delay)) if reply is not None else None


class Disturbed(Run):
    """A run of a scenario with a fault: its items without the expectations. `place`: how many of them are behind it."""

    def __init__(self, program: Program, scenario: s.Scenario, fault: Fault | None) -> None:
        self.books = DisturbedScript(program, fault)
        self.place = 0
        self.cut = False
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
            self.place += 1
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
        """Goes on until nothing is due any more, or everything is as it has been before but for the date."""
        until = self.world.now + PATIENCE
        seen: set[Any] = set()
        for number in range(STEPS):
            following = self.world.next()
            if following is None:
                return
            if following > until:
                break
            if number >= _SOON:
                form = (world_form(self.world), self.books.rest())
                if form in seen:
                    return
                seen.add(form)
            self.world.run_until(following)
        self.cut = True

    def ending(self) -> Ending:
        """The run, and how it has ended."""
        endless = False
        try:
            self.play()
        except RunawayError:
            endless = True
        end: EndKind = "endless"
        text = "it goes on without end"
        if not endless:
            end, text = self._ended()
        for record in self.world.records:
            self.ledger.read(record)
        for _, letter in self.world.letters:
            self.ledger.letter(letter)
        return Ending(
            end=end,
            text=text,
            undone=tuple(self.ledger.undone),
            stands=self._stands(end),
            letters=tuple(dict.fromkeys(letter.operation for _, letter in self.world.letters)),
            broken=tuple(dict.fromkeys(self.broken)),
            cut=self.cut,
        )

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
            for each in movers(self.program, other.instance)
        ]
        if not found:
            return "stuck", "it waits for nothing, for ever"
        return "waits", f"waits for {', '.join(dict.fromkeys(found))}"

    def _stands(self, end: EndKind) -> tuple[Standing, ...]:
        """Effects of this process that have not been undone. Those of detached workflows are their own affair."""
        found: dict[Standing, None] = {}
        for effect, key in self.ledger.standing():
            if self._root(effect.instance) == self.instance:
                reason = self.ledger.reason(key) or ("not undone" if end == "failed" else "")
                found[Standing(effect.operation, reason)] = None
        return tuple(found)

    @property
    def ledger(self) -> Ledger:
        """The books, up to date."""
        return self.books.ledger

    def _root(self, instance: str) -> str:
        running = self.world.running.get(instance)
        while running is not None and running.parent is not None:
            instance = running.parent[0]
            running = self.world.running.get(instance)
        return instance
