"""Draws regions: their clauses, their steps, their nodes and the arrows between these; and whole workflows.

Arrows lead forward, and each node has one from the node before it, so that every node is reached and every way ends.
In a region that may loop, arrows lead back as well, behind a `wait`, where everything that the node reads is known.
"""

from collections.abc import Callable
from dataclasses import replace

from tests.strategies.features import Feature
from tests.strategies.model import TEXT, Block, Child, Item, Items, Scope, meet
from tests.strategies.places import Place, Raised, Region, Signature
from tests.strategies.steps import Steps


class Flow(Steps):
    """The regions of one workflow."""

    nodes_left = 0

    # -- regions

    def region_body(self, region: Region, scope: Scope, place: Place) -> Items:
        """The body of a branch or an iteration: mostly steps alone."""
        inside = replace(place, raised=Raised())
        clauses, scope = self._variables(scope, one_in=5)
        body = self._inside(region, scope, inside, self._few_nodes(place))
        tail = self.small_tail(replace(place, targets=()))
        guards = [
            *self.catches(scope, inside.raised, place.raised, tail),
            *self.timed(scope, tail if inside.raised.waits else None, beside=False),
        ]
        return (*clauses, *guards, *body)

    def _few_nodes(self, place: Place) -> int:
        return self.draws.number(1, 2) if place.depth < 3 and self.nodes_left > 0 and self.draws.chance(4) else 0

    def _inside(self, region: Region, scope: Scope, place: Place, count: int) -> Items:
        """Steps and nodes; each way ends in `done` where a value is wanted."""
        if count:
            return self._nodes(region, scope, place, count)
        made = self.block(scope, place, least=1)
        assert made.after is not None
        if region.gives is None and not self.draws.chance(4):
            return made.items
        return made.items + self.done(made.after, place)

    def _variables(self, scope: Scope, one_in: int = 2) -> tuple[Items, Scope]:
        """`var`s of a region."""
        items: Items = ()
        while self.has(Feature.VARIABLE) and len(items) < 2 and self.draws.chance(one_in):
            name, kind = self.draws.fresh("value"), self.declared.type()
            items = (*items, f"var {name}: {kind} = {self.expressions.expression(kind, scope)}")
            scope = replace(scope.bind(name, kind), settable=scope.settable | {name})
        return items, scope

    def _clauses(self, scope: Scope) -> Items:
        """Clauses that every region and state may have."""
        items: Items = ()
        if self.has(Feature.SLA, 8):
            name = f" {self.draws.reason()}" if self.draws.chance(2) else ""
            warn = f" warn at {self.draws.pause()}" if self.draws.chance(2) else ""
            items = (*items, f"sla{name} within {self.duration(scope)}{warn}")
        if self.has(Feature.POLICY, 8) and self.declared.world.policies:
            items = (*items, f"with {self.draws.pick(tuple(self.declared.world.policies.values()))}")
        heard = [event.name for event in self.declared.world.events.values() if event.mode != "outgoing"]
        if self.has(Feature.IGNORE, 10) and heard and self.keyed:
            items = (*items, f"ignore {self.draws.pick(heard)}")
        return items

    # -- nodes

    def _nodes(self, region: Region, scope: Scope, place: Place, count: int) -> Items:
        """Nodes in order; the first is where the steps before them lead."""
        lead, scope = self.smalls(scope, place, 1) if self.draws.chance(6) else ((), scope)
        names = tuple(self.draws.fresh("node") for _ in range(count))
        region.entries[names[0]] = [scope]
        place = replace(place, region=region, cyclic=place.cyclic or self.has(Feature.LOOP, 5))
        items: list[Item] = list(lead)
        for number, name in enumerate(names):
            self.nodes_left -= 1
            later = names[number + 1 :]
            required = later[0] if later and later[0] not in region.reached else None
            entry = meet(region.entries[name])
            here = replace(place, targets=later)
            self.doc(items)
            items.append(self._node(name, region, entry, here, required, names[: number + 1]))
        return tuple(items)

    def doc(self, items: list[Item]) -> None:
        if self.has(Feature.DOC, 6):
            items.append(f"/// {self.draws.raw_text()}".replace("\n", " ").rstrip())

    def _node(
        self, name: str, region: Region, scope: Scope, place: Place, required: str | None, earlier: tuple[str, ...]
    ) -> Item:
        ways: list[Callable[[], Item]] = [lambda: self._state(name, region, scope, place, required, earlier)]
        if place.targets:
            ways = [*ways, *ways]
            if self.has(Feature.GATEWAY):
                ways.append(lambda: self._gateway(name, scope, place, required))
            if self.has(Feature.SCOPE) and place.depth < 3 and self.nodes_left > 0:
                ways.append(lambda: self._scope(name, scope, place, required))
        return self.draws.pick(ways)()

    def _state(
        self, name: str, region: Region, scope: Scope, place: Place, required: str | None, earlier: tuple[str, ...]
    ) -> Item:
        raised = Raised()
        inside = replace(place, raised=raised)
        made = self.block(scope, inside, most=3)
        assert made.after is not None
        items = made.items + self._leave(made.after, inside, region, required, earlier)
        tail = self.small_tail(place)
        guards = [
            *self.catches(scope, raised, place.raised, tail, keep=True),
            *self.timed(scope, tail if raised.waits else None, keep=True),
        ]
        return Block(f"state {name}", (*self._clauses(scope), *guards, *items))

    def _leave(
        self, scope: Scope, place: Place, region: Region, required: str | None, earlier: tuple[str, ...]
    ) -> Items:
        """The end of a state."""
        if not place.targets:
            return self._last(scope, place)
        back = [name for name in earlier if self._may_return(meet(region.entries[name]), scope)]
        if place.cyclic and back and self.draws.chance(2):
            test, asked = self.expressions.condition(scope)
            # a condition that always holds would be a loop without an end: time alone is never decided
            test = f'({test}) and now() < instant("2001-01-31T09:00:00Z")'
            again: Items = (f"wait {self.draws.pause()}", f"-> {self.draws.pick(back)}")
            behind = scope.ask(asked)
            exit_ = self.exit(behind, place, required)
            return (Block("choose", (Block(f"when {test}", again), self.written("otherwise", exit_))),)
        if self.has(Feature.CHOOSE, 3):
            return self.leave(scope, place, required)
        return self.exit(scope, place, required)

    def _may_return(self, entry: Scope, scope: Scope) -> bool:
        return all(scope.names.get(name) == kind for name, kind in entry.names.items())

    def _last(self, scope: Scope, place: Place) -> Items:
        """The end of the last state: nothing can go wrong behind a pivot."""
        items: Items = ()
        if place.depth == 0 and not (place.repeated or place.cyclic) and self.has(Feature.PIVOT, 2):
            made = self.pivot(scope, place)
            assert made.after is not None
            items = made.items
            more, scope = self.smalls(made.after, place, 1)
            items = (*items, *more)
        return items + self.done(scope, place)

    def _gateway(self, name: str, scope: Scope, place: Place, required: str | None) -> Item:
        forms = ["choose"]
        forms += ["await"] if self.has(Feature.AWAIT) else []
        forms += ["parallel"] if self.has(Feature.PARALLEL) else []
        form = self.draws.pick(forms)
        if form == "choose":
            return Block(f"gateway {name}", self.leave(scope, place, required))
        place.raised.waits = place.raised.waits or form == "await"
        if form == "await":
            return Block(f"gateway {name}", (Block("await", tuple(self.arms(scope, place, None, required))),))
        made = self.parallel(scope, place)
        assert made.after is not None
        target = required or self.draws.pick(place.targets)
        return Block(f"gateway {name}", made.items + self.goto(target, made.after, place))

    def _scope(self, name: str, scope: Scope, place: Place, required: str | None) -> Item:
        gives = self.declared.type() if self.draws.chance(2) else None
        inner = Region(gives, blind=gives is None)
        raised = Raised()
        own = place.inner(region=inner, ends=inner, raised=raised, targets=())
        variables, reading = self._variables(scope)
        body = self._nodes(inner, reading, own, self.draws.number(1, 3))
        bind = self.draws.fresh("value") if gives is not None else ""
        after = scope.bind(bind, gives) if gives is not None else scope
        target = required or self.draws.pick(place.targets)
        self.goto(target, after, place)
        # the tails run in the container; `done` there is the value of the scope
        tail = self.small_tail(replace(place, ends=inner))
        guards = [
            *self.catches(scope, raised, place.raised, tail, keep=True),
            *self.timed(scope, tail if raised.waits else None, keep=True),
        ]
        undo: Items = ()
        if self.has(Feature.COMPENSATE, 6):
            undo = (f"compensate none {self.draws.reason()}",)
        head = f"scope {name}{f' as {bind}' if bind else ''} -> {target}"
        return Block(head, (*variables, *self._clauses(reading), *undo, *guards, *body))

    # -- workflows

    def workflow(self, name: str) -> tuple[Block, Child]:
        """A whole workflow."""
        signature = self._signature(name)
        scope = Scope(self.declared.world, clock=True, constants=frozenset(self.declared.constants)).bind_all(
            self.declared.constants.items()
        )
        scope = scope.bind_all((f.name, f.type) for f in signature.fields)
        key = self.expressions.key(signature.fields)
        self.keyed = bool(key)
        region = Region(signature.result, declared=signature.result is not None)
        raised = Raised()
        place = Place(region, region, raised)
        variables, reading = self._variables(scope)
        views = self._views(reading)
        outside = self._outside()
        body = self._nodes(region, reading, place, self.draws.number(1, max(1, self.nodes_left)))
        left = Raised()
        guards, nodes = self._handlers(region, reading, replace(place, raised=left), raised, outside)
        undo: Items = (f"compensate none {self.draws.reason()}",) if self.has(Feature.COMPENSATE, 8) else ()
        head = self._heading(signature, key, left)
        clauses = (*variables, *views, *self._clauses(reading), *undo)
        block = Block(head, (*clauses, *guards, *body, *nodes))
        raises = tuple(sorted(left.errors))
        child = Child(name, signature.fields, signature.result, raises, self.locks, self.pivots, bool(key))
        return block, child

    def _signature(self, name: str) -> Signature:
        kinds = [self.declared.type() for _ in range(self.draws.number(0, 3))]
        if self.draws.chance(2):
            kinds = [TEXT, *kinds]
        fields = tuple(self.declared.parameter(self.draws.fresh("value"), kind) for kind in kinds)
        result = self.declared.type() if self.draws.chance(2) else None
        return Signature(name, fields, result)

    def _heading(self, signature: Signature, key: str, left: Raised) -> str:
        parts = [f"workflow {signature.name}({', '.join(map(str, signature.fields))})"]
        if signature.result is not None:
            parts.append(f"-> {signature.result}")
        if self.draws.chance(3):
            parts.append(f"version {self.draws.number(1, 3)}")
        if key:
            parts.append(f"key {key}")
        if left.errors:
            parts.append(f"raises {', '.join(sorted(left.errors))}")
        return " ".join(parts)

    def _views(self, scope: Scope) -> Items:
        if not self.has(Feature.VIEW, 3):
            return ()
        kind = self.declared.type()
        return (f"view {self.draws.fresh('value')}: {kind} = {self.expressions.expression(kind, scope)}",)

    def _outside(self) -> tuple[str, ...]:
        """Nodes that only the guards of the workflow may lead to."""
        return tuple(self.draws.fresh("node") for _ in range(self.draws.number(0, 2)))

    def _handlers(
        self, region: Region, scope: Scope, place: Place, raised: Raised, outside: tuple[str, ...]
    ) -> tuple[list[Item], Items]:
        """The guards of the workflow, and the nodes that only they lead to."""
        tail = self.small_tail(replace(place, targets=outside))
        guards = [*self.catches(scope, raised, place.raised, tail), *self.timed(scope, tail if raised.waits else None)]
        items: list[Item] = []
        for number, name in enumerate(outside):
            if name not in region.entries:
                continue
            inside = replace(place, targets=outside[number + 1 :])
            items.append(self._state(name, region, meet(region.entries[name]), inside, None, ()))
        return guards, tuple(items)
