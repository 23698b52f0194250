"""What runs round and round: loops of nodes, `repeat`, `for each`; and which names change from round to round."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from wfc.flow.components import components
from wfc.flow.graph import Graph, Point, circles
from wfc.ir.expressions import Expr, Now, Ref, walk
from wfc.ir.machine import (
    Choose,
    Do,
    ForEach,
    Goto,
    Guard,
    Let,
    Node,
    Parallel,
    Region,
    Repeat,
    Scope,
    SetVar,
    Start,
    State,
    Step,
)
from wfc.ir.walk import blocks, guards, own_steps, region_steps, regions, regions_of

_NAMES = ("param", "local", "var")


@dataclass(eq=False)
class Cycle:
    """Something that runs again and again, and what is inside. `nodes` are those of a loop, in source order.

    `beside`: the block of a guard that runs beside what it guards, each time its event or its time comes.
    """

    kind: Literal["loop", "repeat", "each", "beside"]
    step: Repeat | ForEach | None
    nodes: tuple[Node, ...] = ()
    beside: Guard | None = None
    steps: list[Step] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    inner: list[Region] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    @cached_property
    def changing(self) -> frozenset[str]:
        """The names that may have another value in the next round."""
        found: set[str] = set()
        derived: dict[str, list[Expr]] = {}
        for name, value in self._bindings():
            if value is None:
                found.add(name)
            else:
                derived.setdefault(name, []).append(value)
        found |= {name for name, values in derived.items() if len(values) > 1}
        while True:  # a name made from one that changes changes too
            more = {name for name, values in derived.items() if name not in found and self._reads(values, found)}
            if not more:
                return frozenset(found)
            found |= more

    def changes(self, expr: Expr) -> bool:
        """Whether an expression may have another value in the next round."""
        return self._reads((expr,), self.changing)

    def _reads(self, values: Iterable[Expr], names: set[str] | frozenset[str]) -> bool:
        parts = (part for value in values for part in walk(value))
        return any(
            isinstance(part, Now) or (isinstance(part, Ref) and part.kind in _NAMES and part.name in names)
            for part in parts
        )

    def _bindings(self) -> Iterator[tuple[str, Expr | None]]:
        """What is bound inside: with the value that it follows from, or with None where it may be anything."""
        if isinstance(self.step, ForEach):
            yield self.step.item, None
            if self.step.index is not None:
                yield self.step.index, None
        for step in self.steps:
            yield from bound(step)
            for guard in guards(step):
                if guard.bind is not None:
                    yield guard.bind, None
        for guard in self.guards:
            if guard.bind is not None:
                yield guard.bind, None
        for region in self.inner:
            for variable in region.variables:
                yield variable.name, variable.value
        for scope in self.scopes:
            if scope.bind is not None:
                yield scope.bind, None


def _after(point: Point) -> Iterator[Point]:
    yield from point.next
    for abort in point.aborts:
        again = abort.keep and abort.frame.kind == "do" and abort.frame.subject is point.step
        if abort.target is not None and not again:
            yield abort.target


def bound(step: Step) -> Iterator[tuple[str, Expr | None]]:
    """The names that a step binds: with the value that each follows from, or with None where it may be anything."""
    match step:
        case Let(name=name, value=value):
            yield name, value
        case SetVar(name=name):
            yield name, None
        case Do(bind=str() as bind) | Parallel(bind=str() as bind):
            yield bind, None
        case ForEach(item=item, bind=bind, items=items):
            yield item, items
            if bind is not None:
                yield bind, None
        case Choose(arms=arms, bind=bind, value=value):
            pairs = ((bind, value), *((arm.bind, arm.value) for arm in arms))
            yield from ((name, given) for name, given in pairs if name is not None)
        case _:
            pass


class Cycles:
    """The cycles around each call of a workflow, from the inside out."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._around: dict[int, tuple[Cycle, ...]] = {}
        every = region_steps(graph.workflow.region, undos=False)
        self._sets: list[Step] = [step for step in every if isinstance(step, SetVar)]
        self._region(graph.workflow.region, ())
        self._part = self._parts()
        self._first: dict[int, Point] = {}  # of a `repeat` or a `for each`
        for point in graph.points:
            if isinstance(point.step, Repeat | ForEach) and point.kind in ("step", "fork"):
                self._first[id(point.step)] = point

    def around(self, point: Point) -> tuple[Cycle, ...]:
        """The cycles that lead from a point back to it.

        Not those that only its own failure closes, kept: that is one more attempt of the same call.
        """
        found = self._around.get(id(point.step), ())
        part = self._part.get(id(point))
        return tuple(c for c in found if c.kind == "beside" or (part is not None and part in self._entered(c)))

    def _entered(self, cycle: Cycle) -> set[int]:
        """The parts of the graph in which a cycle begins."""
        if cycle.step is not None:
            points = [self._first[id(cycle.step)]] if id(cycle.step) in self._first else []
        else:
            points = [self.graph.entries[id(node)] for node in cycle.nodes]
        return {self._part[id(point)] for point in points if id(point) in self._part}

    def _parts(self) -> dict[int, int]:
        """The strongly connected part of each point that can be reached from itself."""
        inner = (part for whole in self.graph.circles for part in circles(whole, _after))
        return {id(point): number for number, part in enumerate(inner) for point in part}

    def _region(self, region: Region, around: tuple[Cycle, ...]) -> None:
        self._block(region.steps, around)
        self._guards(region.guards, region, around, around)
        loops = _loops(region)
        for node in region.nodes:
            loop = loops.get(node.name)
            inside = (loop, *around) if loop is not None else around
            match node:
                case State(steps=steps, guards=own):
                    self._block(steps, inside)
                    returning = tuple(guard for guard in own if _returns(guard, loop))
                    self._guards(returning, steps, inside, inside)
                    self._guards(tuple(g for g in own if g not in returning), steps, around, inside)
                case Scope(region=inner):
                    self._region(inner, inside)

    def _guards(
        self,
        guards: tuple[Guard, ...],
        guarded: Region | tuple[Step, ...],
        around: tuple[Cycle, ...],
        inside: tuple[Cycle, ...],
    ) -> None:
        """The tails of guards; a block beside runs again and again while what it guards goes on."""
        for guard in guards:
            calling = guard.also and any(isinstance(step, Do | Start) for step in own_steps(guard.steps))
            if calling and guard.kind in ("on", "every"):
                self._block(guard.steps, (self._beside(guard, guarded), *inside))
            else:
                self._block(guard.steps, inside if guard.also else around)

    def _beside(self, guard: Guard, guarded: Region | tuple[Step, ...]) -> Cycle:
        """The block of a guard. Whatever goes on meanwhile, in what it guards or around, may change a name."""
        cycle = Cycle("beside", None, beside=guard, steps=[*all_inside(guard.steps), *self._sets], guards=[guard])
        if isinstance(guarded, Region):
            cycle.steps.extend(region_steps(guarded, undos=False))
            _whole(guarded, cycle)
        else:
            cycle.steps.extend(all_inside(guarded))
            for step in own_steps(guarded):
                for below in regions_of(step):
                    _whole(below, cycle)
        return cycle

    def _block(self, steps: tuple[Step, ...], around: tuple[Cycle, ...]) -> None:
        for step in steps:
            self._around[id(step)] = around
            inside = around
            if isinstance(step, Repeat):
                inside = (_cycle("repeat", step, all_inside(step.steps)), *around)
            if isinstance(step, ForEach):
                inside = (_each(step), *around)
            if guards(step):
                self._guards(guards(step), (step,), inside, inside)
            else:
                for block in blocks(step):
                    self._block(block, inside)
            for region in regions_of(step):
                self._region(region, inside)


def all_inside(steps: tuple[Step, ...]) -> list[Step]:
    """All steps of a block, those of the regions inside it included, undos apart."""
    found: list[Step] = []
    for step in own_steps(steps):
        found.append(step)
        for region in regions_of(step):
            found.extend(region_steps(region, undos=False))
    return found


def _cycle(kind: Literal["repeat", "each"], step: Repeat | ForEach, steps: list[Step]) -> Cycle:
    cycle = Cycle(kind, step, steps=steps)
    cycle.inner = [r for inner in steps for below in regions_of(inner) for r in regions(below)]
    return cycle


def _each(step: ForEach) -> Cycle:
    cycle = _cycle("each", step, list(region_steps(step.region, undos=False)))
    _whole(step.region, cycle)
    return cycle


def _whole(region: Region, cycle: Cycle) -> None:
    """Adds the variables, guards and scopes of a region and of those inside it."""
    for inner in regions(region):
        cycle.inner.append(inner)
        cycle.guards.extend(inner.guards)
        for node in inner.nodes:
            match node:
                case State(guards=own):
                    cycle.guards.extend(own)
                case Scope():
                    cycle.scopes.append(node)


def _loops(region: Region) -> dict[str, Cycle]:
    """The nodes of a region that can be entered again from themselves, with their loop."""
    targets = {node.name: tuple(_leads(node)) for node in region.nodes}
    found: dict[str, Cycle] = {}
    for names in components(targets):
        first = next(iter(names))
        if len(names) == 1 and first not in targets[first]:
            continue
        members = tuple(node for node in region.nodes if node.name in names)
        cycle = Cycle("loop", None, members)
        for node in members:
            match node:
                case State(steps=steps, guards=own):
                    cycle.steps.extend(all_inside(steps))
                    for guard in own:
                        cycle.guards.append(guard)
                        cycle.steps.extend(all_inside(guard.steps))
                    for step in own_steps(steps):
                        for below in regions_of(step):
                            _whole(below, cycle)
                case Scope(region=inner):
                    cycle.steps.extend(region_steps(inner, undos=False))
                    cycle.scopes.append(node)
                    _whole(inner, cycle)
        found.update(dict.fromkeys(names, cycle))
    return found


def _leads(node: Node) -> Iterator[str]:
    """The nodes that an arrow of a node leads to; arrows of regions inside it stay there."""
    match node:
        case State(steps=steps, guards=own):
            yield from _arrows((*steps, *(step for guard in own for step in guard.steps)))
        case Scope(region=inner, next=following):
            if following is not None:
                yield following
            yield from _arrows(tuple(step for guard in inner.guards for step in guard.steps))


def _arrows(steps: tuple[Step, ...]) -> Iterator[str]:
    yield from (step.target for step in own_steps(steps) if isinstance(step, Goto))


def _returns(guard: Guard, loop: Cycle | None) -> bool:
    """Whether the tail of a node's guard is part of its loop: it leads back into it."""
    if loop is None:
        return False
    names = {node.name for node in loop.nodes}
    return any(isinstance(step, Goto) and step.target in names for step in own_steps(guard.steps))
