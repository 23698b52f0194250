"""Undos that ask for a lock which is still held when they run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from wfc.flow.cycles import all_inside
from wfc.flow.effects import Undone
from wfc.flow.graph import Frame, Point
from wfc.flow.locks import Asked, Resource, asked, resource_at
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, ForEach, Lock, Parallel, Region, Scope, Start
from wfc.ir.walk import nodes, region_steps, undo_of
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value

TRIES = 4  # failures for which a run is looked for


@value(kw_only=True)
class LockOnRollback(Problem):
    """An undo asks for a lock that is held until the undo has ended, or by a branch that goes on.

    When an error leaves a `lock`, what was done inside is undone first, and the lock is given back last. An undo that
    asks for the same lock then waits for its own process: it fails with `LockTimeout`, and the work is not undone. That
    holds for the undo of a region too, and for a child that undoes itself while its caller holds the lock.

    The same goes for a branch of `join first`, `n of` or `settled` that fails and is undone while another branch holds
    what the undo asks for. It is an error where the same lock is certain, a warning where it may be another one, or
    where the other branch may give it back in time.

    ```wf fails
    resource shelf(id: Text) rank 10
    service stock {
      activity reserve(id: Text) key id compensate release(id)
      activity release(id: Text)
      query    count(id: Text) -> Int
    }
    workflow W(id: Text) -> Int {
      state A {
        lock shelf(id) wait 20s {
          do stock.reserve(id) compensate { lock shelf(id) wait 20s { do stock.release(id) } }
          do stock.count(id) as left
        }
        done left
      }
    }
    ```
    ```wf passes
    resource shelf(id: Text) rank 10
    service stock {
      activity reserve(id: Text) key id compensate release(id)
      activity release(id: Text)
      query    count(id: Text) -> Int
    }
    workflow W(id: Text) -> Int {
      state A {
        lock shelf(id) wait 20s {
          do stock.reserve(id)
          do stock.count(id) as left
        }
        done left
      }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    operation: str
    resource: str
    sibling: bool
    certain: bool

    def level(self) -> Severity:
        return Severity.ERROR if self.certain else Severity.WARNING

    def message(self) -> str:
        if self.sibling:
            return f"the undo of `{self.operation}` asks for `{self.resource}`, which another branch may hold just then"
        if self.certain:
            return f"the undo of `{self.operation}` asks for `{self.resource}`, which is given back only behind it"
        return f"the undo of `{self.operation}` asks for `{self.resource}` while one of no lower rank is still held"

    def label(self) -> str:
        return "asked for by the undo"

    def help(self) -> tuple[str, ...]:
        if self.sibling:
            return ("let the undo wait for longer than the other branch may hold it",)
        return (
            "what an error undoes inside a `lock` is undone under it: leave the lock of the undo out",
            "if it is undone later too, and needs the lock then, let the block end before anything can fail",
            "a call that ends in `exhausted then park in ...` waits for a person instead, and undoes nothing here",
            "if it is meant so, say why: `// allow lock-on-rollback: why`",
        )


_HELD = "held until what was done inside is undone"
_Calls = list[tuple[Point, tuple[Asked, ...]]]


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each lock of an undo once, with what holds it: what is certain first."""
    if not program.machine.resources:
        return
    undos = {name: _Undos(program, flow) for name, flow in program.flows.items()}
    for flow in program.flows.values():
        by: dict[int, _Found] = {}
        for found in _all(program, undos, flow):
            known = by.setdefault(id(found.one.lock), found)
            if found.certain and not known.certain:
                by[id(found.one.lock)] = found
        for found in by.values():
            _report(program, found, report)


def _all(program: Inquiry, undos: dict[str, "_Undos"], flow: WorkflowFlow) -> Iterator["_Found"]:
    for outer in _locks(flow):
        held = _Held(flow, outer, {id(step) for step in all_inside(outer.steps)})
        yield from _under(program, undos[flow.workflow.name], held)
        yield from _children(program, undos, held)
    calls = undos[flow.workflow.name].calls
    for step in region_steps(flow.workflow.region, undos=False) if calls else ():
        if isinstance(step, Parallel) and step.join != "all":
            yield from _beside(program, flow, step, calls)


@dataclass(frozen=True)
class _Held:
    """A lock and what is inside, by id. `flow` is where it stands; `through`: the calls of children on the way in."""

    flow: WorkflowFlow
    outer: Lock
    inside: set[int] | None
    through: tuple[Do, ...] = ()

    def holds(self, point: Point) -> bool:
        """Whether a point lies under the lock: all of a child does that is called there."""
        return self.inside is None or id(point.step) in self.inside


def _locks(flow: WorkflowFlow) -> Iterator[Lock]:
    for point in flow.graph.points:
        if point.kind == "step" and isinstance(point.step, Lock) and flow.reached(point):
            yield point.step


def _children(program: Inquiry, undos: dict[str, "_Undos"], held: _Held) -> Iterator["_Found"]:
    """Children that fail while the lock around their call is held, and undo themselves under it."""
    waiting: list[tuple[tuple[Do, ...], list[Do]]] = [((), _child_calls(all_inside(held.outer.steps)))]
    seen: set[int] = set()
    while waiting:
        through, calls = waiting.pop()
        for call in calls:
            if call.target in program.flows and id(call) not in seen:
                seen.add(id(call))
                way = (*through, call)
                yield from _under(program, undos[call.target], _Held(held.flow, held.outer, None, way))
                region = program.flows[call.target].workflow.region
                waiting.append((way, _child_calls(region_steps(region, undos=False))))


def _child_calls(steps: Iterable[object]) -> list[Do]:
    return [step for step in steps if isinstance(step, Do) and step.kind == "workflow"]


@dataclass(frozen=True)
class _Undo:
    """An undo that asks for locks, and the aborts that make it run. `done`: where what it undoes has been done."""

    name: str
    at: Span | None
    done: Point
    asking: tuple[Asked, ...]
    ends: list[Undone]
    sign: Sign
    doubtful: bool = False  # it also runs for a call that may have been done


@dataclass(frozen=True)
class _Found:
    """What an undo asks for, and what holds it: a lock around, or one in another branch (`sibling`)."""

    undo: _Undo
    one: Asked
    held: _Held
    against: Resource
    certain: bool = False
    sibling: bool = False


def _under(program: Inquiry, undos: "_Undos", held: _Held) -> Iterator[_Found]:
    """Undos that may run while a lock around what they undo is held."""
    for undo in undos.found:
        if held.holds(undo.done):
            ends = [found for found in undo.ends if held.holds(found.source)]
            if ends or undo.doubtful:
                yield from _against(program, held, replace(undo, ends=ends))


class _Undos:
    """The undos of one workflow that ask for locks: of calls, and of regions with an undo of their own."""

    def __init__(self, program: Program, flow: WorkflowFlow) -> None:
        self.flow = flow
        done = (point for point in flow.graph.points if point.kind == "completed" and point.step is not None)
        asking = ((point, program.locks.undo_of(point.step)) for point in done if point.step is not None)
        self.calls: _Calls = [(point, wanted) for point, wanted in asking if wanted and flow.reached(point)]

    @cached_property
    def found(self) -> list[_Undo]:
        """All of them that may run."""
        return [*self._of_calls(), *self._of_regions()]

    def _of_calls(self) -> Iterator[_Undo]:
        if not self.calls:
            return
        ends: dict[int, list[Undone]] = {}
        for found in self.flow.effects.undone(point for point, _ in self.calls):
            ends.setdefault(id(found.call), []).append(found)
        doubtful = {id(point.step) for point in self.flow.effects.in_doubt()}
        for point, asking in self.calls:
            call = point.step
            assert isinstance(call, Do | Start)
            undo = undo_of(call)
            blind = undo is not None and undo.blind and id(call) in doubtful
            sign = Sign("undo failed", call.target if undo is not None else "")
            yield _Undo(call.target, call.at, point, asking, ends.get(id(point), []), sign, blind)

    def _of_regions(self) -> Iterator[_Undo]:
        if not any(frame.covered for frame in self.flow.graph.frames):
            return
        names = dict(_names(self.flow))
        for frame in self.flow.graph.frames:
            region = frame.subject
            if isinstance(region, Region) and region.undo is not None and id(region) in names:
                asking = tuple(asked(region.undo.steps))
                ends = list(self._crossing(frame)) if asking else []
                if ends:
                    undo = Sign("undo failed")
                    yield _Undo(names[id(region)], region.undo.at, ends[0].call, asking, ends, undo)

    def _crossing(self, frame: Frame) -> Iterator[Undone]:
        """The aborts that cross a frame behind the last of its calls. Of iterations others may go on."""
        effects = self.flow.effects
        mask = effects.mask(frame)
        for point in self.flow.graph.points:
            done = effects.may.get(id(point), 0) & mask
            if not done or (point.frame.inside(frame) and frame.kind != "each"):
                continue
            call = effects.calls[mask.bit_length() - 1]
            for abort in point.aborts:
                if not abort.keep and point.kind in ("do", "step", "failed") and frame.inside(abort.frame):
                    yield Undone(call, point, abort, certain=False)


def _names(flow: WorkflowFlow) -> Iterator[tuple[int, str]]:
    """The regions inside a workflow, by id, each with what one calls it."""
    for node in nodes(flow.workflow.region):
        if isinstance(node, Scope):
            yield id(node.region), node.name
    for step in region_steps(flow.workflow.region, undos=False):
        match step:
            case ForEach(region=region, item=item):
                yield id(region), item
            case Parallel(branches=branches):
                yield from ((id(branch.region), branch.name) for branch in branches)
            case _:
                pass


def _against(program: Inquiry, held: _Held, undo: _Undo) -> Iterator[_Found]:
    """What an undo asks for against the order of what is held."""
    for one in undo.asking:
        named = one
        for call in reversed(held.through):
            named = program.locks.put(call, named)
        against = _held_against(program, held.outer, named.named)
        if against is not None:
            certain = against == named.named and program.locks.resources[against[0]].capacity == 1
            yield _Found(undo, one, held, against, certain)


def _trace(program: Inquiry, flow: WorkflowFlow, undo: _Undo, wanted: Resource) -> Trace | None:
    """A run in which it is to be undone while the lock is held."""
    done = program.ways.at(undo.done.step)
    if done is None:
        return None
    closing = (Step(f"its undo has waited for `{wanted[0]}`, which its own process held", undo.at),)
    here = sorted((found for found in undo.ends if found.call is undo.done), key=lambda found: found.doubt)
    claims = (_claim(flow, done, found, undo.sign) for found in here[:TRIES])
    return program.first((claim, closing) for claim in claims).trace


def _claim(flow: WorkflowFlow, done: Point, found: Undone, sign: Sign) -> Claim:
    before = () if found.doubt else (Waypoint("done", done),)
    if found.abort is None:
        return Claim(flow.workflow.name, before, sign, found.source)
    return leaving(flow, before, found.source, found.abort, sign)


def _held_against(program: Program, outer: Lock, wanted: Resource) -> Resource | None:
    """What is held and must not be, when something is asked for: the very same first."""
    rank = program.locks.rank(wanted)
    against = [held for held in outer.resources if program.locks.rank(held) >= rank]
    return next((held for held in against if held == wanted), against[0] if against else None)


def _beside(program: Program, flow: WorkflowFlow, step: Parallel, calls: _Calls) -> Iterator[_Found]:
    """Undos of a branch that is given up while another one goes on, holding what they ask for."""
    inside = [list(region_steps(branch.region, undos=False)) for branch in step.branches]
    for number, steps in enumerate(inside):
        own = {id(each) for each in steps}
        for point, asking in calls:
            call = point.step
            if id(call) not in own or not isinstance(call, Do | Start):
                continue
            others = [each for i, more in enumerate(inside) if i != number for each in more if isinstance(each, Lock)]
            for one in asking:
                found = _holder(program, one.lock, one.named, others)
                if found is not None:
                    undo = _Undo(call.target, call.at, point, asking, [], Sign("undo failed"))
                    yield _Found(undo, one, _Held(flow, found[0], None), found[1], sibling=True)


def _holder(program: Program, lock: Lock, wanted: Resource, others: list[Lock]) -> tuple[Lock, Resource] | None:
    """A lock of another branch that may hold it for longer than the undo waits."""
    patience = program.policies.constants.whole(lock.wait)
    for other in others:
        path = program.longest.block(other.steps)
        short = path is not None and not path.unknown and patience is not None and path.total <= patience
        held = next((held for held in other.resources if program.locks.may_be_same(held, wanted)), None)
        if held is not None and not short and program.locks.resources[held[0]].capacity == 1:
            return other, held
    return None


def _report(program: Inquiry, found: _Found, report: Reporter) -> None:
    undo, one, held = found.undo, found.one, found.held
    at = resource_at(one.lock, one.wanted)
    if at is None:
        return
    where = resource_at(held.outer, found.against)
    labels = [Label(where, "held by this branch" if found.sibling else _HELD)] if where is not None else []
    labels += [Label(call.at, "runs under it") for call in held.through[:1] if call.at is not None]
    if undo.at is not None and isinstance(undo.done.step, Do | Start) and undo.done.step.at is undo.at:
        labels.append(Label(undo.at, "the call that is undone"))
    report(
        LockOnRollback(
            at=at,
            operation=undo.name,
            resource=one.wanted[0],
            sibling=found.sibling,
            certain=found.certain,
            labels=tuple(labels),
            trace=_trace(program, held.flow, undo, one.wanted) if not found.sibling else None,
        )
    )
