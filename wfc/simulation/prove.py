"""Looks for a run that shows what a check claims: along given waypoints, to a moment that is recognised.

The search follows the flow graph: at each token it takes what leads nearer to the next waypoint, and tries values of
answers and events where conditions depend on them. A straight run is tried first, with nothing to go back to, so that
large programs cost what their run costs. Where that does not get there, a best-first search goes over all choices, up
to a bound. If it sees everything and finds nothing, the claim is false for every value that conditions can tell apart.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from wfc.flow.graph import SYSTEM, Abort, Point
from wfc.flow.ways import Ways
from wfc.ir.expressions import Ref
from wfc.ir.machine import Do, Guard
from wfc.machine.instance import Fiber, Instance
from wfc.machine.messages import Event, Locked, Operator, Time
from wfc.machine.program import Program
from wfc.simulation.canonical import canonical
from wfc.simulation.claim import Claim, Limits, Sign
from wfc.simulation.domains import Domains
from wfc.simulation.moment import Moment
from wfc.simulation.stage import Stage

FAR = 1_000_000
ATTEMPTS = 40  # a call that has failed so often is taken to be tried for ever
AFTER = 400  # acts behind the last waypoint
STRAIGHT = 20_000  # acts of a straight run
SEVERAL = 8  # values that are tried at one place of a straight run
PHASE = 10_000  # a waypoint that has been passed counts more than any way


@attrs.frozen
class Found:
    """`run`: the stage at whose end the claim is shown. Without one, `complete` says that there is none."""

    run: Stage | None
    complete: bool
    turns: int = 0


@attrs.frozen
class _Aim:
    """Where an instance is to get: distances, and what is to happen at the goal."""

    far: Mapping[int, int]
    goal: Point
    kind: Literal["done", "at", "leave", "end", "fail"]
    abort: Abort | None = None
    errors: frozenset[str] = frozenset()


@attrs.frozen
class _Option:
    """Something that can happen to a token. `cost`: how far the goal is then; `arrives`: it is the waypoint itself."""

    cost: int
    kind: Literal["value", "error", "system", "event", "time", "grant", "lock time", "supply", "stopped"]
    value: Any = None
    guard: Guard | None = None
    arrives: bool = False


@attrs.define(eq=False)
class _State:
    stage: Stage
    phase: int


class Prover:
    """Looks for runs of one program. `ways` are those of the same machine."""

    def __init__(self, ways: Ways, program: Program) -> None:
        self.ways = ways
        self.program = program
        self.domains = Domains(program)

    def play_out(self, stage: Stage) -> None:
        """Lets a run go on as it does if nothing else fails."""
        nowhere = Claim(stage.root.workflow, (), Sign("entered"))
        _Search(self, nowhere, Limits()).play_out(stage)

    def find(self, claim: Claim, limits: Limits | None = None) -> Found:
        """A run that shows a claim."""
        return _Search(self, claim, limits or Limits()).run()


class _Search:
    def __init__(self, prover: Prover, claim: Claim, limits: Limits) -> None:
        self.ways = prover.ways
        self.program = prover.program
        self.domains = prover.domains
        self.claim = claim
        self.limits = limits
        self.turns = 0
        self.cut = False

    def run(self) -> Found:
        straight = self._straight()
        found = Found(straight, complete=False) if straight is not None else self._best_first()
        return attrs.evolve(found, turns=self.turns)

    # -- starting

    def _starts(self) -> Iterator[Stage]:
        params = self.program.workflows[self.claim.workflow].params
        for data in self.domains.fields(params, params=True):
            stage = Stage(self.program)
            if stage.start(self.claim.workflow, data):
                yield stage

    # -- a straight run

    def _straight(self) -> Stage | None:
        """Always the best thing, with nothing to go back to."""
        starts = list(self._starts())
        if not starts:
            return None
        state = _State(min(starts, key=lambda each: self._far(_State(each, 0))), 0)
        for _ in range(STRAIGHT):
            self._advance(state)
            mark = state.stage.last
            last = self._last(state)
            if last and self.claim.goal is None:
                return state.stage if self._finish(state.stage, mark) else None
            if not self._go(state):
                return None
            self._advance(state)
            if self._last(state):
                if self._shown(state.stage, mark):
                    return state.stage
                if self.claim.goal is None:
                    return state.stage if self._finish(state.stage, state.stage.last) else None
        return None

    def _go(self, state: _State) -> bool:
        """The best thing that can happen; False if nothing leads on."""
        stage = state.stage
        for _, _, inst, fiber in sorted(self._nearest(state), key=lambda each: each[:2]):
            options = self._options(state, inst, fiber)
            if not options or options[0].cost >= FAR:
                continue
            equal = [option for option in options if option.cost == options[0].cost]
            if len(equal) == 1:
                state.phase += equal[0].arrives
                return self._perform(stage, inst, fiber, equal[0])
            tried: list[tuple[int, int, _State]] = []
            for option in equal[:SEVERAL]:
                made = _State(stage.copy(), state.phase + option.arrives)
                mine = made.stage.instances[inst.id]
                if self._perform(made.stage, mine, mine.fibers[fiber.id], option):
                    tried.append((self._far(made), len(tried), made))
            if tried:
                best = min(tried, key=lambda each: each[:2])[2]
                state.stage, state.phase = best.stage, best.phase
                return True
        return False

    def _nearest(self, state: _State) -> Iterator[tuple[int, int, Instance, Fiber]]:
        """The tokens with how far they are from the goal; what is under way comes first."""
        for serial, (inst, fiber) in enumerate(state.stage.fibers()):
            if fiber.undo or (fiber.call is not None and fiber.call.state == "stopping"):
                yield -1, serial, inst, fiber
                continue
            point = self.ways.at(state.stage.step(fiber))
            aim = self._aim(state, inst)
            if point is not None and aim is not None:
                yield aim.far.get(id(point), FAR), serial, inst, fiber

    # -- all choices

    def _best_first(self) -> Found:
        heap: list[tuple[int, int, _State]] = []
        seen: set[Any] = set()

        def push(state: _State) -> None:
            self._advance(state)
            form = (state.phase, tuple(canonical(inst) for inst in state.stage.instances.values()))
            if form not in seen:
                seen.add(form)
                heapq.heappush(heap, (self._far(state), len(seen), state))

        for stage in self._starts():
            push(_State(stage, 0))
        while heap:
            state = heapq.heappop(heap)[2]
            if len(seen) > self.limits.states or self.turns > self.limits.turns:
                return Found(None, complete=False)
            if self._last(state) and self.claim.goal is None:
                if self._finish(state.stage, state.stage.last):
                    return Found(state.stage, complete=False)
                continue
            for made, mark in self._following(state):
                if self._last(made) and self._shown(made.stage, mark):
                    return Found(made.stage, complete=False)
                push(made)
        return Found(None, complete=not (self.cut or self.domains.cut))

    def _following(self, state: _State) -> Iterator[tuple[_State, Moment | None]]:
        """Everything that can happen next; what is under way ends before anything else."""
        for inst, fiber in list(state.stage.fibers()):
            options = self._options(state, inst, fiber)
            for option in options:
                made = _State(state.stage.copy(), state.phase + option.arrives)
                mine = made.stage.instances[inst.id]
                mark = made.stage.last
                if self._perform(made.stage, mine, mine.fibers[fiber.id], option):
                    yield made, mark
            if options and options[0].cost < 0:
                return

    def _last(self, state: _State) -> bool:
        """Whether all waypoints have been passed."""
        return state.phase >= len(self.claim.waypoints)

    def _shown(self, stage: Stage, mark: Moment | None) -> bool:
        """Whether the claim is shown by what has happened since a moment."""
        if self.claim.sign.kind == "there":
            return True
        fresh = []
        moment = stage.last
        while moment is not None and moment is not mark:
            fresh.append(moment)
            moment = moment.before
        root = stage.root.id
        return any(moment.shows(self.claim.sign, root) for moment in fresh)

    # -- where one stands

    def _advance(self, state: _State) -> None:
        """Passes waypoints at which a token stands."""
        while state.phase < len(self.claim.waypoints):
            waypoint = self.claim.waypoints[state.phase]
            if waypoint.kind != "at":
                return
            if not any(self.ways.at(state.stage.step(fiber)) is waypoint.point for _, fiber in state.stage.fibers()):
                return
            state.phase += 1

    def _far(self, state: _State) -> int:
        """How far the next waypoint is from the nearest token, and how many there are."""
        left = len(self.claim.waypoints) - state.phase
        found = min((far for far, *_ in self._nearest(state) if far >= 0), default=FAR)
        return found + left * PHASE

    def _aim(self, state: _State, inst: Instance) -> _Aim | None:
        """Where an instance is to get."""
        waypoint = self.claim.waypoints[state.phase] if state.phase < len(self.claim.waypoints) else None
        if waypoint is not None:
            own = _Aim(self.ways.to(waypoint.point), waypoint.point, waypoint.kind, waypoint.abort)
        elif self.claim.goal is not None:
            own = _Aim(self.ways.to(self.claim.goal), self.claim.goal, "end")
        else:
            return None
        caller = state.stage.callers.get(inst.id)
        if caller is None:
            return own
        points = [self.ways.at(state.stage.step(fiber)) for fiber in inst.fibers.values()]
        if any(point is not None and id(point) in own.far for point in points):
            return own
        parent = state.stage.instances[caller[0]]
        around = self._aim(state, parent)
        fiber = next((f for f in parent.fibers.values() if f.call is not None and f.call.id == caller[1]), None)
        point = self.ways.at(state.stage.step(fiber)) if fiber is not None else None
        if around is None or point is None:
            return None
        graph = self.ways.program.flows[inst.workflow].graph
        works = min((around.far.get(id(target), FAR) for target in point.next), default=FAR)
        if (around.kind == "done" and around.goal is point) or works < FAR:
            return _Aim(self.ways.to(graph.end), graph.end, "end")
        wanted: frozenset[str] = frozenset()
        for abort in point.aborts:
            leads = abort.target is not None and id(abort.target) in around.far
            if leads or (around.kind in ("leave", "fail") and around.goal is point and _same(abort, around)):
                wanted |= abort.errors
        for goal in graph.points:
            escapes = [a for a in goal.aborts if a.target is None and a.frame.kind == "workflow" and a.errors & wanted]
            if escapes:
                far = self.ways.to(goal)
                if any(each is not None and id(each) in far for each in points):
                    return _Aim(far, goal, "fail", escapes[0], escapes[0].errors & wanted)
        return None

    # -- what can happen

    def _options(self, state: _State, inst: Instance, fiber: Fiber) -> list[_Option]:
        """What can happen to a token, the best first; what is under way ends before anything else (cost below 0)."""
        call = fiber.call
        if fiber.undo:
            if call is not None:
                if call.kind in ("workflow", "undo"):
                    return []
                value = self.domains.first(call.target) if call.kind != "start" else None
                return [_Option(-1, "supply" if call.state == "parked" else "value", value)]
            if fiber.wait == "wait":
                return [_Option(-1, "time", fiber.due[0].at)]
            return [_Option(-1, "grant")] if fiber.wait == "lock" and self._free(state.stage, inst, fiber) else []
        if call is not None and call.state == "stopping":
            if call.kind == "workflow":
                return []
            value = self.domains.first(call.target) if call.kind != "start" else None
            return [_Option(-1, "value", value), _Option(-1, "stopped")]
        point = self.ways.at(state.stage.step(fiber))
        aim = self._aim(state, inst)
        if point is None or aim is None:
            return []
        return sorted(self._chances(state, inst, fiber, point, aim), key=lambda option: option.cost)

    def _chances(self, state: _State, inst: Instance, fiber: Fiber, point: Point, aim: _Aim) -> Iterator[_Option]:
        call = fiber.call
        here = aim.goal is point
        onward = min((aim.far.get(id(target), FAR) for target in point.next), default=FAR)
        done = here and aim.kind == "done"
        if call is not None and call.kind != "workflow":
            for value in self.domains.results(call.target) if call.kind != "start" else (None,):
                kind: Any = "supply" if call.state == "parked" else "value"
                yield _Option(0 if done else onward + 1, kind, value, arrives=done)
        elif fiber.wait == "wait":
            yield _Option(onward + 1, "time", fiber.due[0].at)
        elif fiber.wait == "lock" and self._free(state.stage, inst, fiber):
            yield _Option(onward + 1, "grant")
        if isinstance(point.step, Do) and point.step.optional and call is not None and call.kind != "workflow":
            yield _Option(onward + 2, "system", "Timeout")
            yield _Option(onward + 2, "system", "Unavailable")
        for abort in point.aborts:
            yield from self._aborts(inst, fiber, abort, aim, here=here)
        for frame in point.frame.outward():
            for guard in frame.guards:
                if guard.also or guard.kind == "every":
                    cost = aim.far.get(id(frame.tails[id(guard)]), FAR) + 1
                    if cost < FAR:
                        yield from self._fires(inst, fiber, guard, cost, arrives=False)
            if frame.kind == "also":
                break

    def _aborts(self, inst: Instance, fiber: Fiber, abort: Abort, aim: _Aim, *, here: bool) -> Iterator[_Option]:
        arrives = here and aim.kind in ("leave", "fail") and _same(abort, aim)
        cost = 0 if arrives else (aim.far.get(id(abort.target), FAR) + 1 if abort.target is not None else FAR)
        arrives = arrives and aim.kind == "leave"
        if abort.guard is not None and abort.guard.kind in ("on", "after", "at"):
            yield from self._fires(inst, fiber, abort.guard, cost, arrives=arrives)
            return
        call = fiber.call
        wanted = abort.errors & aim.errors if aim.errors and here else abort.errors
        for name in sorted(wanted):
            if call is not None and call.kind == "start":
                yield _Option(cost, "system", name, arrives=arrives)
            elif call is not None and call.kind != "workflow":
                if name in ("Timeout", "Unavailable"):
                    yield _Option(cost, "system", name, arrives=arrives)
                elif name == "Invalid":
                    yield _Option(cost + 1, "system", name, arrives=arrives)
                elif name not in SYSTEM:
                    for error in self.domains.errors(call.target):
                        if error["is"] == name:
                            yield _Option(cost, "error", error, arrives=arrives)
            elif fiber.wait == "lock" and name == "LockTimeout":
                yield _Option(cost, "lock time", arrives=arrives)

    def _fires(self, inst: Instance, fiber: Fiber, guard: Guard, cost: int, *, arrives: bool) -> Iterator[_Option]:
        if guard.kind == "on":
            event = self.program.events[guard.names[0]]
            for data in self.domains.fields(event.fields):
                given = dict(data)
                if isinstance(event.key, Ref) and event.key.name in given:
                    given[event.key.name] = self._key(inst, given[event.key.name])
                yield _Option(cost, "event", given, guard, arrives)
            return
        at = self._due(inst, fiber, guard)
        if at is not None:
            yield _Option(cost + 1, "time", at, guard, arrives)

    def _key(self, inst: Instance, sample: Any) -> Any:  # noqa: ANN401 - a text or a number
        """The key that events for an instance carry, where a parameter is it."""
        key = self.program.workflows[inst.workflow].key
        root = next(iter(inst.frames.values()), None)
        names = root.names if root is not None else None
        if isinstance(key, Ref) and names is not None:
            return names.get(key.name, sample)
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

    def _free(self, stage: Stage, inst: Instance, fiber: Fiber) -> bool:
        """Whether what a token asks for is held by nobody here, or there is room for one more."""
        asked = stage.locks.get((inst.id, fiber.lock))
        if asked is None:
            return True
        for resource in asked.resources:
            held = 0
            for (identity, name), lock in stage.locks.items():
                if (identity, name) != (inst.id, fiber.lock) and self._granted(stage, identity, name):
                    held += sum((r.name, r.key) == (resource.name, resource.key) for r in lock.resources)
            if held >= resource.capacity:
                return False
        return True

    def _granted(self, stage: Stage, identity: str, name: str) -> bool:
        inst = stage.instances[identity]
        return not any(fiber.wait == "lock" and fiber.lock == name for fiber in inst.fibers.values())

    # -- doing it

    def _perform(self, stage: Stage, inst: Instance, fiber: Fiber, option: _Option) -> bool:
        before = stage.turns
        taken = self._act(stage, inst, fiber, option)
        self.turns += stage.turns - before
        return taken

    def _act(self, stage: Stage, inst: Instance, fiber: Fiber, option: _Option) -> bool:
        call = fiber.call
        if call is not None and call.state == "queued":
            call.state = "sent"  # its turn has come
        match option.kind:
            case "value":
                if call is not None and call.state == "pause" and not self._pass(stage, inst, fiber):
                    return False
                return stage.answer(inst.id, fiber, "value", option.value)
            case "error":
                if call is not None and call.state == "parked":
                    return self._operate(stage, inst, fiber, "raise", option.value)
                if call is not None and call.state == "pause" and not self._pass(stage, inst, fiber):
                    return False
                return stage.answer(inst.id, fiber, "error", option.value)
            case "system":
                return self._fail(stage, inst, fiber, option.value)
            case "supply":
                return self._operate(stage, inst, fiber, "supply", option.value)
            case "stopped":
                return stage.answer(inst.id, fiber, "cancelled")
            case "event":
                assert option.guard is not None
                given = Event(at=stage.now, type=option.guard.names[0], data=option.value)
                return stage.give(inst.id, given, stage.step(fiber))
            case "time" | "lock time":
                at = fiber.due[0].at if option.kind == "lock time" else option.value
                return stage.give(inst.id, Time(at=max(at, stage.now)), stage.step(fiber))
            case "grant":
                given_lock = Locked(at=stage.now, lock=fiber.lock, state="granted")
                return stage.give(inst.id, given_lock, stage.step(fiber))

    def _operate(self, stage: Stage, inst: Instance, fiber: Fiber, action: Any, value: Any) -> bool:  # noqa: ANN401 - one of two words; a value of the language
        assert fiber.call is not None
        given = Operator(at=stage.now, action=action, key=fiber.call.key, value=value)
        return stage.give(inst.id, given, stage.step(fiber))

    def _pass(self, stage: Stage, inst: Instance, fiber: Fiber) -> bool:
        """The pause before the next attempt ends."""
        due = [timer.at for timer in fiber.due if timer.what != "overall"]
        taken = bool(due) and stage.give(inst.id, Time(at=max(min(due), stage.now)), stage.step(fiber))
        return taken and fiber.id in inst.fibers and fiber.call is not None and fiber.call.state == "sent"

    def _fail(self, stage: Stage, inst: Instance, fiber: Fiber, name: str) -> bool:
        """All attempts of a call end so, whatever its policy says."""
        assert fiber.call is not None
        identity = fiber.call.id
        if fiber.call.state == "parked":
            return self._operate(stage, inst, fiber, "raise", {"is": name})
        for _ in range(ATTEMPTS):
            now = inst.fibers.get(fiber.id)
            if now is None or now.call is None or _gone(inst, fiber, identity):
                return True
            if now.call.state == "parked":
                return self._operate(stage, inst, now, "raise", {"is": name})
            if now.call.state == "queued":
                now.call.state = "sent"
            if now.call.state == "pause":
                if not self._pass(stage, inst, now):
                    return _gone(inst, fiber, identity)
                continue
            if now.call.state == "stopping":
                return True
            if not stage.answer(inst.id, now, "system", name, sent=name != "Unavailable"):
                return False
        return False

    # -- behind the last waypoint

    def play_out(self, stage: Stage) -> None:
        """Lets a run go on to its end, if it has one soon."""
        for _ in range(AFTER):
            if (stage.root.status != "running" and not stage.root.frames) or not self._on(stage):
                return

    def _finish(self, stage: Stage, mark: Moment | None) -> bool:
        """Lets the run go on as it does if nothing else fails; whether the claim is shown on the way."""
        for _ in range(AFTER):
            if self._shown(stage, mark):
                return True
            mark = stage.last
            if not self._on(stage):
                return False
        return False

    def _on(self, stage: Stage) -> bool:
        """Something happens as one would expect it; False if nothing does."""
        for inst, fiber in list(stage.fibers()):
            for option in self._usual(stage, inst, fiber):
                if self._perform(stage, inst, fiber, option):
                    return True
        return False

    def _usual(self, stage: Stage, inst: Instance, fiber: Fiber) -> Iterator[_Option]:
        call = fiber.call
        if call is not None:
            if call.kind in ("workflow", "undo"):
                return
            value = self.domains.first(call.target) if call.kind != "start" else None
            yield _Option(0, "supply" if call.state == "parked" else "value", value)
        elif fiber.wait == "wait":
            yield _Option(0, "time", fiber.due[0].at)
        elif fiber.wait == "lock":
            if self._free(stage, inst, fiber):
                yield _Option(0, "grant")
        elif fiber.wait == "await":
            point = self.ways.at(stage.step(fiber))
            for abort in point.aborts if point is not None else ():
                if abort.guard is not None and abort.guard.kind != "catch":
                    yield from self._fires(inst, fiber, abort.guard, 0, arrives=False)


def _gone(inst: Instance, fiber: Fiber, call: str) -> bool:
    """Whether a call is no longer under way."""
    now = inst.fibers.get(fiber.id)
    return now is None or now.call is None or now.call.id != call


def _same(abort: Abort, aim: _Aim) -> bool:
    return abort is aim.abort
