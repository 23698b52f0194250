"""The checks: one file each, found by listing this package, run over the flow of all workflows."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from wfc.flow.versions import Version
from wfc.ir.machine import Machine
from wfc.problems.problem import Reporter
from wfc.simulation.inquiry import Inquiry
from wfc.text.names import kebab

Check = Callable[[Inquiry, Reporter], None]


def checks() -> Iterator[tuple[str, Check]]:
    """Every check by its code: the function `check` of its file."""
    for info in iter_modules(__path__):
        yield kebab(info.name), import_module(f"{__name__}.{info.name}").check


def run_checks(machine: Machine, report: Reporter, versions: tuple[Version, ...] = ()) -> None:
    """All checks over one machine with every workflow of the project; `versions` are its processes with a past."""
    program = Inquiry(machine, versions)
    for _, check in checks():
        check(program, report)
