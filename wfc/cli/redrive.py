"""Act on a parked step or a dead letter: try it again, give its answer, or let it fail."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command
from wfc.cli.base.exits import FINE
from wfc.cli.base.given import UseError, bare_json, json_of
from wfc.cli.base.screen import print_summary

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc redrive` takes."""
    parser.add_argument("instance", metavar="INSTANCE", help="its id, or its key")
    parser.add_argument("step", metavar="STEP", help="the operation, or the key of the call (`wfc parked` lists both)")
    parser.add_argument("--supply", metavar="JSON", help="do not try again: this is its answer")
    parser.add_argument("--raise", dest="error", metavar="ERROR", help="do not try again: it fails with this error")
    parser.add_argument("--fields", metavar="JSON", help="with --raise: the fields of the error")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Acts; what does not fit is refused with a reason."""

    async def work(client: "Client") -> int:
        from wfc.engine import control

        if chosen.supply is not None and chosen.error is not None:
            raise UseError("--supply does not go with --raise")
        key = await control.stranded_key(client, chosen.instance, chosen.step)
        if chosen.supply is not None:
            await control.operate(client, chosen.instance, "supply", key, bare_json(chosen.supply, "--supply"))
        elif chosen.error is not None:
            fields = json_of(chosen.fields, "--fields") if chosen.fields is not None else {}
            await control.operate(client, chosen.instance, "raise", key, {"is": chosen.error, **fields})
        else:
            await control.operate(client, chosen.instance, "retry", key)
        print_summary(f"{chosen.step} goes on")
        return FINE

    return command(chosen, work)
