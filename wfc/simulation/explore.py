"""The explorer: all interleavings and outcomes of one workflow, up to a bound.

It answers which ends can be reached, whether an instance can get stuck, and which effects can be left standing at which
end, each with a shortest trace. The world is closed by choice: a call answers with any value that tells branches apart,
any declared error, or not at all, at any moment until its policy gives it up; events come once each at any moment;
children are calls; undos work. What happens within a turn is one step (local steps are fused by the machine), and where
a transition depends on nothing else that can happen, only that one is followed: an undo under way, or a call that has
been asked to stop (a stubborn set, after Valmari 1990: no other transition can disable it or change what it does).
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from wfc.ir.machine import Machine, State
from wfc.ir.walk import nodes
from wfc.machine.attempts import number_of
from wfc.machine.instance import Fiber, Instance
from wfc.machine.messages import (
    Answered,
    Command,
    Event,
    Input,
    Locked,
    Operator,
    Record,
    Refused,
    Send,
    Started,
    Time,
)
from wfc.machine.program import Program
from wfc.machine.status import movers
from wfc.machine.turn import Turned, turn
from wfc.machine.verify import broken_laws
from wfc.simulation.canonical import canonical
from wfc.simulation.claim import GHOST
from wfc.simulation.closing import one_attempt
from wfc.simulation.domains import Domains
from wfc.simulation.haunted import haunted
from wfc.simulation.ledger import Effect, Ledger
from wfc.simulation.world import START

Watch = Callable[[Program, Instance | None, Turned, Ledger], Iterable[tuple[str, str]]]
Standing = tuple[tuple[str, int], ...]  # operations whose effect stands, with how often


@attrs.frozen
class Bounds:
    """How far to look: states, how often each event may come; whether an operator may cancel, and undos may fail.

    `raising`: an operator may raise errors at parked calls. `rough`: answers of the wrong form, and time that passes
    unnoticed, so that a deadline may meet any call. `unsaid`: effects that say nothing about their undo want one, and
    those for which one is called are told in `missing`. `wide`: more values of answers, events and parameters, and each
    attempt of a call by itself. `fuel`: steps of one turn; one that never ends may be met again and again.
    """

    states: int = 20_000
    events: int = 1
    cancel: bool = False
    failing_undos: bool = False
    raising: bool = True
    rough: bool = False
    unsaid: bool = False
    wide: bool = False
    fuel: int = 100_000


@attrs.frozen
class Choice:
    """One step of a trace: what happens, in words, and the input that it is."""

    text: str
    input: Input


@attrs.frozen
class End:
    """A way in which an instance can end, or be stuck (`kind` is then `stuck`).

    `left`: effects that stand though the instance has failed, or stand at a good end.
    """

    kind: str
    name: str
    left: Standing

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@attrs.frozen
class Explored:
    """What was found.

    `nodes`: those that were entered, of all that there are in `paths`. `complete`: nothing was cut off; `cut` says what
    was, in sentences. `doomed`: a trace to a state that goes on and on, and from which no end can be reached; known
    only if the search was complete. `missing`: see `Bounds.unsaid`. `noticed`: what a watcher saw, with a trace to it.
    """

    ends: dict[End, tuple[Choice, ...]]
    nodes: frozenset[str]
    states: int
    turns: int
    cut: tuple[str, ...]
    broken: tuple[str, ...]
    paths: tuple[str, ...]
    doomed: tuple[Choice, ...] | None = None
    missing: dict[str, tuple[Choice, ...]] = attrs.field(factory=dict)
    noticed: dict[tuple[str, str], tuple[Choice, ...]] = attrs.field(factory=dict)

    @property
    def complete(self) -> bool:
        """Whether everything within the choices of the world was seen."""
        return not self.cut

    @property
    def stuck(self) -> tuple[tuple[Choice, ...], ...]:
        """Traces to states from which nothing leads on."""
        return tuple(trace for end, trace in self.ends.items() if end.kind == "stuck")


@attrs.define(eq=False)
class _State:
    """A place of the search, and the choice and place by which it was first reached."""

    instance: Instance
    heard: tuple[int, ...]
    cancelled: bool
    standing: Standing
    ledger: Ledger
    depth: int
    choice: Choice | None
    before: "_State | None"
    number: int = -1

    def trace(self) -> tuple[Choice, ...]:
        found: list[Choice] = []
        state: _State | None = self
        while state is not None and state.choice is not None:
            found.append(state.choice)
            state = state.before
        return tuple(reversed(found))


@attrs.frozen
class Followed:
    """A trace as a run: what the instance was given, and the records that came of it. `instance`: as it is then."""

    now: int
    journal: tuple[tuple[str, Input], ...]
    records: tuple[Record, ...]
    instance: Instance


def explore(
    machine: Machine,
    workflow: str | None = None,
    bounds: Bounds | None = None,
    tick: Callable[[int], None] | None = None,
    watch: Watch | None = None,
) -> Explored:
    """Explores a workflow of a machine, the process itself if none is named.

    `tick` is told how many states there are so far. `watch` is given the program, the instance before a turn, what the
    turn led to, and the books before it; what it names is `noticed`.
    """
    return _Explorer(machine, workflow or machine.workflow.name, bounds or Bounds(), tick, watch).run()


def follow(program: Program, trace: tuple[Choice, ...]) -> Followed:
    """Goes the way of a trace again. The program is that of `one_attempt(machine)`, in which the explorer looks."""
    inst: Instance | None = None
    records: list[Record] = []
    journal: list[tuple[str, Input]] = []
    for choice in trace:
        found = turn(program, inst, choice.input)
        assert isinstance(found, Turned), "the explorer follows no choice that is refused"
        inst = found.instance
        records.extend(found.records)
        journal.append((inst.id, choice.input))
    assert inst is not None, "a trace begins with the start"
    return Followed(inst.now, tuple(journal), tuple(records), inst)


class _Explorer:
    def __init__(
        self,
        machine: Machine,
        workflow: str,
        bounds: Bounds,
        tick: Callable[[int], None] | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.tick = tick
        self.watch = watch
        self.noticed: dict[tuple[str, str], tuple[Choice, ...]] = {}
        closed = one_attempt(machine) if not bounds.wide else machine
        self.program = haunted(closed) if bounds.unsaid else Program(closed)
        self.program.fuel = bounds.fuel
        self.workflow = self.program.workflows[workflow]
        self.bounds = bounds
        self.domains = Domains(self.program, wide=bounds.wide)
        self.events = sorted(self.program.heard[workflow])
        self.seen: set[Any] = set()
        self.queue: deque[_State] = deque()
        self.ends: dict[End, tuple[Choice, ...]] = {}
        self.nodes: set[str] = set()
        self.broken: dict[str, None] = {}
        self.cut: dict[str, None] = {}
        self.turns = 0
        self.missing: dict[str, tuple[Choice, ...]] = {}
        self.numbers: dict[Any, int] = {}  # of states, by form
        self.places: list[_State] = []
        self.earlier: list[list[int]] = []  # from which states a state was reached
        self.ending: set[int] = set()  # states from which an end, or standing still, is one step away

    def run(self) -> Explored:
        """Breadth first, so that the first trace to anything is a shortest one."""
        for data in self.domains.fields(self.workflow.params, params=True):
            given = Started(at=START, workflow=self.workflow.name, instance=f"{self.workflow.name}/1", data=data)
            self._take(None, Choice("the instance starts", given))
        while self.queue:
            if len(self.seen) >= self.bounds.states:
                self.cut[f"the search ended after {self.bounds.states:,} states, and there are more"] = None
                break
            if self.tick is not None:
                self.tick(len(self.seen))
            self._expand(self.queue.popleft())
        complete = not self.queue
        if self.domains.cut:
            self.cut["not every combination of values was tried"] = None
        return Explored(
            ends=self.ends,
            nodes=frozenset(self.nodes),
            states=len(self.seen),
            turns=self.turns,
            cut=tuple(self.cut),
            broken=tuple(self.broken),
            paths=tuple(node.path for node in nodes(self.workflow.region) if isinstance(node, State)),
            doomed=self._doomed() if complete else None,
            missing=self.missing,
            noticed=self.noticed,
        )

    def _doomed(self) -> tuple[Choice, ...] | None:
        """A way to a state from which no end can be reached, and that does not stand still either."""
        seen = set(self.ending)
        waiting = list(seen)
        while waiting:
            for before in self.earlier[waiting.pop()]:
                if before not in seen:
                    seen.add(before)
                    waiting.append(before)
        found = next((i for i in range(len(self.places)) if i not in seen), None)
        return self.places[found].trace() if found is not None else None

    def _take(self, state: _State | None, choice: Choice) -> bool:
        """Follows a choice; False if the machine refuses it."""
        self.turns += 1
        found = turn(self.program, state.instance if state is not None else None, choice.input)
        if isinstance(found, Refused):
            if found.reason == "endless":
                self.cut["a turn that never ends was met"] = None
            return False
        inst = found.instance
        self.nodes.update(record.path for record in found.records if record.kind == "entered")
        for law in broken_laws(self.program, inst):
            self.broken[law] = None
        heard = state.heard if state is not None else tuple(0 for _ in self.events)
        if isinstance(choice.input, Event):
            place = self.events.index(choice.input.type)
            heard = (*heard[:place], heard[place] + 1, *heard[place + 1 :])
        cancelled = (state is not None and state.cancelled) or (
            isinstance(choice.input, Operator) and choice.input.action == "cancel"
        )
        ledger = self._ledger(state, found.records, choice)
        standing = tuple(sorted(Counter(effect.operation for effect, _ in ledger.standing()).items()))
        depth = state.depth + 1 if state is not None else 0
        made = _State(inst, heard, cancelled, standing, ledger, depth, choice, state)
        self._lacking(made, found.commands)
        if self.watch is not None:
            before = state.instance if state is not None else None
            books = state.ledger if state is not None else Ledger()
            for each in self.watch(self.program, before, found, books):
                if each not in self.noticed:
                    self.noticed[each] = made.trace()
        if inst.status != "running":
            self._ended(made)
            if state is not None:
                self.ending.add(state.number)
            return True
        form = self._form(made)
        if form not in self.seen:
            self.seen.add(form)
            self.queue.append(made)
            made.number = self.numbers[form] = len(self.places)
            self.places.append(made)
            self.earlier.append([])
        if state is not None:
            self.earlier[self.numbers[form]].append(state.number)
        return True

    def _form(self, state: _State) -> Any:  # noqa: ANN401 - two states with one form go on the same way
        return canonical(state.instance), state.heard, state.cancelled, state.standing

    def _lacking(self, state: _State, commands: tuple[Command, ...]) -> None:
        """Notes which effects want an undo that they do not have."""
        for command in commands:
            if isinstance(command, Send) and command.target == GHOST:
                effect = state.ledger.effects.get(command.key.rpartition("/undo")[0])
                name = effect.operation if effect is not None else _named(state.instance.id, command.key)
                self.missing.setdefault(name, state.trace())

    def _ended(self, state: _State) -> None:
        inst = state.instance
        name = inst.error["is"] if inst.error is not None else ""
        if isinstance(inst.value, dict):
            name = str(inst.value.get("is", ""))
        elif isinstance(inst.value, str):
            name = f'"{inst.value}"'
        self.ends.setdefault(End(inst.status, name, state.standing), state.trace())

    def _ledger(self, state: _State | None, records: tuple[Record, ...], choice: Choice) -> Ledger:
        """The books after a turn: what services have done, and what has been undone of it."""
        ledger = state.ledger.copy() if state is not None else Ledger()
        given = choice.input
        if state is not None and isinstance(given, Answered):
            fiber = _caller(state.instance, given.call)
            if fiber is not None and fiber.call is not None and not fiber.undo and self._does(fiber, given):
                call = fiber.call
                effect = self.program.operations[call.target].effect
                ledger.happened(call.key, Effect(call.target, state.instance.id, effect))
        for record in records:
            ledger.read(record)
        return ledger

    def _does(self, fiber: Fiber, given: Answered) -> bool:
        """Whether an answer means that the world has changed, or may have: no answer counts as done."""
        call = fiber.call
        assert call is not None
        operation = self.program.operations.get(call.target)
        if operation is None or operation.effect not in ("reversible", "irreversible", "unsaid"):
            return False
        return given.kind == "value" or (given.kind == "system" and given.sent)

    # -- what can happen

    def _expand(self, state: _State) -> None:
        moved = False
        for choice in self._choices(state):
            moved = self._take(state, choice) or moved
        if not moved and not movers(self.program, state.instance):
            self.ending.add(state.number)
            self.ends.setdefault(End("stuck", "", state.standing), state.trace())

    def _choices(self, state: _State) -> Iterator[Choice]:
        inst = state.instance
        calling = [fiber for fiber in inst.fibers.values() if fiber.call is not None and fiber.call.state != "parked"]
        for fiber in calling:  # nothing else can change what these do: they alone are followed
            if fiber.undo or (fiber.call is not None and fiber.call.state == "stopping"):
                yield from self._answers(inst, fiber)
                return
        for fiber in calling:
            yield from self._answers(inst, fiber)
        for fiber in inst.fibers.values():
            if fiber.wait == "lock":
                yield Choice("the lock is granted", Locked(at=inst.now, lock=fiber.lock, state="granted"))
            if fiber.call is not None and fiber.call.state == "parked":
                yield from self._operator(inst, fiber)
        for place, name in enumerate(self.events):
            if state.heard[place] < self.bounds.events:
                for data in self.domains.fields(self.program.events[name].fields):
                    yield Choice(f"{name} comes", Event(at=inst.now, type=name, data=data))
        if self.bounds.cancel and not state.cancelled:
            yield Choice("an operator cancels", Operator(at=inst.now, action="cancel"))
        if inst.alarm is not None:
            yield Choice("time passes", Time(at=inst.alarm))
        if self.bounds.rough:
            later = {timer.at for frame in inst.frames.values() for timer in frame.due if timer.what == "guard"}
            for at in sorted(later - {inst.alarm}):
                yield Choice("time passes unnoticed", Time(at=max(at, inst.now)))

    def _answers(self, inst: Instance, fiber: Fiber) -> Iterator[Choice]:
        call = fiber.call
        assert call is not None

        def answer(kind: Any, value: Any = None, *, sent: bool = True) -> Answered:  # noqa: ANN401 - one of four words
            return Answered(at=inst.now, call=call.id, attempt=number_of(call), kind=kind, value=value, sent=sent)

        if fiber.undo:
            yield Choice(f"{call.target} works", answer("value", self.domains.first(call.target)))
            if self.bounds.failing_undos:
                yield Choice(f"{call.target} fails", answer("system", "Unavailable", sent=False))
            return
        if call.kind == "start":
            yield Choice(f"{call.target} has started", answer("value"))
            yield Choice(f"{call.target} runs already", answer("system", "AlreadyRunning", sent=False))
            return
        for value in self.domains.results(call.target):
            yield Choice(f"{call.target} answers {_shown(value)}".rstrip(), answer("value", value))
        if call.state == "stopping":
            yield Choice(f"{call.target} has stopped", answer("cancelled"))
            if call.kind not in ("workflow", "start"):
                yield Choice(f"{call.target} is silent", answer("system", "Timeout"))
            return
        for error in self.domains.errors(call.target):
            yield Choice(f"{call.target} raises {error['is']}", answer("error", error))
        if call.kind != "task":
            yield Choice(f"{call.target} cannot be reached", answer("system", "Unavailable", sent=False))
            if call.kind != "workflow":
                yield Choice(f"{call.target} does not answer", answer("system", "Timeout"))
        if self.bounds.rough and call.kind not in ("workflow", "start", "task") and self.domains.gives(call.target):
            yield Choice(f"{call.target} answers in a wrong form", answer("system", "Invalid"))

    def _operator(self, inst: Instance, fiber: Fiber) -> Iterator[Choice]:
        call = fiber.call
        assert call is not None
        for value in self.domains.results(call.target):
            given = Operator(at=inst.now, action="supply", key=call.key, value=value)
            yield Choice(f"an operator supplies {_shown(value)} for {call.target}".replace("  ", " "), given)
        if not self.bounds.raising:
            return
        for name in ("Unavailable", *(error["is"] for error in self.domains.errors(call.target))):
            given = Operator(at=inst.now, action="raise", key=call.key, value={"is": name})
            yield Choice(f"an operator raises {name} for {call.target}", given)


def _named(instance: str, key: str) -> str:
    """What a key says was called: its own instance comes before an operation, nothing before a started workflow."""
    return key.removeprefix(f"{instance}/").partition("/")[0]


def _caller(inst: Instance, call: str) -> Fiber | None:
    return next((f for f in inst.fibers.values() if f.call is not None and f.call.id == call), None)


def _shown(value: Any) -> str:  # noqa: ANN401 - values of the language
    if value is None:
        return ""
    return str(value["is"]) if isinstance(value, dict) and "is" in value else str(value)
