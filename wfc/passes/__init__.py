"""Passes from machine to machine; their order is meaning."""

from wfc.ir.machine import Machine
from wfc.passes.fold_constants import fold_constants

PASSES = (fold_constants,)


def run_passes(machine: Machine) -> Machine:
    """All passes in turn."""
    for step in PASSES:
        machine = step(machine)
    return machine
