"""A safe fix takes its problem away, adds none, and gives back what was meant."""

from hypothesis import assume, given

from tests.golden.program import checked
from tests.strategies.slips import Slip, slips
from wfc.problems.edits import apply_edits, chosen_edits
from wfc.problems.problem import Problem, Severity
from wfc.problems.render.full import full

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
