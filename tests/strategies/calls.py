"""Draws calls of operations and workflows, with their clauses and guards."""

from dataclasses import dataclass, replace

from tests.strategies.features import Feature
from tests.strategies.guards import Blocks
from tests.strategies.model import TEXT, Block, Child, Item, Operation, Scope, Type, is_built, meet
from tests.strategies.places import Made, Place, Raised


@dataclass
class _Call:
    """A call while it is being written."""

    head: str
    bind: str
    result: Type | None
    raised: Raised
    clauses: list[Item]


class Calls(Blocks):
    """Steps that call."""

    # -- operations

    def operations(self, place: Place) -> list[Operation]:
        """The operations that may be called at a place."""
        found: list[Operation] = []
        for operation in self.declared.world.operations:
            if place.kind == "undo":
                if operation.undo in {"unsaid", "none"}:
                    found.append(operation)
            elif (
                operation.undo in {"irreversible", "unsaid"}
                or (operation.kind == "task" and Feature.TASK not in self.declared.features)
                or (operation.keyed and (place.cyclic or place.iterated))
                or (operation.undo == "call" and place.cyclic)
            ):
                continue
            else:
                found.append(operation)
        return found

    def call(self, scope: Scope, place: Place) -> Made:
        """`do` of an operation, with whatever belongs to it."""
        operation = self.draws.pick(self.operations(place))
        optional = self._optional(operation, place)
        call = self._head(operation, scope, place, optional=optional)
        after = scope.bind(call.bind, call.result) if call.bind and call.result else scope
        call.clauses += self._with(operation, place)
        if optional and not operation.optional:
            call.clauses.append("optional")
        if place.kind == "undo":
            return Made(_written(call), after)
        call.clauses += self._undo(operation, after, place)
        if operation.kind == "task" and self.draws.chance(4):
            call.clauses.append(f"assign {self.declared.assigned(scope)}")
        if place.kind == "also" or optional:
            return Made(_written(call), after)
        return self._guarded(call, scope, after, place)

    def _optional(self, operation: Operation, place: Place) -> bool:
        if place.kind == "undo":
            return operation.optional
        return operation.optional or place.kind == "also" or self.has(Feature.OPTIONAL, 8)

    def _head(self, operation: Operation, scope: Scope, place: Place, *, optional: bool) -> _Call:
        arguments = self.expressions.arguments(operation.fields, scope)
        bind = ""
        if operation.result is not None and not optional and self.draws.chance(2):
            bind = self.draws.fresh("value")
        as_ = f" as {bind}" if bind else ""
        system = operation.answers and place.kind == "ordinary"
        raised = Raised(set(operation.raises), system)
        return _Call(f"do {operation.called}({arguments}){as_}", bind, operation.result, raised, [])

    def _with(self, operation: Operation, place: Place) -> list[Item]:
        if operation.kind == "task" or not self.has(Feature.POLICY, 5):
            return []
        policies = tuple(self.declared.world.policies.values())
        if policies and self.draws.chance(2):
            return [f"with {self.draws.pick(policies)}"]
        _ = place
        return [f"with {{ {' '.join(self.declared.policy_items('2'))} }}"]

    def _undo(self, operation: Operation, after: Scope, place: Place) -> list[Item]:
        """How this call is undone, in place of what its operation says."""
        if operation.kind != "activity" or place.cyclic or not self.has(Feature.COMPENSATE, 5):
            return []
        undoing = [op for op in self.declared.world.operations if op.undo == "unsaid"]
        form = self.draws.pick(("none", "call", "block"))
        if form == "none":
            return [f"compensate none {self.draws.reason()}"]
        if form == "call":
            other = self.draws.pick(undoing)
            return [f"compensate {other.called}({self.expressions.arguments(other.fields, after)})"]
        inside = Place(place.region, None, Raised(), "undo", repeated=True, depth=9)
        return [Block("compensate", self.block(after, inside, least=1).items)]

    def _guarded(self, call: _Call, scope: Scope, after: Scope, place: Place) -> Made:
        """A call with its guards; what they do not catch goes on outward."""
        falls = [after]
        rebinds = (call.bind, call.result) if call.bind and call.result and is_built(call.result) else None
        beyond = self.full_tail(place, falls, rebinds) if place.depth < 4 else None
        if beyond is not None:
            if rebinds is not None or self.can_exit(place):
                call.clauses += self.catches(scope, call.raised, place.raised, beyond, keep=True)
            else:  # a handler could only go on as if nothing had happened
                place.raised.add(call.raised)
            call.clauses += self.timed(scope, beyond, keep=True)
        else:
            place.raised.add(call.raised)
        return Made(_written(call), meet(falls))

    # -- the point of no return

    def pivot(self, scope: Scope, place: Place) -> Made:
        """The call that cannot be undone, under a policy that never gives up."""
        world = self.declared.world
        options = [op for op in world.operations if op.undo in {"irreversible", "call"} and not op.optional]
        parks = [f"Patient({q})" for q in ("", *(f"queue: {q}" for q in world.queues))] if self.declared.imports else []
        parks += [f"{{ try 3 times exhausted then park in {queue} }}" for queue in world.queues]
        if not options or not parks:
            return Made((), scope)
        self.pivots = True
        operation = self.draws.pick(options)
        call = self._head(operation, scope, place, optional=False)
        call.clauses += [f"with {self.draws.pick(parks)}", "pivot"]
        place.raised.errors |= set(operation.raises)
        after = scope.bind(call.bind, call.result) if call.bind and call.result else scope
        return Made(_written(call), after)

    # -- workflows

    def children(self, place: Place) -> list[Child]:
        """The workflows that may be called at a place."""
        return [
            child
            for child in self.declared.world.children
            if not child.pivots
            and not (child.locks and place.rank)
            and not place.cyclic
            and not (child.keyed and place.iterated)
        ]

    def child(self, scope: Scope, place: Place) -> Made:
        """`do` of a workflow."""
        child = self.draws.pick(self.children(place))
        self.locks = self.locks or child.locks
        bind = self.draws.fresh("value") if child.result is not None and self.draws.chance(2) else ""
        arguments = self.expressions.arguments(child.fields, scope)
        head = f"do {child.name}({arguments}){f' as {bind}' if bind else ''}"
        call = _Call(head, bind, child.result, Raised(set(child.raises), True), [])
        if not child.keyed and not place.iterated and self.draws.chance(2):
            call.clauses.append(f"key {self.expressions.expression(TEXT, scope.timeless())}")
        after = scope.bind(bind, child.result) if bind and child.result else scope
        return self._guarded(call, scope, after, place)

    def startable(self, place: Place) -> list[Child]:
        """The workflows that may be started at a place: each round must start another one."""
        again = place.cyclic or place.iterated
        return [child for child in self.declared.world.children if not (child.keyed and again)]

    def start(self, scope: Scope, place: Place) -> Made:
        """`start` of a workflow that nobody waits for."""
        child = self.draws.pick(self.startable(place))
        again = place.cyclic or place.iterated
        place.raised.system = place.raised.system or place.kind == "ordinary"
        head = f"start {child.name}({self.expressions.arguments(child.fields, scope)})"
        if not again and (not child.keyed or self.draws.chance(2)):
            head += f" key {self.expressions.expression(TEXT, scope.timeless())}"
        return Made((f"{head} compensate none {self.draws.reason()}",), scope)


def _written(call: _Call) -> tuple[Item, ...]:
    """The call with its clauses on lines of their own."""
    return (call.head, *(_deeper(item) for item in call.clauses))


def _deeper(item: Item) -> Item:
    return f"   {item}" if isinstance(item, str) else replace(item, offset="   ")
