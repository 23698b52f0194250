"""A program in which every effect that says nothing about its undo is undone by a call that stands for it.

Where that call is made, the undo is missing: what an abort would take back is asked of the machine itself, not worked
out a second time.
"""

from wfc.ir.machine import Do, Machine, OperationDef, Undo
from wfc.machine.program import Program
from wfc.simulation.claim import GHOST
from wfc.text.value import changed


def haunted(machine: Machine) -> Program:
    """The program of a machine with an undo for everything that has none."""
    undo = Undo(kind="steps", scope="call", steps=(_call(),), when=None, reason="", blind=True)
    return Program(changed(machine, operations=(*machine.operations, _operation())), unsaid=undo)


def _call() -> Do:
    return Do(
        id="undo",
        kind="activity",
        target=GHOST,
        args=(),
        bind=None,
        result=None,
        policy=None,
        key=None,
        assign=None,
        pivot=False,
        optional=False,
        effect="none",
        undo=None,
        raises=(),
        guards=(),
    )


def _operation() -> OperationDef:
    return OperationDef(
        name=GHOST,
        service="",
        kind="activity",
        params=(),
        result=None,
        raises=(),
        effect="none",
        reason="",
        idempotent=True,
        partial=(),
        key=None,
        assign=None,
        doc="",
    )
