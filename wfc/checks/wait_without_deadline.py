"""Waits that nothing limits."""

from typing import ClassVar

from wfc.flow.graph import Frame, Point
from wfc.flow.program import Program
from wfc.ir.machine import Await, Do
from wfc.problems.problem import Problem, Reporter, Severity, Step
from wfc.simulation.claim import standing
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.value import value


@value(kw_only=True)
class WaitWithoutDeadline(Problem):
    """An `await` or a task has no deadline, and nothing around it has one: the process may wait for ever.

    Events get lost, customers forget, clerks are ill, partners go out of business. Then the instance waits for ever,
    with all that it holds: reserved stock, an open case, a promise. Give the wait a deadline (`after`, `at`), or one to
    the state, scope or workflow around it; a child that is only called under a deadline has one too.

    ```wf fails
    event Paid(order: Text) key order
    workflow W(order: Text) key order {
      state Wait {
        await { on Paid { done } }
      }
    }
    ```
    ```wf passes
    event Paid(order: Text) key order
    workflow W(order: Text) key order {
      state Wait {
        await {
          on Paid   { done }
          after 30d { done }
        }
      }
    }
    ```
    Where a wait may last for ever, somebody should hear of it from time to time; that says it is meant:

    ```wf passes
    event Closed(account: Text) key account
    workflow W(account: Text) key account {
      state Open {
        await {
          on Closed { done }
          every 52w { audit "still open" }
        }
      }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    events: tuple[str, ...]
    task: str = ""

    def message(self) -> str:
        if self.task:
            return f"if nobody answers `{self.task}`, this waits for ever"
        shown = " or ".join(f"`{name}`" for name in self.events)
        return f"if {shown} never comes, this waits for ever" if shown else "nothing limits this wait"

    def label(self) -> str:
        return "has no deadline, nor has anything around it"

    def help(self) -> tuple[str, ...]:
        return (
            "say what happens when it takes too long: `after 14d -> ...`",
            'if it may wait for ever, have somebody told: `every 30d { audit "still waiting" }`',
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each `await` and task that no deadline and no reminder limits, here or at all calls of its workflow."""
    limited = _limited(program)
    for name, flow in program.flows.items():
        if name in limited:
            continue
        for point in flow.graph.points:
            step = point.step
            if point.kind not in ("do", "step") or not flow.reached(point) or _has_limit(point):
                continue
            if isinstance(step, Await) and step.at is not None:
                events = tuple(n for guard in step.guards if guard.kind == "on" and not guard.also for n in guard.names)
                closing = Step(_waits(events), step.at)
                trace = program.show(standing(flow, point), (closing,)).trace
                report(WaitWithoutDeadline(at=step.at, trace=trace, events=events))
            if isinstance(step, Do) and step.kind == "task" and point.kind == "do" and step.at is not None:
                closing = Step("waits for a person; if nobody answers, the process stands here for ever", step.at)
                trace = program.show(standing(flow, point), (closing,)).trace
                report(WaitWithoutDeadline(at=step.at, trace=trace, events=(), task=step.target))


def _waits(events: tuple[str, ...]) -> str:
    names = listed([name.rpartition(".")[2] for name in events], "or")
    return f"waits for {names}; if it never comes, the process stands here for ever" if names else "waits for ever"


def _has_limit(point: Point) -> bool:
    return any(_limits(frame) for frame in point.frame.outward())


def _limits(frame: Frame) -> bool:
    """Whether something of a frame's own comes with time: a deadline, or a reminder."""
    return any(guard.kind in ("after", "at", "every") for guard in frame.guards)


def _limited(program: Program) -> frozenset[str]:
    """The workflows that are called, and each time under a deadline, or by one that is called so."""
    calls: dict[str, list[tuple[str, bool]]] = {}
    for name, flow in program.flows.items():
        for point in flow.graph.points:
            if point.kind == "do" and isinstance(point.step, Do) and point.step.kind == "workflow":
                calls.setdefault(point.step.target, []).append((name, _has_limit(point)))
    limited = set(calls)
    changed = True
    while changed:
        open_ = {n for n in limited if not all(has or (by in limited and by != n) for by, has in calls[n])}
        changed = bool(open_)
        limited -= open_
    return frozenset(limited)
