"""Types a workflow region by region: which names have values where, what is known of them, what each region gives.

A forward data flow over the nodes of each region, to a fixpoint: an Env at the entry of each node, joined over all
arrows that lead there. First silently until nothing changes, then once more to report and remember.
"""

import re
from collections.abc import Iterable, Iterator

from attrs import evolve

from wfc import problems
from wfc.ir.expressions import Lit
from wfc.ir.types import DURATION, INT, UNKNOWN, Fields, ListOf, OperationType, Type, optional, settled, substitute
from wfc.problems.edits import at_top
from wfc.problems.problem import Edit, Fix, Label, Reporter
from wfc.sema import policies
from wfc.sema.calls import Bound
from wfc.sema.declarations import key_expression
from wfc.sema.declare import check_reserved
from wfc.sema.env import Binding, Env, join
from wfc.sema.forms import widened
from wfc.sema.lookup import a_type
from wfc.sema.model import (
    FieldInfo,
    Instance,
    Model,
    OperationInfo,
    ParamOperation,
    RegionInfo,
    WorkflowModel,
)
from wfc.sema.regions import (
    Place,
    RegionState,
    bound_names,
    guards_of,
    names_of_step,
    node_steps,
    own_steps,
    split,
    tail_steps,
    walk_steps,
)
from wfc.sema.signatures import Signatures
from wfc.sema.steps import StepTyper, merged
from wfc.syntax import nodes as ast
from wfc.text.source import Span

_AS = re.compile(r"\s++as\s++\Z")
_NEAR = 200  # as far back as `as` is looked for
_MAX_ROUNDS = 50  # an Env can only shrink; this is far beyond what any program needs


def analyse_workflow(instance: Instance, model: Model, signatures: Signatures, report: Reporter) -> WorkflowModel:
    """Analyses one use of a workflow, or a generic workflow by itself."""
    decl = instance.symbol.decl
    assert isinstance(decl, ast.WorkflowDecl)
    module = instance.symbol.module
    free = frozenset(p.text for p in decl.type_params)
    bound: Bound = dict(instance.types)
    params = tuple(_bound_field(info, bound) for info in signatures.fields(module, decl, decl.params, free))
    result = signatures.type(module, decl.result, free) if decl.result else None
    raises = {error for name in decl.raises for error in signatures.errors(module, name)}
    for _, operation in instance.operations:
        raises.update(operation.raises)
    workflow = WorkflowModel(
        instance, module, params, _bound_type(result, bound) if result is not None else None, tuple(sorted(raises))
    )
    _WorkflowTyper(workflow, model, signatures, report).run()
    return workflow


def _bound_type(kind: Type, bound: Bound) -> Type:

    return substitute(kind, bound)


def _bound_field(info: FieldInfo, bound: Bound) -> FieldInfo:
    kind = _bound_type(info.type, bound)
    return FieldInfo(info.node, info.name, kind, info.default, info.where, info.pii, info.blob)


class _WorkflowTyper(StepTyper):
    """The regions of one workflow."""

    def run(self) -> None:
        """Types the whole workflow."""
        self.bodies: list[ast.Region] = []
        self.homes: dict[str, str] | None = None
        decl = self.workflow.decl
        handed = dict(self.workflow.instance.operations)
        names: dict[str, Binding] = {}
        for info in self.workflow.params:
            if isinstance(info.type, OperationType):
                given: OperationInfo | ParamOperation | None = handed.get(info.name)
                self.operations[info.name] = given or ParamOperation(info.name, info.type.params, info.type.result)
            else:
                names[info.name] = Binding("param", info.type)
            older = self.module.values.get(info.name)
            if older is not None and older.decl is not decl:
                label = (Label(older.at, f"a {older.kind} of this name"),)
                at = self.module.at(info.node.name)
                self.report(problems.DuplicateName(at=at, name=info.name, labels=label, fixes=()))
        env = Env(names)
        if decl.key is not None:
            self.types.clock = False
            self.expr(decl.key, key_expression(self.types, decl.key, env))
            self.types.clock = True
        self._views(decl.region, env)
        state = self.region(decl.region, "workflow", None, env, {}, wanted=self.workflow.result)
        if self.workflow.result is not None and state.falls_off:
            text = f"`{decl.name.text}` can end without a value, and its callers wait for one"
            advice = "end with `done value`"
            self.report(problems.MismatchedType(at=self.module.at(decl.name), text=text, advice=advice))
        self._unused()
        for problem in self.unassigned:
            self._tell(evolve(problem, fixes=self._as_variable(problem.name)))  # type: ignore[misc]  # a problem is an attrs class

    def _as_variable(self, name: str) -> tuple[Fix, ...]:
        """The name as a variable with a first value, its `let`s changed to `set`. Which value is a guess: not safe."""
        region = next((r for r in self.bodies if name in self.workflow.regions[r.id].names), None)
        kind = self.workflow.regions[region.id].names[name] if region is not None else UNKNOWN
        first = _FIRST.get(str(kind))
        lets = [s for s in own_steps(region) if isinstance(s, ast.Let) and s.name.text == name] if region else []
        names = [n for s in own_steps(region) for n in names_of_step(s) if n.text == name] if region else []
        if region and any(
            isinstance(node, ast.Scope) and node.bind and node.bind.text == name for node in region.nodes
        ):
            return ()  # a variable cannot be what a scope gives
        if region is None or first is None or len(lets) != len(names) or any(let.type for let in lets):
            return ()
        declared = at_top(self.module.at(region), f"var {name}: {kind} = {first}")
        changed = (Edit(self.module.at(let).first(len("let")), "set") for let in lets)
        return (Fix(f"make `{name}` a variable", (declared, *changed)),)

    def _views(self, region: ast.Region, env: Env) -> None:
        """Views read the parameters and the variables of the workflow."""
        inside = env
        for clause in region.clauses:
            if isinstance(clause, ast.Var):
                kind = self._var_type(clause, inside, quiet=True)
                inside = inside.bind(clause.name.text, Binding("var", kind))
        for clause in region.clauses:
            if isinstance(clause, ast.View):
                check_reserved(self.module, clause.name, self.report)
                self.typed(clause.value, inside, self.signatures.type(self.module, clause.type, self.type_params))

    def _unused(self) -> None:
        """Names that nothing reads; told only where all else is well: a mistake often takes a reading with it."""
        if self.workflow.broken:
            return
        for info in self.workflow.params:
            if info.name not in self.read and not info.name.startswith("_"):
                at = self.module.at(info.node.name)
                self.report(problems.UnusedName(at=at, name=info.name, kind="parameter"))
        for text, (name, what) in self.bindings.items():
            if text not in self.read and not text.startswith("_"):
                fixes = () if name.id in self.held else _without_as(self.module.at(name))
                self.report(problems.UnusedName(at=self.module.at(name), name=text, kind=what, fixes=fixes))

    # -- regions

    def region(  # noqa: PLR0913 - what is around a region and what it must give
        self,
        node: ast.Region,
        kind: str,
        outer: RegionState | None,
        outer_env: Env,
        given: dict[str, Binding],
        *,
        wanted: Type | None = None,
        takes_value: bool = False,
        container: Place | None = None,
    ) -> "_State":
        """Types a region: its clauses, its steps, its nodes. The guards of a scope lead on in the container."""
        info = RegionInfo()
        nodes = {item.name.text: item for item in node.nodes}
        state = _State(node, kind, outer, info, wanted, takes_value, nodes)
        env = Env(dict(given), {}, outer_env, bound_names(node, kind))
        self._distinct_nodes(node)
        place = Place(state, state, repeated=container.repeated if container else False)
        env = self._clauses(node, env, place)
        after = self.steps(node.steps, env, place)
        if after is not None:
            if node.nodes:
                self._enter(state, node.nodes[0].name.text, after)
            else:
                self._fall_off(state, after)
        own_place = container if kind == "scope" and container is not None else place
        self.silent += 1
        self._guard_tails(node, env, own_place, state)
        self._settle(state, place)
        self.silent -= 1
        if not self.silent:
            self._guard_tails(node, env, own_place, state)
            self._final(state, place, env)
            for clause in node.clauses:
                if isinstance(clause, ast.Compensate):
                    self.compensate(clause, state.done_env or env, place)
            self._remember(node, kind, state)
        return state

    def _remember(self, node: ast.Region, kind: str, state: "_State") -> None:
        parts = split(node, kind)
        if parts is not None:
            state.info.inside, both = parts
            for mixed in both:
                at, labels = self.module.at(mixed.name), []
                if mixed.normal is not None and mixed.normal is not mixed.name:
                    labels.append(Label(self.module.at(mixed.normal), "the normal way"))
                if mixed.guarded is not None:
                    labels.append(Label(self.module.at(mixed.guarded), "the arrow of a guard"))
                self.report(problems.InsideAndOutside(at=at, name=mixed.name.text, labels=tuple(labels)))
        self.workflow.regions[node.id] = state.info
        self.bodies.append(node)

    def _distinct_nodes(self, region: ast.Region) -> None:
        seen: dict[str, ast.StateNode] = {}
        for node in region.nodes:
            check_reserved(self.module, node.name, self.report, field=True)
            older = seen.setdefault(node.name.text, node)
            if older is not node:
                label = (Label(self.module.at(older.name), "the first one"),)
                at = self.module.at(node.name)
                self.report(problems.DuplicateName(at=at, name=node.name.text, labels=label, fixes=()))

    def _clauses(self, region: ast.Region, env: Env, place: Place) -> Env:
        """Variables in turn, then what reads them."""
        seen: dict[type, ast.Clause] = {}
        for clause in region.clauses:
            match clause:
                case ast.Var(name=name, value=value):
                    kind = self._var_type(clause, env)
                    self.expr(value, self.types.value(value, env, kind))
                    env = self.bind(env, name, kind, place, "variable", "var")
                case ast.With():
                    policies.check_with(self.types, clause, env, self.workflow.exprs, self.workflow.refs)
                case ast.Sla():
                    self._sla(clause, env)
                case ast.Ignore(events=events):
                    for event in events:
                        self._ignored(event)
                case ast.View() if place.region.kind != "workflow":
                    self._misplaced(clause, "view", f"in a {place.region.kind}", "views belong to the workflow")
                case _:
                    pass
            if isinstance(clause, ast.With | ast.Compensate):
                older = seen.setdefault(type(clause), clause)
                if older is not clause:
                    word = "with" if isinstance(clause, ast.With) else "compensate"
                    self._misplaced(clause, word, "twice", "each clause stands at most once")
            if isinstance(clause, ast.Compensate) and clause.kind == "irreversible":
                self._misplaced(clause, "irreversible", "at a region", "only an activity is irreversible")
        return env

    def _ignored(self, name: ast.QName) -> None:
        symbol = self.event(name)
        if symbol is not None and not self.silent:
            self.workflow.refs[name.id] = (symbol, ())

    def _sla(self, clause: ast.Sla, env: Env) -> None:
        self.typed(clause.within, env, DURATION)
        if clause.warn is not None:
            self.typed(clause.warn, env, DURATION)

    def _var_type(self, clause: ast.Var, env: Env, *, quiet: bool = False) -> Type:
        if clause.type is not None:
            return self.signatures.type(self.module, clause.type, self.type_params)
        self.silent += quiet
        found = self.types.value(clause.value, env).type
        self.silent -= quiet
        return found

    # -- the flow between nodes

    def _enter(self, state: "_State", name: str, env: Env) -> None:
        """Joins an Env into the entry of a node; the node waits for another look if that changed anything."""
        env = env.step()
        older = state.entries.get(name)
        joined = join(older, env, merged)
        if joined is not None and joined != older:
            state.entries[name] = joined
            if name not in state.waiting:
                state.waiting.append(name)

    def goto(self, step: ast.Goto, env: Env, place: Place) -> None:
        region = place.region
        name = step.target.text
        if not isinstance(region, _State):
            return  # a block beside the flow: told as misplaced
        if name in region.nodes:
            self._enter(region, name, env)
            return
        at = self.module.at(step.target)
        home = self._home(name)
        if home is not None:
            fixes = self._completing(step, region)
            self.report(problems.EscapingArrow(at=at, target=name, home=home, fixes=fixes))
        else:
            known = tuple(region.nodes)
            self.report(problems.UnknownName(at=at, kind="node in this region", name=name, known=known))

    def _completing(self, step: ast.Goto, region: RegionState) -> tuple[Fix, ...]:
        """`done` in place of an arrow to where the scope's own arrow leads."""
        around = region.outer.node.nodes if region.outer is not None else ()
        scope = next((n for n in around if isinstance(n, ast.Scope) and n.region is region.node), None)
        if scope is None or scope.bind is not None or scope.next is None or scope.next.text != step.target.text:
            return ()
        return (Fix("complete the scope with `done`", (Edit(self.module.at(step), "done"),)),)

    def _home(self, name: str) -> str | None:
        """Where a node of that name lies in this workflow."""
        if self.homes is None:
            self.homes = dict(reversed(list(self._all_homes())))  # of several the first
        return self.homes.get(name)

    def _all_homes(self) -> Iterator[tuple[str, str]]:
        waiting: list[tuple[str, ast.Region]] = [("in the workflow itself", self.workflow.decl.region)]
        while waiting:
            where, region = waiting.pop()
            for node in region.nodes:
                yield node.name.text, where
                if isinstance(node, ast.Scope):
                    waiting.append((f"in the scope `{node.name.text}`", node.region))
                waiting.extend((f"in a branch of `{node.name.text}`", inner) for inner in _inner_regions(node))
            waiting.extend((where, inner) for step in region.steps for inner in _regions_of(step))

    def _settle(self, state: "_State", place: Place) -> None:
        """Visits nodes until no entry changes."""
        rounds = 0
        while state.waiting and rounds < _MAX_ROUNDS * (len(state.nodes) + 1):
            rounds += 1
            name = state.waiting.pop(0)
            self._node(state, state.nodes[name], state.entries[name], place)

    def _final(self, state: "_State", place: Place, start: Env) -> None:
        """Reports and remembers each node once. A node that nothing reaches is read as if everything had a value."""
        for name, node in state.nodes.items():
            env = state.entries.get(name)
            if env is None:
                names = {n: Binding("local", UNKNOWN) for n in start.known if n not in start.names}
                env = Env({**names, **start.names}, {}, start.outer, start.known)
            self._node(state, node, env, place)

    def _node(self, state: "_State", node: ast.StateNode, env: Env, place: Place) -> None:
        match node:
            case ast.State(clauses=clauses, steps=steps):
                for clause in clauses:
                    if isinstance(clause, ast.With):
                        policies.check_with(self.types, clause, env, self.workflow.exprs, self.workflow.refs)
                    elif isinstance(clause, ast.Sla):
                        self._sla(clause, env)
                    elif isinstance(clause, ast.Ignore):
                        for event in clause.events:
                            self._ignored(event)
                self._tails(guards_of(clauses), env, place)
                self.steps(steps, env, place)
            case ast.Gateway():
                self.steps(node_steps(node), env, place)
            case ast.Scope():
                self._scope(state, node, env, place)

    def _scope(self, state: "_State", node: ast.Scope, env: Env, place: Place) -> None:
        takes = node.bind is not None
        inner = self.region(node.region, "scope", state, env, {}, takes_value=takes, container=place)
        if takes and inner.falls_off:
            text = f"`{node.name.text}` can complete without a value, and `as` waits for one"
            advice = "end with `done value`"
            self.report(problems.MismatchedType(at=self.module.at(node.name), text=text, advice=advice))
        if not inner.info.completes:
            return
        after = env
        if node.bind is not None:
            self._note_value(node.bind, (node.region,))
            after = self.bind(env, node.bind, inner.info.value or UNKNOWN, place, "name")
        if node.next is not None:
            self.goto(ast.Goto(node.next.start, node.next.end, node.next), after, place)

    def _fall_off(self, state: "_State", env: Env) -> None:
        """Completes a region without nodes behind its steps."""
        state.falls_off = True
        state.info.completes = True
        state.done_env = join(state.done_env, env, merged)

    # -- guards of regions and states

    def _guard_tails(self, node: ast.Region, env: Env, place: Place, state: "_State") -> None:
        """The guards of a region: for a scope the tail runs in the container, and its `done` is the scope's."""
        start = env if state.kind != "scope" or env.outer is None else env.outer
        for guard in guards_of(node.clauses):
            if guard.keep and _only_fails(guard):
                why = "its tail only fails: what was done goes with the error"
                self._misplaced(guard, "keep", "here", why)
            elif guard.keep and state.kind != "scope" and not isinstance(guard.tail, ast.Goto):
                why = "at a workflow, branch or iteration only an arrow to an own node can keep"
                self._misplaced(guard, "keep", "here", why)
            self._tail(guard, env, start, place, state)

    def _tails(self, guards: tuple[ast.Guard, ...], env: Env, place: Place) -> None:
        """The guards of a state: their tails stand as in the state."""
        for guard in guards:
            if guard.keep and _only_fails(guard):
                why = "its tail only fails: what was done goes with the error"
                self._misplaced(guard, "keep", "here", why)
            self._tail(guard, env, env, place, place.done_to)

    def _tail(self, guard: ast.Guard, env: Env, start: Env, place: Place, done_to: RegionState | None) -> None:
        if guard.also:
            self.beside(guard, env, place)
            return
        inside = self.guard_env(guard, env, place, start)  # reads the variables of what it watches
        steps = tail_steps(guard.tail)
        after = self.steps(steps, inside, place.within(kind="tail", done_to=done_to))
        if after is not None:
            what = f"this `{guard.kind}` block"
            self.report(problems.NoSuchArrow(at=self.module.at(guard).first(len(guard.kind)), what=what))

    # -- parallel and for each

    def parallel(self, step: ast.Parallel, env: Env, place: Place) -> Env | None:
        region = place.region
        kind = step.join.kind if step.join else "all"
        if step.join is not None and step.join.count is not None:
            count = self.typed(step.join.count, env, INT)
            if isinstance(count, Lit) and isinstance(count.value, int) and count.value > len(step.branches):
                text = f"there are only {len(step.branches)} branches: {count.value} of them can never complete"
                self.report(problems.MismatchedType(at=self.module.at(step.join.count), text=text))
        takes = step.bind is not None
        inside = place.within(repeated=True)
        seen: dict[str, ast.Branch] = {}
        fields: list[tuple[str, Type]] = []
        for branch in step.branches:
            older = seen.setdefault(branch.name.text, branch)
            if older is not branch:
                label = (Label(self.module.at(older.name), "the first one"),)
                at = self.module.at(branch.name)
                self.report(problems.DuplicateName(at=at, name=branch.name.text, labels=label))
            check_reserved(self.module, branch.name, self.report, field=True)
            gives = takes and _gives_value(branch.region)
            state = self.region(branch.region, "branch", region, env, {}, takes_value=gives, container=inside)
            if gives and state.falls_off:
                text = f"the branch `{branch.name.text}` can end without a value, and `as` waits for one"
                advice = "end each path with `done value`"
                self.report(problems.MismatchedType(at=self.module.at(branch.name), text=text, advice=advice))
            if state.info.value is not None:
                fields.append((branch.name.text, state.info.value))
        after = env
        if step.bind is not None:
            self._note_value(step.bind, [branch.region for branch in step.branches])
            result = self._joined(step, kind, fields)
            after = self.bind(env, step.bind, result, place, "name")
        return self.guarded(step.guards, env, after, place)

    def _note_value(self, name: ast.Name, regions: Iterable[ast.Region]) -> None:
        """A name that takes what some `done` gives stays: without it that value has no taker."""
        if any(_gives_value(region) for region in regions):
            self.held.add(name.id)

    def _joined(self, step: ast.Parallel, kind: str, fields: list[tuple[str, Type]]) -> Type:
        """The type that `as` gives."""
        if kind == "first":
            merged: Type | None = fields[0][1] if fields else None
            for _, other in fields[1:]:
                merged = widened(merged, other) if merged is not None else None
            if merged is None or len(fields) != len(step.branches):
                text = "for `join first as` all branches give a value of one type"
                self.report(problems.MismatchedType(at=self.module.at(step).first(len("parallel")), text=text))
                return UNKNOWN
            return merged
        wrap = {"all": lambda t: t, "some": optional, "settled": settled}[kind]
        return Fields(tuple((name, wrap(field)) for name, field in fields))

    def for_each(self, step: ast.ForEach, env: Env, place: Place) -> Env | None:
        region = place.region
        items = self.expr(step.items, self.types.value(step.items, env))
        if isinstance(items.type, ListOf):
            item = items.type.item
        else:
            item = UNKNOWN
            if items.type != UNKNOWN:
                text = f"`for each` goes through a list, and this is {a_type(items.type)}"
                self.report(problems.MismatchedType(at=self.module.at(step.items), text=text))
        for bound in (step.limit, step.join.count if step.join else None):
            if bound is not None:
                self.typed(bound, env, INT)
        given = {step.item.text: Binding("local", item)}
        if step.index is not None:
            given[step.index.text] = Binding("local", INT)
        self.namesakes.items[step.region.id] = (step.item, step.index) if step.index is not None else (step.item,)
        self._check_given(step, env, item, region)
        takes = step.bind is not None
        state = self.region(
            step.region, "each", region, env, given, takes_value=takes, container=place.within(repeated=True)
        )
        if takes and state.falls_off:
            text = "an iteration can end without a value, and `as` waits for one"
            at = self.module.at(step).first(len("for each"))
            self.report(problems.MismatchedType(at=at, text=text, advice="end each path with `done value`"))
        if step.bind is None:
            return env
        self._note_value(step.bind, (step.region,))
        value = state.info.value or UNKNOWN
        kind = step.join.kind if step.join else "all"
        result: Type = {
            "all": ListOf(value), "some": ListOf(value), "first": optional(value), "settled": ListOf(settled(value)),
        }[kind]  # fmt: skip
        return self.bind(env, step.bind, result, place, "name")

    def _check_given(self, step: ast.ForEach, env: Env, item: Type, region: RegionState) -> None:
        """The names of the element and its number."""
        for name, kind in ((step.item, item), (step.index, INT)):
            if name is None or self.silent:
                continue
            check_reserved(self.module, name, self.report)
            self.workflow.types[name.id] = kind
            if env.find(name.text) is not None or env.is_known(name.text) or name.text in self.module.values:
                labels = self.first_of(name, region, inside=True)
                self.report(problems.DuplicateName(at=self.module.at(name), name=name.text, labels=labels, fixes=()))


_FIRST = {"Text": '""', "Int": "0", "Decimal": "0.0", "Bool": "false", "Duration": "0s"}


class _State(RegionState):
    """A region under analysis that may complete by falling off its steps."""

    falls_off: bool = False


def _only_fails(guard: ast.Guard) -> bool:
    """Whether the tail of a guard does nothing but end in an error."""
    return isinstance(guard.tail, ast.Block) and bool(guard.tail.steps) and isinstance(guard.tail.steps[-1], ast.Fail)


def _without_as(name: Span) -> tuple[Fix, ...]:
    """`as x` goes; a `let` or `var` is left to its author."""
    base = max(0, name.start - _NEAR)
    before = _AS.search(name.source.text[base : name.start])
    if before is None:
        return ()
    edit = Edit(Span(name.source, base + before.start(), name.end), "")
    return (Fix(f"remove `as {name.text}`", (edit,), safe=True),)


def _gives_value(region: ast.Region) -> bool:
    """Whether a branch is meant to give a value: some `done` of its own has one."""
    blocks = [region.steps, *(node_steps(node) for node in region.nodes)]
    blocks.extend(tail_steps(g.tail) for g in guards_of(region.clauses))
    for node in region.nodes:
        if isinstance(node, ast.State):
            blocks.extend(tail_steps(g.tail) for g in guards_of(node.clauses))
    return any(isinstance(s, ast.Done) and s.value is not None for block in blocks for s in walk_steps(block))


def _regions_of(step: ast.Step) -> list[ast.Region]:

    found: list[ast.Region] = []
    for inner in walk_steps((step,)):
        if isinstance(inner, ast.Parallel):
            found.extend(branch.region for branch in inner.branches)
        elif isinstance(inner, ast.ForEach):
            found.append(inner.region)
    return found


def _inner_regions(node: ast.StateNode) -> list[ast.Region]:
    return [region for step in node_steps(node) for region in _regions_of(step)]
