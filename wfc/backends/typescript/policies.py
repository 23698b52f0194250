"""Policies: a table of those with constant values, and the text of the others at their call."""

from decimal import Decimal

from wfc.backends.typescript import layout
from wfc.backends.typescript.expressions import Expressions
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.types import Program
from wfc.ir.evaluate import NotConstant, evaluate
from wfc.ir.expressions import Expr
from wfc.ir.machine import PolicyDef
from wfc.ir.walk import is_constant


def table(program: Program, show: Expressions) -> Code:
    """`export const policies`, with the policies that are the same at each call."""
    constant = [policy for policy in program.machine.policies if is_constant(policy)]
    if not constant:
        return []
    lines = ["export const policies = {"]
    for policy in constant:
        body = text(policy, show)
        lines += layout.indented(layout.suffixed(layout.prefixed(f"{layout.key(policy.name)}: ", body), ","))
    kind = show.uses.type("runtime", "Policy")
    return [*lines, f"}} as const satisfies Readonly<Record<string, {kind}>>;"]


def text(policy: PolicyDef, show: Expressions) -> Code:
    """A policy as an object."""
    items: list[Code] = [[f"name: {layout.quoted(policy.declared or policy.name)}"]]

    def add(name: str, value: Expr | None) -> None:
        if value is not None:
            items.append([f"{name}: {_value(value, show)}"])

    add("timeoutMs", policy.timeout)
    add("overallMs", policy.overall)
    if policy.attempts is None:
        items.append(['attempts: "forever"'])
    add("attempts", policy.attempts)
    add("backoffMs", policy.backoff)
    add("factor", policy.factor)
    add("maxMs", policy.max)
    if policy.jitter is None:
        items.append(["jitter: 0"])
    add("jitter", policy.jitter)
    for name, errors in (("only", policy.only), ("except", policy.excepted)):
        if errors:
            items.append([f"{name}: [{', '.join(map(layout.quoted, errors))}]"])
    items += [[part] for part in _shared(policy, show)]
    add("heartbeatMs", policy.heartbeat)
    items.append([f"exhausted: {_exhausted(policy, show)}"])
    return layout.record(items)


def _shared(policy: PolicyDef, show: Expressions) -> list[str]:
    """What all callers of a service share."""
    found: list[str] = []
    if policy.breaker is not None:
        of = (policy.breaker.failures, policy.breaker.within, policy.breaker.probe)
        failures, within, probe = (_value(each, show) for each in of)
        found.append(f"breaker: {{ failures: {failures}, withinMs: {within}, probeMs: {probe} }}")
    if policy.limit is not None:
        count, per = (_value(each, show) for each in policy.limit)
        found.append(f"limit: {{ count: {count}, perMs: {per} }}")
    if policy.concurrency is not None:
        found.append(f"concurrency: {_value(policy.concurrency, show)}")
    return found


def _exhausted(policy: PolicyDef, show: Expressions) -> str:
    if policy.exhausted == "fail":
        return '"fail"'
    queue = show.show(policy.queue_value) if policy.queue_value is not None else layout.quoted(policy.queue)
    name = "park" if policy.exhausted == "park" else "deadLetter"
    return f"{{ {name}: {queue} }}"


def _value(expr: Expr, show: Expressions) -> str:
    """A number of a policy. Factors and shares are plain numbers here: hosts compute pauses with them."""
    try:
        found = evaluate(expr, {("const", c.name): _constant(c.value) for c in show.program.machine.constants})
    except NotConstant:
        shown = show.show(expr)
        return f"Number({shown})" if shown.endswith('")') or str(expr.type) == "Decimal" else shown
    if isinstance(found, Decimal):
        return f"{found.normalize():f}"
    return layout.number(found) if isinstance(found, int) else show.show(expr)


def _constant(expr: Expr) -> object:
    try:
        return evaluate(expr, {})
    except NotConstant:
        return None
