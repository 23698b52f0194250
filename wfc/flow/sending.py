"""The keys that calls send: their own, and those of what a child calls, in the names of the place that calls it."""

from collections.abc import Iterator

from wfc.ir.expressions import Expr, Items, Lit, Now, Ref, walk
from wfc.ir.machine import Do, Machine, OperationDef, Start, Workflow
from wfc.ir.rewrite import rewrite
from wfc.ir.types import TEXT
from wfc.ir.walk import region_steps

MOST = 16  # keys of one child that are looked at

Sends = tuple[str, Expr]  # an operation and a key


def key_of(call: Do, operation: OperationDef | None) -> Expr | None:
    """The key of a call, in the names of its place; None where it has the default key."""
    if call.key is not None or operation is None or operation.key is None:
        return call.key
    return _put(operation.key, given(call, operation), "operand")


def child_key(call: Do | Start, workflow: Workflow) -> Expr | None:
    """The key under which a call runs a workflow, in the names of its place; None where it is the default one."""
    if call.key is not None or workflow.key is None:
        return call.key
    return _put(workflow.key, given(call, workflow), "param")


def given(call: Do | Start, called: OperationDef | Workflow) -> dict[str, Expr]:
    """The arguments of a call by the names of the parameters."""
    return dict(zip((param.name for param in called.params), call.args, strict=False))


def _put(expr: Expr, args: dict[str, Expr], kind: str) -> Expr:
    return rewrite(expr, (Ref,), lambda ref: args.get(ref.name, ref) if ref.kind == kind else ref)


class Sending:
    """What the workflows of a program send to services that promise to honour keys."""

    def __init__(self, machine: Machine) -> None:
        self.workflows = {workflow.name: workflow for workflow in machine.workflows}
        self.operations = {operation.name: operation for operation in machine.operations}
        self._found: dict[str, tuple[Sends, ...]] = {}

    def inside(self, call: Do | Start) -> tuple[Sends, ...]:
        """The activities that a child calls, with their keys in the names of the call.

        Only keys that nothing but the child's parameters decides: two runs of one key and equal arguments send the
        same ones. A key begins with that of the child, so what differs there differs everywhere.
        """
        workflow = self.workflows.get(call.target)
        if workflow is None:
            return ()
        args = given(call, workflow)
        return tuple((name, _put(key, args, "param")) for name, key in self._by(workflow))

    def _by(self, workflow: Workflow) -> tuple[Sends, ...]:
        found = self._found.get(workflow.name)
        if found is None:
            self._found[workflow.name] = ()  # a child of itself adds nothing new
            every = dict.fromkeys(sent for sent in self._sent(workflow) if _settled(sent[1]))
            found = self._found[workflow.name] = tuple(every)[:MOST]
        return found

    def _sent(self, workflow: Workflow) -> Iterator[Sends]:
        for step in region_steps(workflow.region, undos=False):
            if not isinstance(step, Do):
                continue
            if step.kind == "workflow" and step.target in self.workflows:
                own = child_key(step, self.workflows[step.target])
                for name, key in self.inside(step):
                    yield name, key if own is None else Items(TEXT, (own, key))
            elif step.kind == "activity":
                operation = self.operations.get(step.target)
                explicit = key_of(step, operation)
                if explicit is not None:
                    yield step.target, explicit
                elif operation is not None and operation.idempotent:
                    yield step.target, Lit(TEXT, step.id)  # the default key: the same in each run of one id


def _settled(key: Expr) -> bool:
    """Whether parameters and constants alone decide what a key is."""
    parts = list(walk(key))
    return not any(isinstance(p, Now) or (isinstance(p, Ref) and p.kind not in ("param", "const")) for p in parts)
