"""Guards that name some failures of the system and forget others that can arrive as well."""

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from wfc.flow.graph import Frame
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Guard
from wfc.problems.problem import Edit, Fix, Problem, Reporter, Severity, Step
from wfc.simulation.claim import FIRST, Claim, Sign, leaving
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value

TRIES = 3  # steps for which a run is looked for

_ANSWERS = frozenset(("Timeout", "Unavailable", "Invalid"))  # a lock that is not free is another matter
_LOCKS = frozenset(("LockTimeout", "LockLost"))  # who thinks of the rare one must not forget the common one


@value(kw_only=True)
class PartialCatch(Problem):
    """A `catch` names one way in which a system fails, and another one that can happen here goes unheard.

    A service that does not answer in time, cannot be reached, or answers nonsense is mostly the same trouble for the
    business. Whoever plans for `Timeout` alone is surprised by `Unavailable`: the process fails where it was meant to
    go on. `System` stands for all of them. Nothing is said where something around catches the others.

    ```wf fails
    service bureau { query score(id: Text) -> Int }
    workflow W(id: Text) -> Int {
      state Ask {
        do bureau.score(id) as score
           catch Timeout -> Unknown
        done score
      }
      state Unknown { done 0 }
    }
    ```
    ```wf passes
    service bureau { query score(id: Text) -> Int }
    workflow W(id: Text) -> Int {
      state Ask {
        do bureau.score(id) as score
           catch System -> Unknown
        done score
      }
      state Unknown { done 0 }
    }
    ```
    Where the others are meant to fail the process, say so: `catch Unavailable, Invalid as problem { fail problem }`.
    """

    severity: ClassVar[Severity] = Severity.HINT

    named: tuple[str, ...]
    missing: tuple[str, ...]

    def message(self) -> str:
        named = listed([f"`{name}`" for name in self.named])
        missing = listed([f"`{name}`" for name in self.missing])
        return f"this catches {named}, and not {missing}, which can happen here too"

    def label(self) -> str:
        return "forgets some"

    def help(self) -> tuple[str, ...]:
        return ("`catch System` takes every failure of the system",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each `catch` beside whose names others of the same kind arrive and are caught by nobody."""
    for flow in program.flows.values():
        for frame in flow.graph.frames:
            if frame.entry is not None and flow.reached(frame.entry):
                for guard in frame.guards:
                    _guard(program, flow, frame, guard, report)


def _guard(program: Inquiry, flow: WorkflowFlow, frame: Frame, guard: Guard, report: Reporter) -> None:
    if guard.kind != "catch" or guard.any or guard.at is None or any(name == "System" for name, _ in guard.groups):
        return
    named, missing = frozenset[str](), frozenset[str]()
    for kind, telling in ((_ANSWERS, _ANSWERS), (_LOCKS, {"LockLost"})):
        if telling & set(guard.names):
            named |= kind & set(guard.names)
            missing |= (kind & frame.arrivals) - _caught(frame)
    if named and missing:
        names = tuple(sorted(missing))
        report(
            PartialCatch(
                at=guard.at,
                named=tuple(sorted(named)),
                missing=names,
                trace=program.first(_claims(flow, frame, guard, missing)).trace,
                fixes=_fixes(guard, names),
            )
        )


def _claims(
    flow: WorkflowFlow, frame: Frame, guard: Guard, missing: frozenset[str] | set[str]
) -> Iterator[tuple[Claim, tuple[Step, ...]]]:
    """Runs in which one of the others arrives and passes by."""
    closing = (Step(f"`{guard.label}` does not hear it", guard.at),)
    sources = (point for point in flow.graph.points if point.frame.inside(frame) and flow.reached(point))
    aborts = (abort for point in sources for abort in point.aborts if abort.errors & missing)
    for abort in islice(aborts, TRIES):
        errors = abort.errors & missing
        for name in (*(each for each in FIRST if each in errors), *sorted(errors - set(FIRST))):
            yield leaving(flow, (), abort.source, abort, Sign("raised", name), errors=frozenset((name,))), closing


def _caught(frame: Frame) -> set[str]:
    """What the guards of a frame and of those around it catch."""
    found: set[str] = set()
    for outer in frame.outward():
        for guard in outer.guards:
            if guard.kind == "catch":
                found |= _ANSWERS | _LOCKS if guard.any else set(guard.names)
        if outer.kind == "also":
            break
    return found


def _fixes(guard: Guard, names: tuple[str, ...]) -> tuple[Fix, ...]:
    """The others go the same way. Whether they should is the author's to say: not safe."""
    assert guard.at is not None
    written = guard.groups[-1][0]
    text = guard.at.source.text
    start = text.find(written, guard.at.end)
    for name, _ in guard.groups[:-1]:
        start = text.find(written, max(start, text.find(name, guard.at.end)))
    if start < 0:
        return ()
    place = Span(guard.at.source, start + len(written), start + len(written))
    added = ", ".join(names)
    return (Fix(f"catch `{added}` as well", (Edit(place, f", {added}"),)),)
