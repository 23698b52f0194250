"""Failed calls after which the process goes on as if they had worked."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.graph import Abort, Frame, Point
from wfc.flow.program import WorkflowFlow
from wfc.flow.ways import WAITING
from wfc.ir.machine import (
    Audit,
    Choose,
    Do,
    Done,
    Goto,
    Guard,
    Let,
    Measure,
    Node,
    Parallel,
    Region,
    Scope,
    Start,
    State,
    Step,
)
from wfc.ir.walk import nodes, own_steps
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity
from wfc.problems.problem import Step as TraceStep
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value

TRIES = 4  # ways into one guard for which a run is looked for


@value(kw_only=True)
class SwallowedAbort(Problem):
    """A call fails, its `catch` does nothing about it, and the process ends as a success.

    The handler falls back into the way of success, or leads to the very node that comes next anyway, without giving
    what the call would have given, and without anything done instead. What follows believes that the call has worked:
    goods are shipped that nobody has paid for. The same goes for a state or a scope that is left by one of its guards,
    so that what was done in it is undone, and goes on where its own arrow leads too, and for a `parallel` whose `catch`
    does nothing. Let the error leave, or lead it to where it is dealt with. If a failure really does no harm, say so:
    `optional` at the call.

    ```wf fails
    error CardDeclined
    service shop {
      activity charge(order: Text) raises CardDeclined key order compensate refund(order)
      activity refund(order: Text) key order
      activity ship(order: Text) key order compensate none "the parcel comes back by itself"
    }
    workflow Order(order: Text) key order {
      state Pay {
        do shop.charge(order)
           catch CardDeclined { audit "not paid" }
        -> Ship
      }
      state Ship { do shop.ship(order)  done }
    }
    ```
    ```wf passes
    error CardDeclined
    service shop {
      activity charge(order: Text) raises CardDeclined key order compensate refund(order)
      activity refund(order: Text) key order
      activity ship(order: Text) key order compensate none "the parcel comes back by itself"
    }
    workflow Order(order: Text) key order {
      state Pay {
        do shop.charge(order)
           catch CardDeclined { audit "not paid"  done }
        -> Ship
      }
      state Ship { do shop.ship(order)  done }
    }
    ```
    Where it is meant otherwise, the source says so:

    ```wf passes
    error CardDeclined
    service shop {
      activity charge(order: Text) raises CardDeclined key order compensate refund(order)
      activity refund(order: Text) key order
      activity ship(order: Text) key order compensate none "the parcel comes back by itself"
    }
    workflow Order(order: Text) key order {
      state Pay {
        do shop.charge(order)
           catch CardDeclined { audit "not paid" } // allow swallowed-abort: the invoice lies in the parcel
        -> Ship
      }
      state Ship { do shop.ship(order)  done }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    operation: str
    errors: tuple[str, ...]
    optional: bool
    place: str = ""
    trigger: str = ""
    target: str = ""
    event: bool = False

    def level(self) -> Severity:
        return Severity.WARNING if self.event else Severity.ERROR

    def message(self) -> str:
        if self.place:
            follows = f"`{self.target}` follows" if self.target else "the next step follows"
            return f"after `{self.trigger}` nothing is left of {self.place}, and {follows} all the same"
        shown = listed(self.errors[:3], "or")
        return f"when `{self.operation}` fails with {shown}, the process goes on as if it had worked"

    def label(self) -> str:
        if self.place:
            return f"goes on as if {self.place} had worked"
        return "handled, and then the next step comes all the same"

    def help(self) -> tuple[str, ...]:
        if self.place:
            own = "let the error leave (remove this guard), or lead it" if not self.event else "lead it"
            return (
                f"{own} to where it is dealt with: `{self.trigger} -> ...`",
                "if it is meant so, say why: `// allow swallowed-abort: why`",
            )
        lines = ["let the error leave (remove this guard): what was done before is undone"]
        lines.append("or lead it to where it is dealt with: `catch ... -> Refused`")
        if self.optional:
            lines.append("if a failure does no harm, say so: `optional` at the call")
        lines.append("if it is meant so, say why: `// allow swallowed-abort: why`")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports the guards that swallow a failure, if a run then ends as a success."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            if point.kind == "do" and isinstance(point.step, Do) and flow.reached(point):
                for abort in _swallowing(point, point.step):
                    _report(program, flow, point, abort, report)
        for aborts in _around(program, flow).values():
            _place(program, flow, aborts, report)


def _swallowing(point: Point, step: Do) -> Iterator[Abort]:
    """The aborts to guards of the call itself that change nothing."""
    if step.kind == "query" or (step.bind is not None and step.effect == "none"):
        return
    after = _next_arrow(point.next[0]) if point.next else None
    for abort in point.aborts:
        guard = abort.guard
        if guard is None or guard.kind != "catch" or guard not in step.guards:
            continue
        if not _does_nothing(guard.steps) or any(isinstance(s, Let) and s.name == step.bind for s in guard.steps):
            continue
        target = _arrow(guard)
        if target is None or target == after:
            yield abort


def _next_arrow(point: Point) -> str | None:
    """Where the flow leads behind a point by an arrow, if nothing but telling comes before it."""
    while len(point.next) == 1:
        point = point.next[0]
        if not isinstance(point.step, Audit | Measure | Let):
            break
    return point.step.target if isinstance(point.step, Goto) else None


# ---------------------------------------------------------------------------------------------- states and scopes


def _around(program: Inquiry, flow: WorkflowFlow) -> dict[int, list[Abort]]:
    """By guard of a state or scope that leads where its own arrow leads too: the aborts that go there.

    Not where the way leads back: the next round does it anew.
    """
    own: set[int] = set()
    entries = {node.path: flow.graph.entries[id(node)] for node in nodes(flow.workflow.region)}
    for node in nodes(flow.workflow.region):
        target = _only_arrow(node)
        if target is None:
            continue
        same = [
            guard
            for guard in (node.region.guards if isinstance(node, Scope) else node.guards)
            if not guard.also and not guard.keep and _arrow(guard) == target and _does_nothing(guard.steps)
        ]
        around = node.path.rpartition(".")[0]
        behind = entries.get(f"{around}.{target}" if around else target)
        if same and behind is not None and id(behind) not in program.ways.to(flow.graph.entries[id(node)]):
            own.update(id(guard) for guard in same)
    own.update(_of_parallels(program, flow))
    found: dict[int, list[Abort]] = {}
    for point in flow.graph.points if own else ():
        for abort in point.aborts:
            if id(abort.guard) in own and flow.reached(point):
                found.setdefault(id(abort.guard), []).append(abort)
    return found


def _of_parallels(program: Inquiry, flow: WorkflowFlow) -> Iterator[int]:
    """The guards of a `parallel` without a value behind which the next step comes."""
    forks = {id(p.step): p for p in flow.graph.points if p.kind == "fork" and isinstance(p.step, Parallel)}
    for join in flow.graph.points:
        fork = forks.get(id(join.step)) if join.kind == "join" else None
        if fork is None or not isinstance(fork.step, Parallel) or fork.step.bind is not None:
            continue
        found = [guard for guard in fork.step.guards if _swallows(guard) and _arrow(guard) in (None, _next_arrow(join))]
        if found and not any(id(point) in program.ways.to(fork) for point in join.next):
            yield from (id(guard) for guard in found)  # where it leads back, the next round does it anew


def _swallows(guard: Guard) -> bool:
    return guard.kind == "catch" and not guard.also and not guard.keep and _does_nothing(guard.steps)


def _only_arrow(node: Node) -> str | None:
    """The one way on from a node, guards apart."""
    match node:
        case Scope(next=target, implicit=implicit):
            return None if implicit else target
        case State(steps=steps):
            exits = {s.target if isinstance(s, Goto) else "" for s in own_steps(steps) if isinstance(s, Goto | Done)}
            return exits.pop() or None if len(exits) == 1 else None


def _place(program: Inquiry, flow: WorkflowFlow, aborts: list[Abort], report: Reporter) -> None:
    """Reports a guard if what it takes back, or what has failed, is missed by what follows."""
    guard, frame = aborts[0].guard, aborts[0].frame
    changing = sum(flow.effects.bit[id(call)] for call in flow.effects.calls if _changes(call))
    lost = [(abort, call) for abort in aborts if (call := _lost(flow, abort, changing)) is not None]
    if guard is None or guard.at is None or not lost:
        return
    target, event = _arrow(guard) or _next_of(flow, frame), guard.kind != "catch"
    if event and _only_ends(flow, target):
        return
    lost.sort(key=lambda pair: pair[1] is pair[0].source)  # something is undone: that is seen best
    place = _name(frame)
    shown = program.first(
        (claim, (TraceStep(f"nothing is left of {place}"),))
        for abort, _ in lost[:TRIES]
        for claim in _claims(flow, abort)
    )
    if shown.verdict == "impossible":
        return
    abort, call = lost[0]
    labels = []
    if call.step is not None and call.step.at is not None:
        labels.append(Label(call.step.at, "did not happen" if call is abort.source else "is undone"))
    where = abort.source.step
    if call is not abort.source and where is not None and where.at is not None:
        labels.append(Label(where.at, "may be left from here"))
    names = tuple(sorted(name.rpartition(".")[2] for name in abort.errors))
    label = guard.label.removesuffix(" also")
    report(
        SwallowedAbort(
            at=guard.at,
            labels=tuple(labels),
            trace=shown.trace,
            operation=_target(call),
            errors=names,
            optional=False,
            place=place,
            trigger=label,
            target=target,
            event=event,
        )
    )


def _lost(flow: WorkflowFlow, abort: Abort, changing: int) -> Point | None:
    """A call whose effect is missing behind an abort: one that is undone, or the one that has failed."""
    effects, point = flow.effects, abort.source
    bits = effects.may.get(id(point), 0) & effects.mask(abort.frame) & changing
    if bits:
        return effects.calls[(bits & -bits).bit_length() - 1]
    return point if abort.errors and point.kind == "do" and _changes(point) else None


def _changes(point: Point) -> bool:
    step = point.step
    if isinstance(step, Start):
        return step.undo is not None and step.undo.kind == "steps"
    if not isinstance(step, Do) or step.optional:
        return False
    return step.effect in ("reversible", "irreversible", "unsaid") or step.kind == "workflow"


def _only_ends(flow: WorkflowFlow, name: str) -> bool:
    """Whether nothing is done or said in a node but that the process is over."""
    found = (node for node in nodes(flow.workflow.region) if isinstance(node, State) and node.name == name)
    return any(
        all(isinstance(s, Audit | Measure) or (isinstance(s, Done) and s.value is None) for s in node.steps)
        for node in found
    )


def _name(frame: Frame) -> str:
    subject = frame.subject
    return f"`{subject.path}`" if isinstance(subject, State | Region) else "this `parallel`"


def _next_of(flow: WorkflowFlow, frame: Frame) -> str:
    """Where the arrow behind a `parallel` leads, if there is one."""
    joins = (point for point in flow.graph.points if point.kind == "join" and point.step is frame.subject)
    return next((target for join in joins if (target := _next_arrow(join)) is not None), "")


def _target(call: Point) -> str:
    return call.step.target if isinstance(call.step, Do | Start) else ""


def _behind(point: Point, guard: Guard) -> tuple[Waypoint, ...]:
    """The step or node that comes when a call has worked, if there is one; an arrow of the guard leads to the node."""
    passed = (Goto,) if _arrow(guard) is None else (Goto, Audit, Measure, Let)
    after = point.next[0] if point.next else point
    while len(after.next) == 1 and (after.kind == "completed" or isinstance(after.step, passed)):
        after = after.next[0]
    comes = after.kind == "node" or (after.kind in WAITING and after.step is not None)
    return (Waypoint("pass", after),) if comes else ()


def _claims(flow: WorkflowFlow, abort: Abort, then: tuple[Waypoint, ...] = ()) -> Iterator[Claim]:
    """Runs in which a guard takes over and that then end as a success: first one in which nothing else fails."""
    name, sign = flow.workflow.name, Sign("completed")
    if abort.source.kind not in WAITING:
        yield Claim(name, (), sign, abort.source)
        return
    ways = (Waypoint("leave", abort.source, abort), *then)
    yield Claim(name, ways, sign)
    yield Claim(name, ways, sign, flow.graph.end)


def _does_nothing(steps: tuple[Step, ...]) -> bool:
    """Whether steps only tell, and lead on or fall off."""
    for step in steps:
        match step:
            case Audit() | Measure() | Let() | Goto():
                continue
            case Choose(arms=arms, otherwise=otherwise):
                if not all(_does_nothing(arm.steps) for arm in arms) or not _does_nothing(otherwise or ()):
                    return False
            case _:
                return False
    return True


def _arrow(guard: Guard) -> str | None:
    """Where a guard leads, if it does."""
    last = guard.steps[-1] if guard.steps else None
    return last.target if isinstance(last, Goto) else None


def _report(program: Inquiry, flow: WorkflowFlow, point: Point, abort: Abort, report: Reporter) -> None:
    step, guard = point.step, abort.guard
    assert isinstance(step, Do)
    if guard is None or guard.at is None:
        return
    closing = (TraceStep(f"not done: {step.target}"),)
    shown = program.first((claim, closing) for claim in _claims(flow, abort, _behind(point, guard)))
    if shown.verdict == "impossible":
        return
    report(
        SwallowedAbort(
            at=guard.at,
            labels=(Label(step.at, "did not happen"),) if step.at is not None else (),
            fixes=_fixes(step, guard),
            trace=shown.trace,
            operation=step.target,
            errors=tuple(sorted(name.rpartition(".")[2] for name in abort.errors)),
            optional=step.bind is None,
        )
    )


def _fixes(step: Do, guard: Guard) -> tuple[Fix, ...]:
    """The guard goes, where it is one line. What happens then is another process: not safe."""
    if guard.at is None or len(step.guards) != 1 or step.bind is not None or (guard.any is False and guard.names == ()):
        return ()
    source = guard.at.source
    line = source.line_starts[guard.at.line - 1]
    text = source.text[line : source.text.find("\n", line) + 1 or len(source.text)]
    if not text.strip().startswith("catch") or text.count("{") != text.count("}"):
        return ()
    return (Fix("let the error leave", (Edit(Span(source, line, line + len(text)), ""),)),)
