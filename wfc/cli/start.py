"""Start an instance, and leave it to the workers."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command, keep, load, the_one
from wfc.cli.base.exits import FINE, PROBLEMS
from wfc.cli.base.given import json_of
from wfc.cli.base.screen import add_color_option, complain

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc start` takes."""
    parser.add_argument("path", metavar="FILE", help="a .wf file, or the machine that compile wrote of one")
    parser.add_argument("--process", metavar="NAME", help="the workflow, if the file has several")
    parser.add_argument("--input", metavar="JSON", help="the parameters, as an object, or the path of a file with it")
    parser.add_argument("--key", metavar="KEY", help="of a workflow that declares none")
    parser.add_argument("--once", action="store_true", help="not if an instance has already ended under its key")
    add_server_options(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Starts it, and writes its id."""

    async def work(client: "Client") -> int:
        from wfc.engine import control
        from wfc.engine.catalogue import learn

        machine = the_one(load(chosen.path, chosen), chosen.process)
        program = learn(machine)
        given = json_of(chosen.input, "--input") if chosen.input is not None else {}
        data = control.input_of(program, machine.workflow.name, given)
        keep(machine, program.digest, chosen.folder)
        identity, new = await control.start(
            client, program, data, control.Terms(chosen.queue, chosen.key, again=not chosen.once)
        )
        sys.stdout.write(f"{identity}\n")
        if not new:
            complain(f"`{identity}` is there already: nothing was started")
        return FINE if new else PROBLEMS

    return command(chosen, work)
