"""Compensations of a part of the process that undo things in an order that cannot work."""

from collections.abc import Iterator
from itertools import islice

from wfc.flow.graph import Frame
from wfc.flow.program import WorkflowFlow
from wfc.flow.ways import WAITING
from wfc.ir.expressions import Ref, walk
from wfc.ir.machine import Do, Region
from wfc.ir.walk import all_steps, region_steps, regions
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value

TRIES = 6  # ways for which a run is looked for


@value(kw_only=True)
class RollbackOrder(Problem):
    """A `compensate` block takes back first what the later steps are built on.

    What is done last is undone first: that is the order in which undo works by itself. A scope or workflow with a
    `compensate` block of its own says the order itself, and here it is the wrong way round: one call used what another
    had given, and the other one is undone before it. A room is given back while the key to it is still out.

    ```wf fails
    service hotel {
      activity book(guest: Text) -> Text key guest compensate none "the stay undoes it"
      activity cancel(guest: Text) key guest
      activity issue(room: Text) key room compensate none "the stay undoes it"
      activity revoke(guest: Text) key guest
    }
    workflow Stay(guest: Text) key guest {
      scope Enter -> End {
        compensate { do hotel.cancel(guest)  do hotel.revoke(guest) }
        state Book  { do hotel.book(guest) as room compensate hotel.cancel(guest) -> Issue }
        state Issue { do hotel.issue(room) compensate hotel.revoke(guest)  done }
      }
      state End { wait 1d  done }
    }
    ```
    ```wf passes
    service hotel {
      activity book(guest: Text) -> Text key guest compensate none "the stay undoes it"
      activity cancel(guest: Text) key guest
      activity issue(room: Text) key room compensate none "the stay undoes it"
      activity revoke(guest: Text) key guest
    }
    workflow Stay(guest: Text) key guest {
      scope Enter -> End {
        compensate { do hotel.revoke(guest)  do hotel.cancel(guest) }
        state Book  { do hotel.book(guest) as room compensate hotel.cancel(guest) -> Issue }
        state Issue { do hotel.issue(room) compensate hotel.revoke(guest)  done }
      }
      state End { wait 1d  done }
    }
    ```
    """

    severity = Severity.WARNING

    first: str
    second: str
    base: str
    built: str

    def message(self) -> str:
        return f"`{self.base}` is undone before `{self.built}`, which uses what it gave"

    def label(self) -> str:
        return f"takes back `{self.base}`"

    def help(self) -> tuple[str, ...]:
        return (f"undo the later one first: `do {self.second}(...)`, then `do {self.first}(...)`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports pairs in blocks of regions whose order is not the mirror of the order of doing."""
    for flow in program.flows.values():
        for region in regions(flow.workflow.region):
            for problem in _wrong(program, flow, region):
                report(problem)


def _wrong(program: Inquiry, flow: WorkflowFlow, region: Region) -> Iterator[RollbackOrder]:
    if region.undo is None or region.undo.kind == "none":
        return
    order: dict[str, tuple[int, Do]] = {}
    for place, step in enumerate(all_steps(region.undo.steps)):
        if isinstance(step, Do):
            order.setdefault(step.target, (place, step))
    if len(order) < 2:  # noqa: PLR2004 - a pair
        return
    calls = [step for step in region_steps(region, undos=False) if isinstance(step, Do)]
    givers = {step.bind: step for step in calls if step.bind is not None}
    for built in calls:
        for name in {p.name for arg in built.args for p in walk(arg) if isinstance(p, Ref) and p.kind == "local"}:
            base = givers.get(name)
            if base is None or base is built:
                continue
            earlier, later = order.get(_undo(base)), order.get(_undo(built))
            if earlier is None or later is None or earlier[0] >= later[0] or earlier[1].at is None:
                continue
            labels = tuple(
                Label(at, text)
                for at, text in (
                    (later[1].at, f"takes back `{built.target}`"),
                    (built.at, f"uses what `{base.target}` gave"),
                )
                if at is not None
            )
            yield RollbackOrder(
                at=earlier[1].at,
                labels=labels,
                trace=_trace(program, flow, region, (earlier[1], later[1])),
                first=earlier[1].target,
                second=later[1].target,
                base=base.target,
                built=built.target,
            )


def _trace(program: Inquiry, flow: WorkflowFlow, region: Region, undos: tuple[Do, Do]) -> Trace | None:
    """A run that completes the part, and then takes it back."""
    frame = next((frame for frame in flow.graph.frames if frame.subject is region), None)
    if frame is None:
        return None
    first, second = undos
    closing = (Step(f"`{first.target}` comes first there, and `{second.target}` only then", second.at),)
    return program.first((claim, closing) for claim in islice(_claims(flow, frame, region), TRIES)).trace


def _claims(flow: WorkflowFlow, frame: Frame, region: Region) -> Iterator[Claim]:
    """By a failure behind it, or by an operator's cancel."""
    name, sign = flow.workflow.name, Sign("undone", region.path or flow.workflow.name)
    last = [point for point in flow.graph.points if point.kind == "done" and point.frame.inside(frame)]
    behind = [p for p in flow.graph.points if p.kind in WAITING and not p.frame.inside(frame) and flow.reached(p)]
    for end in last:
        for point in behind:
            for abort in point.aborts:
                if not abort.keep and frame.inside(abort.frame):
                    yield Claim(name, (Waypoint("pass", end), Waypoint("leave", point, abort)), sign)
        yield from (Claim(name, (Waypoint("pass", end), Waypoint("cancel", point)), sign) for point in behind)


def _undo(step: Do) -> str:
    """The operation that undoes a call by itself, where it is one."""
    steps = step.undo.steps if step.undo is not None else ()
    return steps[0].target if len(steps) == 1 and isinstance(steps[0], Do) else ""
