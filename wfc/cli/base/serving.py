"""Being connected to Temporal for as long as a command runs, with the embedded server if nobody else has one."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from wfc.cli.base.engine import where
from wfc.cli.base.screen import print_summary

if TYPE_CHECKING:
    from temporalio.client import Client


@asynccontextmanager
async def temporal(chosen: Namespace) -> "AsyncIterator[Client]":
    """A client. A server that is started for it is looked after meanwhile, and ends with it."""
    from wfc.engine.connect import connect
    from wfc.engine.server import Server, running

    place = where(chosen)
    if place.is_cluster or running(chosen.folder) is not None:
        yield await connect(place)
        return
    server = Server(chosen.folder, chosen.port)
    there = await server.start()
    print_summary(f"Temporal is at {there.address}, its pages are at {there.ui}")
    watching = asyncio.create_task(server.watch(print_summary))
    try:
        yield await connect(place)
    finally:
        watching.cancel()
        server.stop()
