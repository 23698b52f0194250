"""Guards that catch what cannot happen."""

from wfc.flow.errors import ANSWERS
from wfc.flow.graph import Frame, Graph
from wfc.flow.program import Program
from wfc.ir.machine import Do, Guard
from wfc.problems.problem import Edit, Fix, Problem, Reporter, Severity
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class ImpossibleCatch(Problem):
    """A `catch` names an error that nothing inside can raise.

    The tail behind it is never run, and whoever reads it believes in a case that does not exist. A group is fine as
    long as one of its errors can occur.

    ```wf fails
    error CardDeclined
    error OutOfStock
    service payments { query check(id: Text) raises CardDeclined }
    workflow W(id: Text) {
      state Pay {
        do payments.check(id)
           catch CardDeclined, OutOfStock -> Failed
        done
      }
      state Failed { done }
    }
    ```
    ```wf passes
    error CardDeclined
    service payments { query check(id: Text) raises CardDeclined }
    workflow W(id: Text) {
      state Pay {
        do payments.check(id)
           catch CardDeclined -> Failed
        done
      }
      state Failed { done }
    }
    ```
    """

    name: str
    alone: bool

    def level(self) -> Severity:
        return Severity.WARNING if self.name == "any" else Severity.ERROR

    def message(self) -> str:
        if self.name == "any":
            return "there is nothing to catch here: nothing inside can fail"
        return f"`{self.name}` cannot occur here"

    def label(self) -> str:
        return "nothing inside raises it"

    def help(self) -> tuple[str, ...]:
        if self.fixes:
            return ()
        return ("remove this guard" if self.alone else f"remove `{self.name}` from this `catch`",)


def check(program: Program, report: Reporter) -> None:
    """Reports each name of a `catch` none of whose errors arrives."""
    for flow in program.flows.values():
        by_hand = _by_hand(program, flow.graph)
        for frame in flow.graph.frames:
            if frame.entry is None or flow.reached(frame.entry):
                _frame(frame, frame.arrivals | by_hand.get(id(frame), set()), report)


def _by_hand(program: Program, graph: Graph) -> dict[int, set[str]]:
    """What an operator may raise for a call that is parked, by the frames that it reaches."""
    parking = program.policies.parking
    found: dict[int, set[str]] = {}
    for point in graph.points:
        if point.kind == "do" and isinstance(point.step, Do) and point.step.policy in parking:
            for frame in point.frame.outward():
                found.setdefault(id(frame), set()).update(ANSWERS, ("Invalid",))
    return found


def _frame(frame: Frame, arrivals: set[str], report: Reporter) -> None:
    taken: set[str] = set()
    for guard in frame.guards:
        if guard.kind == "catch" and guard.any:
            if not arrivals and guard.at is not None:
                report(ImpossibleCatch(at=guard.at, name="any", alone=True))
            taken |= arrivals
        if guard.kind != "catch" or guard.any or guard.at is None:
            continue
        for name, errors in guard.groups:
            if not (set(errors) & arrivals) - taken:
                alone = len(guard.groups) == 1
                report(
                    ImpossibleCatch(
                        at=_place(guard, name), name=name, alone=alone, fixes=() if alone else _fixes(guard, name)
                    )
                )
        taken |= set(guard.names)


def _place(guard: Guard, name: str) -> Span:
    """The name in the guard's text."""
    assert guard.at is not None
    text = guard.at.source.text
    at = text.find(name, guard.at.end)
    return Span(guard.at.source, at, at + len(name)) if at >= 0 else guard.at


def _fixes(guard: Guard, name: str) -> tuple[Fix, ...]:
    """The name goes, with one comma."""
    at = _place(guard, name)
    text = at.source.text
    names = [written for written, _ in guard.groups]
    if names.index(name) == 0:
        end = text.find(names[1], at.end)
        edit = Edit(Span(at.source, at.start, end), "")
    else:
        before = text.rfind(",", 0, at.start)
        edit = Edit(Span(at.source, before, at.end), "")
    return (Fix(f"remove `{name}`", (edit,), safe=True),)
