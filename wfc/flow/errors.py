"""Which errors a call can end with, once its policy has done what it can."""

from wfc.ir.machine import Do, Machine

ANSWERS = ("Timeout", "Unavailable")
CHILD = ("Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning")


class Errors:
    """The errors of all calls of a machine. One for all workflows: each asks for the few definitions that it uses."""

    def __init__(self, machine: Machine) -> None:
        self.policies = {policy.name: policy for policy in machine.policies}
        self.operations = {operation.name: operation for operation in machine.operations}

    def of(self, call: Do) -> frozenset[str]:
        """Business errors that the call declares, and the system's that its policy does not catch up with.

        A policy that parks never gives up by itself; one that tries for ever ends only by its overall limit. A task
        waits for its person, to whom an answer of the wrong form is refused.
        """
        errors = set(call.raises)
        if call.kind == "workflow":
            return frozenset(errors | set(CHILD))
        invalid = {"Invalid"} if call.result is not None and call.kind != "task" else set()
        policy = self.policies.get(call.policy) if call.policy is not None else None
        if policy is None:
            return frozenset(errors | invalid)
        if policy.exhausted == "park":
            return frozenset(errors)
        errors |= invalid
        if policy.attempts is not None or policy.overall is not None:
            errors |= set(ANSWERS)
        return frozenset(errors)

    def partial(self, call: Do) -> frozenset[str]:
        """The errors with which a call ends though it may have been done."""
        operation = self.operations.get(call.target)
        return frozenset(operation.partial) if operation is not None else frozenset()
