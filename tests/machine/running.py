"""Small programs, compiled, and run turn by turn."""

from typing import Any

from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.machine.instance import Instance
from wfc.machine.messages import Send
from wfc.machine.program import Program
from wfc.machine.turn import Turned, turn
from wfc.project.sources import read_sources


def program(text: str) -> Program:
    """The machine of the only workflow of a text."""
    files, settings, report = loaded({"m.wf": text})
    sources = read_sources((), settings, files, report)
    checked = pipeline.check(sources, settings, files, pipeline.Options())
    assert checked.report.is_runnable, [(p.code, p.message()) for p in checked.report.problems]
    root = pipeline.roots(checked, pipeline.Options())[0]
    return Program(pipeline.machine(root, checked.model, settings, pipeline.Options()))


def run(made: Program, inputs: list[Any], instance: Instance | None = None) -> Turned:
    """Takes inputs one after another; none may be refused."""
    found: Turned | None = None
    for given in inputs:
        result = turn(made, instance, given)
        assert isinstance(result, Turned), result
        found, instance = result, result.instance
    assert found is not None
    return found


def sent(found: Turned) -> list[Send]:
    """What a turn sends."""
    return [command for command in found.commands if isinstance(command, Send)]
