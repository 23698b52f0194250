"""A safe fix takes its problem away, adds none, and gives back what was meant."""

from hypothesis import assume, given

from tests.golden.program import checked, loaded
from tests.strategies.programs import Program, programs
from tests.strategies.slips import Slip, slips
from wfc.driver import pipeline
from wfc.driver.mend import mend
from wfc.problems.edits import apply_edits, chosen_edits
from wfc.problems.problem import Problem, Severity
from wfc.problems.render.full import full
from wfc.project.sources import read_sources

MENDED = {"a comma is missing", "an arrow is missing", "= for ==", "a colon is missing", "an equals sign is missing"}


def errors(text: str) -> list[Problem]:
    return [p for p in checked({"main.wf": text}).problems if p.level() is Severity.ERROR]


@given(slips())
def test_a_safe_fix_mends_a_slip(slip: Slip) -> None:
    found = errors(slip.text)
    edits = chosen_edits(found, unsafe=False)
    assume(edits)
    after = errors(apply_edits(edits[0].at.source, edits))
    if slip.kind not in MENDED:
        return  # where a bracket was meant to close cannot always be told
    assert not after, full(after)
    where = {(p.code, p.at.start) for p in found if any(fix.safe for fix in p.fixes)}
    assert not where & {(p.code, p.at.start) for p in after}, full(after)


@given(programs())
def test_a_safe_fix_of_a_warning_breaks_nothing(program: Program) -> None:
    edits = chosen_edits(checked(program.files).problems, unsafe=False)
    assume(edits)
    after = errors(apply_edits(edits[0].at.source, edits))
    assert not after, full(after)


@given(programs(max_nodes=3))
def test_mending_brings_no_error(program: Program) -> None:
    files, settings, report = loaded(program.files)
    sources = read_sources((), settings, files, report)
    for unsafe in (False, True):
        mended = mend(sources, settings, files, pipeline.Options(), unsafe=unsafe)
        after = [p for p in mended.checked.report.problems if p.level() is Severity.ERROR]
        assert not after, full(after)
