"""The machines that a worker knows, by their digest: instances of older versions go on beside those of the newest."""

import attrs

from wfc.ir.machine import Machine
from wfc.machine.program import Program


class UnknownMachineError(Exception):
    """An instance belongs to a machine that this worker does not have; the text says which."""


@attrs.frozen
class Known:
    """A machine ready to run."""

    program: Program
    simulated: Program  # times attempts by itself


_KNOWN: dict[str, Known] = {}


def learn(machine: Machine) -> Program:
    """Makes a machine known to all workers of this process."""
    program = Program(machine, host_times_attempts=True)
    if program.digest not in _KNOWN:
        _KNOWN[program.digest] = Known(program, Program(machine))
    return _KNOWN[program.digest].program


def knows(digest: str) -> bool:
    """Whether the workers of this process can run a machine."""
    return digest in _KNOWN


def program_of(digest: str, told: str, *, simulated: bool = False) -> Program:
    """The machine with a digest; `told` names it for people who look for it."""
    found = _KNOWN.get(digest)
    if found is None:
        raise UnknownMachineError(
            f"this worker does not know the machine of {told} ({digest[:12]}): start it with the sources or the record "
            "of that version"
        )
    return found.simulated if simulated else found.program
