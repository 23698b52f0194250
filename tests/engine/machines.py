"""Machines of files and texts, as the commands load them."""

from pathlib import Path

from tests.golden.program import loaded
from wfc.cli.base.input import read_input
from wfc.driver import pipeline
from wfc.engine.catalogue import learn
from wfc.ir.machine import Machine
from wfc.ir.scenario import Migration
from wfc.machine.program import Program
from wfc.project.sources import read_sources


def machine_of(path: Path) -> Machine:
    """The machine of the first process of a file."""
    given = read_input([str(path)])
    options = pipeline.Options()
    checked = pipeline.check(given.sources, given.settings, given.files, options)
    root = pipeline.roots(checked, options)[0]
    return pipeline.machine(root, checked.model, given.settings, options)


def compiled(text: str) -> dict[str, tuple[Program, tuple[Migration, ...]]]:
    """The programs of a text, known to workers of this process, with the ways to them from older versions."""
    files, settings, report = loaded({"main.wf": text})
    options = pipeline.Options()
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, options)
    assert not checked.report.has_errors, [problem.message() for problem in checked.report.problems]
    found = {}
    for root in pipeline.roots(checked, options):
        machine = pipeline.machine(root, checked.model, settings, options)
        ways = pipeline.migrations(root, checked.model, settings, options)
        found[machine.workflow.name] = learn(machine), ways
    return found
