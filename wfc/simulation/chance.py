"""A world that answers by lot: everything that may happen does, repeatably by its seed."""

from decimal import Decimal
from random import Random
from typing import Any

import attrs

from wfc.ir.boundary import Misfit
from wfc.ir.machine import FieldDef
from wfc.ir.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    TEXT,
    Errors,
    ListOf,
    MapOf,
    Money,
    Named,
    Optional,
    Secret,
    Type,
)
from wfc.machine.messages import Locked, Operator, Refused, Send
from wfc.machine.program import Program
from wfc.simulation.world import START, Reply, Running, World

DAY = 86_400_000
TRIES = 8  # values that are tried where a refinement has to hold


@attrs.frozen
class Weights:
    """How likely each kind of answer is."""

    value: int = 70
    error: int = 12
    system: int = 8
    hangs: int = 4
    invalid: int = 1
    ahead: int = 60  # the clock goes on
    event: int = 24
    operator: int = 10
    cancel: int = 2
    lost: int = 2


class Chance:
    """Answers drawn by lot."""

    def __init__(self, program: Program, random: Random, weights: Weights | None = None) -> None:
        self.program = program
        self.random = random
        self.weights = weights or Weights()

    def chance(self) -> float:
        return self.random.random()

    def answer(self, call: Send, world: World) -> Reply | None:
        """A value of the right type, a declared error, a system error, or nothing at all."""
        operation = self.program.operations.get(call.target)
        if operation is None:
            return None
        weights = self.weights
        kinds = ["value", "error", "system", "hangs", "invalid"]
        given = [
            weights.value,
            weights.error if operation.raises else 0,
            weights.system,
            weights.hangs,
            weights.invalid,
        ]
        kind = self.random.choices(kinds, given)[0]
        delay = self.random.choice([0, 0, 1, 1000, 7000, 20_000, 60_000, DAY])
        _ = world
        match kind:
            case "value":
                return Reply("value", self.value(operation.result), delay)
            case "error":
                name = self.random.choice(operation.raises)
                return Reply("error", {"is": name, **self.fields(self.program.errors[name].fields)}, delay)
            case "system":
                name = self.random.choice(["Timeout", "Unavailable", "Unavailable"])
                return Reply("system", name, delay, sent=self.random.random() < 0.7)  # noqa: PLR2004 - more often than not
            case "hangs":
                return Reply("hangs")
            case _:
                return Reply("value", {"odd": True}, delay) if operation.result is not None else Reply("value", None)

    # -- values

    def value(self, kind: Type | None, deep: int = 0) -> Any:  # noqa: ANN401 - values of the language
        """Some value of a type; deep inside it is the sample."""
        random = self.random
        match kind:
            case _ if kind is None or deep > 4:  # noqa: PLR2004 - deep enough
                return self.program.boundary.sample(kind)
            case Optional(inner):
                return None if random.random() < 0.4 else self.value(inner, deep + 1)  # noqa: PLR2004 - often there
            case ListOf(item):
                return tuple(self.value(item, deep + 1) for _ in range(random.choice([0, 1, 2, 3])))
            case MapOf(item):
                return {
                    name: self.value(item, deep + 1) for name in random.sample(["a", "b", "#"], random.randint(0, 2))
                }
            case Secret(inner):
                return self.value(inner, deep + 1)
            case Money():
                return Decimal(random.choice(["0", "1", "19.99", "500", "10000"]))
            case Named("record", _, _):
                return self.fields(self.program.boundary.forms.fields(kind), deep + 1)
            case Named("enum", _, _) | Errors():
                cases = self.program.boundary.forms.cases(kind) or {}
                name = random.choice(sorted(cases))
                return {"is": name, **self.fields(cases[name], deep + 1)}
            case _:
                return self._basic(kind)

    def _basic(self, kind: Type) -> Any:  # noqa: ANN401 - values of the language
        random = self.random
        choices: dict[Type, list[Any]] = {
            TEXT: ["", "a", "b", "long text", "ü"],
            INT: [0, 1, 2, 3, 7, 50, 81, 1000, -1],
            DECIMAL: [Decimal(text) for text in ("0", "0.5", "1", "3.25", "100")],
            BOOL: [True, False],
            DURATION: [0, 1, 1000, 60_000, DAY],
            INSTANT: [START, START + 1000, START + DAY],
            DATE: ["2000-01-01", "2000-02-29", "2026-11-22"],
        }
        found = choices.get(kind)
        return random.choice(found) if found is not None else self.program.boundary.sample(kind)

    def fields(self, defs: tuple[FieldDef, ...], deep: int = 0) -> dict[str, Any]:
        """Fields that fit their refinements, as far as lots find such values."""
        sample = self.program.boundary.sample_fields(defs)
        found = {}
        for field in defs:
            found[field.name] = sample[field.name]
            for _ in range(TRIES):
                drawn = self.value(field.type, deep)
                try:
                    found[field.name] = self.program.boundary.fields((field,), {field.name: drawn})[field.name]
                    break
                except Misfit:
                    continue
        return found


class Roamer:
    """Drives a world by lot: lets time pass, sends events, acts as an operator; without `letters` not on dead ones."""

    def __init__(self, world: World, chance: Chance, *, letters: bool = True) -> None:
        self.letters = letters
        self.world = world
        self.chance = chance
        self.random = chance.random

    def step(self) -> bool:
        """One thing happens; False when nothing is left that could."""
        weights = self.chance.weights
        kinds = ["ahead", "event", "operator", "cancel", "lost"]
        given = [weights.ahead, weights.event, weights.operator, weights.cancel, weights.lost]
        kind = self.random.choices(kinds, given)[0]
        world = self.world
        match kind:
            case "event":
                self._event()
            case "operator":
                self._operate()
            case "cancel":
                for identity in [i for i, r in world.running.items() if r.instance.status == "running"][:1]:
                    world.deliver(identity, Operator(at=world.now, action="cancel"))
            case "lost":
                held = sorted(world.locks.held())
                if held:
                    instance, lock = self.random.choice(held)
                    world.deliver(instance, Locked(at=world.now, lock=lock, state="lost"))
            case _:
                pass
        following = world.next()
        if kind == "ahead" and following is not None:
            world.run_until(following)
        alive = [running for running in world.running.values() if running.instance.status == "running"]
        return bool(alive) or following is not None

    def _event(self) -> None:
        alive = [running for running in self.world.running.values() if running.instance.status == "running"]
        if not alive:
            return
        running = self.random.choice(alive)
        heard = sorted(self.world.program.heard[running.instance.workflow])
        if not heard:
            return
        name = self.random.choice(heard)
        data = self.chance.fields(self.world.program.events[name].fields)
        self.event(running, name, data)

    def event(self, running: Running, name: str, data: dict[str, Any]) -> Refused | None:
        """Sends an event; fields that are texts or numbers are given the key of the instance, one of them being it."""
        fields = self.world.program.events[name].fields
        for field in fields:
            if type(data[field.name]) is type(running.key):
                data[field.name] = running.key
        return self.world.send(name, data)

    def _operate(self) -> None:
        world = self.world
        for identity, running in world.running.items():
            for fiber in running.instance.fibers.values():
                if fiber.call is not None and fiber.call.state == "parked":
                    action = self.random.choice(["retry", "retry", "supply", "raise"])
                    operation = world.program.operations.get(fiber.call.target)
                    value: Any = None
                    if action == "supply" and operation is not None:
                        value = self.chance.value(operation.result)
                    if action == "raise":
                        value = {"is": "Unavailable"}
                    world.deliver(identity, Operator(at=world.now, action=action, key=fiber.call.key, value=value))  # type: ignore[arg-type]  # one of the actions
                    return
            for key in running.instance.letters if self.letters else ():
                action = self.random.choice(["retry", "supply"])
                world.deliver(identity, Operator(at=world.now, action=action, key=key))  # type: ignore[arg-type]  # one of the actions
                return
