"""The machine as the explorer sees it: a call is one attempt that may take as long as all of them together."""

from decimal import Decimal
from typing import Any

import attrs

from wfc.ir.evaluate import NotConstant, evaluate
from wfc.ir.expressions import Expr, Lit
from wfc.ir.machine import Machine, PolicyDef
from wfc.ir.types import DURATION, INT

MANY = 1000  # more attempts than these count as for ever


def one_attempt(machine: Machine) -> Machine:
    """The same machine with policies of one attempt; its time is the longest that all attempts and pauses may take."""
    policies = tuple(_closed(policy) for policy in machine.policies)
    return Machine(**{name: getattr(machine, name) for name in _names(Machine)} | {"policies": policies})


def _closed(policy: PolicyDef) -> PolicyDef:
    longest = _longest(policy)
    changes = {
        "attempts": Lit(INT, 1),
        "timeout": Lit(DURATION, longest) if longest is not None else None,
        "overall": None,
        "breaker": None,
        "limit": None,
        "concurrency": None,
        "heartbeat": None,
        "jitter": None,
    }
    return PolicyDef(**{name: getattr(policy, name) for name in _names(PolicyDef)} | changes)


def _names(kind: Any) -> list[str]:  # noqa: ANN401 - an attrs class
    return [field.name for field in attrs.fields(kind)]


def _longest(policy: PolicyDef) -> int | None:
    """The longest time in milliseconds; None where there is no bound, or it depends on the place of the call."""
    overall = _value(policy.overall)
    timeout, attempts = _value(policy.timeout), _value(policy.attempts)
    if timeout is None or attempts is None or attempts > MANY:
        return overall
    total = timeout * attempts
    backoff, factor, most = _value(policy.backoff) or 0, _value(policy.factor) or 1, _value(policy.max) or 0
    pause = Decimal(backoff)
    for _ in range(attempts - 1):
        total += min(int(pause), most)
        pause = min(pause * Decimal(factor), Decimal(most))
    return min(total, overall) if overall is not None else total


def _value(expr: Expr | None) -> int | None:
    try:
        return evaluate(expr, {}) if expr is not None else None
    except NotConstant:
        return None
