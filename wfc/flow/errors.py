"""Which errors a call can end with, once its policy has done what it can."""

from wfc.ir.expressions import Lit
from wfc.ir.machine import Do, Machine

ANSWERS = ("Timeout", "Unavailable")
CHILD = ("Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning")


def may_raise(call: Do, machine: Machine) -> frozenset[str]:
    """Business errors that the call declares, and the system's that its policy does not catch up with.

    A policy that parks never gives up by itself; one that tries for ever ends only by its overall limit. A task waits
    for its person; its answer may still be of the wrong form.
    """
    errors = set(call.raises)
    if call.kind == "workflow":
        return frozenset(errors | set(CHILD))
    invalid = {"Invalid"} if call.result is not None else set()
    policy = next((p for p in machine.policies if p.name == call.policy), None)
    if policy is None:
        return frozenset(errors | invalid)
    if policy.exhausted == "park":
        return frozenset(errors)
    errors |= invalid
    if policy.attempts is not None or policy.overall is not None:
        errors |= set(ANSWERS)
    return frozenset(errors)


def worst_attempts(call: Do, machine: Machine) -> int | None:
    """How often a call is tried at most, where that is a constant."""
    policy = next((p for p in machine.policies if p.name == call.policy), None)
    if policy is None:
        return 1
    if isinstance(policy.attempts, Lit) and isinstance(policy.attempts.value, int):
        return policy.attempts.value
    return None
