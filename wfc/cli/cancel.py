"""Cancel an instance: what it has done is undone, and it fails."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command
from wfc.cli.base.exits import FINE
from wfc.cli.base.screen import print_summary

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc cancel` takes."""
    parser.add_argument("instance", metavar="INSTANCE", help="its id, or its key")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Cancels it; behind a point of no return that is refused."""

    async def work(client: "Client") -> int:
        from wfc.engine import control

        await control.operate(client, chosen.instance, "cancel")
        print_summary("it is being cancelled: what it has done is undone")
        return FINE

    return command(chosen, work)
