"""Which arms of a choice can be taken, and whether they cover every value: decided, never guessed.

The arms are asked one after the other, first match wins, in every world that their questions can tell apart
(`wfc/flow/worlds.py`). Where none holds, the world is a value without a way on. An arm that is taken in no world is
dead. What only the run can know has both answers, so that a way on or a dead arm is certain, and a value without a way
on is only told where every answer has its meaning. The number of worlds is bounded; beyond it nothing is claimed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wfc.flow.bindings import Sources, with_fixed
from wfc.flow.conditions import Conditions, Definitions, said
from wfc.flow.worlds import Need, World
from wfc.ir.expressions import Expr, Is, Items, Op, Ref, walk
from wfc.ir.machine import Choose, Workflow
from wfc.ir.types import BOOL, TEXT, Named

MAX_WORK = 3_000  # worlds that are looked at, of a choice with all its conditions; one with many orders counts for more
ORDERS = 4  # that are as much work as one world
PLAIN = 4  # worlds that a plain question for a case adds to what may be looked at: they are few, and cheap
Given = tuple[tuple[Expr, bool], ...]  # conditions that are known to hold, or not to hold, where the choice stands


@dataclass(frozen=True)
class Known:
    """What is known of the names of a workflow: their constant value, what they stand for, what they depend on."""

    fixed: Mapping[str, Expr]
    other: Mapping[str, Expr]
    sources: Sources

    def put_in(self, test: Expr) -> Expr:
        """A condition with what is known in the place of names."""
        return with_fixed(with_fixed(test, self.other), self.fixed)

    def written(self, tests: list[Expr]) -> dict[str, str]:
        """How the author has called what some names stand for, if by one name only."""
        names = sorted({part.name for test in tests for part in walk(test) if isinstance(part, Ref)})
        found: dict[str, list[str]] = {}
        for name in names:
            if name in self.other:
                found.setdefault(said(self.other[name]), []).append(name)
        return {path: of[0] for path, of in found.items() if len(of) == 1 and path.partition(".")[0] not in names}


@dataclass(frozen=True)
class Verdict:
    """`covered`: every value has an arm; else `example` shows one that has none, or it was not decided.

    `bounded`: there were too many cases to look at all. `dead` are the arms that are never taken, `rest` says whether
    something is left for an `otherwise`.
    """

    covered: bool
    decided: bool
    example: str = ""
    bounded: bool = False
    dead: tuple[int, ...] = ()
    rest: bool = True


@dataclass
class _Seen:
    """What asking in all worlds has shown."""

    taken: set[int] = field(default_factory=set)
    example: str = ""
    exact: bool = False
    left: bool = False
    work: int = MAX_WORK

    @property
    def bounded(self) -> bool:
        """Whether there were too many worlds to look at all."""
        return self.work < 0

    def spend(self, world: World) -> bool:
        """Counts a look at a world; whether there is work left for it."""
        self.work -= 1 + len(world.orders) // ORDERS
        return self.work >= 0


class Choices:
    """Decides choices of one machine."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions

    def verdict(
        self,
        choice: Choose,
        workflow: Workflow | None = None,
        given: Given = (),
        known: Known | None = None,
    ) -> Verdict:
        """Which arms are taken, and whether some value passes all of them by; `known` are names with their value."""
        written = [arm.test for arm in choice.arms]
        tests, given = _put_in(known, written, given)
        conditions = Conditions(self.definitions, workflow)
        seen = self._ask(tests, conditions, given, known, written)
        free = seen
        if conditions.switched:
            free = self._ask(tests, Conditions(self.definitions, workflow, free=True), given)
        dead = () if free.bounded else tuple(i for i in range(len(tests)) if i not in free.taken)
        rest = free.left or free.bounded
        if choice.otherwise is not None:
            return Verdict(True, True, dead=dead, rest=rest)
        if seen.exact:
            return Verdict(False, True, seen.example, seen.bounded, dead, rest)
        if seen.left or seen.bounded:
            return Verdict(False, False, bounded=seen.bounded, dead=dead, rest=rest)
        return Verdict(True, True, dead=dead, rest=rest)

    def takers(
        self,
        choice: Choose,
        arm: int,
        workflow: Workflow | None = None,
        given: Given = (),
        known: Known | None = None,
    ) -> tuple[int, ...]:
        """The earlier arms that take what a dead arm would; none if it can never hold at all."""
        tests, given = _put_in(known, [each.test for each in (choice.arms[arm], *choice.arms[:arm])], given)
        conditions = Conditions(self.definitions, workflow, free=True)
        found: set[int] = set()
        seen = _Seen()
        for world, first in self._worlds(tests[:1], conditions, given, seen):
            if first == 0:
                found |= {i for _, i in self._worlds(tests[1:], conditions, given, seen, world) if i is not None}
        return tuple(sorted(found))

    def never(self, tests: list[Expr], workflow: Workflow) -> tuple[int, ...]:
        """Of conditions of which the first that holds wins, those that are never the first."""
        seen = self._ask(tests, Conditions(self.definitions, workflow, free=True), ())
        return () if seen.bounded else tuple(i for i in range(len(tests)) if i not in seen.taken)

    def _ask(
        self,
        tests: list[Expr],
        conditions: Conditions,
        given: Given,
        known: Known | None = None,
        written: list[Expr] | None = None,
    ) -> _Seen:
        names = frozenset(r.name for t in tests for r in walk(t) if isinstance(r, Ref) and r.kind == "const")
        seen = _Seen()
        for world, arm in self._worlds(tests, conditions, given, seen):
            if arm is not None:
                seen.taken.add(arm)
                continue
            seen.left = True
            if world.exact and not seen.exact and (known is None or known.sources.apart(_names(world))):
                seen.exact = True
                called = known.written(written) if known is not None and written is not None else {}
                seen.example = conditions.shown(world, world.cells, names, called)
        return seen

    def _worlds(
        self, tests: list[Expr], conditions: Conditions, given: Given, seen: _Seen, start: World | None = None
    ) -> Iterator[tuple[World, int | None]]:
        """Every world that can be, with the arm that is taken in it."""
        parts = [(part, arm) for arm, test in enumerate(tests) for part in _parts(test, "or")]
        seen.work += PLAIN * sum(_is_case(part) for part, _ in parts)
        waiting = [(start or World(), 0)]
        while waiting:
            world, i = waiting.pop()
            if not seen.spend(world):
                return
            try:
                while i < len(parts) and not conditions.holds(parts[i][0], world):
                    i += 1
            except Need as need:
                waiting.extend((w, i) for w in reversed(need.worlds))
                continue
            found = _possible(world, conditions, given, seen)
            if found is not None:
                yield found, parts[i][1] if i < len(parts) else None


def _parts(test: Expr, op: str) -> list[Expr]:
    """The conditions that an operator joins; each is asked by itself, and none again."""
    found: list[Expr] = []
    waiting = [test]
    while waiting:
        part = waiting.pop()
        match part:
            case Op(_, name, (left, right)) if name == op:
                waiting += (right, left)
            case Op(_, "in", (item, Items(_, items))) if op == "or":
                found += [Op(BOOL, "==", (item, one)) for one in items]
            case _:
                found.append(part)
    return found


def _is_case(test: Expr) -> bool:
    """Whether it asks for one case or one text: that splits off one world, however many there are."""
    match test:
        case Is():
            return True
        case Op(_, "==", (item, _)):
            return item.type == TEXT or isinstance(item.type, Named)
        case _:
            return False


def _possible(world: World, conditions: Conditions, given: Given, seen: _Seen) -> World | None:
    """The world with what is always true of its terms, or nothing if it contradicts that.

    What is given answers questions too; these are taken as they come, and only those of the arms count as blind.
    """
    blind = world.blind
    near = _relevant(given, _names(world))
    wanted = [(part, truth) for test, truth in near for part in _parts(test, "and" if truth else "or")]
    wanted += [(fact, True) for fact in conditions.facts(world)]
    waiting = [(world, 0)]
    while waiting:
        here, i = waiting.pop()
        if not seen.spend(here):
            return world
        try:
            while i < len(wanted) and conditions.holds(wanted[i][0], here) == wanted[i][1]:
                i += 1
        except Need as need:
            waiting.extend((w, i) for w in reversed(need.worlds))
            continue
        if i == len(wanted):
            cells = {key: cell for key, cell in here.cells.items() if key in world.cells}
            return World(cells, world.orders, blind)
    return None


def _put_in(known: Known | None, tests: list[Expr], given: Given) -> tuple[list[Expr], Given]:
    """Conditions, and what is given, with what is known of their names."""
    if known is None:
        return tests, given
    return [known.put_in(test) for test in tests], tuple((known.put_in(test), truth) for test, truth in given)


def _names(world: World) -> set[str]:
    """The names that a world knows something of."""
    names = {key.removeprefix("~").partition(".")[0].removesuffix("?") for key in world.cells}
    return names | {key.removeprefix("~").partition(".")[0] for pair in world.orders for key in pair}


def _relevant(given: Given, names: set[str]) -> list[tuple[Expr, bool]]:
    """What is given of some names, and of the names that this relates to them."""
    found: list[tuple[Expr, bool]] = []
    left = list(given)
    more = True
    while more:
        near = [item for item in left if _about(item[0], names)]
        left = [item for item in left if item not in near]
        found += near
        names = names | {r.name for test, _ in near for r in walk(test) if isinstance(r, Ref) and r.kind != "const"}
        more = bool(near)
    return found


def _about(test: Expr, names: set[str]) -> bool:
    """Whether a condition reads one of some names, or is opaque in the same way."""
    return any(isinstance(r, Ref) and r.name in names for r in walk(test)) or any(n.startswith("?") for n in names)
