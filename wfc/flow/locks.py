"""Which locks are asked for while which others are held: in a workflow, through its children, in what is undone."""

from collections.abc import Iterator
from dataclasses import dataclass

from wfc.flow.sending import given
from wfc.ir.expressions import Expr, Lit, Ref, walk
from wfc.ir.machine import Do, Lock, Machine, Region, ResourceDef, State, Step, Workflow
from wfc.ir.rewrite import rewrite
from wfc.ir.walk import all_steps, blocks, region_steps, regions, regions_of, undo_of
from wfc.text.source import Span

Resource = tuple[str, tuple[Expr, ...]]


@dataclass(frozen=True)
class Nested:
    """A resource that is asked for while another is held. `call`: the child through which, if any."""

    outer: Lock
    held: Resource
    inner: Lock
    wanted: Resource
    call: Do | None = None


@dataclass(frozen=True)
class Asked:
    """A resource that an undo asks for. `named`: the same in the names of the place that is looked at."""

    lock: Lock
    wanted: Resource
    named: Resource


class Locks:
    """The nesting of locks in one machine."""

    def __init__(self, machine: Machine) -> None:
        self.resources: dict[str, ResourceDef] = {resource.name: resource for resource in machine.resources}
        self.workflows = {workflow.name: workflow for workflow in machine.workflows}
        self._inside: dict[str, tuple[Lock, ...]] = {}
        self._undos: dict[str, tuple[Asked, ...]] = {}

    def rank(self, resource: Resource) -> int:
        """The rank of a resource."""
        return self.resources[resource[0]].rank

    def nested(self, workflow: Workflow) -> Iterator[Nested]:
        """Each pair of a held resource and one that is asked for inside, whatever their ranks; undos apart."""
        yield from self._region(workflow.region, ())

    def child(self, name: str) -> tuple[Lock, ...]:
        """The locks that a workflow and its own children take."""
        if name not in self._inside:
            self._inside[name] = ()  # a child of itself adds nothing new
            found: list[Lock] = []
            workflow = self.workflows.get(name)
            for step in region_steps(workflow.region, undos=False) if workflow is not None else ():
                if isinstance(step, Lock):
                    found.append(step)
                elif isinstance(step, Do) and step.kind == "workflow":
                    found.extend(self.child(step.target))
            self._inside[name] = tuple({id(lock): lock for lock in found}.values())
        return self._inside[name]

    def undo_of(self, step: Step) -> tuple[Asked, ...]:
        """What the undo of a call asks for: its own, else that of the child that has completed."""
        undo = undo_of(step)
        if undo is not None:
            return tuple(asked(undo.steps))
        if not isinstance(step, Do) or step.kind != "workflow" or step.target not in self.workflows:
            return ()
        return tuple(self.put(step, each) for each in self._left(step.target))

    def _left(self, name: str) -> tuple[Asked, ...]:
        """What it asks for to undo a completed child, in its own names."""
        if name not in self._undos:
            self._undos[name] = ()  # a child of itself adds nothing new
            region = self.workflows[name].region
            found = list(asked(region.undo.steps)) if region.undo is not None else []
            if region.undo is None:
                for step in region_steps(region, undos=False):
                    found += self.undo_of(step)
                for inner in regions(region):
                    found += asked(inner.undo.steps) if inner.undo is not None else ()
            self._undos[name] = tuple({id(each.lock): each for each in found}.values())
        return self._undos[name]

    def put(self, call: Do, one: Asked) -> Asked:
        """What is asked for in a child, in the names of the call; without its key where that cannot be named."""
        args = given(call, self.workflows[call.target])
        name, key = one.named
        if not all(isinstance(part, Lit) or _is_param(part) for expr in key for part in walk(expr)):
            return Asked(one.lock, one.wanted, (name, ()))
        put = rewrite(key, (Ref,), lambda ref: args.get(ref.name, ref) if ref.kind == "param" else ref)
        return Asked(one.lock, one.wanted, (name, put))

    def _region(self, region: Region, around: tuple[Lock, ...]) -> Iterator[Nested]:
        yield from self._block(region.steps, around)
        for guard in region.guards:
            yield from self._block(guard.steps, around)
        for node in region.nodes:
            match node:
                case State(steps=steps, guards=guards):
                    yield from self._block(steps, around)
                    for guard in guards:
                        yield from self._block(guard.steps, around)
                case _:
                    yield from self._region(node.region, around)

    def _block(self, steps: tuple[Step, ...], around: tuple[Lock, ...]) -> Iterator[Nested]:
        for step in steps:
            inside = around
            if isinstance(step, Lock):
                yield from self._pairs(around, step)
                yield from self._together(step)
                inside = (*around, step)
            if isinstance(step, Do) and step.kind == "workflow" and around:
                for lock in self.child(step.target):
                    yield from self._pairs(around, lock, step)
            for block in blocks(step):
                yield from self._block(block, inside)
            for region in regions_of(step):
                yield from self._region(region, inside)

    def _pairs(self, around: tuple[Lock, ...], inner: Lock, call: Do | None = None) -> Iterator[Nested]:
        for outer in around:
            for held in outer.resources:
                for wanted in inner.resources:
                    yield Nested(outer, held, inner, wanted, call)

    def _together(self, lock: Lock) -> Iterator[Nested]:
        """The same resource twice in one `lock`."""
        for number, wanted in enumerate(lock.resources):
            for held in lock.resources[:number]:
                if held == wanted:
                    yield Nested(lock, held, lock, wanted)

    def itself(self, nested: Nested) -> bool:
        """Whether what is asked for is the very thing that is held, and there is only one of it."""
        if nested.held[0] != nested.wanted[0] or self.resources[nested.held[0]].capacity != 1:
            return False
        wanted = nested.wanted[1]
        if nested.call is not None:
            given = self._given(nested.call)
            if not all(isinstance(arg, Lit) or (isinstance(arg, Ref) and arg.name in given) for arg in wanted):
                return not wanted
            wanted = tuple(given[arg.name] if isinstance(arg, Ref) else arg for arg in wanted)
        return nested.held[1] == wanted and not any(_varies(arg) for arg in wanted)

    def _given(self, call: Do) -> dict[str, Expr]:
        workflow = self.workflows[call.target]
        return dict(zip((param.name for param in workflow.params), call.args, strict=False))

    def may_be_same(self, one: Resource, other: Resource) -> bool:
        """Whether two resources of one place can be the same: not where their keys are different constants."""
        pairs = zip(one[1], other[1], strict=False)
        return one[0] == other[0] and not any(isinstance(a, Lit) and isinstance(b, Lit) and a != b for a, b in pairs)


def asked(steps: tuple[Step, ...]) -> Iterator[Asked]:
    """The resources that some steps ask for."""
    for lock in locks_of(steps):
        yield from (Asked(lock, wanted, wanted) for wanted in lock.resources)


def _is_param(part: Expr) -> bool:
    return isinstance(part, Ref) and part.kind in ("param", "const")


def _varies(expr: Expr) -> bool:
    return any(isinstance(part, Ref) and part.kind == "var" for part in walk(expr))


def resource_at(lock: Lock, resource: Resource) -> Span | None:
    """Where a lock names a resource; the last place of several."""
    number = lock.resources.index(resource)
    named = [at for word, at in lock.places if word not in ("step", "body")]
    return named[number] if number < len(named) else lock.at


def locks_of(steps: tuple[Step, ...]) -> Iterator[Lock]:
    """The locks that some steps take, in all that is inside them."""
    yield from (step for step in all_steps(steps) if isinstance(step, Lock))
