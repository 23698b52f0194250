"""Serve processes on Temporal: perform their activities, for as long as it runs."""

import asyncio
import signal
from argparse import ArgumentParser, Namespace

from wfc.cli.base.engine import add_server_options, attend, keep, load
from wfc.cli.base.exits import FINE
from wfc.cli.base.partners import add_partner_options, partners_for
from wfc.cli.base.screen import add_color_option, print_summary
from wfc.cli.base.serving import temporal
from wfc.text.names import listed


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc worker` takes."""
    parser.add_argument("path", metavar="PATH", help="a .wf file, a folder, or the machine that compile wrote")
    parser.add_argument("--port", metavar="N", type=int, help="of the embedded server (a free one)")
    parser.add_argument("--concurrency", metavar="N", type=int, default=200, help="attempts at once (200)")
    parser.add_argument("--metrics", metavar="HOST:PORT", help="serve metrics for Prometheus there, at /metrics")
    parser.add_argument("--otlp", metavar="URL", help="send metrics to an OpenTelemetry collector")
    parser.add_argument("--traces", action="store_true", help="traces by OpenTelemetry, as OTEL_* configure them")
    add_partner_options(parser)
    add_server_options(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Works until it is asked to stop; what is under way then goes on with the next worker."""
    return attend(lambda: _serve(chosen))


async def _serve(chosen: Namespace) -> int:
    from wfc.engine.catalogue import learn
    from wfc.engine.worker import worker_of

    loaded = load(chosen.path, chosen)
    partners = partners_for(loaded, loaded.machines, chosen)
    for older in loaded.older:
        learn(older)
    for machine in loaded.machines:
        program = learn(machine)
        keep(machine, program.digest, chosen.folder)
    done = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, done.set)
    names = listed(f"{machine.process} (version {machine.workflow.version})" for machine in loaded.machines)
    async with temporal(chosen) as client:
        await _attributes(client)
        async with worker_of(client, chosen.queue, partners, concurrency=chosen.concurrency):
            print_summary(f"serving {names}; Ctrl-C ends it")
            await done.wait()
            print_summary("ending: what is under way goes on with the next worker")
    return FINE


async def _attributes(client: object) -> None:
    """Makes the attributes known by which instances are found, if they are not."""
    from wfc.engine.attributes import register

    missing = await register(client)  # type: ignore[arg-type]  # a Client; its module is loaded only here
    if missing:
        print_summary(
            f"this server lacks search attributes, and does not let us add them: {missing}. Instances are not listed."
        )
