"""List what waits for an operator: parked steps and dead letters."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command, shown
from wfc.cli.base.exits import FINE
from wfc.cli.base.screen import print_summary
from wfc.text.names import counted

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc parked` takes."""
    parser.add_argument("instance", nargs="?", metavar="INSTANCE", help="only of this one")
    parser.add_argument("--queue-name", metavar="NAME", help="only those of this queue of the program")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Writes a line for each."""

    async def work(client: "Client") -> int:
        from wfc.engine import control

        count = 0
        async for instance, kind, step in control.stranded(client, chosen.instance):
            if chosen.queue_name not in (None, step["queue"]):
                continue
            count += 1
            told = {"instance": instance, "kind": kind, **step}
            errors = f"  {shown(step['errors'])}" if step.get("errors") else ""
            line = f"{instance}  {kind}  {step['operation']}  in {step['queue'] or '(no queue)'}{errors}"
            sys.stdout.write(f"{shown(told) if chosen.json else line}\n")
        if not chosen.json:
            print_summary(f"{counted(count, 'step')} for an operator" if count else "nothing waits for an operator")
        return FINE

    return command(chosen, work)
