"""What can happen next to a token of a run that is to get somewhere: the choices of a search."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from wfc.flow.graph import SYSTEM, Abort, Point
from wfc.flow.ways import Ways
from wfc.ir.expressions import Ref
from wfc.ir.machine import Do, Guard
from wfc.machine.instance import Fiber, Instance
from wfc.machine.program import Program
from wfc.simulation.claim import FIRST, Claim, Waypoint, WaypointKind
from wfc.simulation.deciding import deciding_guards
from wfc.simulation.domains import Domains
from wfc.simulation.perform import Option, OptionKind, free
from wfc.simulation.stage import Stage

FAR = 1_000_000


@attrs.frozen
class Aim:
    """Where an instance is to get: distances, and what is to happen at the goal."""

    far: Mapping[int, int]
    goal: Point
    kind: WaypointKind | Literal["end", "fail"]
    abort: Abort | None = None
    errors: frozenset[str] = frozenset()


class Options:
    """The choices in runs of one program. `ways` are those of the same machine."""

    def __init__(self, ways: Ways, program: Program) -> None:
        self.ways = ways
        self.program = program
        self.domains = Domains(program, wide=True)
        self._guards: dict[str, frozenset[int]] = {}

    def _deciding(self, workflow: str) -> frozenset[int]:
        found = self._guards.get(workflow)
        if found is None:
            found = self._guards[workflow] = deciding_guards(self.ways.program.flows[workflow].workflow)
        return found

    # -- where to

    def aim(self, claim: Claim, phase: int, stage: Stage, inst: Instance) -> Aim | None:
        """Where an instance is to get."""
        own = self._own(claim, phase)
        if own is None:
            return None
        caller = stage.callers.get(inst.id)
        if caller is None:
            return own
        points = [self.ways.at(stage.step(fiber)) for fiber in inst.fibers.values()]
        if any(point is not None and id(point) in own.far for point in points):
            return own
        parent = stage.instances[caller[0]]
        around = self.aim(claim, phase, stage, parent)
        fiber = next((f for f in parent.fibers.values() if f.call is not None and f.call.id == caller[1]), None)
        point = self.ways.at(stage.step(fiber)) if fiber is not None else None
        if around is None or point is None:
            return None
        graph = self.ways.program.flows[inst.workflow].graph
        works = min((around.far.get(id(target), FAR) for target in point.next), default=FAR)
        if (around.kind == "done" and around.goal is point) or works < FAR:
            return Aim(self.ways.to(graph.end), graph.end, "end")
        wanted: frozenset[str] = frozenset()
        for abort in point.aborts:
            leads = abort.target is not None and id(abort.target) in around.far
            if leads or (around.kind in ("leave", "fail") and around.goal is point and abort is around.abort):
                wanted |= abort.errors
        for goal in graph.points:
            escapes = [a for a in goal.aborts if a.target is None and a.frame.kind == "workflow" and a.errors & wanted]
            if escapes:
                far = self.ways.to(goal)
                if any(each is not None and id(each) in far for each in points):
                    return Aim(far, goal, "fail", escapes[0], escapes[0].errors & wanted)
        return None

    def _own(self, claim: Claim, phase: int) -> Aim | None:
        if phase < len(claim.waypoints):
            waypoint: Waypoint = claim.waypoints[phase]
            far = self.ways.to(waypoint.point)
            return Aim(far, waypoint.point, waypoint.kind, waypoint.abort, waypoint.errors)
        if claim.goal is not None:
            return Aim(self.ways.to(claim.goal), claim.goal, "end")
        return None

    # -- what can happen

    def under_way(self, claim: Claim, stage: Stage, inst: Instance, fiber: Fiber) -> list[Option] | None:
        """What is under way, and ends before anything else (cost below 0); None for a token that goes forward."""
        call = fiber.call
        if fiber.undo:
            return list(self._undoing(claim, stage, inst, fiber))
        if call is None or call.state != "stopping":
            return None
        if call.kind == "workflow":
            return []
        value = self.domains.first(call.target) if call.kind != "start" else None
        return [Option(-1, "value", value), Option(-1, "stopped")]

    def _undoing(self, claim: Claim, stage: Stage, inst: Instance, fiber: Fiber) -> Iterator[Option]:
        call = fiber.call
        if call is not None:
            if call.kind not in ("workflow", "undo"):
                base = inst.frames.get(fiber.base)
                entry = base.entry if base is not None else None
                if claim.sign.kind == "undo failed" and entry is not None and entry.name == claim.sign.path:
                    yield Option(-2, "system", "Unavailable")
                value = self.domains.first(call.target) if call.kind != "start" else None
                yield Option(-1, "supply" if call.state == "parked" else "value", value)
        elif fiber.wait == "wait":
            yield Option(-1, "time", fiber.due[0].at)
        elif fiber.wait == "lock":
            yield Option(-1, "grant" if free(stage, inst, fiber) else "lock time")

    def forward(self, aim: Aim, stage: Stage, inst: Instance, fiber: Fiber) -> list[Option]:
        """What can happen to a token that goes forward, the best first."""
        point = self.ways.at(stage.step(fiber))
        if point is None or fiber.wait == "halted":
            return []
        return sorted(self._chances(stage, inst, fiber, point, aim), key=lambda option: option.cost)

    def _chances(self, stage: Stage, inst: Instance, fiber: Fiber, point: Point, aim: Aim) -> Iterator[Option]:
        call = fiber.call
        here = aim.goal is point
        onward = min((aim.far.get(id(target), FAR) for target in point.next), default=FAR)
        leaving = (aim.far.get(id(abort.target), FAR) for abort in point.aborts if abort.target is not None)
        ahead = min(onward, min(leaving, default=FAR))
        if call is not None and call.kind != "workflow":
            yield from self._answers(call.target if call.kind != "start" else "", call.state, aim, onward, here=here)
        elif fiber.wait == "wait":
            yield Option(onward + 1, "time", fiber.due[0].at)
        elif fiber.wait == "lock" and free(stage, inst, fiber):
            yield Option(onward + 1, "grant")
        if isinstance(point.step, Do) and point.step.optional and call is not None and call.kind != "workflow":
            yield Option(onward + 2, "system", "Timeout")
            yield Option(onward + 2, "system", "Unavailable")
        if here and aim.kind == "cancel":
            yield Option(0, "cancel", arrives=True)
        for abort in point.aborts:
            yield from self._aborts(inst, fiber, abort, aim, here=here)
        for frame in point.frame.outward():
            for guard in frame.guards:
                if guard.also or guard.kind == "every":
                    cost = aim.far.get(id(frame.tails[id(guard)]), FAR) + 1
                    if cost > FAR and id(guard) in self._deciding(inst.workflow):
                        cost = ahead + 2
                    if cost < FAR:
                        yield from self._fires(inst, fiber, guard, cost, arrives=False)
            if frame.kind == "also":
                break

    def _answers(self, target: str, state: str, aim: Aim, onward: int, *, here: bool) -> Iterator[Option]:
        """How a call may work."""
        done = here and aim.kind == "done"
        results = self.domains.results(target) if target else (None,)
        for value in results:
            kind: OptionKind = "supply" if state == "parked" else "value"
            if aim.kind == "late" and state != "parked":
                kind = "late"
            yield Option(0 if done else onward + 1, kind, value, arrives=done)
        if here and aim.kind == "late":
            yield Option(0, "outlast", arrives=True)
        if here and aim.kind == "again":
            for failed in self._failures(target, aim.errors):
                yield Option(0, "again", failed, arrives=True, result=results[0])

    def _failures(self, target: str, errors: frozenset[str]) -> Iterator[Any]:
        """How an attempt can fail, system errors by their name."""
        yield from (name for name in FIRST if name in errors)
        yield from (error for error in self.domains.errors(target) if error["is"] in errors)

    def _aborts(self, inst: Instance, fiber: Fiber, abort: Abort, aim: Aim, *, here: bool) -> Iterator[Option]:
        arrives = here and aim.kind in ("leave", "fail") and abort is aim.abort
        cost = 0 if arrives else (aim.far.get(id(abort.target), FAR) + 1 if abort.target is not None else FAR)
        arrives = arrives and aim.kind == "leave"
        if abort.guard is not None and abort.guard.kind in ("on", "after", "at"):
            yield from self._fires(inst, fiber, abort.guard, cost, arrives=arrives)
            return
        call = fiber.call
        wanted = abort.errors & aim.errors if aim.errors and here else abort.errors
        for name in sorted(wanted):
            if call is not None and call.kind == "start":
                yield Option(cost, "system", name, arrives=arrives)
            elif call is not None and call.kind != "workflow":
                if name in ("Timeout", "Unavailable"):
                    yield Option(cost, "system", name, arrives=arrives)
                elif name == "Invalid":
                    yield Option(cost + 1, "system", name, arrives=arrives)
                elif name not in SYSTEM:
                    for error in self.domains.errors(call.target):
                        if error["is"] == name:
                            yield Option(cost, "error", error, arrives=arrives)
            elif call is not None and name == "Unavailable":
                yield Option(FAR, "cancel child", arrives=arrives)  # last: a straight run shows a child that fails
            elif fiber.wait == "lock" and name == "LockTimeout":
                yield Option(cost, "lock time", arrives=arrives)

    def _fires(self, inst: Instance, fiber: Fiber, guard: Guard, cost: int, *, arrives: bool) -> Iterator[Option]:
        if guard.kind == "on":
            event = self.program.events[guard.names[0]]
            for data in self.domains.fields(event.fields):
                given = dict(data)
                if isinstance(event.key, Ref) and event.key.name in given:
                    given[event.key.name] = self._key(inst, given[event.key.name])
                yield Option(cost, "event", given, guard, arrives)
            return
        at = self._due(inst, fiber, guard)
        if at is not None:
            yield Option(cost + 1, "time", at, guard, arrives)

    def _key(self, inst: Instance, sample: Any) -> Any:  # noqa: ANN401 - a text or a number
        """The key that events for an instance carry, where a parameter is it."""
        key = self.program.workflows[inst.workflow].key
        root = next(iter(inst.frames.values()), None)
        names = root.names if root is not None else None
        if isinstance(key, Ref) and names is not None:
            found = names.get(key.name, sample)
            return found if isinstance(found, type(sample)) else sample  # a number may be meant by a text
        return sample

    def _due(self, inst: Instance, fiber: Fiber, guard: Guard) -> int | None:
        """When a guard around a token fires by itself."""
        number: int | None = fiber.frame
        while number is not None:
            frame = inst.frames[number]
            guards = self.program.specs[frame.spec].guards
            for timer in frame.due:
                if timer.what in ("guard", "tick") and timer.index < len(guards) and guards[timer.index].id == guard.id:
                    same = guards[timer.index].label == guard.label
                    if same and guards[timer.index].kind == guard.kind:
                        return timer.at
            number = frame.parent
        return None

    # -- as one would expect it

    def usual(self, stage: Stage, inst: Instance, fiber: Fiber) -> Iterator[Option]:
        """What happens to a token if nothing else fails."""
        call = fiber.call
        if call is not None:
            if call.kind in ("workflow", "undo"):
                return
            value = self.domains.first(call.target) if call.kind != "start" else None
            yield Option(0, "supply" if call.state == "parked" else "value", value)
        elif fiber.wait == "wait":
            yield Option(0, "time", fiber.due[0].at)
        elif fiber.wait == "lock":
            if free(stage, inst, fiber):
                yield Option(0, "grant")
            elif fiber.undo:
                yield Option(0, "lock time")
        elif fiber.wait == "await":
            point = self.ways.at(stage.step(fiber))
            for abort in point.aborts if point is not None else ():
                if abort.guard is not None and abort.guard.kind != "catch":
                    yield from self._fires(inst, fiber, abort.guard, 0, arrives=False)
