"""Where the grammar and the standard library lie: inside an installed package, or beside it in a checkout."""

import os

from wfc.text.source import SourceFile

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def grammar_folder() -> str:
    """The folder of the grammar's files."""
    return _folder("grammar")


def stdlib_folder() -> str:
    """The folder of the standard library's modules."""
    return _folder("stdlib")


def stdlib_names() -> tuple[str, ...]:
    """File names of the standard library's modules, sorted."""
    try:
        return tuple(sorted(name for name in os.listdir(stdlib_folder()) if name.endswith(".wf")))
    except FileNotFoundError:
        return ()


def read_stdlib(name: str) -> SourceFile:
    """One module of the standard library by its file name; it is shown as `stdlib/NAME` wherever it lies."""
    with open(os.path.join(stdlib_folder(), name), encoding="utf-8", newline="") as file:
        return SourceFile(f"stdlib/{name}", file.read())


def _folder(name: str) -> str:
    """An installed wheel carries the folder as `_data`; a checkout has it beside the package."""
    installed = os.path.join(_PACKAGE, "_data", name)
    if os.path.isdir(installed):
        return installed
    return os.path.join(os.path.dirname(_PACKAGE), name)
