"""Types the steps of a workflow and follows names and facts through them: one method a kind of step."""

from wfc import problems
from wfc.ir import expressions as ir
from wfc.ir.types import (
    ANY_ERROR,
    BOOL,
    DURATION,
    INSTANT,
    INT,
    TEXT,
    UNKNOWN,
    Errors,
    Named,
    Optional,
    Type,
)
from wfc.problems.problem import Label, Problem, Reporter, Severity
from wfc.sema import policies
from wfc.sema.calls import match_arguments, resolve
from wfc.sema.declarations import assignee, check_clauses, key_expression
from wfc.sema.declare import check_reserved
from wfc.sema.env import Binding, Env, join
from wfc.sema.expressions import Typer
from wfc.sema.forms import NONE_FORM, SOME, path_of, universe, unwrapped, widened
from wfc.sema.lookup import a_type
from wfc.sema.model import CallInfo, FieldInfo, Model, OperationInfo, ParamOperation, WorkflowModel
from wfc.sema.namesakes import Namesakes
from wfc.sema.regions import (
    Place,
    RegionState,
    Steps,
    guards_of,
    names_of,
    names_of_step,
    tail_steps,
    walk_steps,
)
from wfc.sema.signatures import Signatures, as_qname
from wfc.sema.symbols import Symbol
from wfc.syntax import nodes as ast

_FORBIDDEN: dict[str, tuple[type, ...]] = {
    "tail": (*(ast.Do, ast.Start, ast.Wait, ast.Await, ast.Parallel, ast.ForEach, ast.Repeat, ast.Lock, ast.Settle),),
    "also": (ast.UndoStep, ast.Settle, ast.Goto),
    "undo": (ast.SetStep, ast.Wait, ast.Await, ast.UndoStep, ast.Settle, ast.Goto),
}
_PLACES = {
    "tail": "in the tail of a guard of a state or region",
    "also": "in a block that runs beside the flow",
    "undo": "in an undo",
}
_WAITING = (ast.Do, ast.Start, ast.Wait, ast.Await, ast.Lock, ast.Parallel, ast.ForEach, ast.UndoStep)
_NAMELESS = " "  # the path of the subject of a `choose` that is no name: facts about it last for the arms
_WORDS: dict[type, str] = {
    ast.SetStep: "set", ast.UndoStep: "undo", ast.Goto: "->", ast.ForEach: "for each",
}  # fmt: skip


def word_of(step: ast.Step) -> str:
    """The word a step begins with."""
    return _WORDS.get(type(step), type(step).__name__.lower())


class StepTyper:
    """Follows the steps of one workflow. Regions, which contain steps again, are the subclass's business."""

    def __init__(self, workflow: WorkflowModel, model: Model, signatures: Signatures, report: Reporter) -> None:
        self.workflow = workflow
        self.model = model
        self.signatures = signatures
        self.module = workflow.module
        self._tell = report
        self.silent = 0
        self.types = Typer(self.module, signatures, self.report)
        self.types.on_read = self._read
        self.unassigned: list[problems.UnassignedName] = []
        self.read: set[str] = set()
        self.bindings: dict[str, tuple[ast.Name, str]] = {}
        self.namesakes = Namesakes(workflow)
        self.held: set[int] = set()  # names behind `as` that what stands before it cannot do without
        self.operations: dict[str, OperationInfo | ParamOperation] = {}

    # -- bookkeeping

    def report(self, problem: Problem) -> None:
        """Tells a problem, unless this is a first pass over a region."""
        if self.silent:
            return
        if isinstance(problem, problems.UnassignedName):
            self.unassigned.append(problem)  # told at the end, when it is known where the name is bound
            self.workflow.broken = True
            return
        if problem.level() is Severity.ERROR:
            self.workflow.broken = True
        self._tell(problem)

    def _read(self, name: str, _: Binding) -> None:
        self.read.add(name)

    def expr(self, node: ast.Expr, found: ir.Expr) -> ir.Expr:
        """Remembers a typed expression."""
        if not self.silent:
            self.workflow.exprs[node.id] = found
        return found

    def typed(self, node: ast.Expr, env: Env, wanted: Type) -> ir.Expr:
        """Types and remembers an expression of a wanted type."""
        return self.expr(node, self.types.value(node, env, wanted))

    def bind(self, env: Env, name: ast.Name, kind: Type, place: Place, what: str, ref: ir.RefKind = "local") -> Env:
        """Binds a name in the region of the place."""
        text = name.text
        if not self.silent:
            check_reserved(self.module, name, self.report)
            self._check_shadowing(env, name, ref, place.region)
            self.workflow.types[name.id] = kind
            names = place.region.info.variables if ref == "var" else place.region.info.names
            older = names.get(text)
            joint = kind if older is None else widened(older, kind)
            if joint is None and older is not None:
                shown = f"`{text}` is {a_type(older)} on one way and {a_type(kind)} on another"
                labels = self._other_type(name, kind, place.region)
                self.report(problems.MismatchedType(at=self.module.at(name), text=shown, labels=labels))
            names[text] = joint if joint is not None else UNKNOWN
            self.bindings.setdefault(text, (name, what))
        return env.bind(text, Binding(ref, kind))

    def _other_type(self, name: ast.Name, kind: Type, region: RegionState) -> tuple[Label, ...]:
        """A label at another way, on which a name is of a type that does not go with this one."""
        for other in self.namesakes.of(name.text, region, inside=True):
            found = self.workflow.types.get(other.id)
            if other is not name and found is not None and widened(found, kind) is None:
                return (Label(self.module.at(other), f"here it is {a_type(found)}"),)
        return ()

    def first_of(self, name: ast.Name, region: RegionState, *, inside: bool) -> tuple[Label, ...]:
        """A label at what has a name already: of the module, or around something in a region."""
        older = self.module.values.get(name.text)
        if older is not None:
            return (Label(older.at, f"a {older.kind} of this name"),)
        first = next((n for n in self.namesakes.of(name.text, region, inside=inside) if n is not name), None)
        return (Label(self.module.at(first), "the other one"),) if first is not None else ()

    def _check_shadowing(self, env: Env, name: ast.Name, ref: ir.RefKind, region: RegionState) -> None:
        text = name.text
        older = self.module.values.get(text)
        inner = env.names.get(text)
        outside = env.outer is not None and (env.outer.find(text) is not None or env.outer.is_known(text))
        if older is not None or outside:
            labels = self.first_of(name, region, inside=False)
            self.report(problems.DuplicateName(at=self.module.at(name), name=text, labels=labels, fixes=()))
        elif inner is not None and (inner.kind != ref or ref == "var"):
            labels = self.first_of(name, region, inside=True)
            self.report(problems.DuplicateName(at=self.module.at(name), name=text, labels=labels, fixes=()))

    def _misplaced(self, node: ast.Node, word: str, place: str, why: str = "") -> None:
        self.report(problems.MisplacedWord(at=self.module.at(node), word=word, place=place, why=why))

    # -- blocks

    def steps(self, steps: Steps, env: Env | None, place: Place) -> Env | None:
        """Runs steps in turn; None where they never fall off their end."""
        for step in steps:
            if env is None:
                self.report(problems.UnreachableStep(at=self.module.at(step).first(len(word_of(step)))))
                return None
            self._allowed(step, place)
            env = self.step(step, env.step(), place)
            if isinstance(step, _WAITING):
                place.also_waited[0] = True
        return env

    def _allowed(self, step: ast.Step, place: Place) -> None:
        """The table of section 29, for steps."""
        if isinstance(step, _FORBIDDEN.get(place.kind, ())):
            why = "calls and waits belong into the node that the guard leads to" if place.kind == "tail" else ""
            self._misplaced(self.module_first(step), word_of(step), _PLACES[place.kind], why)
        if isinstance(step, ast.Done) and place.done_to is None:
            self._misplaced(self.module_first(step), "done", _PLACES.get(place.kind, "here"))

    def module_first(self, step: ast.Step) -> ast.Node:
        """The first word of a step as a place."""
        return ast.Node(step.start, step.start + len(word_of(step)))

    def step(self, step: ast.Step, env: Env, place: Place) -> Env | None:
        """One step; the Env behind it, or None where it leaves."""
        match step:
            case ast.Do():
                return self._do(step, env, place)
            case ast.Start():
                return self._start(step, env, place)
            case ast.Let(name=name, type=kind, value=value):
                wanted = self.signatures.type(self.module, kind, self.type_params) if kind else None
                found = self.expr(value, self.types.value(value, env, wanted))
                return self.bind(env, name, found.type if wanted is None else wanted, place, "name")
            case ast.SetStep():
                return self._set(step, env, place)
            case ast.Emit(call=call):
                self._emit(call, env)
                return env
            case ast.Wait(amount=amount, until=until):
                self.typed(amount, env, INSTANT if until else DURATION)
                return env
            case ast.Parallel():
                return self.parallel(step, env, place)
            case ast.ForEach():
                return self.for_each(step, env, place)
            case ast.Repeat():
                return self._repeat(step, env, place)
            case ast.Lock():
                return self._lock(step, env, place)
            case ast.Choose():
                return self._choose(step, env, place)
            case ast.Await(guards=guards):
                return self._await(step, guards, env, place)
            case ast.UndoStep() | ast.Settle():
                return env
            case ast.AuditStep(text=text):
                self.expr(text, self.types.value(text, env, TEXT))
                return env
            case ast.Measure():
                self._measure(step, env)
                return env
            case ast.Goto():
                self.goto(step, env, place)
                return None
            case ast.Done():
                self._done(step, env, place)
                return None
            case ast.Fail(error=error):
                self._fail(step, error, env)
                return None

    @property
    def type_params(self) -> frozenset[str]:
        """The type parameters of the workflow."""
        return frozenset(p.text for p in self.workflow.decl.type_params)

    # -- regions, below

    def parallel(self, step: ast.Parallel, env: Env, place: Place) -> Env | None:
        """A `parallel`; its branches are regions."""
        raise NotImplementedError

    def for_each(self, step: ast.ForEach, env: Env, place: Place) -> Env | None:
        """A `for each`; its body is a region."""
        raise NotImplementedError

    def goto(self, step: ast.Goto, env: Env, place: Place) -> None:
        """An arrow to a node of the region."""
        raise NotImplementedError

    # -- calls

    def call(self, call: ast.Call, env: Env) -> CallInfo | None:
        """Resolves a call and remembers it."""
        self.read.add(call.name.parts[0].text)
        found = resolve(self.types, call, env, self.operations)
        for arg in call.args:
            if isinstance(arg.value, ast.NameExpr):
                self.read.add(arg.value.text)
        if found is not None and not self.silent:
            self.workflow.calls[call.id] = found
        return found

    def _do(self, step: ast.Do, env: Env, place: Place) -> Env | None:
        info = self.call(step.call, env)
        target = info.target if info is not None else None
        task = isinstance(target, OperationInfo) and target.node.kind == "task"
        generic = isinstance(target, ParamOperation)
        check_clauses(self.module, step.clauses, self.report, task=task or generic or info is None, call=True)
        optional = any(isinstance(c, ast.Flag) and c.word == "optional" for c in step.clauses)
        optional = optional or (isinstance(target, OperationInfo) and target.optional)
        self._do_words(step, place, task=task, optional=optional)
        after = env
        if step.bind is not None:
            after = self._bind_result(step, info, env, place, optional=optional)
            self._hold_shared(step.bind, guards_of(step.clauses))
        for clause in step.clauses:
            match clause:
                case ast.With():
                    policies.check_with(self.types, clause, env, self.workflow.exprs, self.workflow.refs)
                case ast.Key(value=value):
                    self.expr(value, key_expression(self.types, value, env))
                case ast.Assign(value=value):
                    self.expr(value, assignee(self.types, value, env))
                case ast.Compensate():
                    self.compensate(clause, after, place)
                case _:
                    pass
        return self.guarded(guards_of(step.clauses), env, after, place)

    def _do_words(self, step: ast.Do, place: Place, *, task: bool, optional: bool) -> None:
        for clause in step.clauses:
            if isinstance(clause, ast.Flag) and clause.word == "pivot":
                if place.repeated or place.kind != "ordinary":
                    where = "where a call may run twice or beside others" if place.repeated else _PLACES[place.kind]
                    self._misplaced(clause, "pivot", where)
                if optional:
                    self._misplaced(clause, "pivot", "at a call that is `optional`")
            if isinstance(clause, ast.Guard) and place.kind == "undo" and clause.kind != "catch":
                self._misplaced(clause, clause.kind, "in an undo", "of the guards only `catch` stands there")
            if isinstance(clause, ast.Compensate):
                if clause.kind == "irreversible":
                    why = "the operation says it; the call says `pivot`"
                    self._misplaced(clause, "irreversible", "at a call", why)
                elif place.kind == "undo":
                    self._misplaced(clause, "compensate", "in an undo", "undos are not undone")
        if task and place.kind == "undo":
            self._misplaced(step.call, step.call.name.text, "in an undo", "an undo cannot wait for a person")

    def _hold_shared(self, bind: ast.Name, guards: tuple[ast.Guard, ...]) -> None:
        """A name that a guard binds where the call failed stays: it says that the way on has taken note of that."""
        tails = [tail_steps(guard.tail) for guard in guards]
        same = [n for t in tails for s in walk_steps(t) for n in names_of_step(s) if n.text == bind.text]
        if same:
            self.held.update(name.id for name in (bind, *same))

    def _bind_result(self, step: ast.Do, info: CallInfo | None, env: Env, place: Place, *, optional: bool) -> Env:
        assert step.bind is not None
        kind: Type = UNKNOWN
        if info is not None:
            if info.result is None:
                text = f"`{step.call.name.text}` gives no value"
                advice = "leave out the `as`"
                self.report(problems.MismatchedType(at=self.module.at(step.bind), text=text, advice=advice))
            elif optional:
                text = f"`{step.bind.text}` would have no value when the call fails: an `optional` call binds no name"
                self.report(problems.MismatchedType(at=self.module.at(step.bind), text=text))
            else:
                kind = info.result
        return self.bind(env, step.bind, kind, place, "name")

    def _start(self, step: ast.Start, env: Env, place: Place) -> Env:
        info = self.call(step.call, env)
        if info is not None and isinstance(info.target, OperationInfo | ParamOperation):
            text = "`start` starts a workflow; an operation is called with `do`"
            self.report(problems.MismatchedType(at=self.module.at(step.call.name), text=text))
        if step.key is not None:
            self.expr(step.key.value, key_expression(self.types, step.key.value, env))
        if step.compensate is not None:
            self.compensate(step.compensate, env, place)
        return env

    def compensate(self, clause: ast.Compensate, env: Env, place: Place) -> None:
        """How something is undone, read in the Env at its completion."""
        inner = place.within(kind="undo", done_to=None, repeated=True)
        if clause.call is not None:
            self.call(clause.call, env)
        if clause.when is not None:
            self.typed(clause.when, env, BOOL)
        if clause.block is not None:
            self.steps(clause.block.steps, env, inner)

    def _emit(self, call: ast.Call, env: Env) -> None:
        symbol = self.event(call.name)
        if symbol is None:
            return
        assert isinstance(symbol.decl, ast.EventDecl)
        fields = self.signatures.fields(symbol.module, symbol.decl, symbol.decl.fields)
        self.reference(call, symbol, fields, call.args, env)

    def event(self, name: ast.QName) -> Symbol | None:
        """The event a name stands for."""
        symbol = self.module.find("faults", name)
        if symbol is not None and isinstance(symbol.decl, ast.EventDecl):
            return symbol
        known = tuple(n for n, s in self.module.faults.items() if isinstance(s.decl, ast.EventDecl))
        self.report(problems.UnknownName(at=self.module.at(name), kind="event", name=name.text, known=known))
        return None

    def reference(
        self,
        node: ast.Node,
        symbol: Symbol,
        fields: tuple[FieldInfo, ...],
        args: tuple[ast.Argument, ...],
        env: Env,
    ) -> None:
        """Types the arguments of an event or a resource and remembers both."""
        values, _ = match_arguments(self.types, symbol.name, fields, args, env, node, frozenset(), {})
        if not self.silent:
            self.workflow.refs[node.id] = (symbol, values)

    # -- values

    def _set(self, step: ast.SetStep, env: Env, place: Place) -> Env:
        name = step.name.text
        binding = env.find(name)
        if binding is None or binding.kind != "var":
            if binding is not None or env.is_known(name):
                text = f"`{name}` is no variable"
                advice = f"declare it with `var {name}` at the top of the region, or bind a new name with `let`"
                self.report(problems.MismatchedType(at=self.module.at(step.name), text=text, advice=advice))
            else:
                known = tuple(n for n in env.all_names() if (b := env.find(n)) and b.kind == "var")
                at = self.module.at(step.name)
                self.report(problems.UnknownName(at=at, kind="variable", name=name, known=known))
            self.types.infer(step.value, env)
            return env
        region: RegionState | None = place.region
        while region is not None and name not in region.info.variables:
            if region.kind in ("branch", "each"):
                self.report(problems.ConcurrentWrite(at=self.module.at(step.name), name=name))
                break
            region = region.outer
        if place.kind == "also" and place.also_waited[0]:
            reason = "in a block that runs beside others, `set` stands before the first step that waits"
            self.report(problems.ConcurrentWrite(at=self.module.at(step.name), name=name, reason=reason))
        self.typed(step.value, env, binding.type)
        return env.without_facts(frozenset((name,)))

    def _measure(self, step: ast.Measure, env: Env) -> None:
        symbol = self.module.find("values", step.metric)
        if symbol is None or not isinstance(symbol.decl, ast.MetricDecl):
            known = tuple(n for n, s in self.module.values.items() if isinstance(s.decl, ast.MetricDecl))
            at = self.module.at(step.metric)
            self.report(problems.UnknownName(at=at, kind="metric", name=step.metric.text, known=known))
            return
        kind = self.signatures.type(symbol.module, symbol.decl.type) if symbol.decl.type else INT
        if step.value is not None:
            self.typed(step.value, env, kind)
        elif symbol.decl.kind != "counter":
            text = f"`{symbol.name}` is a {symbol.decl.kind}: it needs a value"
            self.report(problems.MissingArgument(at=self.module.at(step), text=text))
        if not self.silent:
            self.workflow.refs[step.id] = (symbol, ())

    def _done(self, step: ast.Done, env: Env, place: Place) -> None:
        region = place.done_to
        if region is None:
            if step.value is not None:
                self.types.infer(step.value, env)
            return
        if (
            place.region is region
        ):  # the tail of a scope's guard stands outside: nothing of the scope is undone after it
            region.done_env = join(region.done_env, env, merged)
        region.info.completes = True
        if step.value is None:
            region.plain_done = True
            if region.wanted is not None or region.takes_value:
                text = "a value is needed here: what takes it is waiting for one"
                self.report(problems.MismatchedType(at=self.module.at(step), text=text, advice="write `done value`"))
            return
        if region.wanted is not None:
            self.typed(step.value, env, region.wanted)
            return
        found = self.types.infer(step.value, env, region.info.value)
        found = self.expr(step.value, self.types.public(found, step.value))
        if not region.takes_value:
            text = "nobody takes this value"
            advice = {
                "workflow": "declare the workflow's result: `-> Type`",
                "scope": "take it with `as` at the scope",
            }.get(region.kind, "take it with `as`")
            self.report(problems.MismatchedType(at=self.module.at(step.value), text=text, advice=advice))
        older = region.info.value
        joint = found.type if older is None else widened(older, found.type)
        if joint is None and older is not None:
            text = f"this gives {a_type(found.type)}, and another `done` gives {a_type(older)}"
            self.report(problems.MismatchedType(at=self.module.at(step.value), text=text))
        region.info.value = joint if joint is not None else UNKNOWN

    def _fail(self, step: ast.Fail, error: ast.Expr, env: Env) -> None:
        found = self.expr(error, self.types.value(error, env))
        names: tuple[str, ...] = ()
        if isinstance(found.type, Errors):
            path = path_of(found)
            known = env.fact(path) if path else None
            names = tuple(n for n in found.type.names if known is None or n in known)
        elif found.type not in (ANY_ERROR, UNKNOWN):
            text = f"`fail` raises an error, and this is {a_type(found.type)}"
            self.report(problems.MismatchedType(at=self.module.at(error), text=text))
        if not self.silent:
            self.workflow.errors[step.id] = names

    # -- blocks and decisions

    def _repeat(self, step: ast.Repeat, env: Env, place: Place) -> Env | None:
        if step.times is not None:
            self.typed(step.times, env, INT)
        start = env.without_facts(names_of(step.body.steps))
        after = self.steps(step.body.steps, start, place.within(repeated=True))
        if after is not None:
            self.typed(step.until, after, BOOL)
        return after

    def _lock(self, step: ast.Lock, env: Env, place: Place) -> Env | None:
        for resource in step.resources:
            symbol = self.module.find("values", resource.name)
            if symbol is None or not isinstance(symbol.decl, ast.ResourceDecl):
                known = tuple(n for n, s in self.module.values.items() if isinstance(s.decl, ast.ResourceDecl))
                at = self.module.at(resource.name)
                self.report(problems.UnknownName(at=at, kind="resource", name=resource.name.text, known=known))
                continue
            fields = self.signatures.fields(symbol.module, symbol.decl, symbol.decl.params)
            self.reference(resource, symbol, fields, resource.args, env)
        self.typed(step.wait, env, DURATION)
        return self.steps(step.body.steps, env, place)

    def _choose(self, step: ast.Choose, env: Env, place: Place) -> Env | None:
        if step.subject is not None:
            return self._choose_subject(step, step.subject, env, place)
        after: Env | None = None
        for arm in step.arms:
            tests = [self.typed(pattern, env, BOOL) for pattern in arm.patterns]
            if arm.some or arm.bind is not None:
                self._misplaced(arm, "some" if arm.some else "as", "without a subject", "write `choose value { ... }`")
            if not tests:
                continue
            test = tests[0]
            for other in tests[1:]:
                test = ir.Op(BOOL, "or", (test, other))
            if not self.silent:
                self.workflow.tests[arm.id] = test
            inside = env.learn(self.types.facts(test, True))
            after = join(after, self.steps(tail_steps(arm.tail), inside, place), merged)
            env = env.learn(self.types.facts(test, False))
        return self._otherwise(step, None, env, after, place)

    def _choose_subject(self, step: ast.Choose, subject: ast.Expr, env: Env, place: Place) -> Env | None:
        of = self.expr(subject, self.types.value(subject, env))
        asked = of if path_of(unwrapped(of)) is not None else ir.Ref(of.type, "local", _NAMELESS)
        after: Env | None = None
        for arm in step.arms:
            test = self._arm_test(arm, of, env)
            known = test if asked is of else self._arm_test(arm, asked, env)
            if not self.silent:
                self.workflow.tests[arm.id] = test
            inside = env.learn(self.types.facts(known, True))
            if arm.bind is not None:
                if arm.some:
                    self.held.add(arm.bind.id)
                inside = self._bind_subject(arm.bind, arm.id, of, inside, place)
            after = join(after, self.steps(tail_steps(arm.tail), inside, place), merged)
            env = env.learn(self.types.facts(known, False))
        return self._otherwise(step, of, env, after, place)

    def _otherwise(self, step: ast.Choose, of: ir.Expr | None, env: Env, after: Env | None, place: Place) -> Env | None:
        if step.otherwise is None:
            if self.exhausted(env):
                return after
            return join(after, env, merged)
        bind = step.otherwise.bind
        if bind is not None:
            if of is None:
                self._misplaced(bind, "as", "without a subject", "write `choose value { ... }`")
            else:
                env = self._bind_subject(bind, step.otherwise.id, of, env, place)
        return join(after, self.steps(tail_steps(step.otherwise.tail), env, place), merged)

    def exhausted(self, env: Env) -> bool:
        """Whether the arms before have taken every form of what they ask about."""
        return any(not forms for forms in env.facts.values())

    def _bind_subject(self, name: ast.Name, owner: int, of: ir.Expr, env: Env, place: Place) -> Env:
        """Binds the subject with what the arm knows of it."""
        forms = env.fact(path_of(unwrapped(of)) or (_NAMELESS,))
        value = of
        if isinstance(of.type, Optional) and forms is not None and NONE_FORM not in forms:
            value = ir.Op(of.type.inner, "some", (of,))
        kind = value.type
        if isinstance(kind, Errors) and forms is not None:
            kind = Errors(tuple(n for n in kind.names if n in forms) or kind.names)
        bound = self.bind(env, name, kind, place, "name")
        if forms is not None and universe(kind, self.signatures) is not None:
            known = forms - {NONE_FORM, SOME} or forms
            bound = bound.learn({(name.text,): known & (universe(kind, self.signatures) or known)})
        if not self.silent:
            self.workflow.subjects[owner] = value
        return bound

    def _arm_test(self, arm: ast.Arm, of: ir.Expr, env: Env) -> ir.Expr:
        """What an arm with a subject asks."""
        if arm.some:
            if not isinstance(of.type, Optional) and of.type != UNKNOWN:
                text = f"this is never `none`: it is {a_type(of.type)}"
                self.report(problems.MismatchedType(at=self.module.at(arm), text=text))
            return ir.Op(BOOL, "not", (ir.Is(BOOL, of, "none"),))
        tests = [self._pattern(pattern, of, env) for pattern in arm.patterns]
        test = tests[0] if tests else ir.Lit(BOOL, False)
        for other in tests[1:]:
            test = ir.Op(BOOL, "or", (test, other))
        return test

    def _pattern(self, pattern: ast.Expr, of: ir.Expr, env: Env) -> ir.Expr:
        """One pattern: a case, an error, `none`, or a value."""
        if of.type == UNKNOWN:
            return ir.Lit(BOOL, False)
        if isinstance(pattern, ast.Plain) and pattern.kind == "None":
            if not isinstance(of.type, Optional):
                text = f"this is never `none`: it is {a_type(of.type)}"
                self.report(problems.MismatchedType(at=self.module.at(pattern), text=text))
            return ir.Is(BOOL, of, "none")
        inner = of.type.inner if isinstance(of.type, Optional) else of.type
        name = as_qname(pattern)
        is_enum = isinstance(inner, Named) and inner.kind == "enum"
        has_forms = is_enum or isinstance(inner, Errors) or inner == ANY_ERROR
        if name is not None and has_forms and env.find(name.parts[0].text) is None:
            form = self.types.form(name, of.type, pattern)
            if form is None:
                return ir.Lit(BOOL, False)
            return ir.Is(BOOL, of, "error" if form[0] == "error" else "case", form[1])
        value = self.types.value(pattern, env, inner)
        return ir.Op(BOOL, "==", (of, value))

    # -- guards

    def guarded(self, guards: tuple[ast.Guard, ...], env: Env, after: Env | None, place: Place) -> Env | None:
        """The Env behind a call or parallel with guards: of its success and of tails that fall off."""
        for guard in guards:
            if guard.also:
                self.beside(guard, env, place)
            else:
                tail = self.guard_env(guard, env, place)
                after = join(after, self.steps(tail_steps(guard.tail), tail, place), merged)
        return after

    def beside(self, guard: ast.Guard, env: Env, place: Place) -> None:
        """A block that runs beside what it watches. Its names are its own: nothing else may read them half bound."""
        steps = tail_steps(guard.tail)
        around = place.region
        own = RegionState(around.node, "also", around, around.info)
        inner = Place(own, None, "also", True, [False])
        inside = self.guard_env(guard, env.inner(names_of(steps)), inner)
        self.steps(steps, inside, inner)

    def guard_env(self, guard: ast.Guard, env: Env, place: Place, start: Env | None = None) -> Env:
        """Types the trigger of a guard in the Env of what it watches; the Env of its tail, which begins at `start`."""
        if guard.keep and guard.also:
            self._misplaced(guard, "keep", "at a guard that does not interrupt")
        kind = self._trigger(guard, env)
        start = start or env
        name = guard.bind
        bound = self.bind(start, name, kind, place, "name") if name is not None else start
        if guard.when is None:
            return bound
        reading = env.bind(name.text, Binding("local", kind)) if name is not None else env
        test = self.typed(guard.when, reading, BOOL)
        told = self.types.facts(test, True)
        return bound.learn({path: forms for path, forms in told.items() if bound.find(path[0]) is not None})

    def _trigger(self, guard: ast.Guard, env: Env) -> Type:
        """What a guard watches for; the type of its `as`."""
        match guard.kind:
            case "on":
                symbol = self.event(guard.names[0])
                if symbol is None:
                    return UNKNOWN
                assert isinstance(symbol.decl, ast.EventDecl)
                if symbol.decl.mode == "outgoing":
                    text = f"`{symbol.name}` is outgoing: it is sent by us and heard by others"
                    self.report(problems.MismatchedType(at=self.module.at(guard.names[0]), text=text))
                if not self.silent:
                    self.workflow.refs[guard.id] = (symbol, ())
                return Named("event", symbol.qualified)
            case "catch":
                names = tuple(sorted({e for name in guard.names for e in self.signatures.errors(self.module, name)}))
                if not self.silent:
                    self.workflow.errors[guard.id] = names
                if not guard.names:
                    return ANY_ERROR
                return Errors(names) if names else UNKNOWN
            case "after" | "every" | "at":
                assert guard.amount is not None
                self.typed(guard.amount, env, INSTANT if guard.kind == "at" else DURATION)
                return INT

    def _await(self, step: ast.Await, guards: tuple[ast.Guard, ...], env: Env, place: Place) -> Env | None:
        for guard in guards:
            if guard.keep:
                self._misplaced(guard, "keep", "in an `await`", "there is nothing to keep")
        if all(guard.also for guard in guards):
            at = self.module.at(step).first(len("await"))
            self.report(problems.NoSuchArrow(at=at, what="this `await`", waits=True))
            self.guarded(guards, env, None, place)
            return env
        return self.guarded(guards, env, None, place)


def merged(a: Type, b: Type) -> Type:
    """The type of a name on two paths; `bind` has told where they cannot be one."""
    return widened(a, b) or UNKNOWN
