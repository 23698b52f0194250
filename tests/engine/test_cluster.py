"""A server that is not ours: by TLS with a certificate of one's own, with metrics and traces sent to a collector."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from wfc.engine.server import Server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HELLO = """\
module hello

service desk { query greet(name: Text) -> Text }

workflow Hello(name: Text) -> Text key name {
  state Greet { do desk.greet(name) as told done told }
}

scenario "somebody is greeted" for Hello {
  given name = "ann"
  given desk.greet returns "hello ann"
  expect done "hello ann"
}
"""


@asynccontextmanager
async def _behind_tls(folder: Path, address: str) -> AsyncIterator[tuple[str, Path]]:
    """A place that speaks TLS for a server, as a cluster does; with the file of who has signed its certificate."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pass_on(reader, outer), pass_on(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"localhost:{server.sockets[0].getsockname()[1]}", folder / "ca.pem"
    finally:
        server.close()


async def _wfc(folder: Path, *given: str, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wfc.cli.main", *given),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, told = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), told.decode()


def test_a_cluster_by_tls(tmp_path: Path) -> None:
    (tmp_path / "hello.wf").write_text(HELLO, encoding="utf-8")
    words = ("run", "hello.wf", "--simulate-activities")

    async def work() -> None:
        server = Server(str(tmp_path / "cluster"), memory=True)
        there = await server.start()
        try:
            async with _behind_tls(tmp_path, there.address) as (address, authority):
                known = {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(authority)}
                for more in ((), ("--tls",), ("--api-key", "secret")):
                    code, out, told = await _wfc(tmp_path, *words, "--address", address, *more, **known)
                    assert (code, out.splitlines()[-1]) == (0, '"hello ann"'), (more, told)
                code, _, told = await _wfc(tmp_path, *words, "--address", address, "--tls")
                assert code == 2
                assert told.startswith(f"wfc: Temporal cannot be reached at {address}: "), told
            assert not (tmp_path / ".wfc" / "temporal.db").exists(), "no server of our own is started"
        finally:
            server.stop()

    asyncio.run(work())


@contextmanager
def _collector() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An OpenTelemetry collector: what is posted to it, by path."""
    posted: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted[self.path] = posted.get(self.path, b"") + body
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", posted
    finally:
        server.shutdown()
        server.server_close()


def test_metrics_and_traces_reach_a_collector(tmp_path: Path) -> None:
    (tmp_path / "hello.wf").write_text(HELLO, encoding="utf-8")
    (tmp_path / "own.py").write_text(
        "class Desk:\n    def greet(self, name):\n        return name\nclass All:\n    desk = Desk()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with _collector() as (address, posted), (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-m", "wfc.cli.main", "worker", "hello.wf", "--activities", "own:All"]
        command += ["--otlp", f"{address}/v1/metrics", "--traces"]
        telling = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        worker = subprocess.Popen(command, cwd=tmp_path, env={**environment, **telling}, stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while "serving" not in (tmp_path / "log").read_text():
                assert time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.1)
            start = [sys.executable, "-m", "wfc.cli.main", "start", "hello.wf", "--input", '{"name": "ann"}']
            subprocess.run(start, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
            while not (
                b"wfc_ended" in posted.get("/v1/metrics", b"") and b"desk.greet" in posted.get("/v1/traces", b"")
            ):
                assert time.monotonic() < end, ({path: len(body) for path, body in posted.items()}, log)
                time.sleep(0.1)
        finally:
            worker.terminate()
            worker.wait(30)
    assert re.search(rb"service\.name.{1,8}wfc", posted["/v1/traces"], re.DOTALL)
    assert b"desk.greet" in posted["/v1/metrics"]
