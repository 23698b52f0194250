"""Variables that an event sets and that are set again before anybody reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wfc.flow.graph import Frame, Graph, Point
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Await, Do, Guard, Lock, Parallel, SetVar, Start, State, Step, UndoRegion, Wait, Workflow
from wfc.ir.walk import all_steps, expressions, own_steps, region_expressions, region_steps, regions, undo_of


@dataclass(frozen=True)
class Lost:
    """A `set` in the block of an event's guard, and the places where the variable is set again."""

    guard: Guard
    step: SetVar
    again: tuple[SetVar, ...]


def lost(graph: Graph, workflow: Workflow, reached: set[int]) -> Iterator[Lost]:
    """The values that an event brings and that nobody can read."""
    sets = list(_set_by_events(graph, reached))
    if not sets:
        return
    always = _read_anywhere(workflow)
    for name in sorted({step.name for _, _, step in sets} - always):
        flow = _Flow(graph, name)
        for frame, guard, step in sets:
            if step.name == name and not flow.may_be_read(frame, guard, step, reached):
                again = flow.written_again(frame, guard, step, reached)
                if again:
                    yield Lost(guard, step, again)


def _set_by_events(graph: Graph, reached: set[int]) -> Iterator[tuple[Frame, Guard, SetVar]]:
    for frame in graph.frames:
        if frame.entry is not None and id(frame.entry) not in reached:
            continue
        for guard in frame.guards:
            if guard.kind == "on":
                for step in own_steps(guard.steps):
                    if isinstance(step, SetVar):
                        yield frame, guard, step


def _read_anywhere(workflow: Workflow) -> set[str]:
    """Names that are read at any time: by views, clauses, conditions of guards, undos and blocks beside the flow.

    What says when a timer comes is read when what it guards is entered.
    """
    found: set[str] = set()
    for view in workflow.views:
        found |= _names((view.value,))
    for region in regions(workflow.region):
        guards = [*region.guards, *(g for n in region.nodes if isinstance(n, State) for g in n.guards)]
        timed = {id(guard.amount) for guard in guards}
        found |= _names(expr for expr in region_expressions(region) if id(expr) not in timed)
        blocks = [region.undo.steps] if region.undo is not None else []
        blocks += [guard.steps for guard in guards if guard.also]
        for block in blocks:
            found |= _read_in(block)
    for step in region_steps(workflow.region, undos=False):
        undo = undo_of(step)
        if undo is not None:
            found |= _names((undo.when,) if undo.when is not None else ())
            found |= _read_in(undo.steps)
        if isinstance(step, Do | Parallel | Await):
            for guard in step.guards:
                found |= _names((guard.when,) if guard.when is not None else ())
                if guard.also:
                    found |= _read_in(guard.steps)
    return found


def _read_in(steps: tuple[Step, ...]) -> set[str]:
    """The names that are read in a block, those apart that are read only to be set to something more."""
    found: set[str] = set()
    for step in all_steps(steps):
        more = {step.name} if isinstance(step, SetVar) else set()
        found |= _names(expressions(step)) - more
    return found


def _names(exprs: Iterable[Expr]) -> set[str]:
    return {part.name for expr in exprs for part in walk(expr) if isinstance(part, Ref) and part.kind == "var"}


class _Flow:
    """Where one variable is read before it is set again."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.entries = {id(f.entry) for f in graph.frames if name in _names(g.amount for g in f.guards if g.amount)}
        before: dict[int, list[Point]] = {}
        for point in graph.points:
            for target in _onward(point):
                before.setdefault(id(target), []).append(point)
        waiting = [p for p in graph.points if self._reads(p)]
        self.live: set[int] = set()  # points at which what the variable has may still be read
        while waiting:
            point = waiting.pop()
            if id(point) in self.live:
                continue
            self.live.add(id(point))
            waiting.extend(p for p in before.get(id(point), ()) if not self._writes(p))

    def _reads(self, point: Point) -> bool:
        if id(point) in self.entries:
            return True
        if point.step is None or point.kind == "completed":
            return False  # what a call takes has been read when it was made
        return not self._sets(point) and self.name in _names(expressions(point.step))

    def _sets(self, point: Point) -> bool:
        return isinstance(point.step, SetVar) and point.step.name == self.name

    def _writes(self, point: Point) -> bool:
        """Whether what the variable had is gone; where it is set to something more, that lives on in it."""
        return self._sets(point) and point.step is not None and self.name not in _names(expressions(point.step))

    def _behind(self, frame: Frame, guard: Guard, step: SetVar, reached: set[int]) -> list[Point]:
        """Where the process goes on once an event has set the variable."""
        found = [t for p in self.graph.points if p.step is step for t in _onward(p)]
        if guard.also:
            # it comes at any time while the guarded thing waits, and when it is entered
            entry = [frame.entry] if frame.entry is not None else []
            inside = [p for p in self.graph.points if id(p) in reached and _waits(p) and p.frame.inside(frame)]
            found += [target for p in (*entry, *inside) for target in _onward(p)]
        return found

    def may_be_read(self, frame: Frame, guard: Guard, step: SetVar, reached: set[int]) -> bool:
        """Whether somebody may read what an event has set."""
        return any(id(target) in self.live for target in self._behind(frame, guard, step, reached))

    def written_again(self, frame: Frame, guard: Guard, step: SetVar, reached: set[int]) -> tuple[SetVar, ...]:
        """The first steps behind that set it again."""
        seen: set[int] = set()
        waiting = self._behind(frame, guard, step, reached)
        found: dict[int, SetVar] = {}
        while waiting:
            point = waiting.pop()
            if id(point) in seen:
                continue
            seen.add(id(point))
            if self._writes(point) and isinstance(point.step, SetVar):
                if point.step is not step:
                    found[point.number] = point.step
                continue
            waiting.extend(_onward(point))
        return tuple(found[number] for number in sorted(found))


def _onward(point: Point) -> list[Point]:
    return [*point.next, *(abort.target for abort in point.aborts if abort.target is not None)]


def _waits(point: Point) -> bool:
    return isinstance(point.step, Do | Start | Wait | Await | Lock | UndoRegion)
