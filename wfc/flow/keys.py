"""What the explicit key of a call is made of, and which calls send the same one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wfc.flow.cycles import Cycle, bound
from wfc.flow.graph import Frame, Point
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.expressions import Expr, Now, Ref, walk
from wfc.ir.machine import Do, EventDef, ForEach, Guard, OperationDef, Parallel, Region, Scope, UndoRegion
from wfc.ir.rewrite import rewrite


def key_parts(call: Do, operation: OperationDef | None) -> tuple[Expr, ...] | None:
    """What the key of a call is made of; None where it has the default key."""
    if call.key is not None:
        return (call.key,)
    if operation is None or operation.key is None:
        return None
    given = _given(call, operation)
    names = [part.name for part in walk(operation.key) if isinstance(part, Ref) and part.kind == "operand"]
    return tuple(given[name] for name in names if name in given)


def key_of(call: Do, operation: OperationDef | None) -> Expr | None:
    """The key of a call, in the names of its place; None where it has the default key."""
    if call.key is not None or operation is None or operation.key is None:
        return call.key
    given = _given(call, operation)
    return rewrite(operation.key, (Ref,), lambda r: given.get(r.name, r) if r.kind == "operand" else r)


def _given(call: Do, operation: OperationDef) -> dict[str, Expr]:
    return dict(zip((param.name for param in operation.params), call.args, strict=False))


def constant_in(program: Program, cycles: Iterable[Cycle], parts: tuple[Expr, ...]) -> Cycle | None:
    """The innermost of some cycles in which a key cannot change."""
    same = (cycle for cycle in cycles if not any(cycle.changes(expr) for expr in parts))
    return next((cycle for cycle in same if not _doubles(cycle.beside, program.events)), None)


def _doubles(guard: Guard | None, events: Mapping[str, EventDef]) -> bool:
    """Whether what comes to a guard says nothing but its key: then one that comes again may well be the same."""
    event = events.get(guard.names[0]) if guard is not None and guard.kind == "on" else None
    if event is None:
        return False
    read = {part.name for part in walk(event.key) if isinstance(part, Ref)} if event.key is not None else set()
    return all(field.name in read for field in event.fields)


@dataclass(frozen=True)
class Sent:
    """A call (the point at which it is made) behind another one that has sent the same key and has worked.

    `others`: how many more calls send it after another one.
    """

    call: Point
    before: Point
    others: int


def sent_before(program: Program, flow: WorkflowFlow) -> Iterator[Sent]:
    """The calls of activities whose explicit key has been sent before, with nothing in it changed since.

    By another call, if nothing has been undone in between; or by the same one, which a loop leads back to.
    """
    same: dict[tuple[str, Expr], list[Point]] = {}
    for point in flow.graph.points:
        step = point.step
        if point.kind == "do" and isinstance(step, Do) and step.kind == "activity" and flow.reached(point):
            key = key_of(step, program.operations.get(step.target))
            if key is not None and not any(isinstance(part, Now) for part in walk(key)):
                same.setdefault((step.target, key), []).append(point)
    several = {about: calls for about, calls in same.items() if len(calls) > 1}
    if several:
        yield from _Behind(flow, several).pairs()
    if any(flow.cycles.around(call) for calls in same.values() for call in calls):
        yield from _Behind(flow, same, undone=True).again()


class _Behind:
    """Which calls lie behind each point: a forward data flow by union over bit sets.

    A name that gets another value drops the calls whose key reads it, and an abort those that it undoes, unless
    `undone` ones count: what is done once more under its old key is answered as if it had not been undone.
    """

    def __init__(
        self, flow: WorkflowFlow, several: dict[tuple[str, Expr], list[Point]], *, undone: bool = False
    ) -> None:
        self.flow = flow
        self.undone = undone
        self.calls = [point for calls in several.values() for point in calls]
        self.groups: dict[int, int] = {}  # by id of a call: the bits of the others with its key
        self.reading: dict[str, int] = {}
        self.completed: dict[int, int] = {}
        self.inside: dict[int, int] = {}
        self.bit = bit = {id(point): 1 << number for number, point in enumerate(self.calls)}
        for (_, key), calls in several.items():
            whole = sum(bit[id(point)] for point in calls)
            for part in walk(key):
                if isinstance(part, Ref):
                    self.reading[part.name] = self.reading.get(part.name, 0) | whole
            self.groups.update({id(point): whole & ~bit[id(point)] for point in calls})
        for point in self.calls:
            self.completed[id(point.next[0])] = bit[id(point)]
            for frame in point.frame.outward():
                self.inside[id(frame)] = self.inside.get(id(frame), 0) | bit[id(point)]
        self.may: dict[int, int] = {id(flow.graph.start): 0}
        self._run()

    def pairs(self) -> Iterator[Sent]:
        """Of each key the first call that has another one behind it, with the first of these in the source."""
        found: dict[int, list[tuple[Point, Point]]] = {}  # by the bits of all calls with one key
        for point in self.calls:
            bits = self._before(point) & self.groups[id(point)]
            if not bits:
                continue
            first = self.calls[(bits & -bits).bit_length() - 1]
            if first.number < point.number or not self._before(first) & self.bit[id(point)]:
                found.setdefault(self.groups[id(point)] | self.bit[id(point)], []).append((point, first))
        for (point, first), *others in found.values():
            yield Sent(point, first, len(others))

    def again(self) -> Iterator[Sent]:
        """The calls that lie behind themselves."""
        for point in self.calls:
            if self.may.get(id(point), 0) & self.bit[id(point)]:
                yield Sent(point, point, 0)

    def _before(self, point: Point) -> int:
        return self.may.get(id(point), 0) | self._beside(point.frame)

    def _beside(self, frame: Frame) -> int:
        """The calls of the other branches of a `parallel` that runs all of them."""
        found, inner = 0, frame
        for outer in frame.outward():
            if outer.kind == "parallel" and inner is not outer and outer.join == "all":
                found |= self.inside.get(id(outer), 0) & ~self.inside.get(id(inner), 0)
            inner = outer
        return found

    def _run(self) -> None:
        waiting = [self.flow.graph.start]
        while waiting:
            point = waiting.pop()
            for target, bits in self._flows(point):
                known = self.may.get(id(target))
                if known is None or known | bits != known:
                    self.may[id(target)] = (known or 0) | bits
                    waiting.append(target)

    def _flows(self, point: Point) -> Iterator[tuple[Point, int]]:
        bits = self.may[id(point)]
        for abort in point.aborts:
            if abort.target is not None:
                gone = 0 if abort.keep or self.undone else self.inside.get(id(abort.frame), 0)
                yield abort.target, bits & ~gone
        for name in _assigned(point):
            bits &= ~self.reading.get(name, 0)
        if isinstance(point.step, UndoRegion) and not self.undone:
            region = next(f for f in point.frame.outward() if f.kind in ("scope", "workflow", "also"))
            bits &= ~self.inside.get(id(region), 0)
        bits |= self.completed.get(id(point), 0)
        for target in point.next:
            yield target, bits


def _assigned(point: Point) -> Iterator[str]:
    """The names that get a value at a point."""
    if point.guard is not None and point.guard.bind is not None:
        yield point.guard.bind
    inner: tuple[Region, ...] = ()
    match point.node:
        case Scope(region=region, bind=bind):
            inner = (region,)
            if bind is not None:
                yield bind
        case _:
            pass
    step = point.step
    if step is not None:
        yield from (name for name, _ in bound(step))
    match step:
        case Parallel(branches=branches):
            inner = tuple(branch.region for branch in branches)
        case ForEach(region=region, index=index):
            inner = (region,)
            if index is not None:
                yield index
        case _:
            pass
    yield from (variable.name for region in inner for variable in region.variables)
