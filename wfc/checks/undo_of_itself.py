"""Operations that are undone by themselves."""

from typing import ClassVar

from wfc.flow.program import Program
from wfc.ir.machine import Do
from wfc.ir.walk import all_steps, region_steps
from wfc.problems.problem import Label, Problem, Reporter, Severity
from wfc.text.value import value


@value(kw_only=True)
class UndoOfItself(Problem):
    """A call is undone by the very same call: what was done is done once more.

    The undo of an operation has to take back what it did. One that calls the operation itself, with what it was given,
    books a second room to give the first one back. Where the same operation really turns a thing back, such as a
    switch, it is told by what it is given: then the arguments differ.

    ```wf fails
    error Full
    service rooms {
      activity hold(guest: Text) raises Full key guest compensate hold(guest)
      activity free(guest: Text)
    }
    workflow Book(guest: Text) key guest raises Full {
      state Hold { do rooms.hold(guest)  do rooms.hold("{guest}/2")  done }
    }
    ```
    ```wf passes
    error Full
    service rooms {
      activity hold(guest: Text) raises Full key guest compensate free(guest)
      activity free(guest: Text)
    }
    workflow Book(guest: Text) key guest raises Full {
      state Hold { do rooms.hold(guest)  do rooms.hold("{guest}/2")  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    operation: str

    def message(self) -> str:
        return f"`{self.operation}` is undone by itself: what was done is done once more"

    def label(self) -> str:
        return "takes nothing back"

    def help(self) -> tuple[str, ...]:
        return (
            "call what takes it back: `compensate release(...)`",
            'if there is nothing to undo, say why: `compensate none "..."`',
        )


def check(program: Program, report: Reporter) -> None:
    """Reports each undo that makes the same call with the same arguments."""
    for flow in program.flows.values():
        for step in region_steps(flow.workflow.region, undos=False):
            undo = step.undo if isinstance(step, Do) else None
            if undo is None or not isinstance(step, Do):
                continue
            operation = program.operations.get(step.target)
            params = tuple(param.name for param in operation.params) if operation is not None else ()
            for inner in all_steps(undo.steps):
                if not isinstance(inner, Do) or inner.target != step.target:
                    continue
                own = undo.scope == "operation"
                same = (
                    tuple(getattr(arg, "name", "") for arg in inner.args) == params if own else inner.args == step.args
                )
                at = undo.at or inner.at
                if same and at is not None:
                    labels = (Label(step.at, "called here"),) if step.at is not None and step.at != at else ()
                    report(UndoOfItself(at=at, operation=step.target, labels=labels))
