"""The tables of a diagram page: retry policies with their waits, and every state with what leads out of it."""

from decimal import Decimal

from wfc.backends.diagram.text import table
from wfc.ir.expressions import Expr, Lit
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    Goto,
    Guard,
    Machine,
    Parallel,
    PolicyDef,
    Scope,
    State,
    Step,
)
from wfc.ir.walk import Steps, nodes
from wfc.picture.words import pretty, said, trigger

MOST_WAITS = 5


def policy_table(machine: Machine) -> list[str]:
    """The policies that calls have, resolved."""
    found = [
        (
            policy.name,
            said(policy.attempts) if policy.attempts is not None else "for ever",
            _waits(policy),
            _percent(policy.jitter),
            said(policy.timeout) + (f", {said(policy.overall)} in all" if policy.overall is not None else ""),
            _breaker(policy),
            _exhausted(policy),
        )
        for policy in machine.policies
    ]
    head = ("Policy", "Attempts", "Waits before each retry", "Jitter", "Timeout", "Circuit breaker", "Then")
    return table(head, found)


def _number(expr: Expr | None) -> Decimal | None:
    if isinstance(expr, Lit) and isinstance(expr.value, str | int) and not isinstance(expr.value, bool):
        return Decimal(expr.value)
    return None


def _waits(policy: PolicyDef) -> str:
    """The pauses before the second attempt and those after it, without jitter."""
    base, factor, most = _number(policy.backoff), _number(policy.factor), _number(policy.max)
    attempts = _number(policy.attempts)
    if base is None or factor is None or most is None:
        return "computed"
    count = MOST_WAITS if attempts is None else min(MOST_WAITS, int(attempts) - 1)
    waits = [pretty(int(min(most, base * factor**k))) for k in range(count)]
    more = attempts is None or int(attempts) - 1 > MOST_WAITS
    return (", ".join(waits) + (", ..." if more else "")) or "none"


def _percent(expr: Expr | None) -> str:
    share = _number(expr)
    return f"{share * 100:.0f} %" if share is not None else "none"


def _breaker(policy: PolicyDef) -> str:
    breaker = policy.breaker
    if breaker is None:
        return "none"
    return f"{said(breaker.failures)} failures in {said(breaker.within)}, probe after {said(breaker.probe)}"


def _exhausted(policy: PolicyDef) -> str:
    where = policy.queue or said(policy.queue_value)
    return {"fail": "fails", "dead letter": f"dead letter in {where}", "park": f"waits in {where}"}[policy.exhausted]


def state_table(machine: Machine) -> list[str]:
    """For each state, gateway and scope: what happens and where that leads."""
    rows: list[tuple[str, ...]] = []
    for node in nodes(machine.workflow.region):
        name = node.path or "watched part"
        match node:
            case State(steps=steps, guards=guards):
                rows.extend((name, on, to) for on, to in _ways(steps, ""))
                rows.extend((name, on, to) for on, to in _guard_ways(guards))
            case Scope(next=following, region=region):
                if following is not None:
                    rows.append((name, "completed", following))
                rows.extend((name, on, to) for on, to in _guard_ways(region.guards))
    return table(("State", "On", "Goes to"), rows)


def _guard_ways(guards: tuple[Guard, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for guard in guards:
        if not guard.also:
            kept = ", kept" if guard.keep else ""
            found.extend(_ways(guard.steps, trigger(guard) + kept))
    return found


def _ways(steps: Steps, before: str) -> list[tuple[str, str]]:
    """Each exit with the calls and conditions before it."""
    found: list[tuple[str, str]] = []
    said_before = before
    for step in steps:
        found.extend(_exits(step, said_before))
        if isinstance(step, Do):
            said_before = _and(said_before, f"{step.target} done")
    return found


def _exits(step: Step, before: str) -> list[tuple[str, str]]:
    match step:
        case Goto(target=target):
            return [(before or "at once", target)]
        case Done():
            return [(before or "at once", "done")]
        case Fail(names=names):
            return [(before or "at once", f"fails: {', '.join(names)}" if names else "fails again")]
        case Choose(arms=arms, otherwise=otherwise):
            found = [way for arm in arms for way in _ways(arm.steps, _and(before, arm.label))]
            if otherwise is not None:
                found.extend(_ways(otherwise, _and(before, "otherwise")))
            return found
        case Await(guards=guards) | Do(guards=guards) | Parallel(guards=guards):
            return [way for g in guards if not g.also for way in _ways(g.steps, _and(before, trigger(g)))]
        case _:
            return []


def _and(before: str, more: str) -> str:
    return f"{before}, {more}" if before else more
