"""What the explicit key of a call is made of, and which calls send the same one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from wfc.flow.cycles import Cycle, bound
from wfc.flow.graph import Frame, Point
from wfc.flow.program import Program, WorkflowFlow
from wfc.flow.sending import child_key, given, key_of
from wfc.ir.expressions import Expr, Items, Now, Ref, walk
from wfc.ir.machine import Do, EventDef, ForEach, Guard, OperationDef, Parallel, Region, Scope, Start, UndoRegion
from wfc.ir.types import TEXT


def key_parts(call: Do, operation: OperationDef | None) -> tuple[Expr, ...] | None:
    """What the key of a call is made of; None where it has the default key."""
    if call.key is not None:
        return (call.key,)
    if operation is None or operation.key is None:
        return None
    args = given(call, operation)
    names = [part.name for part in walk(operation.key) if isinstance(part, Ref) and part.kind == "operand"]
    return tuple(args[name] for name in names if name in args)


@dataclass(frozen=True)
class Repeated:
    """A call whose key is the same in each round of some cycles around it, the innermost first.

    Of a child `inside` is an operation that it calls under the same key then, `at_once` says that its runs begin
    before the ones before them have ended, and `lost` that it leaves something to undo.
    """

    cycles: tuple[Cycle, ...]
    inside: str = ""
    at_once: bool = False
    lost: bool = False


def repeated(program: Program, flow: WorkflowFlow, point: Point) -> Repeated | None:
    """The cycles in which the explicit key of a call cannot change, so that a round seems to be another one's."""
    call = point.step
    if point.kind != "do" or not isinstance(call, Do | Start) or not flow.reached(point):
        return None
    cycles = flow.cycles.around(point)
    if not cycles:
        return None
    if isinstance(call, Do) and call.kind != "workflow":
        read = key_parts(call, program.operations.get(call.target))
        same = _constant_in(program, cycles, read) if read is not None else ()
        return Repeated(same) if same else None
    workflow = program.sending.workflows.get(call.target)
    key = child_key(call, workflow) if workflow is not None else None
    same = _constant_in(program, cycles, (key,)) if key is not None else ()
    again = bool(same) and (same[0].beside is not None or _comes_again(point))
    return _child_repeated(program, call, same) if again else None


def _comes_again(point: Point) -> bool:
    """Whether a child may run once more when it has completed: one that has failed has undone itself."""
    seen: set[int] = set()
    waiting = list(point.next)
    while waiting:
        at = waiting.pop()
        if at is point:
            return True
        if id(at) not in seen:
            seen.add(id(at))
            waiting.extend(at.next)
            waiting.extend(abort.target for abort in at.aborts if abort.target is not None)
    return False


def _child_repeated(program: Program, call: Do | Start, cycles: tuple[Cycle, ...]) -> Repeated | None:
    """Whether it matters that each round runs a child under the same key.

    One run at a time is as good as another, unless it sends what the one before has sent, or leaves something to undo:
    of two runs under one key only the last can be asked to.
    """
    inside = program.sending.inside(call)
    for number, cycle in enumerate(cycles):
        if isinstance(call, Start) or _side_by_side(program, cycle):
            return Repeated(cycles[number:], at_once=True)
        found = next((name for name, key in inside if not cycle.changes(key)), None)
        if found is not None:
            return Repeated(cycles[number:], inside=found)
    return Repeated(cycles, lost=True) if program.leaves_undo(call) else None


def _side_by_side(program: Program, cycle: Cycle) -> bool:
    """Whether the rounds of a cycle go on at one time."""
    step = cycle.step
    return isinstance(step, ForEach) and step.concurrent and program.policies.constants.whole(step.limit) != 1


def _constant_in(program: Program, cycles: Iterable[Cycle], parts: tuple[Expr, ...]) -> tuple[Cycle, ...]:
    """Those of some cycles in which a key cannot change."""
    same = (cycle for cycle in cycles if not any(cycle.changes(expr) for expr in parts))
    return tuple(cycle for cycle in same if not _doubles(cycle.beside, program.events))


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

    `others`: how many more calls send it after another one. `inside`: the operation that sends it, where both calls run
    a child. `beside`: both run the same child at one time. `lost`: the first run has left something to undo.
    """

    call: Point
    before: Point
    others: int
    inside: str = ""
    beside: bool = False
    lost: bool = False


class _Group(NamedTuple):
    """What calls have in common that send one key: what they call, and why it matters of a child (see `Sent`)."""

    target: str
    key: Expr
    inside: str = ""
    lost: bool = False


def sent_before(program: Program, flow: WorkflowFlow) -> Iterator[Sent]:
    """The calls whose explicit key has been sent before, with nothing in it changed since.

    By another call, if nothing has been undone in between; or by the same one, which a loop leads back to. A child
    sends what the calls in it send, and two children of one key cannot run at one time.
    """
    same: dict[_Group, list[Point]] = {}
    running: dict[_Group, list[Point]] = {}
    for point in flow.graph.points:
        step = point.step
        if point.kind != "do" or not isinstance(step, Do | Start) or not flow.reached(point):
            continue
        for group in _groups(program, step):
            if not any(isinstance(part, Now) for part in walk(group.key)):
                at_once = isinstance(step, Do) and step.kind == "workflow" and not (group.inside or group.lost)
                (running if at_once else same).setdefault(group, []).append(point)
    several = {about: calls for about, calls in same.items() if len(calls) > 1}
    if several:
        yield from _Behind(flow, several).pairs()
    several = {about: calls for about, calls in running.items() if len(calls) > 1}
    if several:
        yield from _Behind(flow, several, beside=True).pairs()
    if any(flow.cycles.around(call) for calls in same.values() for call in calls):
        yield from _Behind(flow, same, undone=True).again()


def _groups(program: Program, step: Do | Start) -> Iterator[_Group]:
    """The keys that a call sends."""
    if isinstance(step, Do) and step.kind == "activity":
        key = key_of(step, program.operations.get(step.target))
        if key is not None:
            yield _Group(step.target, key)
        return
    workflow = program.sending.workflows.get(step.target)
    own = child_key(step, workflow) if workflow is not None else None
    if own is None:
        return
    if isinstance(step, Start):
        yield _Group(f"start {step.target}", own)  # its id is another one than that of a child
        return
    yield _Group(step.target, own)
    for name, key in program.sending.inside(step):
        yield _Group(step.target, Items(TEXT, (own, key)), inside=name)
    if program.leaves_undo(step):
        yield _Group(step.target, own, lost=True)


class _Behind:
    """Which calls lie behind each point: a forward data flow by union over bit sets.

    A name that gets another value drops the calls whose key reads it, and an abort those that it undoes, unless
    `undone` ones count: what is done once more under its old key is answered as if it had not been undone.
    """

    def __init__(
        self, flow: WorkflowFlow, several: dict[_Group, list[Point]], *, undone: bool = False, beside: bool = False
    ) -> None:
        self.flow = flow
        self.undone = undone
        self.beside = beside
        self.calls: list[Point] = []  # a call as often as it sends keys: each time with a bit of its own
        self.about: list[_Group] = []
        self.groups: list[int] = []  # the bits of all calls with its key
        self.reading: dict[str, int] = {}
        self.completed: dict[int, int] = {}
        self.inside: dict[int, int] = {}
        for group, calls in several.items():
            first, whole = len(self.calls), ((1 << len(calls)) - 1) << len(self.calls)
            self.calls += calls
            self.about += [group] * len(calls)
            self.groups += [whole] * len(calls)
            for part in walk(group.key):
                if isinstance(part, Ref):
                    self.reading[part.name] = self.reading.get(part.name, 0) | whole
            for number, point in enumerate(calls, first):
                behind = id(point.next[0])
                self.completed[behind] = self.completed.get(behind, 0) | 1 << number
                for frame in point.frame.outward():
                    self.inside[id(frame)] = self.inside.get(id(frame), 0) | 1 << number
        self.may: dict[int, int] = {id(flow.graph.start): 0}
        self._run()

    def pairs(self) -> Iterator[Sent]:
        """Of each key the first call that has another one behind it, with the first of these in the source."""
        found: dict[int, list[tuple[int, Point, Point]]] = {}  # by the bits of all calls with one key
        for number, point in enumerate(self.calls):
            bits = self._before(point) & self.groups[number] & ~(1 << number)
            if not bits:
                continue
            lowest = (bits & -bits).bit_length() - 1
            first = self.calls[lowest]
            if first.number < point.number or not self._before(first) & 1 << number:
                found.setdefault(self.groups[number], []).append((number, point, first))
        for (number, point, first), *others in found.values():
            about = self.about[number]
            yield Sent(point, first, len(others), about.inside, self.beside, about.lost)

    def again(self) -> Iterator[Sent]:
        """The calls that lie behind themselves."""
        for number, point in enumerate(self.calls):
            if self.may.get(id(point), 0) & 1 << number:
                about = self.about[number]
                yield Sent(point, point, 0, about.inside, lost=about.lost)

    def _before(self, point: Point) -> int:
        done = 0 if self.beside else self.may.get(id(point), 0)
        return done | self._beside(point.frame)

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
