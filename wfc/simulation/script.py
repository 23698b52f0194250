"""What a simulation is told beforehand: the input, how services answer, and what comes from outside, when.

A script is data, a list of entries. Each is looked at against the machine before anything runs.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from wfc.ir.boundary import Misfit
from wfc.ir.expressions import Ref
from wfc.ir.machine import EventDef, FieldDef, Workflow
from wfc.ir.types import Type
from wfc.machine.messages import Send
from wfc.machine.program import Program
from wfc.simulation.world import Model, Reply, World
from wfc.text.durations import parse_duration
from wfc.text.names import did_you_mean, listed

LISTED = 8  # names that fit a line
TIMES_LIMIT = 10_000  # attempts that one entry may stand for
ENTRIES: Mapping[str, frozenset[str]] = {
    "input": frozenset(),
    "answer": frozenset({"returns", "raises", "fields", "hangs", "after", "times"}),
    "event": frozenset({"fields", "at"}),
    "operator": frozenset({"call", "value", "at"}),
}
ACTIONS = {"cancels": "cancel", "retries": "retry", "supplies": "supply", "raises": "raise"}
FAILURES = ("Timeout", "Unavailable", "Invalid")  # of any operation


class ScriptError(ValueError):
    """A script that does not fit its process; the text says where and why."""


@attrs.frozen
class Act:
    """Something from outside, so long after the start: an event with its fields, or an operator."""

    at: int
    kind: str  # event, or the action of an operator
    name: str = ""
    value: Any = None


@attrs.define
class Script:
    """A script that fits its process."""

    data: dict[str, Any] = attrs.field(factory=dict)
    replies: dict[str, list[Reply]] = attrs.field(factory=dict)
    delays: dict[str, int] = attrs.field(factory=dict)
    counted: set[str] = attrs.field(factory=set)  # operations whose last reply does not stay
    acts: list[Act] = attrs.field(factory=list)


class Scripted:
    """Answers as a script says, attempt by attempt; the last answer stays, unless it says how often it comes.

    What is not said is answered by another model.
    """

    def __init__(self, program: Program, script: Script, otherwise: Model) -> None:
        self.program = program
        self.script = script
        self.otherwise = otherwise
        self.silent: set[tuple[str, str]] = set()  # calls that get no answer, by instance and call
        self._next: dict[str, int] = {}

    def answer(self, call: Send, world: World) -> Reply | None:
        """The reply to an attempt."""
        found = self._answer(call, world)
        if found is not None and found.kind == "hangs":
            self.silent.add((world.attempts[-1].instance, call.call))
        return found

    def _answer(self, call: Send, world: World) -> Reply | None:
        replies = self.script.replies.get(call.target)
        delay = self.script.delays.get(call.target)
        place = self._next.get(call.target, 0)
        self._next[call.target] = place + 1
        if replies and (place < len(replies) or call.target not in self.script.counted):
            found: Reply | None = replies[min(place, len(replies) - 1)]
        else:
            found = self.otherwise.answer(call, world)
        if found is None or delay is None:
            return found
        return attrs.evolve(found, delay=found.delay or delay)

    def chance(self) -> float:
        """As the other model draws it."""
        return self.otherwise.chance()


class Samples:
    """Every operation answers at once, with the sample of its type."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def answer(self, call: Send, world: World) -> Reply | None:
        """The sample; a workflow runs for real."""
        _ = world
        operation = self.program.operations.get(call.target)
        return Reply("value", self.program.boundary.sample(operation.result)) if operation is not None else None

    def chance(self) -> float:
        """The middle."""
        return 0.5


def read_script(program: Program, workflow: Workflow, entries: list[tuple[str, Any]]) -> Script:
    """The script of some entries, each with the words that say where it stands; raises ScriptError."""
    reader = _Reader(program, workflow)
    for where, entry in entries:
        try:
            reader.read(entry)
        except (ScriptError, Misfit) as wrong:
            raise ScriptError(f"{where}: {wrong}") from None
    return reader.script


class _Reader:
    def __init__(self, program: Program, workflow: Workflow) -> None:
        self.program = program
        self.workflow = workflow
        self.script = Script()

    def read(self, entry: Any) -> None:  # noqa: ANN401 - data
        """Adds an entry."""
        kinds = [kind for kind in ENTRIES if isinstance(entry, dict) and kind in entry]
        if len(kinds) != 1:
            raise ScriptError(f"an entry is an object with one of {listed(map(_quoted, ENTRIES), 'and')}")
        kind = kinds[0]
        for name in entry:
            if name != kind and name not in ENTRIES[kind]:
                near = did_you_mean(str(name), ENTRIES[kind])
                raise ScriptError(f"there is no `{name}` in an entry with `{kind}`" + (f"; {near}" if near else ""))
        readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "input": self._input,
            "answer": self._answer,
            "event": self._event,
            "operator": self._operator,
        }
        readers[kind](entry)

    # -- the input

    def _input(self, entry: dict[str, Any]) -> None:
        given = entry["input"]
        if not isinstance(given, dict):
            raise ScriptError("the input is an object with a field per parameter")
        self.script.data |= self._fields(self.workflow.params, given, f"`{self.workflow.name}` has no parameter")

    def _fields(self, defs: tuple[FieldDef, ...], given: dict[str, Any], missing: str) -> dict[str, Any]:
        """The fields that are given, each looked at by itself."""
        found = {}
        known = {field.name: field for field in defs}
        for name, value in given.items():
            if name not in known:
                raise ScriptError(_unknown(f"{missing} `{name}`", name, known))
            found[name] = self.program.boundary.fields((known[name],), {name: value})[name]
        return found

    # -- answers

    def _answer(self, entry: dict[str, Any]) -> None:
        target = entry["answer"]
        result, raises = self._target(target)
        after = _duration(entry["after"]) if "after" in entry else 0
        outcomes = [name for name in ("returns", "raises", "hangs") if name in entry]
        if not outcomes and "after" in entry:
            self.script.delays[target] = after
            return
        if len(outcomes) != 1:
            raise ScriptError("an answer has one of `returns`, `raises` and `hangs`")
        times = entry.get("times", 1)
        if type(times) is not int or not 1 <= times <= TIMES_LIMIT:
            raise ScriptError(f"`times` is a whole number from 1 to {TIMES_LIMIT}")
        if "fields" in entry and outcomes != ["raises"]:
            raise ScriptError("`fields` are those of an error: they stand with `raises`")
        if outcomes == ["hangs"]:
            reply = Reply("hangs")
        elif outcomes == ["returns"]:
            reply = Reply("value", self._value(target, result, entry["returns"]), after)
        else:
            reply = self._error(target, raises, entry["raises"], entry.get("fields", {}), after)
        self.script.replies.setdefault(target, []).extend([reply] * times)
        if "times" in entry:
            self.script.counted.add(target)
        else:
            self.script.counted.discard(target)

    def _target(self, target: Any) -> tuple[Type | None, tuple[str, ...]]:  # noqa: ANN401 - data
        """What an operation or workflow gives, and the errors it declares."""
        program = self.program
        if isinstance(target, str) and target in program.operations:
            operation = program.operations[target]
            return operation.result, operation.raises
        children = {name: workflow for name, workflow in program.workflows.items() if workflow is not self.workflow}
        if isinstance(target, str) and target in children:
            return children[target].result, children[target].raises
        known = [*program.operations, *children]
        raise ScriptError(_unknown(f"there is no operation `{target}`", str(target), known))

    def _value(self, target: str, result: Type | None, given: Any) -> Any:  # noqa: ANN401 - data
        if result is None and given is not None:
            raise ScriptError(f"`{target}` returns nothing: the answer is `null`")
        return self.program.boundary.read(given, result)

    def _error(self, target: str, raises: tuple[str, ...], name: Any, fields: Any, after: int) -> Reply:  # noqa: ANN401 - data
        if name in FAILURES:
            return Reply("system", name, after)
        if name not in raises:
            known = [*raises, *FAILURES]
            raise ScriptError(_unknown(f"`{target}` raises no `{name}`", str(name), known))
        if not isinstance(fields, dict):
            raise ScriptError("`fields` is an object with the fields of the error")
        defs = self.program.errors[name].fields
        given = self._fields(defs, fields, f"`{name}` has no field")
        return Reply("error", {"is": name, **self.program.boundary.sample_fields(defs), **given}, after)

    # -- from outside

    def _event(self, entry: dict[str, Any]) -> None:
        name = entry["event"]
        known = [event for event, definition in self.program.events.items() if definition.mode != "outgoing"]
        if name not in known:
            raise ScriptError(_unknown(f"there is no event `{name}`", str(name), known))
        fields = entry.get("fields", {})
        if not isinstance(fields, dict):
            raise ScriptError("`fields` is an object with the fields of the event")
        given = self._fields(self.program.events[name].fields, fields, f"`{name}` has no field")
        self.script.acts.append(Act(_at(entry), "event", name, given))

    def _operator(self, entry: dict[str, Any]) -> None:
        action = entry["operator"]
        if action not in ACTIONS:
            raise ScriptError(_unknown(f"an operator does not do `{action}`", str(action), list(ACTIONS)))
        call = entry.get("call", "")
        if action == "cancels":
            if call or "value" in entry:
                raise ScriptError("`cancels` is about the whole process: it has no `call` and no `value`")
        else:
            self._target(call)
        if ("value" in entry) != (action in ("supplies", "raises")):
            raise ScriptError("`value` is what an operator supplies or raises, and belongs to these two")
        self.script.acts.append(Act(_at(entry), ACTIONS[action], call, entry.get("value")))


def event_fields(program: Program, event: EventDef, given: dict[str, Any], key: Any) -> dict[str, Any]:  # noqa: ANN401 - values
    """The fields of an event: those that are given, else samples; the field that is its key is that of the instance."""
    found = program.boundary.sample_fields(event.fields)
    if isinstance(event.key, Ref) and event.key.name in found:
        found[event.key.name] = key
    return found | given


def _at(entry: dict[str, Any]) -> int:
    return _duration(entry["at"]) if "at" in entry else 0


def _duration(given: Any) -> int:  # noqa: ANN401 - data
    found = parse_duration(given) if isinstance(given, str) else given if type(given) is int else None
    if found is None or found < 0:
        raise ScriptError(f"`{given}` is not a duration such as 30s or 2h30m")
    return found


def _unknown(text: str, name: str, known: Mapping[str, Any] | list[str]) -> str:
    """What is not there, and what may have been meant."""
    names = list(known)
    near = did_you_mean(name, names)
    if near is None and names:
        more = [f"{len(names) - LISTED} others"] if len(names) > LISTED else []
        near = f"there is {listed([*map(_quoted, names[:LISTED]), *more])}"
    return f"{text}; {near}" if near else text


def _quoted(name: str) -> str:
    return f"`{name}`"
