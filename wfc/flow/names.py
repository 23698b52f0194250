"""Which names have a value at each point, and which are still read behind it: two data flows over bit sets.

A name is one of `let` and `as`, of the region that binds it. Variables and parameters always have a value, and are left
out, and so are names that hold only within one arm of a choice.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from wfc.flow.graph import Frame, Graph, Point
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Choose, Do, ForEach, Guard, Let, Machine, Parallel, Region, Scope, State, Workflow
from wfc.ir.types import Type
from wfc.ir.undos import stored_names
from wfc.ir.walk import expressions, guard_expressions, guards, policy_expressions, regions

Name = tuple[str, str]  # the path of the region that binds it, and the name


class Names:
    """The names of one workflow."""

    def __init__(self, graph: Graph, workflow: Workflow, machine: Machine) -> None:
        self.graph = graph
        self.workflow = workflow
        self.policies = {policy.name: policy for policy in machine.policies}
        self.types: dict[Name, Type] = {}
        self.variables: dict[Name, Type] = {}
        for region in regions(workflow.region):
            self.types.update(((region.path, name), kind) for name, kind in region.names)
            self.variables.update(((region.path, v.name), v.type) for v in region.variables)
        self.all = tuple(self.types)
        self._bit = {name: 1 << number for number, name in enumerate(self.all)}

    # -- what a step binds and reads

    def _of(self, frame: Frame, names: Iterable[str | None]) -> int:
        """Names as bits, found from the inside out."""
        found = 0
        wanted = {name for name in names if name is not None}
        for each in frame.outward():
            if not wanted:
                break
            if isinstance(each.subject, Region):
                here = {name for name in wanted if (each.subject.path, name) in self._bit}
                found |= sum(self._bit[each.subject.path, name] for name in here)
                wanted -= here
        return found

    def _read(self, frame: Frame, exprs: Iterable[Expr]) -> int:
        return self._of(frame, (p.name for e in exprs for p in walk(e) if isinstance(p, Ref) and p.kind == "local"))

    def _binds(self, point: Point) -> int:
        """The names that have a value behind a point."""
        found = self._by_scopes.get(id(point), 0)
        match point.kind, point.step:
            case "completed", Do(bind=bind):
                found |= self._of(point.frame, (bind,))
            case "join", Parallel(bind=bind) | ForEach(bind=bind):
                found |= self._of(point.frame, (bind,))
            case "fork", ForEach(item=item, index=index, region=region):
                found |= sum(self._bit.get((region.path, name), 0) for name in (item, index) if name is not None)
            case "step", Let(name=name):
                found |= self._of(point.frame, (name,))
            case "step", Choose(arms=arms, bind=bind):
                found |= self._of(point.frame, (bind, *(arm.bind for arm in arms)))
            case _:
                pass
        if point.kind == "tail" and point.guard is not None:
            found |= self._of(point.frame, (point.guard.bind,))
        return found

    @cached_property
    def _by_scopes(self) -> dict[int, int]:
        """The names that scopes bind, by the points at which they end."""
        found: dict[int, int] = {}
        frames = {id(frame.subject): frame for frame in self.graph.frames if isinstance(frame.subject, Region)}
        for region in regions(self.workflow.region):
            entries = {
                node.name: self.graph.entries[id(node)] for node in region.nodes if id(node) in self.graph.entries
            }
            for node in region.nodes:
                if isinstance(node, Scope) and node.bind is not None and node.next in entries:
                    frame = frames[id(node.region)]
                    bits = self._of(frame.parent or frame, (node.bind,))
                    for point in self._before.get(id(entries[node.next]), ()):
                        if point.frame.inside(frame):
                            found[id(point)] = found.get(id(point), 0) | bits
        return found

    @cached_property
    def _before(self) -> dict[int, list[Point]]:
        """The points from which some way, also an abort, leads to one, by its id."""
        found: dict[int, list[Point]] = {}
        for point in self.graph.points:
            for target in (*point.next, *(abort.target for abort in point.aborts if abort.target is not None)):
                found.setdefault(id(target), []).append(point)
        return found

    def _reads(self, point: Point) -> int:
        """The names that are read at a point."""
        found = self._clauses.get(id(point), 0)
        step = point.step
        if step is None:
            return found
        if point.kind == "completed":
            undo = step.undo if isinstance(step, Do) else None
            if undo is None or not isinstance(step, Do):
                return found
            stored = stored_names(undo, step.bind, self.policies)
            own = self._of(point.frame, (step.bind,))
            return found | (self._of(point.frame, (name for kind, name in stored if kind == "local")) & ~own)
        if point.kind == "join":
            return found
        armed = guards(step)
        triggers = {id(expr) for guard in armed for expr in guard_expressions(guard)}
        exprs = [expr for expr in expressions(step) if id(expr) not in triggers]
        if isinstance(step, Do) and step.policy in self.policies:
            exprs += policy_expressions(self.policies[step.policy])
        return found | self._read(point.frame, exprs) | self._triggers(point.frame, armed)

    def _triggers(self, frame: Frame, armed: Iterable[Guard]) -> int:
        """What guards read themselves; a condition may read what its own event brings."""
        found = 0
        for guard in armed:
            found |= self._read(frame, guard_expressions(guard)) & ~self._of(frame, (guard.bind,))
        return found

    @cached_property
    def _clauses(self) -> dict[int, int]:
        """What guards and clauses of states and regions read, by the point at which these are entered."""
        found: dict[int, int] = {}
        for frame in self.graph.frames:
            if frame.entry is None:
                continue
            subject = frame.subject
            if not isinstance(subject, State | Region):
                continue
            exprs = [e for sla in subject.slas for e in (sla.within, sla.warn) if e is not None]
            if isinstance(subject, Region):
                exprs += [variable.value for variable in subject.variables]
            read = self._read(frame, exprs) | self._triggers(frame, subject.guards)
            found[id(frame.entry)] = found.get(id(frame.entry), 0) | read
        return found

    # -- the flows

    @cached_property
    def _valued(self) -> dict[int, int]:
        """By point: the names that have a value on every way to it."""
        start = self.graph.start
        found = {id(start): 0}
        waiting = [start]
        while waiting:
            point = waiting.pop()
            bits = found[id(point)]
            behind = bits | self._binds(point)
            steps = [(target, behind) for target in point.next]
            steps += [(abort.target, bits) for abort in point.aborts if abort.target is not None]
            for target, given in steps:
                known = found.get(id(target))
                narrower = given if known is None else known & given
                if narrower != known:
                    found[id(target)] = narrower
                    waiting.append(target)
        return found

    @cached_property
    def _wanted(self) -> dict[int, int]:
        """By point: the names that it, or something behind it, reads before they are bound."""
        found: dict[int, int] = {}
        waiting = list(self.graph.points)
        while waiting:
            point = waiting.pop()
            bits = 0
            for target in point.next:
                bits |= found.get(id(target), 0)
            bits &= ~self._binds(point)
            for abort in point.aborts:
                if abort.target is not None:
                    bits |= found.get(id(abort.target), 0)
            bits |= self._reads(point)
            if found.get(id(point)) != bits:
                found[id(point)] = bits
                waiting.extend(self._before.get(id(point), ()))
        return found

    def _names(self, bits: int) -> Iterator[Name]:
        return (name for name in self.all if bits & self._bit[name])

    # -- questions

    def valued(self, point: Point) -> frozenset[Name]:
        """The names that have a value on every way to a point."""
        bits = self._valued.get(id(point), 0)
        found = self._sets.get(bits)
        if found is None:
            found = self._sets[bits] = frozenset(self._names(bits))
        return found

    @cached_property
    def _sets(self) -> dict[int, frozenset[Name]]:
        return {}

    def wanted(self, point: Point) -> tuple[Name, ...]:
        """The names that must have a value where a token stands at a point, in order of binding."""
        bits = self._wanted.get(id(point), 0)
        for frame in point.frame.outward():
            for guard in frame.guards:
                bits |= self._beside(frame, guard)
        return tuple(self._names(bits))

    def _beside(self, frame: Frame, guard: Guard) -> int:
        """What a guard around reads whenever its time comes."""
        bits = self._triggers(frame, (guard,))
        tail = frame.tails.get(id(guard))
        if guard.also and tail is not None:
            bits |= self._wanted.get(id(tail), 0)
        return bits

    def reader(self, point: Point, name: str) -> Point | None:
        """The first point from one on that reads a name of `let` or `as`."""
        seen = {id(point)}
        waiting = [point]
        for each in waiting:
            bits = self._reads(each)
            if any(found == name for _, found in self._names(bits)):
                return each
            for target in (*each.next, *(abort.target for abort in each.aborts if abort.target is not None)):
                if id(target) not in seen:
                    seen.add(id(target))
                    waiting.append(target)
        return None
