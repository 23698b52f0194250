"""Deliver an event to an instance."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command
from wfc.cli.base.exits import FINE
from wfc.cli.base.given import json_of
from wfc.cli.base.screen import print_summary
from wfc.text.names import listed

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc signal` takes."""
    parser.add_argument("instance", metavar="INSTANCE", help="its id; or its key, for all that run under it")
    parser.add_argument("event", metavar="EVENT", help="the name of the event")
    parser.add_argument("fields", nargs="?", default="{}", metavar="JSON", help="its fields; its key may be left out")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Delivers it; an event that nobody takes is refused with a reason."""

    async def work(client: "Client") -> int:
        from wfc.engine import control

        taken = await control.send(client, chosen.instance, chosen.event, json_of(chosen.fields, chosen.event))
        print_summary(f"{chosen.event} was taken by {listed(taken)}")
        return FINE

    return command(chosen, work)
