"""Effects that an abort reaches and that say nothing about how they are undone."""

from collections.abc import Iterator
from itertools import count
from typing import ClassVar

from wfc.flow.effects import DOUBTFUL, Undone
from wfc.flow.graph import Abort, Point
from wfc.flow.program import Program, WorkflowFlow
from wfc.flow.sending import child_key
from wfc.ir.machine import Do, OperationDef, Start
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step, Trace
from wfc.simulation.claim import Claim, Sign, Waypoint, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import Value, value

TRIES = 12  # aborts of one effect for which a run is looked for
CANCELS = 3  # places at which an operator may cancel, likewise

_UNDOING = ("undo", "cancel", "refund", "release", "revert", "void", "remove", "delete", "recall", "restore")


@value(kw_only=True)
class MissingRollback(Problem):
    """An activity changes the world, a later failure undoes what was done before it, and this says nothing of its undo.

    Whatever leaves a scope abnormally - an error, a cancelling event, a deadline - undoes what was done in it. An
    activity says how it is undone (`compensate call(...)`), or that there is nothing to undo and why (`compensate
    none "why"`), or that it cannot be undone (`irreversible "why"`). Silence is neither: money is taken and kept,
    stock stays reserved. It is an error where the activity is done on every way to the failure, a warning where
    only on some, or where nothing can end the process but an operator's cancel, or a child that runs already.

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

    arguable: ClassVar[bool] = True

    operation: str
    started: bool
    cause: str
    certain: bool
    doubt: bool
    suggestion: str
    signature: str

    def level(self) -> Severity:
        return Severity.ERROR if self.certain else Severity.WARNING

    def message(self) -> str:
        if self.doubt:
            return f"`{self.operation}` may have been done when {self.cause}, and it is not undone"
        return f"`{self.operation}` is not undone when {self.cause}"

    def label(self) -> str:
        if self.started:
            return "starts a process of its own, and says nothing about how that is undone"
        return "changes the world, and says nothing about how it is undone"

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


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each activity and each started workflow once, by the surest and earliest abort that a run shows.

    An operator may cancel whatever waits. That is told only where nothing else undoes the activity, and a run shows it.
    Last comes what no run shows: a child that somebody else has started under the same key.
    """
    told: set[str] = set()
    aborts = _candidates(program)
    for name, cases in aborts.items():
        problem = _problem(program, cases)
        if problem is not None:
            told.add(name)
            report(problem)
    for name, cases in _cancels(program, told).items():
        problem = _problem(program, cases)
        if problem is not None:
            told.add(name)
            report(problem)
    for name, cases in aborts.items():
        case = next((case for case in cases if _refused(program, case)), None) if name not in told else None
        problem = _told(program, case, None, refused=True) if case is not None else None
        if problem is not None:
            report(problem)


@value
class _Case(Value):
    """An abort that reaches something done at `point`, in a run that begins in `flow`."""

    flow: WorkflowFlow
    point: Point
    undone: Undone

    @property
    def name(self) -> str:
        """What is done there."""
        return _called(self.point)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        return not self.undone.certain, self.undone.doubt, self.undone.source.number


def _candidates(program: Inquiry) -> dict[str, list[_Case]]:
    """By name of what is done: the aborts that reach it, the surest first."""
    found: dict[str, list[_Case]] = {}
    for flow in program.flows.values():
        unsaid = _unsaid(program, flow)
        for undone in flow.effects.undone(unsaid, most=TRIES):
            for case in _cases(flow, unsaid[undone.call], undone):
                if undone.doubt and isinstance(case.point.step, Do) and case.name in program.undoing:
                    continue  # what undoes stands being run with nothing to undo, and once more
                found.setdefault(case.name, []).append(case)
    return {name: sorted(cases, key=lambda case: case.rank) for name, cases in found.items()}


def _cancels(program: Inquiry, told: set[str]) -> dict[str, list[_Case]]:
    """By name of what is done: the first places behind it at which an operator may cancel."""
    found: dict[str, list[_Case]] = {}
    for flow in program.flows.values():
        unsaid = _unsaid(program, flow)
        for undone in flow.effects.cancelled(unsaid, most=CANCELS):
            for case in _cases(flow, unsaid[undone.call], undone):
                if case.name not in told | program.undoing:  # a clean-up is meant to stay done
                    found.setdefault(case.name, []).append(case)
    return found


def _unsaid(program: Inquiry, flow: WorkflowFlow) -> dict[Point, tuple[Point, ...]]:
    """The calls of a workflow that leave something of which nothing is said, and what that is."""
    every = ((call, program.unsaid(call)) for call in flow.effects.calls)
    return {call: left for call, left in every if left}


def _cases(flow: WorkflowFlow, left: tuple[Point, ...], undone: Undone) -> Iterator[_Case]:
    return (_Case(flow, point, undone) for point in left)


def _problem(program: Inquiry, cases: list[_Case]) -> MissingRollback | None:
    case, trace = cases[0], None
    cancel = cases[0].undone.cancel
    possible = len(cases) >= TRIES and not cancel  # there may be more
    for each in cases[:TRIES]:
        shown = program.show_missing(_claim(program, each), _closing(each.point))
        if shown.trace is not None and (shown.verdict == "shown" or not cancel):
            case, trace = each, shown.trace
            break
        if shown.verdict == "open" and not possible and not cancel:
            case, possible = each, True
    return _told(program, case, trace) if trace is not None or possible else None


def _refused(program: Inquiry, case: _Case) -> bool:
    """Whether the abort is that of a child which has a key of its own, and may run under it already."""
    abort, call = case.undone.abort, case.undone.source.step
    if abort is None or "AlreadyRunning" not in abort.errors or not isinstance(call, Do) or call.kind != "workflow":
        return False
    workflow = program.sending.workflows.get(call.target)
    return workflow is not None and child_key(call, workflow) is not None


def _told(program: Inquiry, case: _Case, trace: Trace | None, *, refused: bool = False) -> MissingRollback | None:
    step, undone = case.point.step, case.undone
    assert isinstance(step, Do | Start)
    operation = program.operations.get(step.target)
    at = operation.at if operation is not None and isinstance(step, Do) else step.at
    if at is None:
        return None
    candidate = _candidate(program, operation) if operation is not None else None
    suggestion = _call(candidate) if candidate is not None else ""
    return MissingRollback(
        at=at,
        labels=_labels(step, at, undone, refused=refused),
        fixes=_fixes(operation, suggestion) or _stub(program, operation),
        trace=trace,
        operation=step.target,
        started=isinstance(step, Start),
        cause=_cause(undone, step.target) if not refused else f"`{_called(undone.source)}` runs already",
        certain=undone.certain and not undone.cancel and not refused,
        doubt=undone.doubt,
        suggestion=suggestion,
        signature=_signature(candidate) if candidate is not None else "",
    )


def _called(point: Point) -> str:
    return point.step.target if isinstance(point.step, Do | Start) else ""


def _claim(program: Inquiry, case: _Case) -> Claim:
    """A run in which it is done, and then an abort reaches it."""
    sign, undone = Sign("missing undo"), case.undone
    done = program.ways.at(case.point.step)
    assert done is not None
    ways = [] if undone.doubt else [Waypoint("done", done)]
    if undone.cancel:
        return Claim(case.flow.workflow.name, (*ways, Waypoint("cancel", undone.source)), sign)
    if undone.abort is None:  # an `undo` goes with what comes before it
        return Claim(case.flow.workflow.name, tuple(ways), sign, undone.source)
    return leaving(case.flow, tuple(ways), undone.source, undone.abort, sign)


def _closing(point: Point) -> tuple[Step, ...]:
    return (Step(f"not undone: {_called(point)}"),) if _called(point) else ()


def _labels(step: Do | Start, at: Span, undone: Undone, *, refused: bool) -> tuple[Label, ...]:
    """Where it is done, what fails later, and what undoes."""
    labels: list[Label] = []
    source = undone.source.step
    if step.at is not None and step.at != at and source is not step:
        labels.append(Label(step.at, "done here"))
    if source is not None and source.at is not None and source.at != at:
        labels.append(Label(source.at, _why(undone) if not refused else "may run under its key already"))
    guard = undone.abort.guard if undone.abort is not None else None
    if guard is not None and guard.at is not None:
        labels.append(Label(guard.at, "leaves, and undoes what was done inside"))
    return tuple(labels)


def _cause(undone: Undone, operation: str) -> str:
    """What happens afterwards, in a few words."""
    abort, step = undone.abort, undone.source.step
    if undone.cancel:
        return "an operator cancels the process"
    if abort is None:
        return "a later `undo` asks for it"
    if abort.guard is not None and abort.guard.kind != "catch":
        return f"`{abort.guard.label}` ends this part of the process"
    if undone.doubt and abort.errors & DOUBTFUL:
        return "its answer is lost"
    if undone.doubt and abort.errors:
        return f"it fails with {listed(_doubted(abort)[:3], 'or')}"
    if undone.doubt:
        return "another branch ends it"
    if _lost_race(abort):
        return "another branch comes first"
    if isinstance(step, Do) and step.target == operation:
        return "another call of it fails"
    if isinstance(step, Do):
        return f"`{step.target}` fails later"
    return "a later step fails"


def _why(undone: Undone) -> str:
    abort = undone.abort
    if undone.cancel:
        return "an operator may cancel here"
    if abort is None:
        return "undoes what was done before"
    if abort.errors:
        if undone.doubt:
            return f"after {listed(_doubted(abort)[:3], 'or')} nobody can tell whether it was done"
        shown = [name.rpartition(".")[2] for name in sorted(abort.errors)]
        return f"can still fail: {listed(shown[:3], 'or')}"
    return "is given up when another branch comes first" if _lost_race(abort) else "may be interrupted here"


def _doubted(abort: Abort) -> list[str]:
    """The errors behind which something may have been done."""
    shown = [name.rpartition(".")[2] for name in sorted(abort.errors)]
    return [name for name in shown if name not in ("Unavailable", "LockTimeout")]


def _lost_race(abort: Abort) -> bool:
    """Whether nothing has failed: the branch is not needed any more."""
    return abort.guard is None and not abort.errors and abort.frame.kind == "branch"


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


def _stub(program: Program, operation: OperationDef | None) -> tuple[Fix, ...]:
    """A new activity of the service that undoes this one, and the clause that names it. To be filled in: not safe."""
    if operation is None or operation.extent is None or operation.at is None:
        return ()
    source, end = operation.extent.source, operation.extent.end
    params = _params_as_written(source.text[operation.at.end : end])
    short = operation.name.rpartition(".")[2]
    name = next(n for n in _names(short) if f"{operation.service}.{n}" not in program.operations)
    if params is None:
        return ()
    args = ", ".join(param.name for param in operation.params)
    line = source.line(operation.extent.line)
    indent = line[: len(line) - len(line.lstrip())] or "  "
    text = f" compensate {name}({args})\n{indent}activity {name}{params}"
    return (Fix(f"add an activity `{name}` that undoes it", (Edit(Span(source, end, end), text),)),)


def _names(short: str) -> Iterator[str]:
    yield f"undo_{short}"
    yield from (f"undo_{short}{number}" for number in count(2))


def _params_as_written(text: str) -> str | None:
    """The parameters in their parentheses, from behind the name of an operation."""
    start = text.find("(")
    deep = 0
    for place in range(max(start, 0), len(text)):
        deep += {"(": 1, ")": -1}.get(text[place], 0)
        if deep == 0:
            return None if '"' in text[:place] else " ".join(text[start : place + 1].split())
    return None
