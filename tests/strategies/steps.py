"""Draws the steps that hold other steps, and picks among all of them."""

from collections.abc import Callable

from tests.strategies.calls import Calls
from tests.strategies.features import Feature
from tests.strategies.model import (
    BOOL,
    INSTANT,
    INT,
    Block,
    Item,
    Items,
    Path,
    Scope,
    Type,
    list_of,
    meet,
    optional,
    settled,
)
from tests.strategies.places import Case, Made, Place, Raised, Region

Step = Callable[[Scope, Place], Made]
Arms = tuple[str, list[Case], Case | None]  # the subject, the arms, the one for the rest
_DEEP = 4
_WAITING = ("do ", "start", "wait", "undo", "Block(head='await", "Block(head='lock")
_SMALL = ("let", "set", "audit", "measure", "emit")


class Steps(Calls):
    """Blocks of steps."""

    def block(self, scope: Scope, place: Place, least: int = 0, most: int = 2) -> Made:
        """Some steps that fall off their end."""
        items: Items = ()
        count = self.draws.number(least, most if self.budget > 0 else least)
        for _ in range(count):
            made = self.step(scope, place)
            assert made.after is not None
            items, scope = items + made.items, made.after
        return Made(items, scope)

    def step(self, scope: Scope, place: Place) -> Made:
        """One step that goes on."""
        self.budget -= 1
        if place.kind == "tail" or self.budget < 0:
            return self.small(scope, place)
        made = self.draws.pick(self._ways(scope, place))(scope, place)
        first = made.items[0] if made.items else ""
        if place.kind == "ordinary" and str(first).startswith(_WAITING):
            place.raised.waits = True
        if place.kind == "also" and made.after is not None and not str(first).startswith(_SMALL):
            return Made(made.items, made.after.without_writing())
        return made

    def _ways(self, scope: Scope, place: Place) -> list[Step]:
        ways: list[Step] = [self.small]
        if self.operations(place):
            ways += [self.call, self.call]
        if place.kind != "undo" and self.has(Feature.WAIT):
            ways.append(self._wait)
        if place.depth < _DEEP:
            ways += self._nesting(scope, place)
        if place.kind == "ordinary":
            if self.children(place) and self.has(Feature.CHILD):
                ways += [self.child, self.child]
            if self.startable(place) and self.has(Feature.START):
                ways.append(self.start)
            if self.has(Feature.SETTLE):
                ways.append(lambda scope, _: Made(("settle",), scope))
            if place.may_undo and self.has(Feature.UNDO):
                ways.append(lambda scope, _: Made(("undo",), scope))
        return ways

    def _nesting(self, scope: Scope, place: Place) -> list[Step]:
        ways: list[Step] = []
        if self.has(Feature.CHOOSE):
            ways += [self.choose, self._choose_value]
        if self.has(Feature.REPEAT):
            ways.append(self._repeat)
        if place.kind != "ordinary":
            return ways
        if self.has(Feature.PARALLEL):
            ways.append(self.parallel)
        if self.has(Feature.FOR_EACH):
            ways.append(self._for_each)
        if self.has(Feature.AWAIT):
            ways.append(self._await)
        if self.has(Feature.LOCK) and any(rank > place.rank for _, rank, _ in scope.world.resources):
            ways.append(self._lock)
        return ways

    def _wait(self, scope: Scope, place: Place) -> Made:
        _ = place
        if self.draws.chance(3):
            return Made((f"wait until {self.expressions.expression(INSTANT, scope)}",), scope)
        return Made((f"wait {self.duration(scope)}",), scope)

    # -- repeat and lock

    def _repeat(self, scope: Scope, place: Place) -> Made:
        inside = place.inner(repeated=True, iterated=True)
        body = self.block(scope, inside, least=1)
        assert body.after is not None
        bound = f" at most {self.draws.number(1, 9)} times"
        if self.draws.chance(3) and place.kind != "undo":
            # without a step that waits, more rounds than one turn can make are refused
            bound = f" at most [{self.expressions.expression(INT, scope)}, 9].min ?? 9 times"
        test = self.expressions.expression(BOOL, body.after)
        return Made((Block(f"repeat{bound}", body.items, f" until {test}"),), body.after)

    def _lock(self, scope: Scope, place: Place) -> Made:
        self.locks = True
        free = [r for r in scope.world.resources if r[1] > place.rank]
        taken = self.draws.some(free, 2) or (free[0],)
        if self.draws.chance(2):
            taken = taken[::-1]  # the machine takes them by rank, whatever the text says
        written = [f"{name}({self.expressions.arguments(fields, scope)})" for name, _, fields in taken]
        inside = place.inner(rank=max(rank for _, rank, _ in taken))
        body = self.block(scope, inside, least=1)
        place.raised.system = True
        return Made((Block(f"lock {', '.join(written)} wait {self.duration(scope)}", body.items),), body.after)

    # -- choices

    def choose(self, scope: Scope, place: Place) -> Made:
        """A choice after which something stands: at least one arm goes on."""
        subject, cases, rest = self._cases(scope)
        items: list[Item] = []
        falls: list[Scope] = []
        for number, case in enumerate(cases):
            leaves = number > 0 and self.can_exit(place) and self.draws.chance(2)
            items.append(self._arm(case, place, falls, leaves=leaves))
        if rest is None and not subject:
            falls.append(scope)  # that conditions cover everything is seen by the checks, not by those who bind names
        if rest is not None:
            falls.append(rest.scope)
            if self.draws.chance(2):
                falls.pop()
                items.append(self._arm(rest, place, falls, leaves=False))
        return Made((Block(f"choose{subject}", tuple(items)),), meet(falls))

    def _arm(self, case: Case, place: Place, falls: list[Scope], *, leaves: bool) -> Item:
        inside = place.inner()
        made = self.block(case.scope, inside, most=1)
        assert made.after is not None
        if leaves:
            return self.written(case.head, made.items + self.exit(made.after, inside))
        falls.append(made.after)
        return self.written(case.head, made.items)

    def _choose_value(self, scope: Scope, place: Place) -> Made:
        """A choice whose arms all bind one name."""
        subject, cases, rest = self._cases(scope)
        every = [*cases, *([rest] if rest is not None else [])]
        if rest is None and not subject:
            every[-1] = Case("otherwise", every[-1].scope)
        name, kind = self.draws.fresh("value"), self.declared.type()
        items: list[Item] = []
        for case in every:
            value = self.expressions.expression(kind, case.scope)
            items.append(Block(case.head, (f"let {name}: {kind} = {value}",)))
        _ = place
        return Made((Block(f"choose{subject}", tuple(items)),), meet(c.scope for c in every).bind(name, kind))

    def leave(self, scope: Scope, place: Place, required: str | None) -> Items:
        """A choice all of whose arms leave; one of them leads to a required node."""
        subject, cases, rest = self._cases(scope)
        every = [*cases, *([rest] if rest is not None else [])]
        chosen = self.draws.number(0, len(every) - 1)
        inside = place.inner()
        items: list[Item] = []
        for number, case in enumerate(every):
            made = self.block(case.scope, inside, most=1)
            assert made.after is not None
            target = required if number == chosen else None
            items.append(self.written(case.head, made.items + self.exit(made.after, inside, target)))
        return (Block(f"choose{subject}", tuple(items)),)

    def _cases(self, scope: Scope) -> Arms:
        """The arms of a choice, and the one for the rest, if they do not cover everything."""
        ways: list[Callable[[], Arms]] = [lambda: self._conditions(scope)]
        for text, kind, path in scope.paths:
            if path[0] in scope.constants:
                continue
            cases = scope.world.cases(kind)
            if path in scope.asked:
                continue  # what is known of it may rule arms out
            if cases:
                ways.append(lambda t=text, k=kind, p=path: self._by_case(t, k, p, scope))  # type: ignore[misc]
            elif kind.is_optional:
                ways.append(lambda t=text, k=kind, p=path: self._by_presence(t, k, p, scope))  # type: ignore[misc]
            elif kind == INT:
                ways.append(lambda t=text: self._by_number(t, scope))  # type: ignore[misc]  # bound now
            elif kind.name == "Errors" and len(kind.args) > 1:
                ways.append(lambda t=text, k=kind, p=path: self._by_error(t, k, scope.ask((p,))))  # type: ignore[misc]
        return self.draws.pick(ways)()

    def _conditions(self, scope: Scope) -> Arms:
        cases: list[Case] = []
        for _ in range(self.draws.number(1, 2)):
            test, asked = self.expressions.condition(scope)
            if self.draws.chance(5):
                other, more = self.expressions.condition(scope.ask(asked))
                test, asked = f"{test}, {other}", asked | more
            scope = scope.ask(asked)
            cases.append(Case(f"when {test}", scope))
        return "", cases, Case("otherwise", scope)

    def _by_case(self, text: str, kind: Type, path: Path, scope: Scope) -> Arms:
        scope = scope.ask((path,))
        table = scope.world.cases(kind)
        names = list(table)
        rest: Case | None = None
        if len(names) > 1 and self.draws.chance(3):
            names.pop()
            rest = Case("otherwise", scope)
        cases: list[Case] = []
        while names:
            taken = names[: 2 if self.draws.chance(4) else 1]
            names = names[len(taken) :]
            fields = table[taken[0]] if len(taken) == 1 else ()
            head, inside = f"when {', '.join(taken)}", scope
            if fields:
                bound = self.draws.fresh("value")
                inside = scope.bind(bound, Type("Case", fields=tuple((f.name, f.type) for f in fields)))
                head += f" as {bound}"
            cases.append(Case(head, inside))
        return f" {text}", cases, rest

    def _by_presence(self, text: str, kind: Type, path: Path, scope: Scope) -> Arms:
        scope = scope.ask((path,))
        bound = self.draws.fresh("value")
        some = Case(f"when some as {bound}", scope.bind(bound, kind.item))
        absent = Case("when none", scope)
        form = self.draws.number(0, 2)
        if form == 0:
            return f" {text}", [some, absent], None
        if form == 1:
            return f" {text}", [some], Case("otherwise", scope)
        return f" {text}", [absent, some], None

    def _by_number(self, text: str, scope: Scope) -> Arms:
        limit = self.draws.number(0, 100)
        if self.draws.chance(2):
            cases = [Case(f"when {limit}", scope), Case(f"when {limit + 1}, {limit + 2}", scope)]
            return f" {text}", cases, Case("otherwise", scope)
        return "", [Case(f"when {text} > {limit}", scope), Case(f"when {text} <= {limit}", scope)], None

    def _by_error(self, text: str, kind: Type, scope: Scope) -> Arms:
        names = [str(arg) for arg in kind.args]
        cases = [Case(f"when {name}", scope) for name in names[:-1]]
        if self.draws.chance(2):
            return f" {text}", cases, Case("otherwise", scope)
        return f" {text}", [*cases, Case(f"when {names[-1]}", scope)], None

    # -- await

    def _await(self, scope: Scope, place: Place) -> Made:
        falls: list[Scope] = []
        items = self.arms(scope, place, falls, None)
        return Made((Block("await", tuple(items)),), meet(falls))

    def arms(self, scope: Scope, place: Place, falls: list[Scope] | None, required: str | None) -> list[Item]:
        """The arms of an `await`: events, a deadline, reminders. In a gateway all of them leave."""
        inside = place.inner()
        items: list[Item] = []
        trigger, reading = self.event(scope)
        if trigger:
            items.append(self._awaited(trigger, reading, inside, falls, None))
        items.append(self._awaited(f"after {self.draws.pause()}", scope, inside, falls, required))
        if self.has(Feature.GUARD_BESIDE, 4):
            items.append(self.beside(scope))
        return items

    def _awaited(
        self, trigger: str, scope: Scope, place: Place, falls: list[Scope] | None, required: str | None
    ) -> Item:
        made = self.block(scope, place, most=1)
        assert made.after is not None
        if falls is None:
            return self.written(trigger, made.items + self.exit(made.after, place, required))
        falls.append(made.after)
        return Block(trigger, made.items)

    # -- parallel and for each

    def region_body(self, region: Region, scope: Scope, place: Place) -> Items:
        """The body of a branch or an iteration."""
        raise NotImplementedError

    def parallel(self, scope: Scope, place: Place) -> Made:
        """Branches side by side, and what they give together."""
        join = self.draws.pick(("", "join all", "join first", "join settled", "join 1 of"))
        takes = self.draws.chance(2)
        common = self.declared.type()
        fields: list[tuple[str, Type]] = []
        branches: list[Item] = []
        inner = Raised()
        for _ in range(self.draws.number(1, 3)):
            name = self.draws.fresh("node")
            gives = takes and (join == "join first" or self.draws.chance(2) or not fields)
            kind = None if not gives else common if join == "join first" else self.declared.type()
            region = Region(kind)
            if kind is not None:
                fields.append((name, kind))
            own = place.inner(region=region, ends=region, raised=inner, targets=(), repeated=True)
            branches.append(Block(f"branch {name}", self.region_body(region, scope.without_writing(), own)))
        if join == "join settled":
            inner = Raised(waits=inner.waits)
        bind = self.draws.fresh("value") if fields else ""
        head = " ".join(part for part in ("parallel", join, f"as {bind}" if bind else "") if part)
        after = scope.bind(bind, _joined(join, tuple(fields))) if bind else scope
        falls = [after]
        guards: list[Item] = []
        if place.depth < 3:
            tail = self.full_tail(place, falls, None)
            guards = [
                *self.catches(scope, inner, place.raised, tail, keep=True),
                *self.timed(scope, tail if inner.waits else None, keep=True),
            ]
        else:
            place.raised.add(inner)
        return Made((Block(head, (*guards, *branches)),), meet(falls))

    def _for_each(self, scope: Scope, place: Place) -> Made:
        kind = self.declared.type()
        if kind.is_list or kind.is_optional:
            kind = kind.item
        items = self.expressions.expression(list_of(kind), scope, exact=True)
        name = self.draws.fresh("value")
        inside = scope.without_writing().bind(name, kind)
        head = f"for each {name}"
        if self.draws.chance(3):
            index = self.draws.fresh("value")
            inside, head = inside.bind(index, INT), f"{head} at {index}"
        head += f" in {items}"
        if self.draws.chance(2):
            head += f" concurrently at most {self.draws.number(1, 4)}"
        join = self.draws.pick(("", "join all", "join first", "join settled", "join 1 of"))
        gives = self.declared.type() if self.draws.chance(2) else None
        region = Region(gives)
        raised = Raised()
        own = place.inner(region=region, ends=region, raised=raised, targets=(), repeated=True, iterated=True)
        body = self.region_body(region, inside, own)
        place.raised.add(Raised(waits=raised.waits) if join == "join settled" else raised)
        bind = self.draws.fresh("value") if gives is not None else ""
        head = " ".join(part for part in (head, join, f"as {bind}" if bind else "") if part)
        after = scope
        if gives is not None:
            given = {"join first": optional(gives), "join settled": list_of(settled(gives))}.get(join, list_of(gives))
            after = scope.bind(bind, given)
        return Made((Block(head, body),), after)


def _joined(join: str, fields: tuple[tuple[str, Type], ...]) -> Type:
    """The type of what branches give together."""
    if join == "join first":
        return fields[0][1]
    if join == "join 1 of":
        fields = tuple((name, optional(kind)) for name, kind in fields)
    elif join == "join settled":
        fields = tuple((name, settled(kind)) for name, kind in fields)
    return Type("Fields", fields=fields)
