"""Looks for a run that shows what a check claims: along given waypoints, to a moment that is recognised.

The search follows the flow graph: at each token it takes what leads nearer to the next waypoint, and tries values of
answers and events where conditions depend on them. A straight run is tried first, with nothing to go back to, so that
large programs cost what their run costs. Where that does not get there, a best-first search goes over all choices, up
to a bound. If it sees everything and finds nothing, the claim is false for every value that conditions can tell apart.
"""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from wfc.flow.graph import Point
from wfc.flow.ways import Ways
from wfc.ir.machine import Do
from wfc.machine.instance import Fiber, Instance
from wfc.machine.messages import Answered, Send, Started
from wfc.machine.program import Program
from wfc.simulation.canonical import canonical
from wfc.simulation.claim import Claim, Limits, Sign, Waypoint
from wfc.simulation.moment import Moment
from wfc.simulation.options import FAR, Aim, Options
from wfc.simulation.perform import Option, perform
from wfc.simulation.stage import Stage

AFTER = 400  # acts behind the last waypoint
PATIENCE = 100  # acts of a straight run that lead no nearer, and so many more as there are points
SEVERAL = 8  # values that are tried at one place of a straight run
PHASE = 10_000  # a waypoint that has been passed counts more than any way
STOPS = frozenset(("raised", "guard fired", "interrupted", "lock lost"))
CROWD = 8  # tokens that cost as much to look at as a turn


@attrs.frozen
class Found:
    """`run`: the stage at whose end the claim is shown. Without one, `complete` says that there is none.

    `passed`: the places of the code that a search through everything has led over.
    """

    run: Stage | None
    complete: bool
    turns: int = 0
    passed: frozenset[int] = frozenset()


@attrs.define(eq=False)
class _State:
    """A run so far. `phase`: how many waypoints have been passed, up to the moment `seen`."""

    stage: Stage
    phase: int
    seen: Moment | None = None


class Prover:
    """Looks for runs of one program. `ways` are those of the same machine."""

    def __init__(self, ways: Ways, program: Program) -> None:
        self.options = Options(ways, program)
        self._begun: dict[str, list[Stage]] = {}

    def play_out(self, stage: Stage) -> None:
        """Lets a run go on as it does if nothing else fails."""
        nowhere = Claim(stage.root.workflow, (), Sign("entered"))
        _Search(self.options, nowhere, Limits(), ()).play_out(stage)

    def find(self, claim: Claim, limits: Limits | None = None) -> Found:
        """A run that shows a claim."""
        return _Search(self.options, claim, limits or Limits(), self._starts(claim.workflow)).run()

    def _starts(self, workflow: str) -> list[Stage]:
        """A workflow begun with each of its parameters that are worth trying: the same for all claims about it."""
        found = self._begun.get(workflow)
        if found is None:
            found = []
            for data in self.options.domains.fields(self.options.program.workflows[workflow].params, params=True):
                stage = Stage(self.options.program)
                if stage.start(workflow, data):
                    found.append(stage)
            self._begun[workflow] = found
        return found


class _Search:
    def __init__(self, options: Options, claim: Claim, limits: Limits, starts: Iterable[Stage]) -> None:
        self.options = options
        self.ways = options.ways
        self.program = options.program
        self.domains = options.domains
        self.claim = claim
        self.limits = limits
        self.starts = starts
        self.turns = 0
        self.lost = False  # a turn has not come to rest
        self.rounds = len(set(claim.waypoints)) < len(claim.waypoints)
        self.token: tuple[int, str, int, int] | None = None  # the nearest: how far, instance, number, phase
        self.indifferent: set[int] = set()  # steps at which no answer was nearer to the goal than another

    def run(self) -> Found:
        straight = self._straight()
        found = Found(straight, complete=False) if straight is not None else self._best_first()
        return attrs.evolve(found, turns=self.turns)

    # -- starting

    def _starts(self) -> Iterator[_State]:
        for begun in self.starts:
            state = _State(begun.copy(), 0)
            self._advance(state)
            yield state

    # -- a straight run

    def _straight(self) -> Stage | None:
        """Always the best thing, with nothing to go back to."""
        starts = list(self._starts())
        for start in starts:
            if self._last(start) and self._shown(start.stage, None):
                return start.stage
        for state in sorted(starts, key=lambda each: (self._far(each), self._lists(each))):
            found = self._straight_from(state)
            if found is not None or self.turns > self.limits.turns:
                return found
        return None

    def _lists(self, state: _State) -> int:
        """For a run with several rounds, long lists come first."""
        given = state.stage.last.given if state.stage.last is not None else None
        return -_items(given.data.values()) if self.rounds and isinstance(given, Started) else 0

    def _straight_from(self, state: _State) -> Stage | None:
        self.token = None
        best, patience = FAR * PHASE, self._patience()
        left = patience
        while left > 0:
            left -= 1
            mark = state.stage.last
            last = self._last(state)
            if last and self.claim.goal is None:
                return state.stage if self._finish(state.stage, mark) else None
            before = (len(self.claim.waypoints) - state.phase) * PHASE
            far = self._go(state)
            if far is None:
                return None
            if far + before < best:
                best, left = far + before, patience
            self._advance(state)
            if self._last(state):
                if self._shown(state.stage, mark):
                    return state.stage
                if self.claim.goal is None:
                    return state.stage if self._finish(state.stage, state.stage.last) else None
        return None

    def _patience(self) -> int:
        return PATIENCE + sum(len(flow.graph.points) for flow in self.ways.program.flows.values())

    def _go(self, state: _State) -> int | None:
        """The best thing that can happen, and how far its token was from the goal; None if nothing leads on."""
        near = self._same_token(state)
        if near is not None and self._take(state, near[1], near[2]):
            return self._went(near[0], near[1], near[2], state)
        for far, _, inst, fiber in sorted(self._nearest(state), key=lambda each: each[:2]):
            if self._take(state, inst, fiber):
                return self._went(far, inst, fiber, state)
        return None

    def _went(self, far: int, inst: Instance, fiber: Fiber, state: _State) -> int:
        self.token = (far, inst.id, fiber.id, state.phase) if far >= 0 else None
        return max(far, 0)

    def _same_token(self, state: _State) -> tuple[int, Instance, Fiber] | None:
        """The token that was the nearest, if it has come nearer still and nothing has begun to stop."""
        last = state.stage.last
        if self.token is None or last is None or any(record.kind in STOPS for record in last.records):
            return None
        before, identity, number, phase = self.token
        inst = state.stage.instances.get(identity)
        if inst is None:  # it was in another run
            return None
        fiber = inst.fibers.get(number)
        point = self.ways.at(state.stage.step(fiber)) if fiber is not None and phase == state.phase else None
        aim = self._aim(state, inst) if point is not None else None
        far = aim.far.get(id(point), FAR) if aim is not None else FAR
        return (far, inst, fiber) if fiber is not None and far < before else None

    def _take(self, state: _State, inst: Instance, fiber: Fiber) -> bool:
        """The best thing that can happen to a token."""
        options = self._options(state, inst, fiber)
        if not options or options[0].cost >= FAR:
            return False
        step = id(state.stage.step(fiber))
        equal = [option for option in options if option.cost == options[0].cost]
        if self.rounds:
            equal.sort(key=lambda option: -_items((option.value,)))
        if len(equal) == 1 or step in self.indifferent:
            state.phase += equal[0].arrives
            return self._perform(state.stage, inst, fiber, equal[0])
        tried: list[tuple[int, int, _State]] = []
        for option in equal[:SEVERAL]:
            made = self._made(state, inst, fiber, option)
            if made is not None:
                tried.append((self._far(made), len(tried), made))
        if not tried:
            return False
        best = min(tried, key=lambda each: each[:2])
        if best[0] == max(far for far, *_ in tried):
            self.indifferent.add(step)
        state.stage, state.phase, state.seen = best[2].stage, best[2].phase, best[2].seen
        return True

    def _nearest(self, state: _State) -> Iterator[tuple[int, int, Instance, Fiber]]:
        """The tokens with how far they are from the goal; what is under way comes first."""
        serial = 0
        for inst in state.stage.instances.values():
            aim: Aim | None = None
            known = False
            for fiber in inst.fibers.values():
                serial += 1
                if fiber.undo or (fiber.call is not None and fiber.call.state == "stopping"):
                    yield -1, serial, inst, fiber
                    continue
                point = self.ways.at(state.stage.step(fiber))
                if not known:
                    aim, known = self._aim(state, inst), True
                if point is not None and aim is not None:
                    yield aim.far.get(id(point), FAR), serial, inst, fiber

    # -- all choices

    def _best_first(self) -> Found:
        heap: list[tuple[int, int, _State]] = []
        seen: set[Any] = set()
        passed: set[int] = set()

        def push(state: _State) -> None:
            self._advance(state)
            form = (state.phase, tuple(canonical(inst) for inst in state.stage.instances.values()))
            if form not in seen:
                seen.add(form)
                heapq.heappush(heap, (self._far(state), len(seen), state))

        for start in self._starts():
            passed.update(*(moment.passed for moment in _since(start.stage, None)))
            push(start)
        while heap:
            state = heapq.heappop(heap)[2]
            if len(seen) > self.limits.states or self.turns > self.limits.turns:
                return Found(None, complete=False)
            if self._last(state) and self.claim.goal is None:
                if self._finish(state.stage, state.stage.last):
                    return Found(state.stage, complete=False)
                continue
            mark = state.stage.last
            for made in self._following(state):
                passed.update(*(moment.passed for moment in _since(made.stage, mark)))
                self._advance(made)
                if self._last(made) and self._shown(made.stage, mark):
                    return Found(made.stage, complete=False)
                push(made)
        cut = self.lost or self.domains.cut or self.turns > self.limits.turns
        complete = bool(seen) and not cut  # where nothing can begin nothing has been tried
        return Found(None, complete=complete, passed=frozenset(passed))

    def _following(self, state: _State) -> Iterator[_State]:
        """Everything that can happen next; what is under way ends before anything else."""
        for inst, fiber in list(state.stage.fibers()):
            options = self._options(state, inst, fiber)
            for option in options:
                made = self._made(state, inst, fiber, option)
                if made is not None:
                    yield made
                if self.turns > self.limits.turns:
                    return
            if options and options[0].cost < 0:
                return

    def _made(self, state: _State, inst: Instance, fiber: Fiber, option: Option) -> _State | None:
        """The run in which something has happened; the one at hand stays as it is."""
        stage = state.stage.copy()
        self.turns += sum(len(each.fibers) for each in stage.instances.values()) // CROWD
        made = _State(stage, state.phase + option.arrives, stage.last if option.arrives else state.seen)
        mine = stage.instances[inst.id]
        taken = self._perform(stage, mine, mine.fibers[fiber.id], option)
        self.lost = self.lost or stage.lost
        return made if taken else None

    def _last(self, state: _State) -> bool:
        """Whether all waypoints have been passed."""
        return state.phase >= len(self.claim.waypoints)

    def _shown(self, stage: Stage, mark: Moment | None) -> bool:
        """Whether the claim is shown by what has happened since a moment."""
        sign = self.claim.sign
        match sign.kind:
            case "there":
                return True
            case "halted":
                return any(i.workflow == self.claim.workflow and path == sign.path for i, _, path in stage.halted())
            case "same key":
                return _same_key(stage, sign.path)
            case _:
                return any(moment.shows(sign, stage.root.id) for moment in _since(stage, mark))

    # -- where one stands

    def _advance(self, state: _State) -> None:
        """Passes waypoints at which a token stands, and those that the last turns have led over."""
        while state.phase < len(self.claim.waypoints):
            waypoint = self.claim.waypoints[state.phase]
            moment: Moment | None = None
            match waypoint.kind:
                case "at":
                    if not self._stands(state.stage, waypoint.point):
                        return
                case "pass" | "done" | "leave":
                    fresh = _since(state.stage, state.seen)
                    passes = self._passes if waypoint.kind == "pass" else _answers
                    moment = next((each for each in fresh if passes(each, waypoint)), None)
                    if moment is None:
                        state.seen = state.stage.last
                        return
                case "late":
                    root = state.stage.root.id
                    if not any(each.shows(self.claim.sign, root) for each in _since(state.stage, state.seen)):
                        state.seen = state.stage.last
                        return
                case _:
                    return
            state.phase += 1
            if moment is not None:
                same = state.phase < len(self.claim.waypoints) and self.claim.waypoints[state.phase] == waypoint
                state.seen = moment if same else moment.before

    def _stands(self, stage: Stage, point: Point) -> bool:
        found = (fiber for _, fiber in stage.fibers() if self.ways.at(stage.step(fiber)) is point)
        return any(fiber.wait not in ("halted", "stopped") for fiber in found)

    def _passes(self, moment: Moment, waypoint: Waypoint) -> bool:
        point = waypoint.point
        if point.kind == "node" and point.node is not None:
            path = point.node.path
            return any(record.kind == "entered" and record.path == path for record in moment.records)
        return any(self.program.origins[pc] is point.step for pc in moment.passed)

    def _far(self, state: _State) -> int:
        """How far the next waypoint is from the nearest token, and how many there are."""
        left = len(self.claim.waypoints) - state.phase
        found = min((far for far, *_ in self._nearest(state) if far >= 0), default=FAR)
        return found + left * PHASE

    def _aim(self, state: _State, inst: Instance) -> Aim | None:
        return self.options.aim(self.claim, state.phase, state.stage, inst)

    # -- what happens

    def _options(self, state: _State, inst: Instance, fiber: Fiber) -> list[Option]:
        """What can happen to a token, the best first."""
        found = self.options.under_way(self.claim, state.stage, inst, fiber)
        if found is not None:
            return found
        aim = self._aim(state, inst)
        return self.options.forward(aim, state.stage, inst, fiber) if aim is not None else []

    def _perform(self, stage: Stage, inst: Instance, fiber: Fiber, option: Option) -> bool:
        before = stage.turns
        taken = perform(stage, inst, fiber, option)
        self.turns += stage.turns - before + 1
        return taken

    # -- behind the last waypoint

    def play_out(self, stage: Stage) -> None:
        """Lets a run go on to its end, if it has one soon."""
        for _ in range(AFTER + self._patience()):  # what has been done may all have to be undone
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
            found = self.options.under_way(self.claim, stage, inst, fiber)
            for option in found if found is not None else self.options.usual(stage, inst, fiber):
                if self._perform(stage, inst, fiber, option):
                    return True
                if stage.lost:
                    return False
        return False


def _items(values: Iterable[Any]) -> int:
    """How many items lists have."""
    return sum(len(value) for value in values if isinstance(value, tuple))


def _answers(moment: Moment, waypoint: Waypoint) -> bool:
    """Whether a child has worked, or failed, as wanted; calls of the outside arrive by what is chosen for them."""
    step, given = waypoint.point.step, moment.given
    child = isinstance(step, Do) and step.kind == "workflow" and moment.step is step
    if not child or not isinstance(given, Answered):
        return False
    if waypoint.kind == "done":
        return given.kind == "value"
    if given.kind not in ("error", "system"):
        return False
    name = given.value["is"] if isinstance(given.value, dict) else given.value
    return name in (waypoint.errors or (waypoint.abort.errors if waypoint.abort is not None else frozenset()))


def _since(stage: Stage, mark: Moment | None) -> list[Moment]:
    """What has happened since a moment, oldest first."""
    fresh: list[Moment] = []
    moment = stage.last
    while moment is not None and moment is not mark:
        fresh.append(moment)
        moment = moment.before
    return fresh[::-1]


def _same_key(stage: Stage, operation: str) -> bool:
    """Whether two calls of an operation have had one key."""
    calls: dict[str, str] = {}
    for moment in _since(stage, None):
        for command in moment.commands:
            same = isinstance(command, Send) and command.target == operation
            if same and isinstance(command, Send) and calls.setdefault(command.key, command.call) != command.call:
                return True
    return False
