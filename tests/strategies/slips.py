"""Slips of the pen in a sound program, of the kind that the compiler offers to mend."""

import re
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.strategies.programs import Program, programs

# Where something may go missing or stand wrong, and what stands there instead. Texts and comments are left alone.
_SLIPS: dict[str, tuple[re.Pattern[str], str]] = {
    "a comma is missing": (re.compile(r",(?= \w)"), ""),
    "an arrow is missing": (re.compile(r"(?<=[\w)\"]) ->(?= [A-Za-z]\w*$)", re.MULTILINE), ""),
    "= for ==": (re.compile(r" == "), " = "),
    "a colon is missing": (re.compile(r"(?<=\w):(?= )"), ""),
    "a bracket is missing": (re.compile(r"(?<=[\w)])\)"), ""),
    "an equals sign is missing": (re.compile(r"(?<=[\w>?]) =(?= )"), ""),
}
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')


@dataclass(frozen=True)
class Slip:
    """A sound program and the same with one slip; `after` is where it is."""

    kind: str
    program: Program
    text: str
    at: int

    def __repr__(self) -> str:
        return f"{self.kind} at {self.at}:\n{self.text}"


@st.composite
def slips(draw: st.DrawFn, max_nodes: int = 3) -> Slip:
    """A program with one slip, if there is a place for it."""
    program = draw(programs(max_nodes=max_nodes))
    hidden = [match.span() for match in _TEXT.finditer(program.text)]
    found = [
        (kind, match, instead)
        for kind, (pattern, instead) in _SLIPS.items()
        for match in pattern.finditer(program.text)
        if not any(start <= match.start() < end for start, end in hidden)
    ]
    if not found:
        return Slip("none", program, program.text, 0)
    kinds = sorted({kind for kind, _, _ in found})
    chosen = draw(st.sampled_from(kinds))
    kind, match, instead = draw(st.sampled_from([item for item in found if item[0] == chosen]))
    text = program.text[: match.start()] + instead + program.text[match.end() :]
    return Slip(kind, program, text, match.start())
