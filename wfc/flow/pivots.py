"""Points of no return, and the errors that cross them."""

from collections.abc import Iterator

from wfc.flow.behind import Behind
from wfc.flow.graph import Abort, Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do

Crossing = list[tuple[Point, Abort]]


def is_pivot(point: Point) -> bool:
    """Whether a point is the call, or the completion, of a pivot."""
    return isinstance(point.step, Do) and point.step.pivot


def crossings(flow: WorkflowFlow) -> Iterator[tuple[Point, Crossing]]:
    """Each completed pivot with the points behind it from which an error leaves what is around both.

    An error that is caught behind the pivot does not cross it; nor does one whose guard keeps what has been done.
    """
    pivots = [p for p in flow.graph.points if p.kind == "completed" and is_pivot(p) and flow.reached(p)]
    if not pivots:
        return
    found: dict[int, Crossing] = {id(pivot): [] for pivot in pivots}
    behind = Behind(flow.graph, pivots)
    for point in flow.graph.points:
        for abort in point.aborts:
            if not abort.errors or abort.keep:
                continue
            for pivot in behind.of(point):
                if pivot.frame.inside(abort.frame) and pivot.step is not point.step:
                    found[id(pivot)].append((point, abort))
    yield from ((pivot, found[id(pivot)]) for pivot in pivots if found[id(pivot)])
