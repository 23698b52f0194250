"""Guards: what fires them, what they interrupt, and the blocks that run beside."""

from collections.abc import Callable

import attrs

from wfc.backends.xstate.chart import Here, Json, States, Steps, Way, do, transition
from wfc.backends.xstate.names import BESIDE, DEADLINES, SLAS, Frame, slot_of, value
from wfc.ir.expressions import Expr
from wfc.ir.machine import Choose, Guard, Let, Sla


@attrs.frozen
class Watched:
    """What a frame is guarded by."""

    frame: Frame
    guards: tuple[Guard, ...]
    ignore: tuple[str, ...] = ()
    slas: tuple[Sla, ...] = ()


@attrs.define
class Edges:
    """What leads out of a guarded state, by what triggers it; `past`: in the turn of entry, before the first step."""

    on: dict[str, list[Json]] = attrs.field(factory=dict)
    after: dict[str, list[Json]] = attrs.field(factory=dict)
    always: list[Json] = attrs.field(factory=list)
    past: list[Json] = attrs.field(factory=list)
    ticks: list[tuple[str, str]] = attrs.field(factory=list)  # timers of `every`, with their labels
    timers: list[str] = attrs.field(factory=list)


class Guards(States):
    """The part of a chart that is guarded."""

    def _guard(self, watched: Watched, body: Json, here: Here, tails: Here, behind: Way) -> Callable[[Way], None]:
        """Arms a state with guards; what is given the first way then begins it. `behind`: where a tail goes on."""
        frame = watched.frame
        edges, ends = Edges(), list[Json]()
        body["entry"] = [do("open", frame=frame.number)]
        start = None
        if any(not beside(guard) for guard in watched.guards):
            undo = self._state(tails.states, "$undo", title="undo")
            undo["initial"], undo["states"] = "$stop", {}
            start = self._undoing(undo["states"], frame.number, ends)
        for index, guard in enumerate(watched.guards):
            number = len(self.tables.guards)
            self.tables.guards.append({})
            if beside(guard):
                table, block = self._beside(guard, number, here)
                self._trigger(guard, number, frame, index, None, edges)
                edges.always.append(block)
            else:
                table = self._when(guard, frame, {guard.bind: "heard"} if guard.bind is not None else {})
                self._trigger(guard, number, frame, index, start, edges)
                if guard.bind is not None:
                    table["bind"] = slot_of(guard.bind, tails.frame)
                way = self._steps(guard.steps, tails, behind)
                tail = do("tail", guard=number)
                ends.append(way.transition(tail, do("tailed", guard=number), description=guard.label))
            self.tables.guards[number] = {
                "frame": frame.number,
                "kind": guard.kind,
                "label": guard.label,
                "keep": guard.keep,
                "also": beside(guard),
                **table,
            }
        for event in watched.ignore:
            self._ignore(event, frame, len(watched.guards), edges)
        for sla in watched.slas:
            self._promise(sla, frame, edges)
        frame.told["timers"] = edges.timers
        return self._armed(body, edges)

    def _armed(self, body: Json, edges: Edges) -> Callable[[Way], None]:
        """Writes the edges of a guarded state; what is given the first way begins it."""
        found = {"on": edges.on, "after": edges.after, "always": edges.always}
        body.update({name: each for name, each in found.items() if each})
        states = body["states"]
        if edges.ticks:
            main: Json = {"id": self._id(), "initial": "$enter", "states": states}
            body["type"], body["states"] = "parallel", {"$main": main}
            for timer, label in edges.ticks:
                self._clock(body["states"], timer, label)
        else:
            body["initial"] = "$enter"
        enter = self._state(states, "$enter")

        def begin(first: Way) -> None:
            order = sorted(edges.past, key=self._urgency)
            enter["always"] = [*order, first.transition(do("quiet"))]

        return begin

    def _urgency(self, edge: Json) -> tuple[int, int]:
        timer = next(t for t in self.tables.timers if t.name == edge["guard"]["params"]["timer"])
        return timer.rank, timer.place

    def _clock(self, states: Json, timer: str, label: str) -> None:
        """A region that does nothing but tick."""
        region = self._state(states, "$every", title=label)
        region["initial"], region["states"] = "$tick", {}
        tick = self._state(region["states"], "$tick")
        again = transition((do("tick", timer=timer),), tick["id"], reenter=True, description=label)
        tick["after"] = {timer: [again]}

    # -- what fires

    def _trigger(self, guard: Guard, number: int, frame: Frame, index: int, target: str | None, edges: Edges) -> None:
        label = guard.label
        if guard.kind == "catch":
            test = do("caught", frame=frame.number, names=None if guard.any else list(guard.names))
            caught = transition((do("catch", guard=number),), target, test, description=label)
            edges.on.setdefault("fail.*", []).append(caught)
            return
        if guard.kind == "on":
            (event,) = guard.names
            self._listen(event, frame, index, {"guard": number})
            hear = transition((do("hear", guard=number),), target, do("taken", guard=number), description=label)
            take = transition((do("take", guard=number),), target, do("offered", guard=number), description=label)
            edges.on.setdefault(f"event.{event}", []).append(hear)
            edges.always.append(take)
            return
        assert guard.amount is not None
        amount = value(guard.amount, frame)
        rank = BESIDE if beside(guard) else DEADLINES
        timer = self.tables.timer(rank, frame, of=guard.kind, guard=number, amount=amount).name
        edges.timers.append(timer)
        if guard.kind == "every":
            edges.ticks.append((timer, label))
            return
        fire = (do("due", timer=timer), do("fire", guard=number))
        free = transition(fire, target, do("free", timer=timer), description=label)
        edges.after[timer] = [free, transition((do("hold", timer=timer),), None)]
        edges.past.append(transition(fire, target, do("past", timer=timer), description=label))
        if not beside(guard):
            edges.always.append(transition(fire, target, do("overdue", timer=timer), description=label))

    def _listen(self, event: str, frame: Frame, index: int, told: Json) -> None:
        frame.heard = True
        place = (-frame.depth, frame.number, index)
        self.tables.listeners.append((place, {"event": event, "frame": frame.number, **told}))

    def _ignore(self, event: str, frame: Frame, index: int, edges: Edges) -> None:
        self._listen(event, frame, index, {})
        params: Json = {"frame": frame.number, "event": event}
        dropped = transition((do("drop", **params),), None, do("ignored", **params))
        edges.on.setdefault(f"event.{event}", []).append(dropped)
        edges.always.append(transition((do("dropped", **params),), None, do("unheard", **params)))

    def _promise(self, sla: Sla, frame: Frame, edges: Edges) -> None:
        for what, amount in (("sla warned", sla.warn), ("sla breached", sla.within)):
            if amount is None:
                continue
            timer = self.tables.timer(SLAS, frame, of="sla", what=what, sla=sla.name, amount=value(amount, frame)).name
            told = (do("promise", timer=timer),)
            edges.timers.append(timer)
            edges.after[timer] = [transition(told, None, do("due", timer=timer))]
            edges.past.append(transition(told, None, do("past", timer=timer)))

    def _when(self, guard: Guard, frame: Frame, own: dict[str, str]) -> Json:
        """The condition of a guard, with the slot in which it reads the event."""
        if guard.when is None:
            return {}
        return {
            "when": value(guard.when, frame, own),
            "whenBind": own.get(guard.bind) if guard.bind is not None else None,
        }

    # -- blocks beside

    def _beside(self, guard: Guard, number: int, here: Here) -> tuple[Json, Json]:
        """What the adapter knows of a guard whose block runs beside, and the transition that runs it."""
        own = self._block_names(guard)
        table = self._when(guard, here.frame, own)
        if guard.bind is not None:
            table["bind"] = own[guard.bind]
        block = (do("beside", guard=number), *self._block(guard.steps, here.frame, own, here.path))
        return table, transition(block, None, do("waits", guard=number), description=guard.label)

    def _block_names(self, guard: Guard) -> dict[str, str]:
        """The names of a block beside, which nobody outside reads."""
        found = {guard.bind: self.tables.slot()} if guard.bind is not None else {}

        def names(steps: Steps) -> None:
            for step in steps:
                match step:
                    case Let(name=name):
                        found.setdefault(name, self.tables.slot())
                    case Choose(arms=arms, otherwise=otherwise, bind=bind):
                        for each in (bind, *(arm.bind for arm in arms)):
                            if each is not None:
                                found.setdefault(each, self.tables.slot())
                        for arm in arms:
                            names(arm.steps)
                        names(otherwise or ())
                    case _:
                        pass

        names(guard.steps)
        return found

    def _block(self, steps: Steps, frame: Frame, own: dict[str, str], path: str) -> list[Json]:
        """Steps that do not wait, as actions."""
        found = []
        for step in steps:
            match step:
                case Choose(arms=arms, otherwise=otherwise, bind=bind, value=bound):
                    ways: list[Json] = []
                    for arm in arms:
                        inner = [
                            *self._bound(arm.bind, arm.value, frame, own),
                            *self._block(arm.steps, frame, own, path),
                        ]
                        ways.append({"test": value(arm.test, frame, own), "actions": inner})
                    if otherwise is not None:
                        inner = [*self._bound(bind, bound, frame, own), *self._block(otherwise, frame, own, path)]
                        ways.append({"actions": inner})
                    found.append(do("choose", arms=ways))
                case _:
                    found.append(self._action(step, frame, path, own))
        return found

    def _bound(
        self, name: str | None, given: Expr | None, frame: Frame, own: dict[str, str] | None = None
    ) -> list[Json]:
        if name is None or given is None:
            return []
        return [do("set", slot=slot_of(name, frame, own), value=value(given, frame, own))]


def beside(guard: Guard) -> bool:
    """Whether the block of a guard runs beside what it guards."""
    return guard.also or guard.kind == "every"
