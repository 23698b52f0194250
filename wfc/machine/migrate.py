"""Migration: an instance at a rest point of one version goes on in another, by the rules of a `migration`.

A node that is the same in both versions maps to itself: same step, and its timers keep their instants. `at A -> B`
enters B afresh. What has been done survives as data, if the new version can still undo it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from wfc.flow.resting import branches, is_inside, same_places
from wfc.ir.essence import policy_names, resolved
from wfc.ir.evaluate import NotConstant
from wfc.ir.scenario import Migration, MigrationRule
from wfc.ir.walk import regions
from wfc.machine.attempts import number_of
from wfc.machine.base import Env
from wfc.machine.code import GuardCode, Spec
from wfc.machine.instance import Entry, Fiber, Frame, Instance, Timer
from wfc.machine.messages import Stop
from wfc.machine.program import Program
from wfc.machine.turn import Turned, Work
from wfc.text.value import Value, value

STAYS = ("stay", "refuse", "not-at-rest", "unmapped-state", "migration-gap", "unmigrated-name")
RESTING = ("await", "wait", "lock", "fork")


@value
class Stays(Value):
    """An instance that is not moved, and why: a rule says `stay` or `refuse`, or it cannot be done now or at all."""

    kind: str  # one of STAYS
    text: str


def migrate(old: Program, new: Program, instance: Instance, migration: Migration, at: int) -> Turned | Stays:
    """Moves an instance; the one that is given stays as it was."""
    try:
        return _Move(old, new, instance.copy(), migration, at).run()
    except _Stay as stay:
        return Stays(stay.kind, stay.text)


class _Stay(Exception):  # noqa: N818 - an answer
    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class _Move:
    def __init__(self, old: Program, new: Program, inst: Instance, migration: Migration, at: int) -> None:
        self.old = old
        self.new = new
        self.inst = inst
        self.migration = migration
        self.at = at
        self.rules = {rule.source: rule for rule in migration.rules}
        before, after = old.workflows[inst.workflow], new.workflows[migration.workflow]
        self.same = same_places(old.machine, before, new.machine, after)
        self.closed = branches(after)

    def run(self) -> Turned:
        """All tokens are mapped, or none is moved."""
        self._at_rest()
        plans = [self._plan(fiber) for fiber in self.inst.fibers.values()]
        moved = {plan.fiber.id for plan in plans if plan.target}
        sets = {plan.fiber.id: self._values(plan.fiber, plan.rule) for plan in plans if plan.rule is not None}
        self._logs()
        fresh: list[tuple[Frame, list[GuardCode]]] = []
        for frame in self.inst.frames.values():
            fresh.append((frame, self._new_guards(frame)))
            self._frame(frame, moved)
        work = Work(self.new, self.inst, self.at)
        self.inst.workflow = self.migration.workflow
        self.inst.version = self.migration.new
        self.inst.now = self.at
        self._parameters()
        self._begin(work, fresh)
        work.note("migrated", "", old=self.migration.old, new=self.migration.new)
        for plan in plans:
            values = sets.get(plan.fiber.id, {})
            if plan.target:
                self._enter(work, plan.fiber, plan.target, values)
            else:
                self._keep(plan.fiber)
                self._set(work, self.inst.frames[plan.fiber.frame], values)
        found = work.finish(lambda: None)
        if not isinstance(found, Turned):
            raise _Stay("migration-gap", found.text)
        return found

    # -- where it may move

    def _at_rest(self) -> None:
        if self.inst.status != "running":
            raise _Stay("not-at-rest", "the instance has ended")
        if self.inst.stopping or any(frame.then is not None for frame in self.inst.frames.values()):
            raise _Stay("not-at-rest", "something is being stopped or undone")
        for frame in self.inst.frames.values():
            if self.old.specs[frame.spec].kind == "beside":
                raise _Stay("not-at-rest", "a block of `also` or `every` still runs")
        for fiber in self.inst.fibers.values():
            call = fiber.call
            if call is not None and call.kind != "task" and call.state != "parked":
                raise _Stay("not-at-rest", f"the call of {call.target} is in flight")
            if call is None and fiber.wait not in RESTING:
                raise _Stay("not-at-rest", f"a token waits for {fiber.wait}")

    def _place(self, fiber: Fiber) -> str:
        """The place at which a token stands: that in which the step is written for which it waits."""
        return self.old.labels[fiber.pc - 1].partition(":")[2].rpartition("#")[0]

    def _plan(self, fiber: Fiber) -> "_Plan":
        """What becomes of a token; without a target it stays where it is, at the same place."""
        place = self._place(fiber)
        rule = self._rule(place)
        if rule is None:
            if place in self.same:
                if self._watched(fiber):
                    raise _Stay("unmapped-state", f"`{place}` has come to lie in a scope that new guards form")
                return _Plan(fiber)
            rule = self.rules.get("")
        if rule is None:
            raise _Stay("unmapped-state", f"no rule says where `{place}` goes")
        if rule.kind != "to":
            raise _Stay(rule.kind, f"the rule for `{rule.source or 'otherwise'}` says `{rule.kind}`")
        target = place if rule.source == rule.target else rule.target
        if target == place and place in self.same and not self._watched(fiber):
            return _Plan(fiber, rule)
        if fiber.wait == "fork" or fiber.base != next(f.id for f in self.inst.frames.values() if f.parent is None):
            raise _Stay("unmapped-state", f"`{place}` has branches that run, from which no rule leads elsewhere")
        if any(is_inside(target, path) for path in self.closed):
            raise _Stay("unmapped-state", f"`{target}` is inside a branch, into which no rule leads")
        if (self.migration.workflow, target) not in self.new.entries:
            raise _Stay("unmapped-state", f"version {self.migration.new} has no `{target}`")
        return _Plan(fiber, rule, target)

    def _rule(self, node: str) -> MigrationRule | None:
        """The rule of a node, or of the innermost scope around it."""
        while node:
            if node in self.rules:
                return self.rules[node]
            node = node.rpartition(".")[0]
        return None

    # -- what goes along

    def _values(self, fiber: Fiber, rule: MigrationRule) -> dict[str, Any]:
        """What `set` gives; it reads names of the old version."""
        work = Work(self.old, self.inst, self.at)
        env = Env(work, self.inst.frames[fiber.frame])
        found = {}
        for name, expr in rule.sets:
            try:
                found[name] = self.old.compile(expr)(env)
            except NotConstant as missing:
                raise _Stay("unmigrated-name", f"`set {name}` reads `{missing}`, which has no value here") from None
        return found

    def _parameters(self) -> None:
        """New parameters have their default."""
        root = next(frame for frame in self.inst.frames.values() if frame.parent is None)
        assert root.names is not None
        work = Work(self.new, self.inst, self.at)
        for param in self.new.workflows[self.migration.workflow].params:
            if param.name in root.names:
                continue
            if param.default is None:
                raise _Stay("unmigrated-name", f"the new parameter `{param.name}` has no default")
            root.names[param.name] = self.new.compile(param.default)(Env(work, root))

    def _logs(self) -> None:
        undos = {place: self._undo(place) for place in self._places()}
        self.inst.letters = {
            key: letter if letter.entry is None else attrs.evolve(letter, entry=_moved(letter.entry, undos))  # type: ignore[misc]  # attrs to mypy only by the decorator
            for key, letter in self.inst.letters.items()
        }
        for frame in self.inst.frames.values():
            frame.log = [_moved(entry, undos) for entry in frame.log]
            frame.beside = [tuple(_moved(entry, undos) for entry in log) for log in frame.beside]
            if frame.fork is not None:
                for branch in frame.fork.branches:
                    branch.log = [_moved(entry, undos) for entry in branch.log]

    def _places(self) -> set[str]:
        logs = [frame.log for frame in self.inst.frames.values()]
        logs += [list(log) for frame in self.inst.frames.values() for log in frame.beside]
        logs += [[letter.entry] for letter in self.inst.letters.values() if letter.entry is not None]
        logs += [b.log for f in self.inst.frames.values() if f.fork is not None for b in f.fork.branches]
        return {entry.undo for log in logs for entry in _flat(log) if entry.undo}

    def _undo(self, place: str) -> str:
        """The compensation of the new version that is the same as an old one."""
        code = self.old.undos[place]
        wanted = resolved(code.undo, policy_names(self.old.machine))
        names = policy_names(self.new.machine)
        for other in self.new.undos.values():
            if other.name == code.name and resolved(other.undo, names) == wanted:
                return other.place
        raise _Stay(
            "migration-gap", f"version {self.migration.new} has no such undo for `{code.name}`, which has been done"
        )

    # -- frames and tokens

    def _watched(self, fiber: Fiber) -> bool:
        """Whether a token that stays has come to lie in a scope that new guards have formed, or has lost one."""
        formed = {spec.path for spec in self.new.specs if _is_formed(spec) and spec.name not in self.old.spec_names}
        for frame in Work(self.old, self.inst, self.at).outward(self.inst.frames[fiber.frame]):
            spec = self.old.specs[frame.spec]
            gone = _is_formed(spec) and spec.name not in self.new.spec_names
            if gone or (spec.boundary and spec.path in formed):
                return True
        return False

    def _new_guards(self, frame: Frame) -> list[GuardCode]:
        """The guards that the frame has in the new version only."""
        old = self.old.specs[frame.spec]
        new = self.new.spec_names.get(old.name)
        known = {guard.trigger for guard in old.guards}
        return [guard for guard in new.guards if guard.trigger not in known] if new is not None else []

    def _begin(self, work: Work, fresh: list[tuple[Frame, list[GuardCode]]]) -> None:
        """Variables and timers that only the new version has: they begin now."""
        for frame, guards in fresh:
            if frame.spec < 0 or frame.state != "active":
                continue
            for name, code in self.new.specs[frame.spec].variables:
                names = work.holder(frame).names
                if names is not None and name not in names:
                    names[name] = work.value(code, frame)
            for guard in guards:
                work.arm_guard(frame, guard)

    def _frame(self, frame: Frame, moved: set[int]) -> None:
        """A frame of the old version becomes the same one of the new: guards that are the same keep their instants."""
        spec = self.old.specs[frame.spec]
        other = self.new.spec_names.get(spec.name)
        if other is None:
            if frame.fiber not in moved:
                raise _Stay(
                    "unmapped-state", f"version {self.migration.new} has nothing like `{spec.path or spec.kind}`"
                )
            frame.spec = -1  # it is left when its token moves
            return
        frame.spec = other.source
        frame.due = [made for timer in frame.due if (made := _timer(timer, spec, other)) is not None]

    def _keep(self, fiber: Fiber) -> None:
        label = self.old.labels[fiber.pc]
        if label not in self.new.places:
            raise _Stay(
                "unmapped-state", f"version {self.migration.new} has no such step in `{self.old.labels[fiber.pc]}`"
            )
        fiber.pc = self.new.places[label]
        if fiber.call is not None and fiber.call.pc >= 0:
            fiber.call.pc = self.new.places[self.old.labels[fiber.call.pc]]

    def _enter(self, work: Work, fiber: Fiber, target: str, values: Mapping[str, Any]) -> None:
        """A token leaves its place and enters a node afresh."""
        entry = self.new.entries[self.migration.workflow, target]
        frame = self.inst.frames[fiber.frame]
        self._drop(work, fiber, frame)
        chain = list(work.outward(frame))[::-1]
        kept = 0
        for each, spec in zip(chain, entry.regions, strict=False):
            if each.spec < 0 or self.new.specs[each.spec] is not spec:
                break
            kept += 1
        for each in reversed(chain[kept:]):
            assert each.parent is not None
            outer = self.inst.frames[each.parent]
            outer.log.extend(work.freed(work.collect(each)))
            if each.lock:
                work.unlock(each.lock)
            fiber.frame = outer.id
            work.remove(each)
        frame = chain[kept - 1]
        fiber.wait, fiber.call, fiber.due = "", None, []
        fiber.frame = frame.id
        for each in chain[:kept]:
            if self.new.specs[each.spec].boundary:
                each.node = ""
        for spec in entry.regions[kept:]:
            frame = work.open(fiber, spec)
        self._set(work, frame, values)
        fiber.pc = entry.label.pc
        work.ready.append(fiber.id)

    def _set(self, work: Work, frame: Frame, values: Mapping[str, Any]) -> None:
        for name, given in values.items():
            work.bind(self._holder(work, frame, name), name, given)

    def _drop(self, work: Work, fiber: Fiber, frame: Frame) -> None:
        """What a token waits for is withdrawn."""
        call = fiber.call
        if call is not None:
            if call.state != "parked":
                work.commands.append(Stop(call=call.id, attempt=number_of(call)))
            frame.log = [entry for entry in frame.log if entry.id != call.entry or entry.state != "started"]
        if fiber.wait == "lock":
            work.unlock(fiber.lock)

    def _holder(self, work: Work, frame: Frame, name: str) -> Frame:
        """The frame of the region that declares or binds a name."""
        declared = {
            region.path: {n for n, _ in region.names} | {v.name for v in region.variables}
            for region in regions(self.new.workflows[self.migration.workflow].region)
        }
        for each in work.outward(frame):
            spec = self.new.specs[each.spec]
            if spec.names and name in declared.get(spec.path, ()):
                return each
        return work.holder(frame)


@attrs.frozen
class _Plan:
    fiber: Fiber
    rule: MigrationRule | None = None
    target: str = ""


def _is_formed(spec: Spec) -> bool:
    """Whether it is a scope that guards form around nodes of their own region."""
    return spec.kind == "scope" and not spec.names


def _timer(timer: Timer, old: Spec, new: Spec) -> Timer | None:
    """A timer whose guard is still there."""
    if timer.what.startswith("sla"):
        name = old.slas[timer.index][0].name
        place = next((i for i, (sla, _, _) in enumerate(new.slas) if sla.name == name), None)
    else:
        trigger = old.guards[timer.index].trigger
        place = next((guard.index for guard in new.guards if guard.trigger == trigger), None)
    return Timer(timer.at, timer.rank, timer.what, place, timer.number) if place is not None else None


def _flat(log: Any) -> Iterator[Entry]:  # noqa: ANN401 - a list or tuple of entries
    for entry in log:
        yield entry
        yield from _flat(entry.log)
        for branch in entry.branches:
            yield from _flat(branch)


def _moved(entry: Entry, undos: Mapping[str, str]) -> Entry:
    """An entry with the places of the new version."""
    return Entry(
        entry.kind,
        entry.id,
        entry.path,
        entry.name,
        entry.key,
        entry.state,
        undos.get(entry.undo, entry.undo),
        entry.stored,
        tuple(_moved(each, undos) for each in entry.log),
        tuple(tuple(_moved(each, undos) for each in branch) for branch in entry.branches),
        entry.limit,
    )
