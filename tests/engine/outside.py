"""An outside service over HTTP that keeps its promises: a request with a key it has seen is answered as the first time.

`POST /{operation}` with `{"args": [...]}` and the key in a header. What it has done, it counts by key. The test may hold
requests back, before or behind their effect, until it lets them go: so it can kill others while they are under way.
"""

import json
import os
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from wfc.activities import Context, Failure, NotSent

Hold = Literal["before", "after", "falters"]
Answer = tuple[int, Any]


class Outside:
    """The service. `answers` say what an operation answers, by operation; the second argument counts its requests."""

    def __init__(self, answers: Mapping[str, Callable[[list[Any], int], Answer]]) -> None:
        self.answers = answers
        self.effects: Counter[str] = Counter()  # times that a key had its effect: never more than once
        self.requests: Counter[str] = Counter()
        self.holds: dict[tuple[str, str], Hold] = {}  # by instance and operation; the first request only
        self.held: set[tuple[str, str]] = set()
        self.free = threading.Event()
        self.falter = threading.Event()
        self._known: dict[str, Answer] = {}
        self._lock = threading.Lock()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, told = outside.serve(self.path[1:], self.headers["Idempotency-Key"], body)
                data = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, *args: object) -> None:
                """Whoever asked may have been killed."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, operation: str, key: str, body: Any) -> Answer:
        place = body["instance"], operation
        hold = self._hold(place)
        if hold == "before":
            self.free.wait(60)
        if hold == "falters":
            self.falter.wait(60)
        with self._lock:
            self.requests[key] += 1
            answer = self._known.get(key)
            if answer is None:
                answer = self.answers.get(operation, _nothing)(body["args"], self.requests[key])
                if answer[0] == 200:
                    self._known[key] = answer
                    self.effects[key] += 1
        if hold == "after":
            self.free.wait(60)
        return answer

    def _hold(self, place: tuple[str, str]) -> Hold | None:
        with self._lock:
            hold = self.holds.pop(place, None)
            if hold is not None:
                self.held.add(place)
            return hold

    def close(self) -> None:
        self.free.set()
        self.falter.set()
        self.server.shutdown()
        self.server.server_close()


def _nothing(args: list[Any], times: int) -> Answer:
    _ = args, times
    return 200, None


class _Service:
    """Any service: each operation is a request to the outside."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith("_"):
            raise AttributeError(operation)

        def call(*given: Any) -> Any:
            *args, context = given
            return request(f"{self._name}.{operation}", args, context)

        return call


class Partners:
    """Activities for any program: whatever is called is asked for outside, at the address in OUTSIDE."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Service(name)


partners = Partners()


def request(operation: str, args: list[Any], context: Context) -> Any:
    data = json.dumps({"args": args, "instance": context.instance}, default=str).encode()
    headers = {"Idempotency-Key": context.key, "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{os.environ['OUTSIDE']}/{operation}", data, headers)  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - our own
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        told = json.loads(error.read())
        if error.code == 422:
            raise Failure(told["is"], **{name: value for name, value in told.items() if name != "is"}) from None
        raise
    except urllib.error.URLError as error:
        raise NotSent(str(error)) from None
