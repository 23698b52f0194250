"""Undos that ask for a lock which is still held when they run."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.cycles import all_inside
from wfc.flow.effects import Undone
from wfc.flow.graph import Point
from wfc.flow.locks import Resource, locks_of, resource_at
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, Lock, Parallel, Start
from wfc.ir.walk import region_steps, undo_of
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value

TRIES = 4  # failures for which a run is looked for


@value(kw_only=True)
class LockOnRollback(Problem):
    """An undo asks for a lock that is held until the undo has ended, or by a branch that goes on.

    When an error leaves a `lock`, what was done inside is undone first, and the lock is given back last. An undo that
    asks for the same lock then waits for its own process: it fails with `LockTimeout`, and the work is not undone. The
    same goes for a branch of `join first`, `n of` or `settled` that fails and is undone while another branch holds what
    the undo asks for. It is an error where the same lock is certain, a warning where it may be another one, or where
    the other branch may give it back in time.

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


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each lock of an undo once, with what holds it."""
    if not program.machine.resources:
        return
    for flow in program.flows.values():
        calls = [(point, wanted) for point in flow.graph.points if (wanted := _asked(point)) and flow.reached(point)]
        if not calls:
            continue
        told: set[int] = set()
        for outer in _locks(flow):
            _under(program, flow, outer, calls, told, report)
        for step in region_steps(flow.workflow.region, undos=False):
            if isinstance(step, Parallel) and step.join != "all":
                _beside(program, step, calls, told, report)


def _asked(point: Point) -> tuple[Lock, ...]:
    """The locks that the undo of a call asks for."""
    undo = undo_of(point.step) if point.kind == "completed" and point.step is not None else None
    return tuple(locks_of(undo.steps)) if undo is not None else ()


def _locks(flow: WorkflowFlow) -> Iterator[Lock]:
    for point in flow.graph.points:
        if point.kind == "step" and isinstance(point.step, Lock) and flow.reached(point):
            yield point.step


def _under(
    program: Inquiry,
    flow: WorkflowFlow,
    outer: Lock,
    calls: list[tuple[Point, tuple[Lock, ...]]],
    told: set[int],
    report: Reporter,
) -> None:
    """Undos that may run while the lock around their call is held."""
    inside = {id(step) for step in all_inside(outer.steps)}
    here = [(point, asked) for point, asked in calls if id(point.step) in inside]
    if not here:
        return
    ends = [found for found in flow.effects.undone(p for p, _ in here) if id(found.source.step) in inside]
    undone = {id(found.call) for found in ends}
    doubtful = {id(point.step) for point in flow.effects.in_doubt()}
    for point, asked in here:
        undo = undo_of(point.step) if point.step is not None else None
        if id(point) not in undone and not (undo is not None and undo.blind and id(point.step) in doubtful):
            continue
        for lock in asked:
            for wanted in lock.resources:
                held = _against(program, outer, wanted)
                if held is not None and id(lock) not in told:
                    told.add(id(lock))
                    certain = held == wanted and program.locks.resources[held[0]].capacity == 1
                    trace = _trace(program, flow, point, wanted, ends)
                    _report(point, lock, wanted, (outer, held), report, certain=certain, trace=trace)


def _trace(program: Inquiry, flow: WorkflowFlow, call: Point, wanted: Resource, undone: list[Undone]) -> Trace | None:
    """A run in which it is to be undone while the lock is held."""
    step = call.step
    done = program.ways.at(step)
    if done is None or not isinstance(step, Do | Start):
        return None
    sign = Sign("undo failed", step.target)
    closing = (Step(f"its undo has waited for `{wanted[0]}`, which its own process held", step.at),)
    here = sorted((found for found in undone if found.call is call), key=lambda found: found.doubt)
    claims = (_claim(flow, done, found, sign) for found in here[:TRIES])
    return program.first((claim, closing) for claim in claims).trace


def _claim(flow: WorkflowFlow, done: Point, found: Undone, sign: Sign) -> Claim:
    before = () if found.doubt else (Waypoint("done", done),)
    if found.abort is None:
        return Claim(flow.workflow.name, before, sign, found.source)
    return leaving(flow, before, found.source, found.abort, sign)


def _against(program: Program, outer: Lock, wanted: Resource) -> Resource | None:
    """What is held and must not be, when something is asked for: the very same first."""
    rank = program.locks.rank(wanted)
    against = [held for held in outer.resources if program.locks.rank(held) >= rank]
    return next((held for held in against if held == wanted), against[0] if against else None)


def _beside(
    program: Program,
    step: Parallel,
    calls: list[tuple[Point, tuple[Lock, ...]]],
    told: set[int],
    report: Reporter,
) -> None:
    """Undos of a branch that is given up while another one goes on, holding what they ask for."""
    inside = [list(region_steps(branch.region, undos=False)) for branch in step.branches]
    for number, steps in enumerate(inside):
        own = {id(each) for each in steps}
        for point, asked in calls:
            if id(point.step) not in own:
                continue
            others = [each for i, more in enumerate(inside) if i != number for each in more if isinstance(each, Lock)]
            for lock in asked:
                for wanted in lock.resources:
                    found = _holder(program, lock, wanted, others)
                    if found is not None and id(lock) not in told:
                        told.add(id(lock))
                        _report(point, lock, wanted, found, report, certain=False, sibling=True)


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


def _report(  # noqa: PLR0913 - the finding, part by part
    point: Point,
    lock: Lock,
    wanted: Resource,
    holding: tuple[Lock, Resource],
    report: Reporter,
    *,
    certain: bool,
    sibling: bool = False,
    trace: Trace | None = None,
) -> None:
    call = point.step
    assert isinstance(call, Do | Start)
    at = resource_at(lock, wanted)
    if at is None:
        return
    where = resource_at(*holding)
    labels = [Label(where, "held by this branch" if sibling else _HELD)] if where is not None else []
    if call.at is not None:
        labels.append(Label(call.at, "the call that is undone"))
    report(
        LockOnRollback(
            at=at,
            operation=call.target,
            resource=wanted[0],
            sibling=sibling,
            certain=certain,
            labels=tuple(labels),
            trace=trace,
        )
    )
