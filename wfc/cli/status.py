"""Show the instances, or where one of them stands."""

import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wfc.cli.base.engine import add_server_options, command, shown
from wfc.cli.base.exits import FINE
from wfc.cli.base.screen import print_summary
from wfc.text.names import counted

if TYPE_CHECKING:
    from temporalio.client import Client

LISTED = 1_000


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc status` takes."""
    parser.add_argument("instance", nargs="?", metavar="INSTANCE", help="its id, or its key; without it: all")
    parser.add_argument("--process", metavar="NAME", help="only instances of this process")
    parser.add_argument("--running", action="store_true", help="only those that still run")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_server_options(parser)


def run(chosen: Namespace) -> int:
    """Writes a line an instance, or everything about one."""

    async def work(client: "Client") -> int:
        from wfc.engine import control, wire

        if chosen.instance is not None:
            handle = await control.find(client, chosen.instance)
            status = await control.query(handle, wire.STATUS)
            sys.stdout.write(f"{shown(status)}\n" if chosen.json else _one(status))
            return FINE
        count = 0
        async for each in control.instances(client, process=chosen.process, running=chosen.running):
            count += 1
            if count > LISTED:
                print_summary(f"more than {LISTED} instances: --process and --running show fewer")
                return FINE
            if chosen.json:
                told = {"id": each.id, "status": each.status, "started": each.started, "waits": list(each.waits)}
                sys.stdout.write(f"{shown(told)}\n")
            else:
                waits = f"  ({', '.join(each.waits)})" if each.waits else ""
                begun = datetime.fromtimestamp(each.started / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
                sys.stdout.write(f"{begun}  {each.status:<10}{each.id}{waits}\n")
        if not chosen.json:
            print_summary(counted(count, "instance"))
        return FINE

    return command(chosen, work)


def _one(status: Any) -> str:  # noqa: ANN401 - JSON
    lines = [f"{status['instance']}: {status['process']}, version {status['version']}, {status['status']}"]
    if status["status"] == "done" and status["value"] is not None:
        lines.append(f"  done {shown(status['value'])}")
    if status["error"] is not None:
        lines.append(f"  failed {shown(status['error'])}")
    if status["places"]:
        lines.append(f"  at {', '.join(status['places'])}")
    lines += [f"  {wait}" for wait in status["waits"]]
    lines += [f"  task {task['task']} for {shown(task['assign'])}: {shown(task['args'])}" for task in status["tasks"]]
    lines += [f"  parked {step['operation']} after {counted(step['attempts'], 'attempt')}" for step in status["parked"]]
    lines += [f"  dead letter {letter['operation']} in {letter['queue']}" for letter in status["letters"]]
    return "".join(f"{line}\n" for line in lines)
