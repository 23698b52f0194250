"""Machines of files, as the commands load them."""

from pathlib import Path

from wfc.cli.base.input import read_input
from wfc.driver import pipeline
from wfc.ir.machine import Machine


def machine_of(path: Path) -> Machine:
    """The machine of the first process of a file."""
    given = read_input([str(path)])
    options = pipeline.Options()
    checked = pipeline.check(given.sources, given.settings, given.files, options)
    root = pipeline.roots(checked, options)[0]
    return pipeline.machine(root, checked.model, given.settings, options)
