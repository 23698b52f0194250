"""Choices that leave a value without a way on."""

from wfc.flow.deadlines import limit_around
from wfc.flow.graph import Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.expressions import Expr, Get, Ref, walk
from wfc.ir.machine import Choose, Goto
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign
from wfc.simulation.inquiry import Inquiry
from wfc.text.source import Span
from wfc.text.value import value

_FEW = 3


@value(kw_only=True)
class NonExhaustiveChoice(Problem):
    """The arms of a choice do not cover every value, and nothing else leads on.

    In a gateway the arms cover everything or there is an `otherwise`. Inside a state a value without an arm goes on
    with the next step; if there is none, the process would stand still. Comparisons with constants and of two values,
    cases, truth values and `none` are decided exactly, with all that earlier choices have settled, and a value that has
    no way on is shown. A name that is bound once, to constants, has that value. What only the run can know is said to
    be undecided: an `otherwise` says what then happens.

    ```wf fails
    workflow W(total: Int) {
      gateway Size {
        choose {
          when total > 100 -> Big
          when total < 100 -> Small
        }
      }
      state Big   { done }
      state Small { done }
    }
    ```
    ```wf passes
    workflow W(total: Int) {
      gateway Size {
        choose {
          when total > 100  -> Big
          when total <= 100 -> Small
        }
      }
      state Big   { done }
      state Small { done }
    }
    ```
    """

    name: str
    example: str
    decided: bool
    bounded: bool
    target: str

    def message(self) -> str:
        if self.decided and self.example:
            return f"`{self.name}` has no way on when {self.example}"
        if self.decided:
            return f"`{self.name}` has no way on when no arm holds"
        if self.bounded:
            return f"`{self.name}` may have no way on: there are too many combinations to look at all of them"
        return f"`{self.name}` may have no way on: the compiler cannot tell that one of the arms always holds"

    def label(self) -> str:
        return "no arm for this"

    def help(self) -> tuple[str, ...]:
        shown = f"otherwise -> {self.target}" if self.target else "otherwise -> ..."
        return (f"add an arm for it, or for the rest: `{shown}`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports choices after which nothing stands and whose arms leave a value over."""
    for flow in program.flows.values():
        for item in flow.graph.open:
            for point in item.points:
                if point.kind == "unmatched" and id(point) in flow.live:
                    _report(program, flow, point, item.subject.path, report)


def _report(program: Inquiry, flow: WorkflowFlow, point: Point, name: str, report: Reporter) -> None:
    choice = point.step
    if not isinstance(choice, Choose) or choice.at is None:
        return
    verdict = flow.verdict(choice)
    target = _last_target(choice)
    limit = limit_around(point)
    long = f"until `{limit}`" if limit else "for ever"
    sign, closing = Sign("halted", name), Step(f"no arm holds: the process stands in `{name}` {long}", choice.at)
    claim = Claim(flow.workflow.name, (), sign, point, stops=True, names=_names(choice))
    shown = program.show(claim, (closing,))
    if shown.verdict == "impossible":
        return
    report(
        NonExhaustiveChoice(
            at=choice.at,
            trace=shown.trace,
            labels=_labels(choice, decided=verdict.decided),
            name=name,
            example=verdict.example,
            decided=verdict.decided,
            bounded=verdict.bounded,
            target=target,
            fixes=_fixes(choice, target),
        )
    )


def _names(choice: Choose) -> tuple[str, ...]:
    """What the arms ask about: names, and fields of names."""
    found: dict[str, None] = {}
    for arm in choice.arms:
        whole = [part for part in walk(arm.test) if isinstance(part, Ref | Get)]
        inner = {id(part.target) for part in whole if isinstance(part, Get)}
        names = (_name(part) for part in whole if id(part) not in inner)
        found.update({name: None for name in names if name})
    return tuple(found)


def _name(expr: Expr) -> str:
    """`order.total`; nothing if it does not begin with a name of the process."""
    if isinstance(expr, Get):
        around = _name(expr.target)
        return f"{around}.{expr.name}" if around else ""
    return expr.name if isinstance(expr, Ref) and expr.kind in ("param", "local", "var") else ""


def _labels(choice: Choose, *, decided: bool) -> tuple[Label, ...]:
    """The arms that pass the value by, if they are few."""
    if not decided or len(choice.arms) > _FEW:
        return ()
    return tuple(Label(arm.at, "does not hold") for arm in choice.arms if arm.at is not None)


def _last_target(choice: Choose) -> str:
    """Where the last arm leads, if it is an arrow."""
    last = choice.arms[-1].steps if choice.arms else ()
    return last[0].target if len(last) == 1 and isinstance(last[0], Goto) else ""


def _fixes(choice: Choose, target: str) -> tuple[Fix, ...]:
    """An `otherwise` behind the last arm, leading where that leads."""
    arm = choice.arms[-1] if choice.arms else None
    if not target or arm is None or arm.at is None:
        return ()
    last = arm.steps[0]
    if last.at is None:
        return ()
    indent = " " * (arm.at.position[1] - 1)
    place = Span(last.at.source, last.at.end, last.at.end)
    return (Fix(f"add `otherwise -> {target}`", (Edit(place, f"\n{indent}otherwise -> {target}"),)),)
