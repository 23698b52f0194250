"""Draws guards: their triggers, their tails, and the blocks that run beside what they watch."""

from collections.abc import Callable

from tests.strategies.declarations import Declarations
from tests.strategies.draws import Draws
from tests.strategies.expressions import Expressions
from tests.strategies.features import Feature
from tests.strategies.model import (
    DURATION,
    ERROR,
    INSTANT,
    INT,
    Block,
    Item,
    Items,
    Scope,
    Type,
    errors_of,
)
from tests.strategies.places import Made, Place, Raised, Region

SYSTEM = ("AlreadyRunning", "Invalid", "LockLost", "LockTimeout", "Timeout", "Unavailable")
Tail = Callable[[Scope, bool], Made]


class Blocks:
    """What every part that draws steps has at hand."""

    def __init__(self, declared: Declarations, budget: int) -> None:
        self.declared = declared
        self.draws: Draws = declared.draws
        self.expressions = Expressions(self.draws)
        self.budget = budget
        self.keyed = False
        self.locks = False
        self.pivots = False

    def has(self, feature: Feature, one_in: int = 1) -> bool:
        return self.declared.has(feature, one_in)

    def block(self, scope: Scope, place: Place, least: int = 0, most: int = 2) -> Made:
        """Steps that do not leave."""
        raise NotImplementedError

    def duration(self, scope: Scope) -> str:
        """A time to wait: mostly written down, now and then worked out."""
        if self.draws.chance(5):
            return self.expressions.expression(DURATION, scope)
        return self.draws.pause()

    # -- exits

    def goto(self, target: str, scope: Scope, place: Place) -> Items:
        place.region.entries.setdefault(target, []).append(scope)
        if place.kind == "ordinary":
            place.region.reached.add(target)
        return (f"-> {target}",)

    def done(self, scope: Scope, place: Place) -> Items:
        """`done`, with the value that its region gives."""
        assert place.ends is not None
        kind = place.ends.gives
        if kind is None:
            return ("done",)
        return (f"done {self.expressions.expression(kind, scope, exact=not place.ends.declared)}",)

    def fail(self, scope: Scope, place: Place) -> Items:
        """An error of one's own, or a caught one again."""
        caught = [(t, kind) for t, kind in scope.names.items() if kind.name == "Errors"]
        if caught and self.draws.chance(2):
            name, kind = self.draws.pick(caught)
            names = {str(arg) for arg in kind.args}
            place.raised.errors |= names - set(SYSTEM)
            place.raised.system = place.raised.system or bool(names & set(SYSTEM))
            return (f"fail {name}",)
        error = self.draws.pick(tuple(self.declared.world.errors))
        place.raised.errors.add(error)
        fields = self.declared.world.errors[error]
        return (f"fail {error}({self.expressions.arguments(fields, scope)})" if fields else f"fail {error}",)

    def can_fail(self, place: Place) -> bool:
        may = place.kind in {"ordinary", "tail"}
        return may and Feature.RAISES in self.declared.features and bool(self.declared.world.errors)

    def exit(self, scope: Scope, place: Place, required: str | None = None) -> Items:
        """One step that leaves: to a node, with a value, with an error."""
        if required is not None:
            return self.goto(required, scope, place)
        ways: list[Callable[[], Items]] = []
        if place.targets:
            ways.append(lambda: self.goto(self.draws.pick(place.targets), scope, place))
        if place.ends is not None:
            ways.append(lambda: self.done(scope, place))
        if self.can_fail(place):
            ways.append(lambda: self.fail(scope, place))
        return self.draws.pick(ways)()

    def can_exit(self, place: Place) -> bool:
        return bool(place.targets) or place.ends is not None or self.can_fail(place)

    def written(self, head: str, items: Items, *, arrow: bool = True) -> Item:
        """A tail behind its head: an arrow alone stands without braces."""
        if arrow and len(items) == 1 and isinstance(items[0], str) and items[0].startswith("->"):
            return f"{head} {items[0]}"
        return Block(head, items)

    # -- small steps, which stand everywhere

    def small(self, scope: Scope, place: Place) -> Made:
        """A step that neither waits nor fails."""
        ways: list[Callable[[], Made]] = [lambda: self.let(scope)]
        if self.has(Feature.AUDIT):
            ways.append(lambda: Made((f"audit {self.expressions.shown(scope)}",), scope))
        if self.has(Feature.MEASURE) and self.declared.world.metrics:
            ways.append(lambda: Made((self._measure(scope),), scope))
        if self.has(Feature.EMIT) and self.declared.world.events:
            ways.append(lambda: Made((self._emit(scope),), scope))
        if scope.settable and place.kind != "undo":
            ways.append(lambda: self._set(scope))
        return self.draws.pick(ways)()

    def smalls(self, scope: Scope, place: Place, most: int) -> tuple[Items, Scope]:
        """Some small steps."""
        items: Items = ()
        for _ in range(self.draws.number(0, most)):
            made = self.small(scope, place)
            assert made.after is not None
            items, scope = items + made.items, made.after
        return items, scope

    def let(self, scope: Scope) -> Made:
        name = self.draws.fresh("value")
        copies = [(t, kind) for t, kind, _ in scope.paths if kind.name != "Secret" and not kind.fields]
        if copies and self.draws.chance(3):
            text, kind = self.draws.pick(copies)
            return Made((f"let {name} = {text}",), scope.bind(name, kind))
        kind = self.declared.type()
        return Made((f"let {name}: {kind} = {self.expressions.expression(kind, scope)}",), scope.bind(name, kind))

    def _set(self, scope: Scope) -> Made:
        name = self.draws.pick(sorted(scope.settable))
        kind = scope.names[name]
        return Made((f"set {name} = {self.expressions.expression(kind, scope)}",), scope)

    def _measure(self, scope: Scope) -> str:
        name, sort, kind = self.draws.pick(self.declared.world.metrics)
        if sort == "counter" and kind == INT and self.draws.chance(2):
            return f"measure {name}"
        return f"measure {name} = {self.expressions.expression(kind, scope)}"

    def _emit(self, scope: Scope) -> str:
        event = self.draws.pick(tuple(self.declared.world.events.values()))
        return f"emit {event.name}({self.expressions.arguments(event.fields, scope)})"

    # -- guards

    def catches(self, scope: Scope, raised: Raised, left: Raised, tail: Tail, *, keep: bool = False) -> list[Item]:
        """Guards for some of the errors that arrive; those that nobody takes are `left`."""
        arriving = Raised(set(raised.errors), raised.system, raised.waits)
        found: list[Item] = []
        while self.has(Feature.CATCH) and (arriving.errors or arriving.system) and self.draws.chance(2 + len(found)):
            names, bound = self._caught(arriving)
            bind = self.draws.fresh("value") if self.draws.chance(2) else ""
            inside = scope.bind(bind, bound) if bind else scope
            made = tail(inside, True)
            head = self._kept(f"catch {names}{f' as {bind}' if bind else ''}", made.items, keep=keep)
            found.append(self.written(head, made.items))
        left.add(arriving)
        return found

    def _caught(self, arriving: Raised) -> tuple[str, Type]:
        """The names that a `catch` takes, gone from what arrives."""
        options: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in sorted(arriving.errors)]
        groups = self.declared.world.groups.items()
        options += [(name, members) for name, members in groups if set(members) & arriving.errors]
        if arriving.system:
            options.append(("System", SYSTEM))
        options.append(("any", ()))
        name, members = self.draws.pick(options)
        if name == "any":
            arriving.errors.clear()
            arriving.system = False
            return "any", ERROR
        names = [name]
        if name != "System" and arriving.system and self.draws.chance(4):
            names.append("System")
            members = (*members, *SYSTEM)
        arriving.errors -= set(members)
        arriving.system = arriving.system and "System" not in names
        return ", ".join(names), errors_of(members)

    def timed(self, scope: Scope, tail: Tail | None, *, keep: bool = False, beside: bool = True) -> list[Item]:
        """Guards for events and deadlines. Without a tail there are only blocks beside the flow."""
        found: list[Item] = []
        if tail is not None and self.has(Feature.GUARD_EVENT, 5):
            trigger, inside = self.event(scope)
            if trigger:
                made = tail(inside, False)
                found.append(self.written(self._kept(trigger, made.items, keep=keep), made.items))
        if tail is not None and self.has(Feature.GUARD_TIME, 4):
            made = tail(scope, False)
            found.append(self.written(self._kept(self._deadline(scope), made.items, keep=keep), made.items))
        if beside and self.has(Feature.GUARD_BESIDE, 6):
            found.append(self.beside(scope))
        return found

    def _kept(self, trigger: str, tail: Items, *, keep: bool) -> str:
        """A trigger, perhaps with `keep`; where a tail only fails there is nothing to keep for."""
        fails = bool(tail) and str(tail[-1]).startswith("fail")
        return f"{trigger} keep" if keep and not fails and self.has(Feature.KEEP, 6) else trigger

    def _deadline(self, scope: Scope) -> str:
        if self.draws.chance(4):
            return f"at {self.expressions.expression(INSTANT, scope)}"
        return f"after {self.duration(scope)}"

    def event(self, scope: Scope) -> tuple[str, Scope]:
        """`on E as e when c`, and what the tail reads; nothing if there is no event to wait for."""
        heard = [event for event in self.declared.world.events.values() if event.mode != "outgoing"]
        if not heard or not self.keyed:
            return "", scope
        event = self.draws.pick(heard)
        trigger = f"on {event.name}"
        inside = scope
        if self.draws.chance(2):
            name = self.draws.fresh("value")
            inside = scope.bind(name, Type(event.name))
            trigger += f" as {name}"
        if self.draws.chance(3):
            test, asked = self.expressions.condition(inside)
            trigger, inside = f"{trigger} when {test}", inside.ask(asked)
        return trigger, inside

    def beside(self, scope: Scope) -> Item:
        """`every`, or a guard with `also`, and its block."""
        form = self.draws.pick(("every", "after", "on"))
        trigger, inside = self.event(scope) if form == "on" else ("", scope)
        if not trigger and form == "after":
            trigger = f"after {self.duration(scope)}"
        if trigger:
            trigger += " also"
        else:
            name = self.draws.fresh("value") if self.draws.chance(2) else ""
            trigger = f"every {self.duration(scope)}{f' as {name}' if name else ''}"
            inside = inside.bind(name, INT) if name else inside
        place = Place(Region(), None, Raised(), "also", iterated=True, depth=9)
        return Block(trigger, self.block(inside, place).items)

    # -- tails

    def small_tail(self, place: Place) -> Tail:
        """The tail of a guard of a state or region: small steps, then an exit; behind a `catch` it is no silent success."""

        def tail(scope: Scope, caught: bool) -> Made:  # noqa: FBT001 - one of two kinds of guard
            inside = place.inner(kind="tail")
            items, after = self.smalls(scope, inside, 2)
            if Feature.UNDO in self.declared.features and place.may_undo and self.draws.chance(8):
                items = (*items, "undo")
            said = self._said(after) if caught else ()
            elsewhere = inside.inner(targets=())
            silent = caught and not said and self.can_exit(elsewhere)
            return Made(items + said + self.exit(after, elsewhere if silent else inside), None)

        return tail

    def _said(self, scope: Scope) -> Items:
        """Something that others see of a failure: the arrow behind it may be the one that comes next anyway."""
        if Feature.EMIT in self.declared.features and self.declared.world.events:
            return (self._emit(scope),)
        return self._set(scope).items if scope.settable else ()

    def full_tail(self, place: Place, falls: list[Scope], rebinds: tuple[str, Type] | None) -> Tail:
        """The tail of a guard of a call: it leaves, or goes on behind it.

        A `catch` that goes on binds the name of the call, and one that leads on waits a while, so that the failure is
        no silent success: the arrow may be the one that comes next anyway.
        """

        def tail(scope: Scope, caught: bool) -> Made:  # noqa: FBT001 - one of two kinds of guard
            inside = place.inner()
            made = self.block(scope, inside, most=1)
            assert made.after is not None
            items, after = made.items, made.after
            if self.can_exit(place) and (not self.draws.chance(3) or (caught and rebinds is None)):
                leaving = self.exit(after, inside)
                arrow = str(leaving[-1]).startswith("->")
                return Made(items + (("wait 1s",) if caught and arrow else ()) + leaving, None)
            if rebinds is not None:
                name, kind = rebinds
                items = (*items, f"let {name}: {kind} = {self.expressions.expression(kind, after)}")
                after = after.bind(name, kind)
            falls.append(after)
            return Made(items, after)

        return tail
