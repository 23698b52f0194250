"""How the services of a machine and their operations are called in Python, where a worker looks for them.

A name stays as it is where Python takes it. A word of Python gets a `_` behind it; of several `_` in front one is left,
since Python treats names with two in a way of its own.
"""

from collections.abc import Iterable
from keyword import iskeyword

from wfc.ir.machine import Machine, OperationDef
from wfc.text.names import snake


class PythonNames:
    """Attributes of the user's objects: `services` by the name of a service, `operations` by that of an operation."""

    def __init__(self, machine: Machine) -> None:
        called = [each for each in machine.operations if each.kind != "task"]  # tasks are answered by people
        self.called: dict[str, tuple[OperationDef, ...]] = {
            service.name: tuple(each for each in called if each.service == service.name) for service in machine.services
        }
        self.services = attributes(name for name, found in self.called.items() if found)
        self.operations: dict[str, str] = {}
        for found in self.called.values():
            self.operations |= attributes(each.name for each in found)


def attributes(names: Iterable[str]) -> dict[str, str]:
    """For each name one that Python takes, all different. What is in front of a dot does not count."""
    short = {name: name.rpartition(".")[2] for name in names}
    kept = {name for name in short.values() if is_plain(name)}
    found: dict[str, str] = {}
    for full, name in short.items():
        if is_plain(name) and name not in found.values():
            found[full] = name
            continue
        made = f"_{name.lstrip('_')}" if name.startswith("__") else f"{name}_"
        while made in kept or made in found.values() or iskeyword(made):
            made += "_"
        found[full] = made
    return found


def is_plain(name: str) -> bool:
    """Whether a name can be that of an attribute as it is."""
    return not iskeyword(name) and not name.startswith("__")


def module_of(process: str) -> str:
    """The name of the module with the interface of a process."""
    name = f"{snake(process)}_activities"
    return f"_{name}" if name[0].isdigit() else name
