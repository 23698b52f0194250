"""How long things may take: every deadline and promise with the longest way through what stands under it."""

from collections.abc import Iterator

from wfc.driver import pipeline
from wfc.flow.deadlines import Limit, limits, rows
from wfc.flow.program import Program
from wfc.lower.lower import lower_all
from wfc.project.settings import Settings
from wfc.text.durations import spaced_duration
from wfc.text.names import listed


def times(checked: pipeline.Checked, settings: Settings) -> Iterator[str]:
    """The lines of a report; none for a program whose declarations have errors."""
    if checked.model.undeclared:
        return
    given = {source.path for source in checked.sources}
    program = Program(lower_all(checked.model, settings))
    for flow in program.flows.values():
        for limit in sorted(limits(program, flow), key=lambda limit: limit.at.start):
            if limit.at.source.path in given:
                yield from _lines(limit)


def _lines(limit: Limit) -> Iterator[str]:
    what = f"`{limit.guard.label}`" if limit.guard is not None else f'the promise "{limit.promise}"'
    length = "a time that is not fixed" if limit.length is None else spaced_duration(limit.length)
    total = limit.path.total
    verdict = ""
    if limit.length is not None and total > limit.length:
        verdict = ": longer than there is time"
    yield f"{limit.at}: {what} ({length}): the calls inside take at most {spaced_duration(total)}{verdict}"
    yield from (f"    {row}" for row in rows(limit.path))
    if limit.path.unknown:
        yield f"    not counted: {listed(sorted(limit.path.unknown))}"
