"""Scenarios: one run each, in virtual time, held against what it expects."""

from collections.abc import Callable
from typing import Any

import attrs

from wfc.ir import scenario as s
from wfc.ir.evaluate import NotConstant, show
from wfc.ir.types import TEXT, Type
from wfc.machine.instance import Fiber
from wfc.machine.messages import Operator, Refused, Send
from wfc.machine.program import SYSTEM, Constants, Program
from wfc.machine.status import places
from wfc.simulation.world import START, Reply, RunawayError, World
from wfc.text.durations import show_duration
from wfc.text.names import listed


@attrs.frozen
class Difference:
    """Where a run is not as told: the item, what it says, what has happened instead."""

    item: s.Item | None
    expected: str
    found: str


@attrs.frozen
class Told:
    """A scenario that has run; without a difference it is as told. `world` holds everything that has happened."""

    scenario: s.Scenario
    world: World
    instance: str
    difference: Difference | None


class Script:
    """Answers as a scenario gives them, attempt by attempt; what it does not mention answers with its sample."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._replies: dict[str, list[Reply]] = {}
        self._next: dict[str, int] = {}

    def give(self, given: s.GivenAnswers) -> None:
        """From now on an operation or a workflow answers like this."""
        self._replies[given.target] = [
            self._reply(answer) for answer in given.answers for _ in range(max(1, answer.times))
        ]
        self._next[given.target] = 0

    def _reply(self, answer: s.Answer) -> Reply:
        delay = constant(self.program, answer.delay) if answer.delay is not None else 0
        if answer.kind == "hangs":
            return Reply("hangs", delay=delay)
        value: Any = constant(self.program, answer.value) if answer.value is not None else None
        if answer.kind == "returns":
            return Reply("value", value, delay)
        if value["is"] in SYSTEM:
            return Reply("system", value["is"], delay)
        return Reply("error", value, delay)

    def answer(self, call: Send, world: World) -> Reply | None:
        _ = world
        return self.reply_to(call.target)

    def reply_to(self, target: str) -> Reply | None:
        """The next answer of an operation; None for a workflow of which nothing is said: it runs."""
        replies = self._replies.get(target)
        if replies:
            place = self._next[target]
            self._next[target] = place + 1
            return replies[min(place, len(replies) - 1)]
        operation = self.program.operations.get(target)
        if operation is None:
            return None
        return Reply("value", self.program.boundary.sample(operation.result))

    def rest(self) -> Any:  # noqa: ANN401 - anything to compare by
        """What is still to be answered: two scripts with the same rest answer the same from now on."""
        return tuple((name, min(place, len(self._replies[name]) - 1)) for name, place in sorted(self._next.items()))

    def chance(self) -> float:
        """The middle."""
        return 0.5


def constant(program: Program, expr: Any, names: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - values of the language
    """The value of an expression of a scenario."""
    return program.compile(expr)(_Names(names or {}, program.constants))


class _Names(Constants):
    """Parameters and views, as an expectation reads them."""

    def __init__(self, names: dict[str, Any], constants: dict[str, Any]) -> None:
        super().__init__(constants)
        self.names = names

    def read(self, kind: str, name: str) -> Any:  # noqa: ANN401 - values of the language
        return self.names[name] if name in self.names else super().read(kind, name)


def tell(program: Program, scenario: s.Scenario, prepare: Callable[[World], None] | None = None) -> Told:
    """Runs a scenario. `prepare` may change the world before it begins."""
    return Run(program, scenario, Script(program), prepare).tell()


class DifferentError(Exception):
    """The first difference."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.found = found


class Run:
    """One run of a scenario, item by item."""

    def __init__(
        self,
        program: Program,
        scenario: s.Scenario,
        script: Script,
        prepare: Callable[[World], None] | None = None,
    ) -> None:
        self.program = program
        self.scenario = scenario
        self.script = script
        self.world = World(program, self.script, START)
        if prepare is not None:
            prepare(self.world)
        self.workflow = program.workflows[scenario.workflow]
        self.data: dict[str, Any] = {}
        self.instance = ""
        self.seen_undone = 0
        self.expected_letters: set[str] = set()
        self.expected_parked: set[str] = set()

    def tell(self) -> Told:
        """The run, up to the first difference."""
        item: s.Item | None = None
        try:
            for item in self.scenario.items:
                self.item(item)
            item = None
            if not self.instance:
                self.start()
            self.world.settle()
            self._nothing_left()
        except DifferentError as different:
            return self._told(Difference(item, different.expected, different.found))
        except RunawayError:
            return self._told(Difference(item, "a run that comes to rest", "it goes on without end"))
        return self._told(None)

    def _told(self, difference: Difference | None) -> Told:
        return Told(self.scenario, self.world, self.instance, difference)

    def item(self, item: s.Item) -> None:
        """One item: what happens, or what is expected."""
        match item:
            case s.GivenInput(name=name, value=value):
                self.data[name] = constant(self.program, value)
                return
            case s.GivenAnswers():
                if self.instance:
                    self.world.settle()
                self.script.give(item)
                return
            case _:
                pass
        if not self.instance:
            self.start()
        self.world.settle()
        match item:
            case s.Send():
                self.send(item)
            case s.Advance(amount=amount):
                self.world.run_until(self.world.now + constant(self.program, amount))
            case s.Operate():
                self._operate(item)
            case s.Expect():
                self.world.finish()
                self.expect(item)

    def send(self, item: s.Send) -> None:
        """Delivers an event."""
        self.accepted(self.world.send(item.event, constant(self.program, item.value)), f"`{item.event}` is heard")

    def start(self) -> None:
        """Starts the instance, with samples for what is not given."""
        sample = self.program.boundary.sample_fields(self.workflow.params)
        defaults = {param.name for param in self.workflow.params if param.default is not None}
        data = {name: value for name, value in sample.items() if name not in defaults} | self.data
        self.instance, refused = self.world.start(self.workflow.name, data)
        self.accepted(refused, "the workflow starts")

    def accepted(self, refused: Refused | None, wanted: str) -> None:
        """An input that is refused is a difference."""
        if refused is not None:
            raise DifferentError(wanted, refused.text)

    # -- operators

    def _operate(self, item: s.Operate) -> None:
        wanted = f"the operator {item.action} {item.target}".rstrip()
        if item.action == "cancels":
            given = Operator(at=self.world.now, action="cancel")
            self.accepted(self.world.deliver(self.instance, given), "the operator cancels")
            return
        found = self.parked(item.target) or self.letter(item.target)
        if found is None:
            raise DifferentError(wanted, f"no call of `{item.target}` is parked, and it has no dead letter")
        identity, key = found
        value = constant(self.program, item.value) if item.value is not None else None
        actions: dict[str, Any] = {"retries": "retry", "supplies": "supply", "raises": "raise"}
        given = Operator(at=self.world.now, action=actions[item.action], key=key, value=value)
        self.accepted(self.world.deliver(identity, given), wanted)

    def parked(self, target: str) -> tuple[str, str] | None:
        """The instance and key of a parked call of an operation."""
        for identity, fiber in self._waiting("parked"):
            assert fiber.call is not None
            if fiber.call.target == target:
                return identity, fiber.call.key
        return None

    def _waiting(self, state: str) -> list[tuple[str, Fiber]]:
        return [
            (identity, fiber)
            for identity, running in self.world.running.items()
            for fiber in running.instance.fibers.values()
            if fiber.call is not None and fiber.call.state == state
        ]

    def letter(self, target: str) -> tuple[str, str] | None:
        """The instance and key of an open dead letter of an operation."""
        for identity, running in self.world.running.items():
            for key, letter in running.instance.letters.items():
                if target in (letter.operation, letter.name):
                    return identity, key
        return None

    # -- expectations

    def expect(self, item: s.Expect) -> None:
        """Holds the run against an expectation."""
        wanted = item.text.removeprefix("expect ")
        names = [name for group in item.groups for name in group]
        match item.kind:
            case "path":
                found = self._path()
                self._same(found[: len(names)] == names, wanted, f"path {', '.join(found) or '(nowhere)'}")
            case "at":
                there = any(place == names[0] or place.startswith(f"{names[0]}.") for place in self.places())
                self._same(there, wanted, self._where())
            case "undone" | "nothing undone":
                self._expect_undone(item, wanted)
            case "dead letter":
                self._expect_letter(item, names[0], wanted)
            case "parked":
                self.expected_parked.add(names[0])
                self._same(self.parked(names[0]) is not None, wanted, self._where())
            case "called":
                count = sum(
                    1 for each in self.world.attempts if each.send.target == names[0] and each.send.kind != "undo"
                )
                self._same(count == item.times, wanted, f"called {names[0]} {count} times")
            case "done":
                self._expect_done(item, wanted)
            case "failed":
                inst = self.world.running[self.instance].instance
                self._same(inst.status == "failed" and inst.error["is"] in names, wanted, self.end())
            case "that":
                self._expect_that(item, wanted)

    def _same(self, holds: bool, expected: str, found: str) -> None:  # noqa: FBT001 - the answer itself
        if not holds:
            raise DifferentError(expected, found)

    def _path(self) -> list[str]:
        return [
            record.path
            for record in self.world.records
            if record.kind == "entered" and record.instance == self.instance and not record.get("scope")
        ]

    def _where(self) -> str:
        there = self.places()
        return f"at {listed(there)}" if there else self.end()

    def places(self) -> list[str]:
        """Where the tokens of the instance are."""
        return places(self.program, self.world.running[self.instance].instance)

    def end(self) -> str:
        """How the instance has ended, or where it stands."""
        inst = self.world.running[self.instance].instance
        if inst.status == "done":
            return f"done {self._shown(inst.value)}".rstrip()
        if inst.status == "failed":
            return f"failed {shown(inst.error)}"
        return "it still runs" + (f", at {listed(self.places())}" if self.places() else "")

    def _shown(self, value: Any) -> str:  # noqa: ANN401 - values of the language
        return shown(value, self.workflow.result) if value is not None else ""

    def _expect_undone(self, item: s.Expect, wanted: str) -> None:
        undone = [
            str(record.get("operation")) for record in self.world.records[self.seen_undone :] if record.kind == "undone"
        ]
        self.seen_undone = len(self.world.records)
        left = list(undone)
        holds = True
        for group in item.groups:
            holds = holds and sorted(left[: len(group)]) == sorted(group)
            left = left[len(group) :]
        self._same(holds and not left, wanted, f"undone {', '.join(undone)}" if undone else "nothing undone")

    def _expect_letter(self, item: s.Expect, name: str, wanted: str) -> None:
        letters = [letter for _, letter in self.world.letters]
        self.expected_letters.add(name)
        holds = any(letter.operation == name and item.queue in ("", letter.queue) for letter in letters)
        found = [f"dead letter {letter.operation} in {letter.queue}" for letter in letters]
        self._same(holds, wanted, ", ".join(found) or "no dead letter")

    def _expect_done(self, item: s.Expect, wanted: str) -> None:
        inst = self.world.running[self.instance].instance
        holds = inst.status == "done"
        if holds and item.value is not None:
            holds = inst.value == constant(self.program, item.value)
        self._same(holds, wanted, self.end())

    def _expect_that(self, item: s.Expect, wanted: str) -> None:
        assert item.value is not None
        inst = self.world.running[self.instance].instance
        root = next((frame for frame in inst.frames.values() if frame.parent is None), None)
        names = dict((root.names if root is not None else None) or inst.names)
        for view in self.workflow.views:
            names[view.name] = constant(self.program, view.value, names)
        try:
            holds = constant(self.program, item.value, names)
        except NotConstant:
            holds = False
        values = [f"{view.name} = {shown(names[view.name], view.type)}" for view in self.workflow.views]
        self._same(bool(holds), wanted, listed(values) or "it does not hold")

    def _nothing_left(self) -> None:
        """A dead letter or a parked step that nothing expects fails the scenario."""
        for _, letter in self.world.letters:
            if letter.operation not in self.expected_letters:
                raise DifferentError("no dead letter", f"dead letter {letter.operation} in {letter.queue}")
        for _, fiber in self._waiting("parked"):
            assert fiber.call is not None
            if fiber.call.target not in self.expected_parked:
                raise DifferentError("nothing parked", f"parked {fiber.call.target}")


def shown(value: Any, kind: Type | None = None) -> str:  # noqa: ANN401 - values of the language
    """A value as a person reads it, much as in the source."""
    match value:
        case None:
            return "none"
        case dict() if "is" in value:
            fields = [shown(item) for name, item in value.items() if name != "is"]
            return f"{value['is']}({', '.join(fields)})" if fields else str(value["is"])
        case dict():
            return "(" + ", ".join(f"{name}: {shown(item)}" for name, item in value.items()) + ")"
        case tuple():
            return "[" + ", ".join(shown(item) for item in value) + "]"
        case str():
            return f'"{value}"' if kind in (None, TEXT) else value
        case _:
            return show(value, kind if kind is not None else TEXT)


__all__ = ["Difference", "Script", "Told", "constant", "show_duration", "shown", "tell"]
