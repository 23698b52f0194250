"""Branches that wait for each other's events."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.deadlines import limit_around
from wfc.flow.graph import Frame, Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Await, Emit, Parallel, Region
from wfc.ir.walk import region_steps
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.value import value

SHOWN = 4  # branches that are told


@value(kw_only=True)
class EventDeadlock(Problem):
    """Branches of one `parallel` wait for events that only the others send, and each sends behind its waiting.

    None of them goes on, however long it takes: each waits for the other to begin. Nobody else in the project sends
    these events. If somebody outside does, this is fine; a deadline in the `await` says what happens if nobody does.

    ```wf fails
    event Priced(order: Text) key order
    event Packed(order: Text) key order
    workflow W(order: Text) key order {
      state Both {
        parallel {
          branch Price { await { on Packed { } }  emit Priced(order) }
          branch Pack  { await { on Priced { } }  emit Packed(order) }
        }
        done
      }
    }
    ```
    ```wf passes
    event Priced(order: Text) key order
    event Packed(order: Text) key order
    workflow W(order: Text) key order {
      state Both {
        parallel {
          branch Price { emit Priced(order)  await { on Packed { } after 9d { } } }
          branch Pack  { await { on Priced { } after 9d { } }  emit Packed(order) }
        }
        done
      }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    events: tuple[str, ...]
    limit: str = ""

    def message(self) -> str:
        names = listed([f"`{name}`" for name in self.events], "or")
        return f"nothing sends {names} before this has been waited for: the branches wait for each other"

    def label(self) -> str:
        return f"waits until `{self.limit}`" if self.limit else "waits for ever"

    def help(self) -> tuple[str, ...]:
        return (
            "let one of them send before it waits",
            "if somebody outside sends it too, say what happens when nobody does: `after 1d -> ...`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each `parallel` once, at the first `await` in it that no order of its branches can get over."""
    senders: dict[str, set[str]] = {}
    for workflow in program.machine.workflows:
        for step in region_steps(workflow.region):
            if isinstance(step, Emit):
                senders.setdefault(step.event, set()).add(workflow.name)
    for flow in program.flows.values():
        own = {event for event, names in senders.items() if names == {flow.workflow.name}}
        found: dict[int, list[Point]] = {}
        for point, around in _stuck(flow, own) if own else ():
            if point.step is not None and point.step.at is not None:
                found.setdefault(id(around), []).append(point)
        for points in found.values():
            _report(program, flow, points, report)


def _report(program: Inquiry, flow: WorkflowFlow, points: list[Point], report: Reporter) -> None:
    step = points[0].step
    assert isinstance(step, Await)
    assert step.at is not None
    events = tuple(guard.names[0] for guard in step.guards if guard.kind == "on" and not guard.also)
    sent = [p.step for p in flow.graph.points if isinstance(p.step, Emit) and p.step.event in events]
    labels = tuple(Label(emit.at, "sent here, behind another waiting") for emit in sent[:3] if emit.at is not None)
    limit = limit_around(points[0])
    trace = program.show(standing(flow, *points), tuple(_closing(points, limit))).trace
    report(EventDeadlock(at=step.at, events=events, labels=labels, trace=trace, limit=limit))


def _closing(points: list[Point], limit: str) -> Iterator[Step]:
    for point in points[:SHOWN]:
        step = point.step
        assert isinstance(step, Await)
        names = [guard.names[0].rpartition(".")[2] for guard in step.guards if guard.kind == "on" and not guard.also]
        yield Step(f"{_name(point.frame)} waits for {listed(names, 'or')}", step.at)
    then = f"all wait until `{limit}`" if limit else "the process stands here for ever"
    yield Step(f"nobody sends them any more: {then}", points[0].step.at if points[0].step else None)


def _name(frame: Frame) -> str:
    """What the author calls the branch around."""
    inner = frame
    for outer in frame.outward():
        if outer.kind == "branch" and isinstance(inner.subject, Region):
            return f"`{inner.subject.path.rpartition('.')[2]}`"
        inner = outer
    return "a branch"


def _stuck(flow: WorkflowFlow, own: set[str]) -> Iterator[tuple[Point, Parallel]]:
    """The points of `await`s in branches that wait only for events which are sent behind them.

    The graph is gone through from the start. An `await` for events of this workflow alone is passed only when one of
    them has been sent on the way, and a join only when all its branches have come.
    """
    waiting: dict[str, list[Point]] = {}
    held: dict[int, Point] = {}
    seen: set[int] = set()
    sent: set[str] = set()
    joins: dict[int, Point] = {id(end): p for p in flow.graph.points for end in p.ends}
    queue = [flow.graph.start]
    while queue:
        point = queue.pop()
        if id(point) in seen or (point.ends and _needs_all(point) and not all(id(end) in seen for end in point.ends)):
            continue
        wanted = _wanted(point, own)
        if wanted and not wanted & sent:
            held[id(point)] = point
            for event in wanted:
                waiting.setdefault(event, []).append(point)
            outside = (abort for abort in point.aborts if abort.frame is not point.frame)
            queue.extend(abort.target for abort in outside if abort.target is not None)
            continue
        seen.add(id(point))
        held.pop(id(point), None)
        if isinstance(point.step, Emit) and point.step.event not in sent:
            sent.add(point.step.event)
            queue.extend(waiting.pop(point.step.event, []))
        queue.extend(point.next)
        queue.extend(abort.target for abort in point.aborts if abort.target is not None)
        if id(point) in joins:
            queue.append(joins[id(point)])
    for point in flow.graph.points:
        around = _parallel(point.frame)
        if id(point) in held and around is not None and _elsewhere(flow, point):
            yield point, around


def _needs_all(point: Point) -> bool:
    return isinstance(point.step, Parallel) and point.step.join in ("all", "settled")


def _wanted(point: Point, own: set[str]) -> set[str]:
    """The events of an `await` that nothing else ends; none where somebody outside may send one, or a time passes."""
    step = point.step
    if point.kind != "step" or not isinstance(step, Await):
        return set()
    ending = [guard for guard in step.guards if not guard.also and guard.kind != "every"]
    if not all(guard.kind == "on" and guard.names[0] in own for guard in ending):
        return set()
    return {guard.names[0] for guard in ending}


def _parallel(frame: Frame) -> Parallel | None:
    """The `parallel` around, if the point stands in a branch of one."""
    found = (outer.subject for outer in frame.outward() if outer.kind == "parallel")
    return next((step for step in found if isinstance(step, Parallel)), None)


def _elsewhere(flow: WorkflowFlow, point: Point) -> bool:
    """Whether one of its events is sent in a branch beside it."""
    assert isinstance(point.step, Await)
    wanted = {guard.names[0] for guard in point.step.guards if guard.kind == "on"}
    own = _branch(point.frame)
    senders = (p for p in flow.graph.points if isinstance(p.step, Emit) and p.step.event in wanted)
    beside = (_branch(sender.frame) for sender in senders)
    return any(other is not None and other is not own for other in beside)


def _branch(frame: Frame) -> Frame | None:
    return next((outer for outer in frame.outward() if outer.kind == "branch"), None)
