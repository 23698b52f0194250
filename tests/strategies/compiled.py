"""Generated programs, compiled step by step as the laws need it."""

import hashlib

from tests.golden.program import loaded
from tests.strategies.programs import Program
from wfc.driver import pipeline
from wfc.driver.backends import names
from wfc.ir.machine import Machine
from wfc.lower.lower import lower
from wfc.problems.render.concise import concise
from wfc.project.sources import read_sources
from wfc.sema.model import WorkflowModel

OPTIONS = pipeline.Options(targets=names(), lenient=True)


def checked(program: Program) -> pipeline.Checked:
    """The program with everything that is known of it."""
    files, settings, report = loaded(program.files)
    sources = read_sources((), settings, files, report)
    found = pipeline.check(sources, settings, files, OPTIONS)
    assert found.report.is_runnable, [(problem.code, problem.message()) for problem in found.report.problems]
    return found


def roots(program: Program) -> tuple[pipeline.Checked, tuple[WorkflowModel, ...]]:
    """The program and the workflows that stand by themselves."""
    found = checked(program)
    return found, pipeline.roots(found, OPTIONS)


def machines(program: Program) -> tuple[Machine, ...]:
    """The machines of a program, after all passes."""
    _, settings, _ = loaded(program.files)
    found, workflows = roots(program)
    return tuple(pipeline.machine(root, found.model, settings, OPTIONS) for root in workflows)


def lowered(program: Program) -> tuple[Machine, ...]:
    """The machines of a program, before any pass."""
    _, settings, _ = loaded(program.files)
    found, workflows = roots(program)
    return tuple(lower(root, found.model, settings, audit=True) for root in workflows)


def digest(found: pipeline.Compiled) -> str:
    """One short text for everything that a compilation gives: files, summary, problems."""
    parts = [f"{output.path}\n{output.text}" for output in found.outputs]
    parts += [*found.summary, *(concise(problem) for problem in found.report.problems)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
