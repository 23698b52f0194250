"""All kinds of problems there are, found by listing the packages that define them."""

from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pkgutil import iter_modules
from types import ModuleType

import wfc.checks
import wfc.problems
from wfc.problems.problem import Problem

_BASE = Problem.__module__


def problem_classes() -> dict[str, type[Problem]]:
    """Every problem class by its code, sorted by code."""
    found = {cls.code: cls for package in (wfc.problems, wfc.checks) for cls in defined_in(package)}
    return dict(sorted(found.items()))


def defined_in(package: ModuleType) -> Iterator[type[Problem]]:
    """The problem classes that the modules of a package define, without the base."""
    for name in module_names(package):
        module = import_module(f"{package.__name__}.{name}")
        for item in vars(module).values():
            if isinstance(item, type) and issubclass(item, Problem) and item.__module__ == module.__name__ != _BASE:
                yield item


def module_names(package: ModuleType) -> tuple[str, ...]:
    """Names of the modules that lie in a package directly, sorted; packages in it count for one each."""
    return tuple(sorted(module.name for module in iter_modules(package.__path__)))


def documentation(cls: type[Problem]) -> str:
    """The page of a problem: its docstring without the indentation of the code."""
    return cleandoc(cls.__doc__ or "")


def summary(cls: type[Problem]) -> str:
    """The first line of a problem's page."""
    return documentation(cls).partition("\n")[0]


def level_of(cls: type[Problem]) -> str:
    """The severity of a class of problems; `varies` where each problem says its own."""
    return "varies" if cls.level is not Problem.level else cls.severity.value
