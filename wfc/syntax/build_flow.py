"""Builders of workflows, nodes, guards and steps: one function a rule of the grammar, called with its kept values."""

from wfc.syntax.build import Context, Part, first, of, one, part, tail
from wfc.syntax.build_expressions import plain, text_literal
from wfc.syntax.nodes import (
    Annotation,
    Arm,
    Assign,
    AuditStep,
    Await,
    Block,
    Branch,
    Call,
    Choose,
    Clause,
    Compensate,
    Do,
    Done,
    Emit,
    Expr,
    Fail,
    Flag,
    ForEach,
    Gateway,
    Goto,
    Guard,
    Ignore,
    Join,
    Key,
    Let,
    Lock,
    Measure,
    Name,
    Otherwise,
    Parallel,
    QName,
    Region,
    Repeat,
    ResourceRef,
    Scope,
    SetStep,
    Settle,
    Sla,
    Start,
    State,
    Step,
    Token,
    TypeExpr,
    UndoStep,
    Var,
    View,
    Wait,
    With,
    WorkflowDecl,
)

_CLAUSES = (Guard, Compensate, With, Key, Assign, Flag, Sla, Ignore, Var, View)
_STEPS = (
    *(Do, Start, Let, SetStep, Emit, Wait, Parallel, ForEach, Repeat, Lock, Choose, Await, UndoStep, Settle),
    *(AuditStep, Measure, Goto, Done, Fail),
)


# workflows and nodes


def version(_: Context, start: int, end: int, number: Token) -> Part:
    return Part(start, end, "version", number)


def workflow_decl(context: Context, start: int, end: int, name: Name, *rest: object) -> WorkflowDecl:
    key = one(Key, rest)
    return WorkflowDecl(
        start,
        end,
        name,
        context.doc(start),
        part("type_params", rest) or (),
        part("params", rest),
        part("result", rest),
        part("version", rest),
        key.value if key else None,
        part("raises", rest) or (),
        first(Region, rest),
    )


def region(_: Context, start: int, end: int, *items: object) -> Region:
    clauses: tuple[Clause, ...] = of(_CLAUSES, items)
    steps: tuple[Step, ...] = of(_STEPS, items)
    return Region(start, end, clauses, steps, of((State, Gateway, Scope), items))


def node(context: Context, _start: int, _end: int, *items: object) -> object:
    context.strays.extend(of(Annotation, items))
    return items[-1]


def state(context: Context, start: int, end: int, name: Name, *items: object) -> State:
    clauses: tuple[Clause, ...] = of(_CLAUSES, items)
    steps: tuple[Step, ...] = of(_STEPS, items)
    return State(start, end, name, context.doc(start), clauses, steps)


def gateway(context: Context, start: int, end: int, name: Name, step: object, *rest: Goto) -> Gateway:
    assert isinstance(step, Choose | Await | Parallel)
    return Gateway(start, end, name, context.doc(start), step, rest[0] if rest else None)


def scope(context: Context, start: int, end: int, name: Name, *rest: object) -> Scope:
    return Scope(start, end, name, context.doc(start), part("as", rest), part("to", rest), first(Region, rest))


# clauses and guards


def view(_: Context, start: int, end: int, name: Name, kind: TypeExpr, value: Expr) -> View:
    return View(start, end, name, kind, value)


def var_type(_: Context, start: int, end: int, kind: TypeExpr) -> Part:
    return Part(start, end, "type", kind)


def var(_: Context, start: int, end: int, name: Name, *rest: object) -> Var:
    return Var(start, end, name, part("type", rest), first(Expr, rest))


def condition(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "when", value)


def keep(_: Context, start: int, end: int) -> Part:
    return Part(start, end, "keep", True)


def also(_: Context, start: int, end: int, block: Block) -> Part:
    return Part(start, end, "also", block)


def any_error(_: Context, start: int, end: int) -> Part:
    return Part(start, end, "any", True)


def _guard(kind: str, start: int, end: int, items: tuple[object, ...]) -> Guard:
    """A guard from the pieces of its rule; the amount is the only bare expression among them."""
    also = part("also", items)
    after = also if also is not None else tail(items)
    return Guard(
        start,
        end,
        kind,  # type: ignore[arg-type]  # called below with the five kinds
        of(QName, items),
        one(Expr, items),
        part("as", items),
        part("when", items),
        part("keep", items) is not None,
        also is not None or kind == "every",
        after,
    )


def on_error(_: Context, start: int, end: int, *items: object) -> Guard:
    return _guard("catch", start, end, items)


def on_event(_: Context, start: int, end: int, *items: object) -> Guard:
    return _guard("on", start, end, items)


def after(_: Context, start: int, end: int, *items: object) -> Guard:
    return _guard("after", start, end, items)


def at(_: Context, start: int, end: int, *items: object) -> Guard:
    return _guard("at", start, end, items)


def every(_: Context, start: int, end: int, *items: object) -> Guard:
    return _guard("every", start, end, items)


def block(_: Context, start: int, end: int, *steps: Step) -> Block:
    return Block(start, end, steps)


def compensate_call(_: Context, start: int, end: int, call: Call, *rest: Part) -> Compensate:
    return Compensate(start, end, "call", call, part("when", rest), None, "")


def compensate_block(_: Context, start: int, end: int, block: Block) -> Compensate:
    return Compensate(start, end, "block", None, None, block, "")


def compensate_none(context: Context, start: int, end: int, reason: Token) -> Compensate:
    return Compensate(start, end, "none", None, None, None, plain(context, reason))


def sla(context: Context, start: int, end: int, *items: object) -> Sla:
    name = one(Token, items)
    return Sla(start, end, plain(context, name) if name else "", first(Expr, items), part("warn", items))


def warn(_: Context, start: int, end: int, value: Expr) -> Part:
    return Part(start, end, "warn", value)


def ignore(_: Context, start: int, end: int, *events: QName) -> Ignore:
    return Ignore(start, end, events)


# steps


def call(_: Context, start: int, end: int, name: QName, *rest: Part) -> Call:
    return Call(start, end, name, part("types", rest) or (), part("args", rest))


def do(_: Context, start: int, end: int, call: Call, *rest: object) -> Do:
    clauses: tuple[Clause, ...] = of(_CLAUSES, rest)
    return Do(start, end, call, part("as", rest), clauses)


def pivot(_: Context, start: int, end: int) -> Flag:
    return Flag(start, end, "pivot")


def settle(_: Context, start: int, end: int) -> Settle:
    return Settle(start, end)


def start(_: Context, start: int, end: int, call: Call, *rest: object) -> Start:
    return Start(start, end, call, one(Key, rest), one(Compensate, rest))


def let(_: Context, start: int, end: int, name: Name, *rest: object) -> Let:
    return Let(start, end, name, part("type", rest), first(Expr, rest))


def set_(_: Context, start: int, end: int, name: Name, value: Expr) -> SetStep:
    return SetStep(start, end, name, value)


def emit(_: Context, start: int, end: int, call: Call) -> Emit:
    return Emit(start, end, call)


def wait_for(_: Context, start: int, end: int, amount: Expr) -> Wait:
    return Wait(start, end, amount, False)


def wait_until(_: Context, start: int, end: int, amount: Expr) -> Wait:
    return Wait(start, end, amount, True)


def join_all(_: Context, start: int, end: int) -> Join:
    return Join(start, end, "all", None)


def join_first(_: Context, start: int, end: int) -> Join:
    return Join(start, end, "first", None)


def join_settled(_: Context, start: int, end: int) -> Join:
    return Join(start, end, "settled", None)


def join_n(_: Context, start: int, end: int, count: Expr) -> Join:
    return Join(start, end, "some", count)


def branch(_: Context, start: int, end: int, name: Name, region: Region) -> Branch:
    return Branch(start, end, name, region)


def parallel(_: Context, start: int, end: int, *items: object) -> Parallel:
    return Parallel(start, end, one(Join, items), part("as", items), of(Guard, items), of(Branch, items))


def concurrency(_: Context, start: int, end: int, *limit: Expr) -> Part:
    return Part(start, end, "concurrently", limit)


def foreach(_: Context, start: int, end: int, item: Name, *rest: object) -> ForEach:
    limit = part("concurrently", rest)
    return ForEach(
        start,
        end,
        item,
        part("at", rest),
        first(Expr, rest),
        limit is not None,
        limit[0] if limit else None,
        one(Join, rest),
        part("as", rest),
        first(Region, rest),
    )


def at_most(_: Context, start: int, end: int, times: Expr) -> Part:
    return Part(start, end, "times", times)


def repeat(_: Context, start: int, end: int, *items: object) -> Repeat:
    return Repeat(start, end, part("times", items), first(Block, items), first(Expr, items))


def resource_ref(_: Context, start: int, end: int, name: QName, args: Part) -> ResourceRef:
    return ResourceRef(start, end, name, args.value)


def lock(_: Context, start: int, end: int, *items: object) -> Lock:
    return Lock(start, end, of(ResourceRef, items), first(Expr, items), first(Block, items))


def some(_: Context, start: int, end: int) -> Part:
    return Part(start, end, "some", True)


def arm(_: Context, start: int, end: int, *items: object) -> Arm:
    return Arm(start, end, part("some", items) is not None, of(Expr, items), part("as", items), tail(items))


def otherwise(_: Context, start: int, end: int, *items: object) -> Otherwise:
    return Otherwise(start, end, part("as", items), tail(items))


def choose(_: Context, start: int, end: int, *items: object) -> Choose:
    return Choose(start, end, one(Expr, items), of(Arm, items), one(Otherwise, items))


def await_(_: Context, start: int, end: int, *guards: Guard) -> Await:
    return Await(start, end, guards)


def undo(_: Context, start: int, end: int) -> UndoStep:
    return UndoStep(start, end)


def audit(context: Context, start: int, end: int, text: Token) -> AuditStep:
    return AuditStep(start, end, text_literal(context, text))


def measure(_: Context, start: int, end: int, metric: QName, *value: Expr) -> Measure:
    return Measure(start, end, metric, value[0] if value else None)


def goto(_: Context, start: int, end: int, target: Name) -> Goto:
    return Goto(start, end, target)


def done(_: Context, start: int, end: int, *value: Expr) -> Done:
    return Done(start, end, value[0] if value else None)


def fail(_: Context, start: int, end: int, error: Expr) -> Fail:
    return Fail(start, end, error)
