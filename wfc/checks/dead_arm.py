"""Arms of a choice that are never taken, and deadlines that never come."""

from typing import ClassVar

from wfc.flow.deadlines import idle
from wfc.flow.hearing import held_back
from wfc.flow.program import Program, WorkflowFlow
from wfc.flow.races import never_begun
from wfc.flow.tails import removal
from wfc.flow.time import Path
from wfc.flow.timers import Late, late
from wfc.ir.machine import Await, Branch, Choose, Do, Guard
from wfc.problems.problem import Fix, Label, Problem, Reporter, Severity
from wfc.text.durations import spaced_duration
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class DeadArm(Problem):
    """An arm of a choice is never taken, a deadline never comes, or a branch of a race never begins.

    The first arm that holds wins. Where the arms before it take everything, an arm is only read, never run; so is a
    deadline behind one that comes first, around it, beside it or inside what it watches, and a branch of `join first`
    or `join n of` behind as many that wait for nothing. Whoever reads it believes in a case that the process does not
    have: the large order is never looked at by a manager, the reminder is never sent.
    Arms that overlap are fine as long as each is taken by something, and a named constant that switches an arm off is
    no mistake.

    ```wf fails
    workflow W(total: Int) {
      gateway Size {
        choose {
          when total > 100  -> Big
          when total > 1000 -> Huge
          otherwise         -> Small
        }
      }
      state Big   { done }
      state Huge  { done }
      state Small { done }
    }
    ```
    ```wf passes
    workflow W(total: Int) {
      gateway Size {
        choose {
          when total > 1000 -> Huge
          when total > 100  -> Big
          otherwise         -> Small
        }
      }
      state Big   { done }
      state Huge  { done }
      state Small { done }
    }
    ```
    An arm that is kept for later is switched off by a constant:

    ```wf passes
    const pickup_open: Bool = false
    workflow W(total: Int) {
      gateway Way {
        choose {
          when pickup_open -> Pickup
          otherwise        -> Parcel
        }
      }
      state Pickup { done }
      state Parcel { done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    what: str
    why: str
    advice: str
    rest: bool = False

    def level(self) -> Severity:
        return Severity.HINT if self.rest else Severity.WARNING

    def message(self) -> str:
        return f"{self.what}: {self.why}"

    def label(self) -> str:
        if self.advice == "race":
            return "never begins"
        return "is never taken" if self.advice not in ("timer", "over") else "never fires"

    def help(self) -> tuple[str, ...]:
        if self.rest:
            return ()
        if self.advice == "race":
            return ("let the join wait for all of them, or remove the branch",)
        if self.advice == "over":
            return ("make it shorter than what it watches can take, or remove it",)
        if self.advice == "timer":
            return ("make it shorter than the other one, or remove it",)
        if self.advice == "order":
            return ("put the narrower condition first, or remove this arm",)
        return ("mend its condition, or remove this arm",)


def check(program: Program, report: Reporter) -> None:
    """Reports arms, what is left for `otherwise`, and deadlines; nothing where the process never comes."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            if isinstance(point.step, Choose) and point.kind == "step" and id(point) in flow.live:
                _arms(flow, point.step, report)
        awaits = (point.step for point in flow.graph.points if isinstance(point.step, Await))
        only = {id(step.guards[0]) for step in awaits if len(step.guards) == 1}
        told: set[int] = set()
        for item in late(flow.graph, program.constant):
            told.add(id(item.guard))
            _deadline(item, report, alone=id(item.guard) in only)
        for guard, path in idle(program, flow):
            if id(guard) not in told:
                _idle(guard, path, report)
        for guard, pivot in held_back(flow.graph, flow.reachable):
            if guard.kind != "on":
                _held_back(guard, pivot, report)
        for fork, branch, last in never_begun(flow.graph, program.policies):
            if id(fork) in flow.live:
                _branch(branch, last, report)


def _arms(flow: WorkflowFlow, choice: Choose, report: Reporter) -> None:
    verdict = flow.verdict(choice)
    for number in verdict.dead:
        arm = choice.arms[number]
        if arm.at is None:
            continue
        takers = flow.takers(choice, number)
        places = [choice.arms[i].at for i in takers]
        labels = tuple(Label(at, "takes it before") for at in places[:3] if at is not None)
        why = "the arms before it take everything it would" if takers else "its condition can never hold here"
        if len(takers) == 1 and choice.arms[takers[0]].label == arm.label:
            why = "the same condition comes first"
        elif len(takers) == 1:
            why = f"`when {choice.arms[takers[0]].label}` comes first and takes everything it would"
        report(
            DeadArm(
                at=arm.at,
                labels=labels,
                fixes=removal(arm.at, "remove this arm"),
                what=f"`when {arm.label}` is never taken",
                why=why,
                advice="order" if takers else "condition",
            )
        )
    at = _otherwise(choice)
    if not verdict.rest and at is not None:
        report(
            DeadArm(
                at=at,
                fixes=removal(at, "remove `otherwise`"),
                what="`otherwise` is never taken",
                why="the arms cover every value",
                advice="order",
                rest=True,
            )
        )


def _otherwise(choice: Choose) -> Span | None:
    """The word itself, in front of the first step behind it."""
    if not choice.otherwise or choice.otherwise[0].at is None:
        return None
    first = choice.otherwise[0].at
    start = first.source.text.rfind("otherwise", 0, first.start)
    return Span(first.source, start, start + len("otherwise")) if start >= 0 else None


def _deadline(item: Late, report: Reporter, *, alone: bool) -> None:
    """Without its only guard an `await` would wait for nothing: then there is no fix."""
    guard, first = item.guard, item.first
    if guard.at is None:
        return
    labels = (Label(first.at, "comes first"),) if first.at is not None else ()
    fixes: tuple[Fix, ...] = removal(guard.at, "remove it") if not alone else ()
    place = "beside it" if item.same else "around it"
    report(
        DeadArm(
            at=guard.at,
            labels=labels,
            fixes=fixes,
            what=f"`{guard.label}` never fires",
            why=f"`{first.label}` {place} comes first",
            advice="timer",
        )
    )


def _branch(branch: Branch, last: Branch, report: Reporter) -> None:
    if branch.at is not None:
        report(
            DeadArm(
                at=branch.at,
                labels=(Label(last.at, "is over before it begins"),) if last.at is not None else (),
                what=f"the branch `{branch.name}` never begins",
                why=f"`{last.name}` ends at once, and the join waits for no more",
                advice="race",
            )
        )


def _held_back(guard: Guard, pivot: Do, report: Reporter) -> None:
    if guard.at is not None:
        report(
            DeadArm(
                at=guard.at,
                labels=(Label(pivot.at, "holds it back"),) if pivot.at is not None else (),
                fixes=removal(guard.at, "remove it"),
                what=f"`{guard.label}` never fires",
                why="nothing waits here but a `pivot`, which nothing interrupts",
                advice="timer",
            )
        )


def _idle(guard: Guard, path: Path, report: Reporter) -> None:
    over = "deadlines inside have always ended it" if path.unknown else "what it watches has always ended"
    most = f"after {spaced_duration(path.total)} at most" if path.total else "at once"
    if guard.at is not None:
        report(
            DeadArm(
                at=guard.at,
                fixes=removal(guard.at, "remove it"),
                what=f"`{guard.label}` never fires",
                why=f"{over} by then, {most}",
                advice="timer" if path.unknown else "over",
            )
        )
