"""What a check claims about runs: the way such a run goes, and the sign that shows it. Plain data, soon loaded."""

from typing import Literal, Protocol

import attrs

from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.flow.ways import WAITING, Ways
from wfc.ir.machine import Do
from wfc.problems.problem import Step, Trace

Verdict = Literal["shown", "impossible", "open"]
FIRST = ("Timeout", "Unavailable", "Invalid")  # failures of an attempt that are tried first
GHOST = "undo.missing"  # what undoes, in a run that looks for missing undos, an effect that has none

WaypointKind = Literal["done", "at", "leave", "pass", "again", "late", "cancel"]


@attrs.frozen
class Waypoint:
    """A place on the way of a run, and what happens there.

    `done`: the call works. `at`: a token stands there. `leave`: an abort is taken from there, by one of `errors` if
    there are some. `pass`: the step is done, in whatever turn. `again`: an attempt of the call fails with one of
    `errors`, the next one works. `late`: the calls on the way need all their attempts, and time passes until an abort
    is taken there, or a promise is broken. `cancel`: an operator cancels the process there.
    """

    kind: WaypointKind
    point: Point
    abort: Abort | None = None
    errors: frozenset[str] = frozenset()


SignKind = Literal[
    "missing undo", "undone", "undo failed", "entered", "completed", "failed", "raised", "fired", "halted", "same key",
    "promise", "there",
]  # fmt: skip


@attrs.frozen
class Sign:
    """What is to be seen behind the last waypoint; `path` is a node, an operation or a guard.

    `missing undo`: an effect is to be undone that has no undo. `undone`: something is undone. `undo failed`: an undo
    is given up. `entered`: a node. `completed`, `failed`: the process ends so. `raised`: an error, or any, leaves a
    call or a step. `fired`: a guard. `halted`: a token stands where nothing leads on. `same key`: an operation is
    called twice with one key. `promise`: an sla is broken. `there`: nothing more than to have come so far.
    """

    kind: SignKind
    path: str = ""


@attrs.frozen
class Claim:
    """What a run is to show: its way, and the sign by which it has been shown.

    `goal` is where to behind the waypoints; without one nothing else fails, and the run goes on. `stops`: what is
    claimed is seen where the run stands then, and it is not led to its end. `names` are told with the values that they
    have in the end.
    """

    workflow: str
    waypoints: tuple[Waypoint, ...]
    sign: Sign
    goal: Point | None = None
    stops: bool = False
    names: tuple[str, ...] = ()


@attrs.frozen
class Limits:
    """How long to look: states of the search, turns of the machine."""

    states: int = 500
    turns: int = 2_500


def past_pivot(ways: Ways, flow: WorkflowFlow, pivot: Point, source: Point, abort: Abort) -> Claim:
    """A run that passes a point of no return, and then fails."""
    done = ways.at(pivot.step)
    assert done is not None
    child = isinstance(pivot.step, Do) and pivot.step.kind == "workflow"
    before = () if child else (Waypoint("done", done),)
    return leaving(flow, before, source, abort, Sign("raised"))


def leaving(
    flow: WorkflowFlow,
    before: tuple[Waypoint, ...],
    source: Point,
    abort: Abort,
    sign: Sign,
    *,
    errors: frozenset[str] = frozenset(),
) -> Claim:
    """A run in which an abort is taken, by one of some errors.

    From a step that waits for nothing it goes by itself, and a branch that has lost is left when another goes on.
    """
    if source.kind not in WAITING:
        return Claim(flow.workflow.name, before, sign, source)
    if abort.guard is None and not (abort.errors or errors):
        return Claim(flow.workflow.name, before, sign, flow.graph.end)
    return Claim(flow.workflow.name, (*before, Waypoint("leave", source, abort, errors)), sign)


def standing(flow: WorkflowFlow, *points: Point) -> Claim:
    """A run that comes to a place, or to several one after another, and is left there."""
    ways = tuple(Waypoint("at", point) for point in points)
    return Claim(flow.workflow.name, ways, Sign("there"), stops=True)


class Finder(Protocol):
    """Looks for runs."""

    def show(
        self, claim: Claim, closing: tuple[Step, ...], limits: Limits, *, missing: bool
    ) -> tuple[Verdict, Trace | None, int]:
        """The verdict on a claim, a trace if there is one, and how many turns it took."""
