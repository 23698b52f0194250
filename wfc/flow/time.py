"""How long things take at most and at least: the calls, or the waits, along the longest or the shortest path.

A path is found over the blocks as they are written, inside out, each step once: a sequence adds up, branches and arms
take the longest, a loop counts one round, `at most n` counts n. What nobody can know - a person, an event, a lock, a
step that is parked - is left out of the longest path, and said. Jitter only takes off, so pauses are taken whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Union

from wfc.flow.policies import Policies, Tries
from wfc.ir.expressions import Items
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    ForEach,
    Goto,
    Guard,
    Lock,
    Machine,
    Node,
    Parallel,
    Region,
    Repeat,
    Scope,
    State,
    Step,
    Wait,
)


@dataclass(frozen=True, eq=False)
class Term:
    """A call with all its attempts, a `wait`, or an `await` of time alone: how long, and how often on the path."""

    step: Do | Wait | Await
    length: int
    times: int = 1
    tries: Tries | None = None

    @property
    def total(self) -> int:
        """All its rounds together."""
        return self.length * self.times


@dataclass(frozen=True, eq=False)
class Path:
    """A way through something: how long it takes, and what is left out of that."""

    total: int = 0
    unknown: frozenset[str] = frozenset()
    parts: tuple[Union["Path", Term], ...] = ()
    times: int = 1

    def then(self, other: "Path") -> "Path":
        """This way, and another behind it."""
        if not (other.total or other.parts or other.unknown):
            return self
        if not (self.total or self.parts or self.unknown):
            return other
        return Path(self.total + other.total, self.unknown | other.unknown, (self, other))

    def repeated(self, times: int) -> "Path":
        """This way several times."""
        return self if times == 1 else Path(self.total * times, self.unknown, (self,), times)

    def without(self, *what: str) -> "Path":
        """The same, with something more that is left out."""
        return Path(self.total, self.unknown.union(what), (self,))

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """What it is made of, in order."""
        found: list[Term] = []
        waiting: list[tuple[Path | Term, int]] = [(self, 1)]
        while waiting:
            part, times = waiting.pop()
            if isinstance(part, Term):
                found.append(Term(part.step, part.length, part.times * times, part.tries))
            else:
                waiting.extend((inner, times * part.times) for inner in reversed(part.parts))
        return tuple(found)


NOTHING = Path()
_DONE, _FAILED = "done", "failed"  # ends of a region; nodes are not called by these, reserved, words


@dataclass(eq=False)
class _Ways:
    """The best way to fall off a block, if any, and the best way to each exit of it."""

    fall: Path | None
    exits: dict[str, Path] = field(default_factory=dict)


class Times:
    """The longest ways (over calls) or the shortest ones (over waits of a fixed length) in a machine.

    With `waits`, the longest ways go over waits of a fixed length too; with `bounds`, what nobody can know takes as
    long as the deadline around it lets it, and `BOUNDED` says so.
    """

    def __init__(
        self, machine: Machine, policies: Policies, *, longest: bool, waits: bool = False, bounds: bool = False
    ) -> None:
        self.policies = policies
        self.longest = longest
        self.waits = waits or bounds or not longest
        self.bounds = bounds
        self.workflows = {workflow.name: workflow for workflow in machine.workflows}
        self._whole: dict[str, Path | None] = {}
        self._regions: dict[int, _Ways] = {}

    # -- questions

    def through(self, region: Region) -> Path | None:
        """The best way through a region, from its first step to an end; of the shortest, to one that is no failure."""
        return self._end(self._region(region))

    def state(self, state: State) -> Path | None:
        """The best way through a state's own steps."""
        ways = self._block(state.steps)
        found = [path for name, path in ways.exits.items() if self.longest or name != _FAILED]
        return self._best((*found, ways.fall))

    def block(self, steps: tuple[Step, ...]) -> Path | None:
        """The best way through a block, whichever way it is left."""
        ways = self._block(steps)
        return self._best((*ways.exits.values(), ways.fall))

    def call(self, call: Do) -> Path:
        """A call with all its attempts; its guards apart."""
        if call.kind == "workflow":
            return self._child(call.target) or NOTHING
        policy = self.policies.of(call)
        if not self.longest or (policy is None and call.kind != "task"):
            return NOTHING
        if policy is None:
            return Path(unknown=frozenset(("people's answers",)))
        tries = self.policies.tries(policy)
        left = {"steps that are parked"} if tries.parks else set()
        if policy.limit is not None or policy.concurrency is not None:
            left.add("calls that wait for their turn")
        if tries.total is None:
            return Path(unknown=frozenset((*left, f"`{call.target}`, whose attempts have no fixed end")))
        return Path(tries.total, frozenset(left), (Term(call, tries.total, 1, tries),))

    def branches(self, step: Parallel) -> Path | None:
        """All branches side by side."""
        found = [self.through(branch.region) for branch in step.branches]
        if self.longest or step.join == "first":
            return self._best(found)
        if step.join == "some":
            return min((path for path in found if path is not None), key=lambda path: path.total, default=None)
        return None if None in found else max((p for p in found if p is not None), key=lambda path: path.total)

    # -- regions and nodes

    def _child(self, name: str) -> Path | None:
        if name not in self._whole:
            self._whole[name] = Path(unknown=frozenset((f"`{name}` inside itself",)))
            self._whole[name] = self.through(self.workflows[name].region) if name in self.workflows else NOTHING
        return self._whole[name]

    def _end(self, ways: _Ways) -> Path | None:
        return self._best(path for name, path in ways.exits.items() if name == _DONE or self.longest)

    def _region(self, region: Region) -> _Ways:
        found = self._regions.get(id(region))
        if found is None:
            found = self._regions[id(region)] = self._ends(region)
        return found

    def _ends(self, region: Region) -> _Ways:
        """The ways to the ends of a region. An arrow back to a node that is being gone through is one more round."""
        start = self._block(region.steps)
        if not region.nodes:
            return self._joined([({_DONE: start.fall} if start.fall else {}), start.exits])
        behind = self._behind({node.name: node for node in region.nodes}, region.nodes[0].name)
        entered = {name: start.fall.then(path) for name, path in behind.items()} if start.fall is not None else {}
        return self._joined([start.exits, entered])

    def _behind(self, nodes: dict[str, Node], first: str) -> dict[str, Path]:
        """The best way from the entry of a node to each end of its region, over the nodes in order of leaving them."""
        exits = {first: self._node(nodes[first])}
        behind: dict[str, dict[str, Path]] = {}
        stack = [(first, iter(list(exits[first])))]
        while stack:
            name, targets = stack[-1]
            following = next((target for target in targets if target in nodes and target not in exits), None)
            if following is not None:
                exits[following] = self._node(nodes[following])
                stack.append((following, iter(list(exits[following]))))
                continue
            stack.pop()
            behind[name] = self._onwards(exits[name], nodes, behind)
        return behind[first]

    def _onwards(
        self, exits: dict[str, Path], nodes: dict[str, Node], behind: dict[str, dict[str, Path]]
    ) -> dict[str, Path]:
        """From a node to the ends. A node not known yet is being gone through: the arrow to it closes a loop."""
        found: list[dict[str, Path]] = []
        looped = False
        for name, path in exits.items():
            if name not in nodes:
                found.append({name: path})
            elif behind.get(name):
                found.append({end: path.then(way) for end, way in behind[name].items()})
            elif self.longest:
                found.append({_DONE: path})
            looped = looped or (name in nodes and name not in behind)
        ends = self._joined(found).exits
        if not looped or not self.longest:
            return ends
        return {end: path.without("further rounds of a loop") if path.parts else path for end, path in ends.items()}

    def _node(self, node: Node) -> dict[str, Path]:
        match node:
            case State(steps=steps, guards=guards):
                ways = self._block(steps)
                inside = self._best((*ways.exits.values(), ways.fall)) or NOTHING
                return self._joined([self._cut(ways.exits, guards), self._tails(inside, guards)]).exits
            case Scope(region=region, next=following, implicit=implicit):
                inner = self._region(region)
                end = self._end(inner)
                exits = {_DONE if implicit else following or _DONE: end} if end is not None else {}
                inside = self._best(inner.exits.values()) or NOTHING
                return self._joined([self._cut(exits, region.guards), self._tails(inside, region.guards)]).exits

    # -- guards

    def _tails(self, inside: Path, guards: tuple[Guard, ...]) -> dict[str, Path]:
        """The exits of the tails of guards. The shortest way is one on which nothing goes wrong."""
        found: list[dict[str, Path]] = []
        for guard in guards:
            if guard.also or not (self.longest or guard.kind == "after"):
                continue
            before = self._before(inside, guard)
            if self.bounds and (deadline := self._deadline(guards)) is not None:
                before = self._over(before, deadline)
            tail = self._block(guard.steps)
            found.append({name: before.then(path) for name, path in tail.exits.items()})
        return self._joined(found).exits

    def _before(self, inside: Path, guard: Guard) -> Path:
        """What can lie before the tail of a guard."""
        length = self.policies.constants.whole(guard.amount) if guard.kind == "after" else None
        if not self.longest:
            return Path(length or 0)
        return inside if length is None else self._over(inside, length)

    def _over(self, inside: Path, deadline: int) -> Path:
        """Something that a deadline ends, if it comes to that."""
        if self.bounds and inside.unknown - {BOUNDED, _CUT}:
            return Path(deadline, frozenset((BOUNDED,)), (inside,))
        return Path(deadline, inside.unknown | {_CUT}, (inside,)) if inside.total > deadline else inside

    def _cut(self, exits: dict[str, Path], guards: tuple[Guard, ...]) -> dict[str, Path]:
        """A thing with a deadline of its own is over by then."""
        deadline = self._deadline(guards)
        if deadline is None or not self.longest:
            return exits
        return {name: self._over(path, deadline) for name, path in exits.items()}

    def _deadline(self, guards: tuple[Guard, ...]) -> int | None:
        whole = self.policies.constants.whole
        found = (whole(guard.amount) for guard in guards if guard.kind == "after" and not guard.also)
        return min((length for length in found if length is not None), default=None)

    def _guarded(self, inside: Path | None, guards: tuple[Guard, ...]) -> _Ways:
        """A call or a `parallel` with its guards, whose tails may go on behind it."""
        ways = _Ways(inside)
        deadline = self._deadline(guards)
        if inside is not None and deadline is not None and self.longest:
            ways.fall = self._over(inside, deadline)
        for guard in guards:
            if guard.also or not (self.longest or guard.kind in ("after", "on", "at")):
                continue
            before = self._before(inside or NOTHING, guard)
            if self.bounds and inside is not None and deadline is not None:
                before = self._over(before, deadline)
            tail = self._block(guard.steps)
            if tail.fall is not None:
                ways.fall = self._best((ways.fall, before.then(tail.fall)))
            more = {name: before.then(path) for name, path in tail.exits.items()}
            ways.exits = self._joined([ways.exits, more]).exits
        return ways

    # -- steps

    def _block(self, steps: tuple[Step, ...]) -> _Ways:
        here: Path | None = NOTHING
        exits: list[dict[str, Path]] = []
        for step in steps:
            if here is None:
                break
            ways = self._step(step)
            exits.append({name: here.then(path) for name, path in ways.exits.items()})
            here = here.then(ways.fall) if ways.fall is not None else None
        return _Ways(here, self._joined(exits).exits)

    def _step(self, step: Step) -> _Ways:
        match step:
            case Do(guards=guards):
                return self._guarded(self.call(step), guards)
            case Wait():
                return _Ways(self._wait(step))
            case Await(guards=guards):
                return self._guarded(self._await(step) if self.longest else None, guards)
            case Parallel(guards=guards):
                return self._guarded(self.branches(step), guards)
            case ForEach():
                return _Ways(self._for_each(step))
            case Repeat(times=times, steps=steps):
                ways = self._block(steps)
                if ways.fall is not None and self.longest:
                    ways.fall = self._rounds(ways.fall, self.policies.constants.whole(times))
                return ways
            case Lock(steps=steps):
                ways = self._block(steps)
                held = Path(unknown=frozenset(("locks that are not free",))) if self.longest else NOTHING
                exits = {name: held.then(path) for name, path in ways.exits.items()}
                return _Ways(held.then(ways.fall) if ways.fall is not None else None, exits)
            case Choose(arms=arms, otherwise=otherwise):
                blocks = [self._block(arm.steps) for arm in arms]
                blocks.append(self._block(otherwise) if otherwise is not None else _Ways(NOTHING))
                return _Ways(self._best(way.fall for way in blocks), self._joined(way.exits for way in blocks).exits)
            case Goto(target=target):
                return _Ways(None, {target: NOTHING})
            case Done():
                return _Ways(None, {_DONE: NOTHING})
            case Fail():
                return _Ways(None, {_FAILED: NOTHING})
            case _:
                return _Ways(NOTHING)

    def _wait(self, step: Wait) -> Path:
        length = None if step.until or not self.waits else self.policies.constants.whole(step.amount)
        if self.longest and length is None:
            return Path(unknown=frozenset(("what is waited for",)))
        return Path(length, parts=(Term(step, length),)) if length is not None and length > 0 else NOTHING

    def _await(self, step: Await) -> Path:
        """What is waited for: an event, or the first of some deadlines."""
        ends = [guard for guard in step.guards if not guard.also and guard.kind != "every"]
        length = self._deadline(step.guards) if self.waits and all(guard.kind == "after" for guard in ends) else None
        if length is None:
            return Path(unknown=frozenset(("events",)))
        return Path(length, parts=(Term(step, length),)) if length > 0 else NOTHING

    def _for_each(self, step: ForEach) -> Path | None:
        inner = self.through(step.region) or NOTHING
        count = len(step.items.items) if isinstance(step.items, Items) else None
        at_once = self.policies.constants.whole(step.limit)
        if step.concurrent and step.limit is None:
            return inner if self.longest or (count and step.join == "all") else NOTHING
        if count is not None and step.concurrent:
            count = -(-count // max(1, at_once)) if at_once is not None else None
        if self.longest:
            return self._rounds(inner, count)
        return inner.repeated(count) if count and step.join == "all" else NOTHING

    def _rounds(self, path: Path, count: int | None) -> Path:
        if count is not None:
            return path.repeated(max(1, count))
        return path.without("further rounds of a loop") if path.parts else path

    # -- choosing

    def _best(self, paths: Iterable[Path | None]) -> Path | None:
        """The longest, or the shortest; what any of them leaves out is left out."""
        every = [path for path in paths if path is not None]
        if not every:
            return None
        best = (max if self.longest else min)(every, key=lambda path: path.total)
        unknown = frozenset[str]().union(*(path.unknown for path in every))
        return best if unknown == best.unknown else Path(best.total, unknown, (best,))

    def _joined(self, several: Iterable[dict[str, Path]]) -> _Ways:
        found: dict[str, list[Path]] = {}
        for exits in several:
            for name, path in exits.items():
                found.setdefault(name, []).append(path)
        best = ((name, self._best(paths)) for name, paths in found.items())
        return _Ways(None, {name: path for name, path in best if path is not None})


_CUT = "what a deadline inside cuts off"
BOUNDED = "what a deadline inside bounds"


def sums(path: Path) -> Iterator[tuple[Term, int]]:
    """The terms of a path, calls of the same operation under the same policy together, with how often."""
    found: dict[tuple[str, str], list[Term]] = {}
    for term in path.terms:
        step = term.step
        key = (step.target, step.policy or "") if isinstance(step, Do) else (str(id(step)), "")
        found.setdefault(key, []).append(term)
    for terms in found.values():
        yield terms[0], sum(term.times for term in terms)
