"""How far it is from each point of a program to a goal, through calls of other workflows too."""

from collections.abc import Mapping

from wfc.flow.graph import Point
from wfc.flow.program import Program
from wfc.ir.machine import Do, Step

WAITING = ("do", "step", "fork")  # kinds of points at which a token can stand


class Ways:
    """The graphs of all workflows read backwards: from a point to those from which one can get there."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._before: dict[int, list[Point]] = {}
        self._standing: dict[int, Point] = {}
        self._known: dict[int, Mapping[int, int]] = {}
        for flow in program.flows.values():
            for point in flow.graph.points:
                self._add(point)

    def _add(self, point: Point) -> None:
        for target in point.next:
            self._before.setdefault(id(target), []).append(point)
        for abort in point.aborts:
            if abort.target is not None:
                self._before.setdefault(id(abort.target), []).append(point)
        if point.kind in WAITING and point.step is not None:
            self._standing.setdefault(id(point.step), point)
            for frame in point.frame.outward():
                for guard in frame.guards:
                    if guard.also or guard.kind == "every":
                        self._before.setdefault(id(frame.tails[id(guard)]), []).append(point)
        if point.kind == "do" and isinstance(point.step, Do) and point.step.kind == "workflow":
            child = self.program.flows.get(point.step.target)
            if child is not None:
                self._before.setdefault(id(child.graph.start), []).append(point)

    def at(self, step: Step | None) -> Point | None:
        """The point at which a token stands that waits at a step."""
        return self._standing.get(id(step)) if step is not None else None

    def to(self, goal: Point) -> Mapping[int, int]:
        """How many steps it is to a goal, by the id of the point; those that are not there do not lead to it."""
        found = self._known.get(id(goal))
        if found is None:
            far = {id(goal): 0}
            waiting = [goal]
            for point in waiting:
                for earlier in self._before.get(id(point), ()):
                    if id(earlier) not in far:
                        far[id(earlier)] = far[id(point)] + 1
                        waiting.append(earlier)
            found = far
            self._known[id(goal)] = found
        return found
