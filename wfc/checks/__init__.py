"""The checks: one file each, found by listing this package, run over the flow of all workflows."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from wfc.flow.versions import Version
from wfc.ir.machine import Machine
from wfc.problems.problem import Problem, Reporter, Severity
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import kebab
from wfc.text.source import Span

Check = Callable[[Inquiry, Reporter], None]


def checks() -> Iterator[tuple[str, Check]]:
    """Every check by its code: the function `check` of its file."""
    for info in iter_modules(__path__):
        yield kebab(info.name), import_module(f"{__name__}.{info.name}").check


def run_checks(machine: Machine, report: Reporter, versions: tuple[Version, ...] = ()) -> None:
    """All checks over one machine with every workflow of the project; `versions` are its processes with a past."""
    program = Inquiry(machine, versions)
    found: list[Problem] = []
    for _, check in checks():
        check(program, found.append)
    for problem in _without_consequences(found, machine):
        report(problem)


def _without_consequences(found: list[Problem], machine: Machine) -> Iterator[Problem]:
    """The problems, but for those whose cause may be another one in the same workflow."""
    bodies = [workflow.region.at for workflow in machine.workflows if workflow.region.at is not None]

    def around(problem: Problem) -> Span | None:
        at = problem.at
        return next((body for body in bodies if body.source is at.source and body.start <= at.start < body.end), None)

    causes: set[tuple[Span | None, str]] = set()
    if any(problem.roots for problem in found):
        wanted = frozenset(code for problem in found for code in problem.roots)
        sure = (problem for problem in found if problem.code in wanted and problem.level() is Severity.ERROR)
        causes = {(around(problem), problem.code) for problem in sure}
    for problem in found:
        if not causes or not any((around(problem), code) in causes for code in problem.roots):
            yield problem
