"""List the tasks of people; complete one, or say that it cannot be done."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from wfc.cli.base.engine import add_server_options, command, shown
from wfc.cli.base.exits import FINE
from wfc.cli.base.given import UseError, bare_json, json_of
from wfc.cli.base.screen import print_summary
from wfc.text.names import counted

if TYPE_CHECKING:
    from temporalio.client import Client


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc tasks` takes."""
    parser.add_argument("action", nargs="?", choices=("list", "complete", "fail"), default="list")
    parser.add_argument("instance", nargs="?", metavar="INSTANCE", help="its id, or its key")
    parser.add_argument("task", nargs="?", metavar="TASK", help="the operation, or the key of the task")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="complete: the result; fail: the error it raises")
    parser.add_argument("fields", nargs="?", metavar="JSON", help="fail: the fields of the error")
    parser.add_argument("--json", action="store_true", help="list: for programs")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Lists, completes or fails."""

    async def work(client: "Client") -> int:
        from wfc.engine import control, wire
        from wfc.machine.store import pack

        if chosen.action == "list":
            count = 0
            async for instance, task in control.tasks(client, chosen.instance):
                count += 1
                told = {"instance": instance, **task}
                line = f"{instance}  {task['task']}  {shown(task['args'])}  for {shown(task['assign'])}"
                sys.stdout.write(f"{shown(told) if chosen.json else line}\n")
            if not chosen.json:
                print_summary(counted(count, "task"))
            return FINE
        if chosen.instance is None or chosen.task is None:
            raise UseError(f"wfc tasks {chosen.action} INSTANCE TASK: both are needed (`wfc tasks` lists them)")
        handle, key = await control.task(client, chosen.instance, chosen.task)
        told = {"key": key, "kind": "value", "value": None}
        if chosen.action == "complete" and chosen.value is not None:
            told["value"] = pack(bare_json(chosen.value, "VALUE"))
        elif chosen.action == "fail":
            if chosen.value is None:
                raise UseError("wfc tasks fail INSTANCE TASK ERROR: the error is missing")
            fields = json_of(chosen.fields, "JSON") if chosen.fields is not None else {}
            told |= {"kind": "error", "value": pack({"is": chosen.value, **fields})}
        await control.tell(handle, wire.ANSWER_TASK, told)
        print_summary(f"{chosen.task} is {'done' if chosen.action == 'complete' else 'failed'}")
        return FINE

    return command(chosen, work)
