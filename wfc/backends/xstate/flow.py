"""From the flow of a workflow to the states of a chart: one state a node, a leaf a waiting step, actions between them.

What a transition does stands in its actions, in order; nothing is left to exit actions, whose order is XState's own.
Targets are ids, never paths.
"""

from collections.abc import Callable

import attrs

from wfc.backends.xstate.chart import Around, Here, Json, Steps, Way, do, transition
from wfc.backends.xstate.guards import Guards, Watched
from wfc.backends.xstate.names import WAITS, Frame, slot_of, value
from wfc.ir.expressions import Expr
from wfc.ir.machine import (
    Audit,
    Await,
    Choose,
    Do,
    Done,
    Emit,
    Fail,
    ForEach,
    Goto,
    Guard,
    Let,
    Lock,
    Measure,
    Node,
    Parallel,
    Region,
    Repeat,
    Scope,
    Settle,
    SetVar,
    Start,
    Step,
    UndoRegion,
    Wait,
)


class Flow(Guards):
    """Writes the states of one workflow."""

    # -- the workflow

    def workflow(self) -> Json:
        """The chart, without its tables."""
        workflow = self.machine.workflow
        run: Json = {"id": "$run", "initial": "$start", "states": {}}
        aborted: Json = {"id": "$abort", "initial": "$stop", "states": {}}
        done, failed = Way((), "$done"), Way((do("failed"),), "$failed")
        root = self.root = self.tables.frame("workflow", None, workflow.region.path)

        def finish(here: Here) -> Way:
            last = self._leaf(
                here, "$ending", done.transition(do("ended"), do("close", frame=root.number), do("completed"))
            )
            return last.after(*self._closes(here, root), do("closing", frame=root.number))

        start = self._region(workflow.region, run, root, finish)
        run["states"]["$start"] = {"id": self._id(), "always": [start.transition()]}
        run["on"] = {"fail.*": [transition((do("abort"),), "$abort", do("within", frame=root.number))]}
        run["always"] = [transition((do("abort"),), "$abort", do("cancelled"))]
        events = sorted({each["event"] for _, each in self.tables.listeners})
        heard = {f"event.{event}": [transition((do("keep"),), None, do("nobody"))] for event in events}
        self._undoing(aborted["states"], root.number, [failed.transition(do("quiet", tail=True))])
        return {
            "initial": "$run",
            "entry": [do("begin")],
            "on": {"note": [{"actions": [do("note")]}], "outcome": [{"actions": [do("outcome")]}],
                   "cancel": [{"actions": [do("cancel")]}], **heard},
            "states": {
                "$run": run,
                "$abort": aborted,
                "$done": {"id": "$done", "type": "final"},
                "$failed": {"id": "$failed", "type": "final"},
            },
        }  # fmt: skip

    # -- regions

    def _region(
        self,
        region: Region,
        into: Json,
        frame: Frame,
        finish: Callable[[Here], Way],
        outer: Here | None = None,
        implicit: Here | None = None,
    ) -> Way:
        """Writes a region into a state; how it is entered.

        `outer` is where tails run, if not in the region; `implicit` the place around a scope that stands in no source.
        """
        frame.boundary = implicit is None
        frame.inside = outer is None
        if implicit is None:
            frame.slots = {}
            params = self.machine.workflow.params if frame is self.root else ()
            names = [*(p.name for p in params), *(n for n, _ in region.names), *(v.name for v in region.variables)]
            for name in names:
                frame.slots.setdefault(name, self.tables.slot())
            for guard in region.guards:
                if outer is None and guard.bind is not None:
                    frame.slots.setdefault(guard.bind, self.tables.slot())
            if params:
                frame.told["params"] = [[p.name, frame.slots[p.name]] for p in params]
            frame.told["variables"] = [[frame.slots[v.name], value(v.value, frame)] for v in region.variables]
        if region.undo is not None:
            frame.told["forgets"] = region.undo.kind == "none"
            if region.undo.kind == "steps":
                name = region.path or self.machine.workflow.name
                frame.told["undo"] = self.calls.undo(region.undo, frame, region.path, name)
        mine = Around(frame, {}, finish)
        if implicit is not None:
            around = implicit.region
            mine = Around(around.frame, dict(around.nodes), around.finish)
        for node in region.nodes:
            mine.nodes[node.name] = (frame, self._id())
        own = implicit.own if implicit is not None else ()
        if frame is self.root or implicit is not None:
            own = (*own, frame)
        body = self._state(into["states"], "$body")
        body["states"] = {}
        here = Here(body["states"], frame, mine, region.path, own)
        tails = Here(into["states"], frame, mine, region.path, own) if outer is None else outer
        halted = self._leaf(tails, "$halt")
        watched = Watched(frame, region.guards, region.ignore, region.slas)
        first = self._guard(watched, body, here, tails, halted)
        follow = self._goto(region.nodes[0].name, here) if region.nodes else self._done(None, here)
        first(self._steps(region.steps, here, follow))
        for node in region.nodes:
            self._node(node, here)
        return Way((), body["id"])

    def _node(self, node: Node, here: Here) -> None:
        identity = here.region.nodes[node.name][1]
        kind = "scope" if isinstance(node, Scope) else "gateway" if node.gateway else "state"
        line = node.at.line if node.at is not None else None
        implicit = isinstance(node, Scope) and node.implicit
        key = "$guarded" if implicit else node.name
        made = self._state(here.states, key, identity, title=None if implicit else node.name, kind=kind, line=line)
        if node.doc:
            made["description"] = node.doc
        made["states"] = {}
        if isinstance(node, Scope):
            self._scope(node, made, here)
            return
        made["entry"] = [do("enter", frame=here.region.frame.number, path=node.path)]
        inside = attrs.evolve(here, states=made["states"], path=node.path)
        halt = self._leaf(inside, "$halt")
        if not (node.guards or node.ignore or node.slas):
            first = self._steps(node.steps, inside, halt)
            made["initial"] = "$enter"
            enter = self._state(made["states"], "$enter")
            enter["always"] = [first.transition(do("quiet"))]
            return
        frame = self.tables.frame("state", here.frame, node.path)
        body = self._state(made["states"], "$body")
        body["states"] = {}
        made["initial"] = "$body"
        within = attrs.evolve(inside, states=body["states"], frame=frame)
        begin = self._guard(Watched(frame, node.guards, node.ignore, node.slas), body, within, inside, halt)
        begin(self._steps(node.steps, within, halt))

    def _scope(self, node: Scope, made: Json, here: Here) -> None:
        frame = self.tables.frame("scope", here.frame, node.path)
        outer = attrs.evolve(here, states=made["states"])

        def onward(given: Frame) -> Way:
            bind = [do("yield", frame=given.number, slot=slot_of(node.bind, here.frame))] if node.bind else []
            follow = self._goto(node.next, here) if node.next is not None else self._leaf(outer, "$halt")
            return follow.after(*bind)

        def finish(inner: Here) -> Way:
            return onward(frame).after(*self._closes(inner, frame), do("close", frame=frame.number))

        def tailed(inner: Here) -> Way:
            return onward(here.region.frame).after(*self._closes(inner, here.frame))

        if not node.implicit:  # `done` in a tail completes the scope, which is left already
            outer = attrs.evolve(outer, region=Around(here.region.frame, here.region.nodes, tailed))
        way = self._region(node.region, made, frame, finish, outer, here if node.implicit else None)
        made["initial"] = next(key for key, state in made["states"].items() if state["id"] == way.target)

    # -- steps

    def _steps(self, steps: Steps, here: Here, follow: Way) -> Way:
        """Steps from the first on; `follow` is what comes behind them."""
        for place in range(len(steps) - 1, -1, -1):
            follow = self._step(steps[place], here, follow)
        return follow

    def _step(self, step: Step, here: Here, follow: Way) -> Way:
        match step:
            case Do():
                return self._do(step, here, follow)
            case Let() | SetVar() | Emit() | Audit() | Measure() | Settle():
                return follow.after(self._action(step, here.frame, here.path))
            case Wait():
                return self._wait(step, here, follow)
            case Choose():
                return self._choose(step, here, follow)
            case Await():
                return self._guarded("await", step.guards, here, follow, lambda inside, _: self._leaf(inside, "$wait"))
            case Parallel():
                return self._guarded(
                    "guarded", step.guards, here, follow, lambda inside, on: self._fork(step, inside, on)
                )
            case Repeat():
                return self._repeat(step, here, follow)
            case Goto():
                return self._goto(step.target, here)
            case Done(value=given):
                return self._done(given, here)
            case Fail():
                error = do("fail", frame=here.frame.number, error=value(step.error, here.frame))
                return self._leaf(here, "$fail").after(error)
            case UndoRegion():
                frame = here.frame.number
                again = self._leaf(here, "$undoing", follow.transition(do("reversed", frame=frame)))
                return again.after(do("reverse", frame=frame, frames=_own(here.frame)))
            case ForEach() | Lock() | Start():
                raise AssertionError(step)

    def _action(self, step: Step, frame: Frame, path: str, own: dict[str, str] | None = None) -> Json:
        """A step that does not wait, as an action."""
        match step:
            case Let() | SetVar():
                return do("set", slot=slot_of(step.name, frame, own), value=value(step.value, frame, own))
            case Emit():
                return do("emit", frame=frame.number, event=step.event, value=value(step.value, frame, own))
            case Audit():
                text = self.personal.shown(step.text, self.hidden)
                return do("audit", frame=frame.number, text=value(text, frame, own))
            case Measure():
                given = value(step.value, frame, own) if step.value is not None else None
                return do("measure", metric=step.metric, value=given)
            case Settle():
                return do("settle", frames=_own(frame))
            case _:
                raise AssertionError((step, path))

    def _goto(self, target: str, here: Here) -> Way:
        level, identity = here.region.nodes[target]
        return Way(tuple(self._closes(here, level)), identity)

    def _closes(self, here: Here, level: Frame) -> list[Json]:
        """Leaves all frames inside another."""
        found = []
        for each in here.frame.outward():
            if each is level:
                break
            found.append(do("close", frame=each.number))
        return found

    def _done(self, given: Expr | None, here: Here) -> Way:
        give = do("give", frame=here.region.frame.number, value=value(given, here.frame) if given is not None else None)
        way = here.region.finish(here)
        heard = [each.number for each in reversed(here.own)]
        if not any(each.heard for each in here.own):
            return way.after(give)
        last = self._leaf(here, "$last", way.transition(do("quiet"), do("among")))
        return last.after(give, do("among", frames=heard))

    def _choose(self, step: Choose, here: Here, follow: Way) -> Way:
        arms = []
        for arm in step.arms:
            way = self._steps(arm.steps, here, follow).after(*self._bound(arm.bind, arm.value, here.frame))
            arms.append(way.transition(do("holds", value=value(arm.test, here.frame)), description=arm.label))
        if step.otherwise is not None:
            way = self._steps(step.otherwise, here, follow)
            arms.append(way.after(*self._bound(step.bind, step.value, here.frame)).transition())
        else:
            arms.append(follow.transition())
        return self._leaf(here, "$choose", *arms)

    def _wait(self, step: Wait, here: Here, follow: Way) -> Way:
        timer = self.tables.timer(WAITS, here.frame, of="until" if step.until else "wait",
                                  amount=value(step.amount, here.frame)).name  # fmt: skip
        made = self._state(here.states, "$wait")
        made["always"] = [follow.transition(do("passed", timer=timer))]
        made["after"] = {timer: [follow.transition(None, do("due", timer=timer))]}
        return Way((do("wait", timer=timer),), made["id"])

    def _repeat(self, step: Repeat, here: Here, follow: Way) -> Way:
        self.counters += 1
        counter = f"r{self.counters}"
        test = self._state(here.states, "$repeat")
        first = self._steps(step.steps, here, Way((), test["id"]))
        times = value(step.times, here.frame) if step.times is not None else None
        over = do("over", counter=counter, until=value(step.until, here.frame), times=times)
        test["always"] = [follow.transition(over), first.transition(None, do("again", counter=counter))]
        return first.after(do("count", counter=counter))

    def _guarded(
        self, kind: str, guards: tuple[Guard, ...], here: Here, follow: Way, inner: Callable[[Here, Way], Way]
    ) -> Way:
        """Something inside a frame of its own, if it has guards; the tails go on behind it."""
        if not guards:
            return inner(here, follow)
        frame = self.tables.frame(kind, here.frame, here.path)
        body = self._state(here.states, f"${kind}")
        body["states"] = {}
        within = attrs.evolve(here, states=body["states"], frame=frame)
        begin = self._guard(Watched(frame, guards), body, within, here, follow)
        begin(inner(within, follow.after(do("close", frame=frame.number))))
        return Way((), body["id"])

    def _do(self, step: Do, here: Here, follow: Way) -> Way:
        return self._guarded("guarded", step.guards, here, follow, lambda inside, on: self._call(step, inside, on))

    def _call(self, step: Do, here: Here, follow: Way) -> Way:
        call = self.calls.call(step, here.frame, here.path)
        made = self._state(here.states, step.target.rpartition(".")[2], title=step.target, kind=step.kind,
                           line=step.at.line if step.at is not None else None)  # fmt: skip
        made["tags"] = ["call"]
        failed = do("refused", call=call)
        lost = follow.transition(None, failed) if step.optional else transition((failed,), None)
        worked = follow.transition(do("worked"), do("answered", call=call))
        made["on"] = {f"answer.c{call}": [worked, lost]}
        return Way((do("call", call=call),), made["id"])

    # -- side by side

    def _fork(self, step: Parallel, here: Here, follow: Way) -> Way:
        fork = self.tables.frame("fork", here.frame, here.path)
        made = self._state(here.states, "$parallel")
        made["type"], made["states"], made["entry"] = "parallel", {}, [do("fork", frame=fork.number)]
        slots = []
        for branch in step.branches:
            slot = self.tables.frame("slot", fork, "")
            slots.append(slot)
            own = self._state(made["states"], branch.name, title=branch.name, kind="branch")
            own["states"] = {}
            self._branch(branch.region, own, slot)
        fork.told["branches"] = [slot.number for slot in slots]
        fork.told["fields"] = [[b.name, slot.number] for b, slot in zip(step.branches, slots, strict=True) if b.value]
        bind = slot_of(step.bind, here.frame) if step.bind is not None else None
        joined = follow.transition(do("joined", frame=fork.number), do("join", frame=fork.number, slot=bind))
        made["always"] = [joined]
        broken = self._state(here.states, "$broken")
        made["on"] = {"fail.*": [transition((do("broken", frame=fork.number),), broken["id"],
                                            do("within", frame=fork.number))]}  # fmt: skip
        raised = self._leaf(here, "$fail").after(do("reraise", frame=fork.number))
        broken["always"] = [
            raised.transition(do("stopped", frame=fork.number, quiet=True), do("rejoin", frame=fork.number))
        ]
        return Way((), made["id"])

    def _branch(self, region: Region, into: Json, slot: Frame) -> None:
        frame = self.tables.frame("branch", slot, region.path)
        end = self._state(into["states"], "$end")
        end["type"] = "final"

        def finish(here: Here) -> Way:
            closes = (*self._closes(here, frame), do("close", frame=frame.number))
            return Way((*closes, do("branch", frame=slot.number, of=frame.number)), end["id"])

        way = self._region(region, into, frame, finish)
        into["initial"] = next(key for key, state in into["states"].items() if state["id"] == way.target)


def _own(frame: Frame) -> list[int]:
    """A frame and those around it, up to its region's own."""
    found = []
    for each in frame.outward():
        found.append(each.number)
        if each.boundary:
            break
    return found
