"""What discovery finds, so that an addition or a loss shows in review."""

from collections.abc import Callable, Iterator, Mapping

import wfc.checks
from tests.golden.document import Block, Case
from wfc.cli.main import command_names
from wfc.driver import backends
from wfc.driver.catalogue import level_of, module_names, problem_classes
from wfc.project.resources import stdlib_names


def _problems() -> Iterator[str]:
    classes = problem_classes()
    width = max(map(len, classes))
    for code, cls in classes.items():
        yield f"{code:<{width}}  {level_of(cls)}"


LISTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "backends": lambda: iter(backends.names()),
    "checks": lambda: iter(module_names(wfc.checks)),
    "commands": lambda: iter(command_names()),
    "problems": _problems,
    "stdlib": lambda: iter(stdlib_names()),
}


def registry(case: Case, block: Block) -> str:
    """The list that the block's argument names."""
    del case
    return "\n".join(LISTS[block.argument]())
