"""Effects that an abort reaches and that say nothing about how they are undone."""

from typing import ClassVar

from wfc.flow.effects import Undone
from wfc.flow.graph import Abort, Point
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, Goto, OperationDef, Start
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value

_UNDOING = ("undo", "cancel", "refund", "release", "revert", "void", "remove", "delete", "recall", "restore")


@value(kw_only=True)
class MissingRollback(Problem):
    """An activity changes the world, a later failure undoes what was done before it, and this says nothing of its undo.

    Whatever leaves a scope abnormally - an error, a cancelling event, a deadline - undoes what was done in it. An
    activity says how it is undone (`compensate call(...)`), or that there is nothing to undo and why (`compensate
    none "why"`), or that it cannot be undone (`irreversible "why"`). Silence is neither: money is taken and kept,
    stock stays reserved. It is an error where the activity is done on every way to the failure, a warning where
    only on some.

    ```wf fails
    service shop {
      activity charge(order: Text) -> Text key order
      activity pack(order: Text) key order compensate none "the parcel is unpacked when it comes back"
    }
    workflow Order(order: Text) key order {
      state Pay  { do shop.charge(order) -> Pack }
      state Pack { do shop.pack(order)  done }
    }
    ```
    ```wf passes
    service shop {
      activity charge(order: Text) -> Text key order compensate refund(order)
      activity refund(order: Text) key order
      activity pack(order: Text) key order compensate none "the parcel is unpacked when it comes back"
    }
    workflow Order(order: Text) key order {
      state Pay  { do shop.charge(order) -> Pack }
      state Pack { do shop.pack(order)  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.ERROR

    operation: str
    started: bool
    cause: str
    certain: bool
    steps: tuple[str, ...]
    suggestion: str
    signature: str

    def level(self) -> Severity:
        return Severity.ERROR if self.certain else Severity.WARNING

    def message(self) -> str:
        return f"`{self.operation}` is not undone when {self.cause}"

    def label(self) -> str:
        if self.started:
            return "starts a process of its own, and says nothing about how that is undone"
        return "changes the world, and says nothing about how it is undone"

    def story(self) -> tuple[str, ...]:
        return self.steps

    def help(self) -> tuple[str, ...]:
        lines: list[str] = []
        if self.started:
            lines.append("say what is to happen to it: `compensate cancel(...)` behind the call")
        elif self.suggestion:
            lines.append(f"say how it is undone: `compensate {self.suggestion}` ({self.signature} fits)")
        else:
            lines.append("say how it is undone: `compensate undo(...)`, an activity of the same service")
        lines.append('if there is nothing to undo, say why: `compensate none "..."`')
        return tuple(lines)


def check(program: Program, report: Reporter) -> None:
    """Reports each activity and each started workflow once, with the most certain and earliest abort."""
    found: dict[str, tuple[tuple[bool, int], WorkflowFlow, Point, Undone]] = {}
    for flow in program.flows.values():
        unsaid = {id(call): program.unsaid(call) for call in flow.effects.calls}
        for undone in flow.effects.undone(call for call in flow.effects.calls if unsaid[id(call)]):
            rank = (not undone.certain, undone.source.number)
            for point in unsaid[id(undone.call)]:
                name = point.step.target if isinstance(point.step, Do | Start) else ""
                if name not in found or rank < found[name][0]:
                    found[name] = (rank, flow, point, undone)
    for _, flow, point, undone in found.values():
        problem = _problem(program, flow, point, undone)
        if problem is not None:
            report(problem)


def _problem(program: Program, flow: WorkflowFlow, point: Point, undone: Undone) -> MissingRollback | None:
    step = point.step
    assert isinstance(step, Do | Start)
    operation = program.operations.get(step.target)
    at = operation.at if operation is not None and isinstance(step, Do) else step.at
    if at is None:
        return None
    candidate = _candidate(program, operation) if operation is not None else None
    suggestion = _call(candidate) if candidate is not None else ""
    return MissingRollback(
        at=at,
        labels=_labels(step, at, undone),
        fixes=_fixes(operation, suggestion),
        operation=step.target,
        started=isinstance(step, Start),
        cause=_cause(undone),
        certain=undone.certain,
        steps=_story(flow, step.target, undone),
        suggestion=suggestion,
        signature=_signature(candidate) if candidate is not None else "",
    )


def _labels(step: Do | Start, at: Span, undone: Undone) -> tuple[Label, ...]:
    """Where it is done, what fails later, and what undoes."""
    labels: list[Label] = []
    if step.at is not None and step.at != at:
        labels.append(Label(step.at, "done here"))
    source = undone.source.step
    if source is not None and source.at is not None and source is not step:
        labels.append(Label(source.at, _why(undone)))
    guard = undone.abort.guard if undone.abort is not None else None
    if guard is not None and guard.at is not None:
        labels.append(Label(guard.at, "leaves, and undoes what was done inside"))
    return tuple(labels)


def _cause(undone: Undone) -> str:
    """What happens afterwards, in a few words."""
    abort, step = undone.abort, undone.source.step
    if abort is None:
        return "a later `undo` asks for it"
    if abort.guard is not None and abort.guard.kind != "catch":
        return f"`{abort.guard.label}` ends this part of the process"
    if isinstance(step, Do):
        return f"`{step.target}` fails later"
    return "a later step fails"


def _why(undone: Undone) -> str:
    abort = undone.abort
    if abort is None:
        return "undoes what was done before"
    if abort.errors:
        shown = [name.rpartition(".")[2] for name in sorted(abort.errors)]
        return f"can still fail: {listed(shown[:3], 'or')}"
    return "may be interrupted here"


def _story(flow: WorkflowFlow, name: str, undone: Undone) -> tuple[str, ...]:
    """The calls on the way, the failure, what is undone and what stays."""
    lines: list[str] = []
    trail = flow.story(undone.source)
    done = [p.step for p in trail if p.kind == "completed" and isinstance(p.step, Do | Start)]
    if undone.call not in trail and isinstance(undone.call.step, Do | Start):
        done.append(undone.call.step)
    lines.extend(f"{call.target}: done" for call in done)
    lines.append(_failure(undone))
    back = [c.target for c in reversed(done) if isinstance(c, Do) and c.effect == "reversible" and c.kind == "activity"]
    if back:
        lines.append(f"undone: {', '.join(back)}")
    lines.append(f"not undone: {name}")
    lines.append(_end(undone.abort))
    return tuple(lines)


def _failure(undone: Undone) -> str:
    abort, step = undone.abort, undone.source.step
    if abort is None:
        return "`undo` takes back what was done"
    if abort.guard is not None and abort.guard.kind != "catch":
        return f"{abort.guard.label}: this part is left"
    name = min(abort.errors).rpartition(".")[2] if abort.errors else "an error"
    if isinstance(step, Do):
        return f"{step.target}: fails with {name}"
    return f"fails with {name}"


def _end(abort: Abort | None) -> str:
    if abort is None:
        return "the process goes on"
    if abort.guard is None:
        return "the process ends as failed"
    steps = abort.guard.steps
    if len(steps) == 1 and isinstance(steps[0], Goto):
        return f"goes on at {steps[0].target}"
    return f"goes on in `{abort.guard.label}`"


def _candidate(program: Program, operation: OperationDef) -> OperationDef | None:
    """An operation of the same service whose parameters this one can fill: the one that sounds most like an undo."""
    own = {(p.name, p.type) for p in operation.params}
    taken = program.undoing | program.called
    fitting = [
        other
        for other in program.operations.values()
        if other.service == operation.service
        and other.kind == "activity"
        and other is not operation
        and other.effect == "unsaid"
        and other.name not in taken
        and all((p.name, p.type) in own for p in other.params)
    ]
    undoing = next((op for op in fitting if any(word in op.name.lower() for word in _UNDOING)), None)
    return undoing or (fitting[0] if len(fitting) == 1 else None)


def _call(candidate: OperationDef) -> str:
    args = ", ".join(p.name for p in candidate.params)
    return f"{candidate.name.rpartition('.')[2]}({args})"


def _signature(candidate: OperationDef) -> str:
    params = ", ".join(f"{p.name}: {p.type}" for p in candidate.params)
    return f"`{candidate.name}({params})`"


def _fixes(operation: OperationDef | None, suggestion: str) -> tuple[Fix, ...]:
    """The clause behind the operation, where one fits. It changes what the process does: not safe."""
    if not suggestion or operation is None or operation.extent is None:
        return ()
    end = operation.extent.end
    place = Span(operation.extent.source, end, end)
    return (Fix(f"add `compensate {suggestion}`", (Edit(place, f" compensate {suggestion}"),)),)
