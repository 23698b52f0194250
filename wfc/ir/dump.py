"""A machine as text: stable, one line a thing, for tests and for people who look at what a pass did."""

import json
from collections.abc import Iterator

from wfc.ir.expressions import (
    Apply,
    Expr,
    Fn,
    Get,
    If,
    Interp,
    Is,
    Items,
    Lit,
    Member,
    New,
    Now,
    Op,
    Ref,
    Who,
)
from wfc.ir.machine import (
    Audit,
    Await,
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
    PolicyDef,
    Region,
    Repeat,
    Scope,
    Settle,
    SetVar,
    Sla,
    Start,
    State,
    Step,
    Undo,
    UndoRegion,
    Wait,
    Workflow,
)
from wfc.ir.types import DATE, DURATION, INSTANT, TEXT, Money
from wfc.ir.walk import Steps
from wfc.text.durations import show_duration

Lines = Iterator[str]


def dump(machine: Machine) -> str:
    """The whole machine."""
    lines = [f"machine {machine.process} from {machine.source}"]
    lines.extend(f"policy {_policy(policy)}" for policy in machine.policies)
    for op in machine.operations:
        params = ", ".join(f"{p.name}: {p.type}" for p in op.params)
        result = f" -> {op.result}" if op.result is not None else ""
        raises = f" raises {', '.join(op.raises)}" if op.raises else ""
        key = f" key {show_expr(op.key)}" if op.key is not None else ""
        lines.append(f"{op.kind} {op.name}({params}){result}{raises}{key} effect {op.effect}")
    for workflow in machine.workflows:
        lines.extend(_workflow(workflow))
    return "\n".join(lines) + "\n"


def _policy(policy: PolicyDef) -> str:
    parts = [policy.name]
    if policy.timeout is not None:
        parts.append(f"timeout {show_expr(policy.timeout)}")
    if policy.overall is not None:
        parts.append(f"overall {show_expr(policy.overall)}")
    parts.append(f"try {show_expr(policy.attempts)} times" if policy.attempts is not None else "try forever")
    pause = f"backoff {show_expr(policy.backoff)} factor {show_expr(policy.factor)} max {show_expr(policy.max)}"
    parts.append(pause)
    if policy.jitter is not None:
        parts.append(f"jitter {show_expr(policy.jitter)}")
    for word, names in (("only", policy.only), ("except", policy.excepted)):
        if names:
            parts.append(f"{word} {', '.join(names)}")
    queue = policy.queue or (show_expr(policy.queue_value) if policy.queue_value is not None else "")
    parts.append(f"then {policy.exhausted} {queue}".rstrip())
    return "  ".join(parts)


def _workflow(workflow: Workflow) -> Lines:
    params = ", ".join(f"{p.name}: {p.type}" for p in workflow.params)
    result = f" -> {workflow.result}" if workflow.result is not None else ""
    key = f" key {show_expr(workflow.key)}" if workflow.key is not None else ""
    raises = f" raises {', '.join(workflow.raises)}" if workflow.raises else ""
    yield f"workflow {workflow.name}({params}){result} version {workflow.version}{key}{raises}"
    for view in workflow.views:
        yield f"  view {view.name}: {view.type} = {show_expr(view.value)}"
    yield from _indented(_region(workflow.region))


def _indented(lines: Lines) -> Lines:
    for line in lines:
        yield f"  {line}"


def _region(region: Region) -> Lines:
    for variable in region.variables:
        yield f"var {variable.name}: {variable.type} = {show_expr(variable.value)}"
    for name, kind in region.names:
        yield f"name {name}: {kind}"
    yield from _clauses(region.guards, region.ignore, region.slas)
    if region.undo is not None:
        yield from _undo(region.undo)
    yield from _steps(region.steps)
    for node in region.nodes:
        yield from _node(node)


def _clauses(guards: tuple[Guard, ...], ignore: tuple[str, ...], slas: tuple[Sla, ...]) -> Lines:
    for sla in slas:
        warn = f" warn {show_expr(sla.warn)}" if sla.warn is not None else ""
        yield f"sla {json.dumps(sla.name)} within {show_expr(sla.within)}{warn}"
    for event in ignore:
        yield f"ignore {event}"
    for guard in guards:
        yield from _guard(guard)


def _guard(guard: Guard) -> Lines:
    names = "any" if guard.any else ", ".join(guard.names)
    amount = show_expr(guard.amount) if guard.amount is not None else ""
    bind = f" as {guard.bind}: {guard.bind_type}" if guard.bind is not None else ""
    when = f" when {show_expr(guard.when)}" if guard.when is not None else ""
    words = (" keep" if guard.keep else "") + (" also" if guard.also else "")
    yield f"guard {guard.id}: {guard.kind} {names or amount}{bind}{when}{words}"
    yield from _indented(_steps(guard.steps))


def _node(node: Node) -> Lines:
    match node:
        case State():
            yield f"{'gateway' if node.gateway else 'state'} {node.path}"
            yield from _indented(_clauses(node.guards, node.ignore, node.slas))
            yield from _indented(_steps(node.steps))
        case Scope():
            bind = f" as {node.bind}: {node.bind_type}" if node.bind is not None else ""
            arrow = f" -> {node.next}" if node.next is not None else ""
            yield f"scope {node.path or '(watched)'}{bind}{arrow}{' implicit' if node.implicit else ''}"
            yield from _indented(_region(node.region))


def _undo(undo: Undo) -> Lines:
    if undo.kind == "none":
        yield f"undo none {json.dumps(undo.reason, ensure_ascii=False)}"
        return
    when = f" when {show_expr(undo.when)}" if undo.when is not None else ""
    yield f"undo of {undo.scope}{' blind' if undo.blind else ''}{when}"
    yield from _indented(_steps(undo.steps))


def _steps(steps: Steps) -> Lines:
    for step in steps:
        yield from _step(step)


def _step(step: Step) -> Lines:
    match step:
        case Do():
            yield from _do(step)
        case Start(id=number, target=target, args=args, key=key, undo=undo):
            shown = f" key {show_expr(key)}" if key is not None else ""
            yield f"{number} start {target}({_list(args)}){shown}"
            if undo is not None:
                yield from _indented(_undo(undo))
        case Let(name=name, type=kind, value=value):
            yield f"let {name}: {kind} = {show_expr(value)}"
        case SetVar(name=name, value=value):
            yield f"set {name} = {show_expr(value)}"
        case Emit(event=event, value=value):
            yield f"emit {event} {show_expr(value)}"
        case Wait(id=number, amount=amount, until=until):
            yield f"{number} wait {'until ' if until else ''}{show_expr(amount)}"
        case Parallel(id=number, join=join, count=count, bind=bind, guards=guards, branches=branches):
            shown = f" {show_expr(count)} of" if count is not None else f" {join}"
            yield f"{number} parallel join{shown}{f' as {bind}' if bind is not None else ''}"
            for guard in guards:
                yield from _indented(_guard(guard))
            for branch in branches:
                yield f"  branch {branch.name}{f' -> {branch.value}' if branch.value is not None else ''}"
                yield from _indented(_indented(_region(branch.region)))
        case ForEach():
            yield from _for_each(step)
        case Repeat(times=times, steps=steps, until=condition):
            yield f"repeat{f' at most {show_expr(times)}' if times is not None else ''} until {show_expr(condition)}"
            yield from _indented(_steps(steps))
        case Lock(id=number, resources=resources, wait=wait, steps=steps):
            shown = ", ".join(f"{name}({_list(args)})" for name, args in resources)
            yield f"{number} lock {shown} wait {show_expr(wait)}"
            yield from _indented(_steps(steps))
        case Choose():
            yield from _choose(step)
        case Await(id=number, guards=guards):
            yield f"{number} await"
            for guard in guards:
                yield from _indented(_guard(guard))
        case UndoRegion(id=number):
            yield f"{number} undo"
        case Settle():
            yield "settle"
        case Audit(text=text):
            yield f"audit {show_expr(text)}"
        case Measure(metric=metric, value=measured):
            yield f"measure {metric}{f' = {show_expr(measured)}' if measured is not None else ''}"
        case Goto(target=target):
            yield f"-> {target}"
        case Done(value=given):
            yield f"done{f' {show_expr(given)}' if given is not None else ''}"
        case Fail(error=error):
            yield f"fail {show_expr(error)}"


def _do(step: Do) -> Lines:
    bind = f" as {step.bind}: {step.result}" if step.bind is not None else ""
    policy = f" policy {step.policy}" if step.policy is not None else ""
    key = f" key {show_expr(step.key)}" if step.key is not None else ""
    assign = f" assign {show_expr(step.assign)}" if step.assign is not None else ""
    words = (" pivot" if step.pivot else "") + (" optional" if step.optional else "")
    yield f"{step.id} do {step.kind} {step.target}({_list(step.args)}){bind}{policy}{key}{assign}{words}"
    if step.undo is not None:
        yield from _indented(_undo(step.undo))
    for guard in step.guards:
        yield from _indented(_guard(guard))


def _for_each(step: ForEach) -> Lines:
    index = f" at {step.index}" if step.index is not None else ""
    how = " concurrently" if step.concurrent else ""
    how += f" at most {show_expr(step.limit)}" if step.limit is not None else ""
    join = f" {show_expr(step.count)} of" if step.count is not None else f" {step.join}"
    bind = f" as {step.bind}" if step.bind is not None else ""
    yield f"{step.id} for each {step.item}: {step.item_type}{index} in {show_expr(step.items)}{how} join{join}{bind}"
    yield from _indented(_region(step.region))


def _choose(step: Choose) -> Lines:
    yield f"choose{f' {show_expr(step.subject)}' if step.subject is not None else ''}"
    for arm in step.arms:
        value = f" as {arm.bind} = {show_expr(arm.value)}" if arm.value is not None else ""
        yield f"  when {show_expr(arm.test)}{value}"
        yield from _indented(_indented(_steps(arm.steps)))
    if step.otherwise is not None:
        value = f" as {step.bind} = {show_expr(step.value)}" if step.value is not None else ""
        yield f"  otherwise{value}"
        yield from _indented(_indented(_steps(step.otherwise)))


def _list(args: tuple[Expr, ...]) -> str:
    return ", ".join(map(show_expr, args))


def condition(where: Expr, name: str) -> str:
    """What a refinement asks, about the field of that name."""
    shown = show_expr(where).replace("value:value", name)
    return shown[1:-1] if shown.startswith("(") and shown.endswith(")") else shown


def show_expr(expr: Expr) -> str:
    """An expression on one line, with every bracket."""
    match expr:
        case Lit():
            return _literal(expr)
        case Ref(_, kind, name):
            return name if kind in ("param", "local", "var", "lambda", "const") else f"{kind}:{name}"
        case Get(_, target, name, optional):
            return f"{show_expr(target)}{'?.' if optional else '.'}{name}"
        case Op(_, ("not" | "neg" | "decimal" | "some") as op, (operand,)):
            return f"{op}({show_expr(operand)})"
        case Op(_, "index", (target, index)):
            return f"{show_expr(target)}[{show_expr(index)}]"
        case Op(_, op, args):
            return "(" + f" {op} ".join(map(show_expr, args)) + ")"
        case Member(_, name, target, args, optional):
            inner = f"({_list(args)})" if args else ""
            return f"{show_expr(target)}{'?.' if optional else '.'}{name}{inner}"
        case Apply(_, name, args):
            return f"{name}({_list(args)})"
        case New(kind, case, fields):
            name = f"{kind}.{case}" if case else str(kind)
            return f"{name}({', '.join(f'{key}: {show_expr(item)}' for key, item in fields)})"
        case Is(_, target, "none"):
            return f"({show_expr(target)} is none)"
        case Is(_, target, _, name):
            return f"({show_expr(target)} is {name})"
        case If(_, test, yes, no):
            return f"(if {show_expr(test)} then {show_expr(yes)} else {show_expr(no)})"
        case Fn(_, param, _, body):
            return f"{param} => {show_expr(body)}"
        case Items(_, items):
            return f"[{_list(items)}]"
        case Interp(_, parts):
            return "text(" + _list(parts) + ")"
        case Now():
            return "now()"
        case Who(_, kind, name):
            return f"{kind}({show_expr(name)})"


def _literal(expr: Lit) -> str:
    if expr.value is None:
        return "none"
    if expr.type == DURATION and isinstance(expr.value, int):
        return show_duration(expr.value)
    if isinstance(expr.type, Money):
        return f"{expr.value}{expr.type.currency}"
    if expr.type in (INSTANT, DATE):
        return f"{str(expr.type).lower()}({expr.value})"
    if expr.type == TEXT or isinstance(expr.value, bool):
        return json.dumps(expr.value, ensure_ascii=False)
    return str(expr.value)
