"""Promises that even the best case breaks."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.graph import Frame
from wfc.flow.program import Program
from wfc.flow.time import Path
from wfc.ir.machine import Do, Region, Sla, State
from wfc.problems.problem import Label, Problem, Reporter, Severity
from wfc.text.durations import spaced_duration
from wfc.text.value import value


@value(kw_only=True)
class SlaCannotHold(Problem):
    """A promise is shorter than what the process waits in any case.

    On every way to a good end the `wait`s alone take longer than the `sla` allows. So it is reported as broken in each
    run, and nobody will look at it any more.

    ```wf fails
    workflow W() {
      sla "answered" within 1d
      state Rest { wait 2d  done }
    }
    ```
    ```wf passes
    workflow W(urgent: Bool) {
      sla "answered" within 1d
      state Start { choose { when urgent { done } otherwise -> Rest } }
      state Rest  { wait 2d  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    name: str
    limit: int
    least: int

    def message(self) -> str:
        named = f'"{self.name}" within ' if self.name else ""
        best = spaced_duration(self.least)
        return f"the promise {named}{spaced_duration(self.limit)} is broken in every run: the best case takes {best}"

    def label(self) -> str:
        return "cannot be kept"

    def help(self) -> tuple[str, ...]:
        return ("promise what can be kept, or wait less",)


def check(program: Program, report: Reporter) -> None:
    """Reports each sla of a fixed length that is shorter than the shortest path to a good end."""
    for flow in program.flows.values():
        for frame in flow.graph.frames:
            if frame.entry is None or not flow.reached(frame.entry):
                continue
            for sla, path in _promises(program, frame):
                limit = program.policies.constants.whole(sla.within)
                if path is None or limit is None or limit >= path.total or sla.place is None:
                    continue
                report(SlaCannotHold(at=sla.place, name=sla.name, limit=limit, least=path.total, labels=_labels(path)))


def _promises(program: Program, frame: Frame) -> Iterator[tuple[Sla, Path | None]]:
    match frame.subject:
        case State(slas=slas) if slas:
            yield from ((sla, program.shortest.state(frame.subject)) for sla in slas)
        case Region(slas=slas) if slas:
            yield from ((sla, program.shortest.through(frame.subject)) for sla in slas)
        case _:
            return


def _labels(path: Path) -> tuple[Label, ...]:
    waits = [term for term in path.terms if not isinstance(term.step, Do)]
    return tuple(
        Label(term.step.at, f"waits {spaced_duration(term.length)}") for term in waits[:4] if term.step.at is not None
    )
