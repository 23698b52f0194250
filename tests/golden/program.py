"""Runs the compiler on the files of a case, in memory."""

from collections.abc import Mapping

from tests.golden.document import Case
from wfc.driver import pipeline
from wfc.ir.dump import dump
from wfc.problems.problem import Report
from wfc.project.files import MemoryFiles
from wfc.project.settings import Settings, load_settings
from wfc.project.sources import read_sources


def project(case: Case) -> dict[str, str]:
    """The files of a case, with the records of the versions that were compiled before."""
    found = dict(case.files)
    for text in case.recorded:
        earlier = compiled({"main.wf": text})
        assert not earlier.report.has_errors, [problem.message() for problem in earlier.report.problems]
        found.update((f"workflows/{record.path}", record.text) for record in earlier.records)
    return found


def loaded(texts: Mapping[str, str]) -> tuple[MemoryFiles, Settings, Report]:
    """The files and the settings that hold for them; the report has what is wrong with the settings."""
    files = MemoryFiles(texts)
    report = Report()
    return files, load_settings(files, ".", report), report


def checked(texts: Mapping[str, str], options: pipeline.Options | None = None) -> Report:
    """The problems of a project that consists of these files."""
    files, settings, report = loaded(texts)
    sources = read_sources((), settings, files, report)
    if sources:
        for problem in pipeline.check(sources, settings, files, options or pipeline.Options()).report.problems:
            report(problem)
    return report


def compiled(texts: Mapping[str, str], options: pipeline.Options | None = None) -> pipeline.Compiled:
    """What compiling a project of these files gives."""
    files, settings, report = loaded(texts)
    sources = read_sources((), settings, files, report)
    assert not report.problems, "the case must have sources and sound settings"
    return pipeline.compile(sources, settings, files, options or pipeline.Options())


def machines(texts: Mapping[str, str], process: str | None = None) -> str:
    """The machines of a project of these files as text."""
    files, settings, report = loaded(texts)
    sources = read_sources((), settings, files, report)
    options = pipeline.Options(process=process)
    checked = pipeline.check(sources, settings, files, options)
    assert not checked.report.has_errors, [problem.message() for problem in checked.report.problems]
    found = pipeline.roots(checked, options)
    return "\n".join(dump(pipeline.machine(root, checked.model, settings, options)) for root in found)
