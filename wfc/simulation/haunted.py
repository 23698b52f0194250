"""A program in which every effect that says nothing about its undo is undone by a call that stands for it.

Where that call is made, the undo is missing: what an abort would take back is asked of the machine itself, not worked
out a second time.
"""

from copy import copy

import attrs

from wfc.ir.boundary import Boundary
from wfc.ir.machine import Do, Machine, OperationDef, Undo
from wfc.machine.code import Calling, Instruction
from wfc.machine.program import Program
from wfc.simulation.claim import GHOST
from wfc.text.value import changed


def haunted(machine: Machine) -> Program:
    """The program of a machine with an undo for everything that has none."""
    undo = Undo(kind="steps", scope="call", steps=(_call(),), when=None, reason="", blind=True)
    return Program(changed(machine, operations=(*machine.operations, _operation())), unsaid=undo)


def exorcised(program: Program, machine: Machine) -> Program:
    """The program of the machine as it is, from a haunted one that has not run yet: the code is the same but for calls.

    Writing the code of a large machine takes longer than most runs of it.
    """
    made = copy(program)
    made.machine = machine
    made.boundary = Boundary(machine)
    made.operations = {name: each for name, each in program.operations.items() if name != GHOST}
    made.code = [_unsaid(instruction) for instruction in program.code]
    return made


def _unsaid(instruction: Instruction) -> Instruction:
    if not isinstance(instruction, Calling):
        return instruction
    call = instruction.call
    ghostly = call.undo is not None and _is_ghost(call.undo.undo)
    return Calling(attrs.evolve(call, undo=None)) if ghostly else instruction


def _is_ghost(undo: Undo) -> bool:
    return any(isinstance(step, Do) and step.target == GHOST for step in undo.steps)


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
