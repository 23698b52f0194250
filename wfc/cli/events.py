"""Write the audit trail of an instance."""

import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wfc.cli.base.engine import add_server_options, command, shown
from wfc.cli.base.exits import FINE

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc events` takes."""
    parser.add_argument("instance", metavar="INSTANCE", help="its id, or its key")
    parser.add_argument("--json", action="store_true", help="one JSON object a record, for programs")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Writes a record a line, in order; also what became of its dead letters."""

    async def work(client: "Client") -> int:
        from wfc.engine import control

        handle = await control.find(client, chosen.instance)
        for record in await control.trail(client, handle):
            sys.stdout.write(f"{shown(record)}\n" if chosen.json else f"{_line(record)}\n")
        return FINE

    return command(chosen, work)


def _line(record: Any) -> str:  # noqa: ANN401 - JSON
    at = datetime.fromtimestamp(record["at"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    detail = " ".join(
        f"{name}={value if isinstance(value, str) else shown(value)}"
        for name, value in record.get("detail", {}).items()
    )
    return "  ".join(filter(None, (at, record["kind"], record["path"], detail)))
