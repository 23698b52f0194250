"""The machines that a worker knows, by their digest: instances of older versions go on beside those of the newest."""

from collections.abc import Iterable

import attrs

from wfc.ir.machine import Machine
from wfc.ir.scenario import Migration
from wfc.machine.program import Program


class UnknownMachineError(Exception):
    """An instance belongs to a machine that this worker does not have; the text says which."""


@attrs.frozen
class Known:
    """A machine ready to run, and the ways from older versions to it."""

    program: Program
    simulated: Program  # times attempts by itself
    migrations: tuple[Migration, ...] = ()


_KNOWN: dict[str, Known] = {}


def learn(machine: Machine, migrations: Iterable[Migration] = ()) -> Program:
    """Makes a machine known to all workers of this process; the newest definition of its migrations counts."""
    program = Program(machine, host_times_attempts=True)
    ways = tuple(migrations)
    there = _KNOWN.get(program.digest)
    if there is None:
        _KNOWN[program.digest] = Known(program, Program(machine), ways)
        return program
    if ways:
        _KNOWN[program.digest] = attrs.evolve(there, migrations=ways)
    return there.program


def program_of(digest: str, told: str, *, simulated: bool = False) -> Program:
    """The machine with a digest; `told` names it for people who look for it."""
    found = _KNOWN.get(digest)
    if found is None:
        raise UnknownMachineError(
            f"this worker does not know the machine of {told} ({digest[:12]}): start it with the sources or the record "
            "of that version"
        )
    return found.simulated if simulated else found.program


def migration_to(digest: str, workflow: str, old: int) -> Migration | None:
    """The way from an older version of a workflow to a machine."""
    ways = _KNOWN[digest].migrations
    return next((way for way in ways if way.workflow == workflow and way.old == old), None)
