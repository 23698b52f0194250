"""From a machine to code: blocks, choices and loops become jumps; what is entered and left becomes frames."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from wfc.flow.personal import Personal
from wfc.ir.evaluate import Code, Evaluator
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import (
    Audit,
    Await,
    Breaker,
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
    Machine,
    Measure,
    Node,
    Parallel,
    Region,
    Repeat,
    Scope,
    Settle,
    SetVar,
    Sla,
    Start,
    Step,
    Undo,
    UndoRegion,
    Wait,
    Workflow,
)
from wfc.ir.undos import numbers
from wfc.ir.walk import is_constant, regions_of
from wfc.machine import code as c


@attrs.define(slots=True, eq=False)
class _Place:
    """Where code is written: the region, its frames that are open, and where its exits lead."""

    workflow: str
    path: str
    opened: int = 0  # frames of this region that are open above the region's own
    nodes: dict[str, tuple[c.Label, int]] = attrs.field(factory=dict)  # with the frames that are open there
    end: c.Label = attrs.field(factory=c.Label)
    end_opened: int = 0  # frames that are open where `end` is
    undo: dict[int, str] | None = None  # inside a compensation: the numbers of its calls
    own: tuple[c.Spec, ...] = ()  # the frames of a workflow's own guards
    regions: tuple[c.Spec, ...] = ()  # the frames of the regions around, outermost first

    def within(self, frames: int = 1) -> "_Place":
        """The same place inside more frames."""
        return attrs.evolve(self, opened=self.opened + frames)


_Body = Callable[[_Place], None]


class Writer:
    """Writes the code of all workflows of a machine. `unsaid`: how effects are undone that do not say it."""

    def __init__(self, machine: Machine, evaluator: Evaluator, unsaid: Undo | None = None) -> None:
        self.machine = machine
        self.unsaid = unsaid
        self.evaluator = evaluator
        self.code: list[c.Instruction] = []
        self.labels: list[str] = []
        self.origins: list[Step | None] = []
        self._step_now: Step | None = None
        self.specs: list[c.Spec] = []
        self.personal = Personal(machine)
        self._personal_names: frozenset[str] = frozenset()
        self.workflows = {workflow.name: workflow for workflow in machine.workflows}
        self.operations = {operation.name: operation for operation in machine.operations}
        self.policies = {policy.name: policy for policy in machine.policies}
        self._policy_codes: dict[str, c.PolicyCode] = {}
        self._here = ""
        self._counts: dict[str, int] = {}
        self.undos: dict[str, c.UndoCode] = {}
        self.entries: dict[tuple[str, str], c.Entry] = {}
        self.lists = self._spec("undo list", "", "")
        self.forks = self._spec("undo fork", "", "")
        self.compensation = self._spec("undo", "", "")
        self.slots = self._spec("slot", "", "")
        self.besides = self._spec("beside", "", "")
        self.compensation.names = self.besides.names = True

    # -- writing

    def _emit(self, instruction: c.Instruction) -> None:
        number = self._counts.get(self._here, 0)
        self._counts[self._here] = number + 1
        self.labels.append(f"{self._here}#{number}")
        self.origins.append(self._step_now)
        self.code.append(instruction)

    def _counter(self) -> str:
        """The name of a `repeat`, which stays the same while its place does."""
        base = f"{self._here}~repeat"
        number = self._counts.get(base, 0)
        self._counts[base] = number + 1
        return f"{base}{number}"

    def _set(self, label: c.Label) -> None:
        label.pc = len(self.code)

    def _expr(self, expr: Expr) -> Code:
        return self.evaluator.compile(expr)

    def _maybe(self, expr: Expr | None) -> Code | None:
        return self.evaluator.compile(expr) if expr is not None else None

    def _spec(self, kind: c.SpecKind, workflow: str, path: str) -> c.Spec:
        """A spec with a name that stays the same while its node does."""
        base = f"{workflow}:{path}~{kind}"
        number = self._counts.get(base, 0)
        self._counts[base] = number + 1
        spec = c.Spec(len(self.specs), f"{base}{number or ''}", kind, path)
        self.specs.append(spec)
        return spec

    @contextmanager
    def _at(self, workflow: str, path: str) -> Iterator[None]:
        before = self._here
        self._here = f"{workflow}:{path}"
        yield
        self._here = before

    # -- workflows and regions

    def workflow(self, workflow: Workflow) -> int:
        """Writes a workflow; the place where it begins."""
        self._personal_names = self.personal.names(workflow)
        with self._at(workflow.name, ""):
            begin = len(self.code)
            place = _Place(workflow.name, "")
            self._region(workflow.region, place, "workflow")
            self._emit(c.End("workflow"))
            return begin

    def _region(self, region: Region, around: _Place, kind: c.SpecKind, node: Scope | None = None) -> None:
        """A region from its frame's beginning to its end; what follows is the caller's.

        `node` is the scope it belongs to: the tails of its guards then stand around it.
        """
        spec = self._spec(kind, around.workflow, region.path)
        spec.names = not (node is not None and node.implicit)
        spec.boundary = spec.names
        spec.inside = node is None
        spec.ignore = region.ignore
        spec.variables = tuple((variable.name, self._expr(variable.value)) for variable in region.variables)
        spec.slas = self._slas(region.slas)
        place = _Place(around.workflow, region.path, opened=0, undo=around.undo)
        if node is not None and node.implicit:
            place = around.within()
        if kind == "workflow" or (node is not None and node.implicit):
            place.own = (*place.own, spec)
        place.regions = (*around.regions, spec)
        place.nodes = {**(around.nodes if spec.names is False else {}), **self._labels(region, place.opened)}
        with self._at(around.workflow, region.path):
            if region.undo is not None:
                spec.forgets = region.undo.kind == "none"
                spec.undo = None if spec.forgets else self._undo(region.undo, place, region.path)
            tails = place if node is None else around
            spec.guards = self._guards(region.guards, place)
            self._emit(c.Open(spec))
            self._steps(region.steps, place)
            if not region.nodes:
                self._emit(c.Give(None))
                self._leave(place)
            for each in region.nodes:
                self._node(each, place)
            self._tails(region.guards, spec, tails)
            if node is None or not node.implicit:
                self._set(place.end)
                self._emit(c.Close())

    def _labels(self, region: Region, opened: int) -> dict[str, tuple[c.Label, int]]:
        return {node.name: (c.Label(), opened) for node in region.nodes}

    def _leave(self, place: _Place) -> None:
        """Completes the region: closes what is open in it and goes to its end."""
        if any(spec.guards or spec.ignore for spec in place.own):
            self._emit(c.Offer(place.own))
        for _ in range(place.opened - place.end_opened):
            self._emit(c.Close())
        self._emit(c.Jump(place.end))

    def _goto(self, target: str, place: _Place) -> None:
        label, opened = place.nodes[target]
        for _ in range(place.opened - opened):
            self._emit(c.Close())
        self._emit(c.Jump(label))

    def _slas(self, slas: tuple[Sla, ...]) -> tuple[tuple[Sla, Code, Code | None], ...]:
        return tuple((sla, self._expr(sla.within), self._maybe(sla.warn)) for sla in slas)

    # -- nodes

    def _node(self, node: Node, place: _Place) -> None:
        if isinstance(node, Scope):
            self._scope(node, place)
            return
        with self._at(place.workflow, node.path):
            self._entry(node, place)
            inner = attrs.evolve(place, path=node.path)
            plain = not (node.guards or node.ignore or node.slas)
            self._emit(c.Enter(node.path, plain))
            if plain:
                self._steps(node.steps, inner)
                self._emit(c.Halt())
                return
            spec = self._spec("state", place.workflow, node.path)
            spec.ignore, spec.slas = node.ignore, self._slas(node.slas)
            spec.guards = self._guards(node.guards, inner.within())
            self._emit(c.Open(spec))
            self._steps(node.steps, inner.within())
            self._emit(c.Halt())
            self._tails(node.guards, spec, inner)
            if any(not made.also for made in spec.guards):
                self._emit(c.Halt())

    def _scope(self, node: Scope, place: _Place) -> None:
        with self._at(place.workflow, node.path):
            if node.implicit:
                self._set(place.nodes[node.name][0])
                self._region(node.region, place, "scope", node)
                return
            self._entry(node, place)
            end = c.Label()
            self._region(node.region, attrs.evolve(place, end=end, end_opened=place.opened), "scope", node)
            self._set(end)
            if node.bind is not None:
                self._emit(c.Take(node.bind))
            if node.next is not None:
                self._goto(node.next, place)
            else:
                self._emit(c.Halt())

    def _entry(self, node: Node, place: _Place) -> None:
        """A node begins here."""
        label = place.nodes[node.name][0]
        self._set(label)
        self.entries[place.workflow, node.path] = c.Entry(label, place.regions)

    # -- guards

    def _guards(self, guards: tuple[Guard, ...], inside: _Place) -> tuple[c.GuardCode, ...]:
        """The guards of a frame; the blocks beside are written here, the tails where the frame has been left."""
        found = []
        for index, guard in enumerate(guards):
            made = c.GuardCode(
                index=index,
                id=guard.id,
                kind=guard.kind,
                names=frozenset(guard.names),
                any=guard.any,
                amount=self._maybe(guard.amount),
                bind=guard.bind,
                when=self._maybe(guard.when),
                keep=guard.keep,
                also=guard.also or guard.kind == "every",
                steps=c.Label(),
                label=guard.label,
                trigger=(guard.kind, guard.also, guard.names, guard.any, guard.amount),
            )
            found.append(made)
            if made.also:
                over = c.Label()
                self._emit(c.Jump(over))
                self._set(made.steps)
                beside = _Place(inside.workflow, inside.path, undo=inside.undo)
                self._steps(guard.steps, beside)
                self._set(beside.end)
                self._emit(c.End("beside"))
                self._set(over)
        return tuple(found)

    def _tails(self, guards: tuple[Guard, ...], spec: c.Spec, place: _Place) -> None:
        """The tails of the guards that interrupt. A block that falls off goes on behind all of them."""
        after = c.Label()
        for guard, made in zip(guards, spec.guards, strict=True):
            if made.also:
                continue
            self._set(made.steps)
            self._steps(guard.steps, place)
            self._emit(c.Jump(after))
        self._set(after)

    # -- steps

    def _steps(self, steps: tuple[Step, ...], place: _Place) -> None:
        around = self._step_now
        for step in steps:
            self._step_now = step
            self._step(step, place)
        self._step_now = around

    def _step(self, step: Step, place: _Place) -> None:
        match step:
            case Do():
                self._do(step, place)
            case Start():
                self._emit(c.Calling(self._start(step, place)))
            case Let(name=name, value=value):
                self._emit(c.Bind(name, self._expr(value)))
            case SetVar(name=name, value=value):
                self._emit(c.SetName(name, self._expr(value)))
            case Emit(event=event, value=value):
                self._emit(c.SendEvent(event, self._expr(value)))
            case Wait(amount=amount, until=until):
                self._emit(c.Pausing(self._expr(amount), until))
            case Parallel() | ForEach():
                self._fork(step, place)
            case Repeat(times=times, steps=inner, until=until_expr):
                counter = self._counter()
                self._emit(c.Count(counter))
                again = c.Label()
                self._set(again)
                self._steps(inner, place)
                self._emit(c.Again(counter, self._maybe(times), self._expr(until_expr), again))
            case Lock():
                self._lock(step, place)
            case Choose():
                self._choose(step, place)
            case Await(guards=guards):
                self._guarded("await", guards, place, lambda _: self._emit(c.Awaiting()))
            case UndoRegion():
                self._emit(c.Undoing())
            case Settle():
                self._emit(c.Settling())
            case Audit(text=text):
                self._emit(c.Say(self._expr(self.personal.shown(text, self._personal_names))))
            case Measure(metric=metric, value=measured):
                self._emit(c.Feed(metric, self._maybe(measured)))
            case Goto(target=target):
                self._goto(target, place)
            case Done(value=given):
                self._emit(c.Give(self._maybe(given)))
                self._leave(place)
            case Fail(error=error):
                self._emit(c.Raising(self._expr(error)))

    def _guarded(self, kind: c.SpecKind, guards: tuple[Guard, ...], place: _Place, body: "_Body") -> None:
        """Something inside a frame of its own, if it has guards; the tails go on behind it."""
        if not guards:
            body(place)
            return
        spec = self._spec(kind, place.workflow, place.path)
        spec.guards = self._guards(guards, place.within())
        self._emit(c.Open(spec))
        body(place.within())
        self._emit(c.Close())
        over = c.Label()
        self._emit(c.Jump(over))
        self._tails(guards, spec, place)
        self._set(over)

    def _choose(self, step: Choose, place: _Place) -> None:
        end = c.Label()
        for arm in step.arms:
            following = c.Label()
            self._emit(c.Test(self._expr(arm.test), following))
            if arm.bind is not None and arm.value is not None:
                self._emit(c.Bind(arm.bind, self._expr(arm.value)))
            self._steps(arm.steps, place)
            self._emit(c.Jump(end))
            self._set(following)
        if step.otherwise is not None:
            if step.bind is not None and step.value is not None:
                self._emit(c.Bind(step.bind, self._expr(step.value)))
            self._steps(step.otherwise, place)
        self._set(end)

    def _lock(self, step: Lock, place: _Place) -> None:
        spec = self._spec("lock", place.workflow, place.path)
        resources = tuple((name, tuple(self._expr(arg) for arg in args)) for name, args in step.resources)
        self._emit(c.Locking(c.LockCode(resources, self._expr(step.wait), spec)))
        self._steps(step.steps, place.within())
        self._emit(c.Close())

    def _fork(self, step: Parallel | ForEach, place: _Place) -> None:
        guards = step.guards if isinstance(step, Parallel) else ()
        self._guarded("guarded", guards, place, lambda inside: self._branches(step, inside))

    def _branches(self, step: Parallel | ForEach, place: _Place) -> None:
        spec = self._spec("fork", place.workflow, place.path)
        starts = tuple(c.Label() for _ in regions_of(step))
        each = step if isinstance(step, ForEach) else None
        spec.fork = c.ForkCode(
            step=step,
            spec=spec,
            starts=starts,
            items=self._expr(each.items) if each is not None else None,
            limit=self._maybe(each.limit) if each is not None else None,
            count=self._maybe(step.count),
            bind=step.bind,
        )
        self._emit(c.Forking(spec.fork))
        over = c.Label()
        self._emit(c.Jump(over))
        for region, start in zip(regions_of(step), starts, strict=True):
            self._set(start)
            self._region(region, _Place(place.workflow, region.path, undo=place.undo), region.kind)
            self._emit(c.End("branch"))
        self._set(over)

    # -- calls

    def _do(self, step: Do, place: _Place) -> None:
        call = self._call(step, place)
        self._guarded("guarded", step.guards, place, lambda _: self._emit(c.Calling(call)))

    def _number(self, step: Do | Start, place: _Place) -> str:
        return place.undo.get(id(step), "") if place.undo is not None else step.id

    def _call(self, step: Do, place: _Place) -> c.CallCode:
        operation = self.operations.get(step.target)
        assign = step.assign if step.assign is not None or operation is None else operation.assign
        forgets = step.undo is not None and step.undo.kind == "none"
        undo = None
        how = step.undo or (self.unsaid if step.effect == "unsaid" and not step.pivot else None)
        if place.undo is None and how is not None and not forgets:
            undo = self._undo(how, place, step.target, step.bind)
        return c.CallCode(
            step=step,
            kind=step.kind,
            target=step.target,
            args=tuple(self._expr(arg) for arg in step.args),
            bind=step.bind,
            policy=self._policy(step.policy) if step.policy is not None else None,
            key=self._maybe(step.key),
            key_reads_operands=_reads_operands(step.key),
            own_key=self._own_key(step.target),
            names=self._names(step.target),
            assign=self._maybe(assign),
            assign_reads_operands=_reads_operands(assign),
            pivot=step.pivot,
            optional=step.optional,
            undo=undo,
            forgets=forgets,
            raises=frozenset(step.raises),
            path=place.path,
            number=self._number(step, place),
            keyed=operation is not None and (operation.key is not None or operation.idempotent),
            partial=operation.partial if operation is not None else (),
        )

    def _start(self, step: Start, place: _Place) -> c.CallCode:
        forgets = step.undo is not None and step.undo.kind == "none"
        undo = None
        how = step.undo or self.unsaid
        if place.undo is None and how is not None and not forgets:
            undo = self._undo(how, place, step.target)
        return c.CallCode(
            step=step,
            kind="start",
            target=step.target,
            args=tuple(self._expr(arg) for arg in step.args),
            bind=None,
            policy=None,
            key=self._maybe(step.key),
            key_reads_operands=_reads_operands(step.key),
            own_key=self._own_key(step.target),
            names=self._names(step.target),
            assign=None,
            assign_reads_operands=False,
            pivot=False,
            optional=False,
            undo=undo,
            forgets=forgets,
            raises=frozenset(),
            path=place.path,
            number=self._number(step, place),
            keyed=True,
            partial=(),
        )

    def _own_key(self, target: str) -> Code | None:
        """The key that an operation or a workflow says itself."""
        operation = self.operations.get(target)
        return self._maybe(operation.key if operation is not None else self.workflows[target].key)

    def _names(self, target: str) -> tuple[str, ...]:
        """The parameters of an operation, read as operands, or those of a workflow."""
        operation = self.operations.get(target)
        if operation is not None:
            return tuple(f"operand.{param.name}" for param in operation.params)
        return tuple(param.name for param in self.workflows[target].params)

    def _policy(self, name: str) -> c.PolicyCode:
        found = self._policy_codes.get(name)
        if found is None:
            policy = self.policies[name]
            found = c.PolicyCode(
                name=policy.declared or policy.name,
                timeout=self._maybe(policy.timeout),
                overall=self._maybe(policy.overall),
                attempts=self._maybe(policy.attempts),
                backoff=self._expr(policy.backoff),
                factor=self._expr(policy.factor),
                max=self._expr(policy.max),
                jitter=self._maybe(policy.jitter),
                only=policy.only,
                excepted=policy.excepted,
                breaker=self._breaker(policy.breaker),
                limit=(self._expr(policy.limit[0]), self._expr(policy.limit[1])) if policy.limit is not None else None,
                concurrency=self._maybe(policy.concurrency),
                heartbeat=self._maybe(policy.heartbeat),
                exhausted=policy.exhausted,
                queue=self._expr(policy.queue_value) if policy.queue_value is not None else policy.queue,
                constant=is_constant(policy),
            )
            self._policy_codes[name] = found
        return found

    def _breaker(self, breaker: Breaker | None) -> tuple[Code, Code, Code] | None:
        if breaker is None:
            return None
        return self._expr(breaker.failures), self._expr(breaker.within), self._expr(breaker.probe)

    # -- undo

    def _undo(self, undo: Undo, place: _Place, name: str, bind: str | None = None) -> c.UndoCode:
        """A compensation: its steps are a token of its own, which reads only what has been stored."""
        over, start = c.Label(), c.Label()
        self._emit(c.Jump(over))
        self._set(start)
        inside = _Place(place.workflow, place.path, undo=numbers(undo))
        self._steps(undo.steps, inside)
        self._set(inside.end)
        self._emit(c.End("undo"))
        self._set(over)
        own = ("local", bind)
        when_reads = undo.when is not None and any(
            isinstance(part, Ref) and (part.kind == "result" or (part.kind, part.name) == own)
            for part in walk(undo.when)
        )
        made = c.UndoCode(
            name=name,
            steps=start,
            when=self._maybe(undo.when),
            when_reads_result=when_reads,
            blind=undo.blind,
            place=self.labels[start.pc],
            undo=undo,
            bind=bind,
        )
        self.undos[made.place] = made
        return made


def _reads_operands(expr: Expr | None) -> bool:
    return expr is not None and any(isinstance(part, Ref) and part.kind == "operand" for part in walk(expr))
