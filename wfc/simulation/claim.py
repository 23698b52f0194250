"""What a check claims about runs: the way such a run goes, and the sign that shows it. Plain data, soon loaded."""

from typing import Literal, Protocol

import attrs

from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.flow.ways import WAITING, Ways
from wfc.ir.machine import Do
from wfc.problems.problem import Step, Trace

Verdict = Literal["shown", "impossible", "open"]
GHOST = "undo.missing"  # what undoes, in a run that looks for missing undos, an effect that has none


@attrs.frozen
class Waypoint:
    """`done`: the call at a point works. `at`: a token stands there. `leave`: an abort is taken from there."""

    kind: Literal["done", "at", "leave"]
    point: Point
    abort: Abort | None = None


@attrs.frozen
class Sign:
    """What is to be seen behind the last waypoint.

    `missing undo`: an effect is to be undone that has no undo. `entered`: a node, by its path. `completed`, `failed`:
    the process ends so. `raised`: an error leaves a call or a step. `there`: nothing more than to have come so far.
    """

    kind: Literal["missing undo", "entered", "completed", "failed", "raised", "there"]
    path: str = ""


@attrs.frozen
class Claim:
    """What a run is to show: its way, and the sign by which it has been shown."""

    workflow: str
    waypoints: tuple[Waypoint, ...]
    sign: Sign
    goal: Point | None = None  # where to behind the waypoints; without one nothing else fails, and the run goes on


@attrs.frozen
class Limits:
    """How long to look: states of the search, turns of the machine."""

    states: int = 500
    turns: int = 6_000


def past_pivot(ways: Ways, flow: WorkflowFlow, pivot: Point, source: Point, abort: Abort) -> Claim:
    """A run that passes a point of no return, and then fails."""
    done = ways.at(pivot.step)
    assert done is not None
    child = isinstance(pivot.step, Do) and pivot.step.kind == "workflow"
    before = () if child else (Waypoint("done", done),)
    return leaving(flow, before, source, abort, Sign("raised"))


def leaving(flow: WorkflowFlow, before: tuple[Waypoint, ...], source: Point, abort: Abort, sign: Sign) -> Claim:
    """A run in which an abort is taken. From a step that waits for nothing it goes with what comes before it."""
    if source.kind not in WAITING:
        return Claim(flow.workflow.name, before, sign, source)
    return Claim(flow.workflow.name, (*before, Waypoint("leave", source, abort)), sign)


class Finder(Protocol):
    """Looks for runs."""

    def show(
        self, claim: Claim, closing: tuple[Step, ...], limits: Limits, *, missing: bool
    ) -> tuple[Verdict, Trace | None, int]:
        """The verdict on a claim, a trace if there is one, and how many turns it took."""
