"""Move running instances of older versions to the current one, by the migrations of the source."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command, keep, load, the_one
from wfc.cli.base.exits import FINE, PROBLEMS
from wfc.cli.base.screen import add_color_option, print_summary
from wfc.text.names import counted

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc migrate` takes."""
    parser.add_argument("path", metavar="FILE", help="a .wf file: the version to which they move")
    parser.add_argument("instances", nargs="*", metavar="INSTANCE", help="only these; without any: all that run")
    parser.add_argument("--process", metavar="NAME", help="the workflow, if the file has several")
    add_server_options(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Asks each to move; tells for each that stays why. Instances that stay go on as they are."""

    async def work(client: "Client") -> int:
        from wfc.engine import control
        from wfc.engine.catalogue import learn

        loaded = load(chosen.path, chosen)
        machine = the_one(loaded, chosen.process)
        program = learn(machine)
        ways = loaded.migrations.get(machine.process, ())
        keep(machine, program.digest, chosen.folder)
        moved = stayed = 0
        async for identity, why in control.migrate_all(client, program, ways, chosen.instances):
            moved, stayed = (moved + 1, stayed) if why is None else (moved, stayed + 1)
            told = f"moved to version {machine.workflow.version}" if why is None else f"stays: {why}"
            sys.stdout.write(f"{identity}  {told}\n")
        print_summary(f"{counted(moved, 'instance')} moved, {stayed} stayed")
        return PROBLEMS if stayed else FINE

    return command(chosen, work)
