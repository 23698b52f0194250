"""Who answers attempts: the user's Python, HTTP, or a simulation. Each gives an outcome, whatever happens.

Values of the language become plain data on the way out (a record is a dict, a Decimal stays one in Python and is a text
over HTTP) and are read again by the machine on the way in, which believes nothing.
"""

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import attrs

from wfc.activities import Context, Failure, NotSent, Stopped
from wfc.engine.wire import Outcome
from wfc.ir.machine import OperationDef
from wfc.ir.types import Secret
from wfc.machine.program import Program
from wfc.machine.store import pack

SYSTEM = ("Timeout", "Unavailable", "Invalid")
LONGEST = 500  # characters of what is told of an exception
THREADS = 200  # of a service: its methods that are not `async` run in these
BODY = 10_000_000  # bytes of an answer


class ServiceError(Exception):
    """The activities or secrets that were given do not fit the machine; the text says what is missing."""


@attrs.frozen
class Attempt:
    """An attempt that is to be made. `args` are values of the language."""

    program: Program
    target: str
    instance: str
    key: str
    call: str
    attempt: int
    args: tuple[Any, ...]
    timeout: int | None
    context: Context

    @property
    def operation(self) -> OperationDef:
        """What is called; only a simulation is asked for workflows."""
        return self.program.operations[self.target]


class Service(Protocol):
    """Something that answers attempts."""

    async def perform(self, attempt: Attempt) -> Outcome:
        """How the attempt has ended; raises what the user's code raises."""


def unavailable(detail: str, *, sent: bool) -> Outcome:
    """An attempt of which nothing came back."""
    return {"kind": "system", "value": "Unavailable", "sent": sent, "detail": detail[:LONGEST]}


def outcome_of(error: BaseException) -> Outcome:
    """How an attempt has ended that has raised something."""
    if isinstance(error, Stopped):
        return {"kind": "cancelled"}
    if isinstance(error, NotSent):
        return unavailable(str(error), sent=False)
    if isinstance(error, Failure):
        if error.name in SYSTEM:
            return {"kind": "system", "value": error.name, "sent": True, "detail": str(error)[:LONGEST]}
        return {"kind": "error", "value": pack({"is": error.name, **error.fields})}
    if isinstance(error, TimeoutError):
        return {"kind": "system", "value": "Timeout", "sent": True}
    return unavailable(f"{type(error).__name__}: {error}", sent=True)


# ----------------------------------------------------------------------------------------------------------- in Python


class PythonService:
    """A method of the user's object for each operation."""

    def __init__(self, target: object) -> None:
        self.target = target
        self.threads = ThreadPoolExecutor(THREADS)

    async def perform(self, attempt: Attempt) -> Outcome:
        """Calls the method; one that is not `async` runs in a thread."""
        name = attempt.operation.name.rpartition(".")[2]
        method = getattr(self.target, name)
        given = [plain(value) for value in attempt.args]
        if takes_context(method, len(given)):
            given.append(attempt.context)
        if inspect.iscoroutinefunction(method):
            value = await method(*given)
        else:
            value = await asyncio.get_running_loop().run_in_executor(self.threads, partial(method, *given))
            if inspect.isawaitable(value):
                value = await value
        return {"kind": "value", "value": pack(value)}


def takes_context(method: Callable[..., Any], given: int) -> bool:
    """Whether a method has a parameter behind those of its operation."""
    try:
        params = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = [p for p in params if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) > given or any(p.kind is p.VAR_POSITIONAL for p in params)


def plain(value: Any) -> Any:  # noqa: ANN401 - values of the language
    """A value as Python's own: lists for lists."""
    match value:
        case tuple():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return value


def check_python(program: Program, activities: object, elsewhere: Callable[[str], bool]) -> None:
    """Every operation has its method; raises ServiceError with all that are missing."""
    missing = []
    for operation in program.machine.operations:
        if operation.kind == "task" or elsewhere(operation.service):
            continue
        service = getattr(activities, operation.service.rpartition(".")[2], None)
        method = getattr(service, operation.name.rpartition(".")[2], None)
        if not callable(method):
            missing.append(operation.name)
    if missing:
        raise ServiceError(f"the activities lack {', '.join(f'`{name}`' for name in missing)}")


# ----------------------------------------------------------------------------------------------------------- over HTTP


class HttpService:
    """`service S at "https://..."`: `POST {address}/{operation}`, arguments by name, the key in a header.

    2xx with JSON, or 204, is the result. `application/problem+json` whose `type` names a declared error raises that,
    with the other members as its fields. Another 4xx is `Invalid`; everything else is `Unavailable`, and `Timeout` if
    the time is over.
    """

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        import httpx  # noqa: PLC0415 - only where a service is called over HTTP

        self.address = address.rstrip("/")
        self.client = httpx.AsyncClient(headers=dict(headers), timeout=None, follow_redirects=False)  # noqa: S113 - the worker ends attempts

    async def perform(self, attempt: Attempt) -> Outcome:
        """Sends the request."""
        import httpx  # noqa: PLC0415 - only where a service is called over HTTP

        operation = attempt.operation
        write = attempt.program.boundary.write
        body = {
            param.name: value if isinstance(param.type, Secret) else write(value, param.type)
            for param, value in zip(operation.params, attempt.args, strict=True)
        }
        url = f"{self.address}/{operation.name.rpartition('.')[2]}"
        headers = {
            "Idempotency-Key": attempt.key,
            "Wfc-Instance": attempt.instance,
            "Wfc-Attempt": str(attempt.attempt),
            "Content-Type": "application/json",
        }
        try:
            answer = await self.client.post(url, content=json.dumps(body), headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return unavailable(f"{url} cannot be reached: {error}", sent=False)
        except httpx.HTTPError as error:
            return unavailable(f"{type(error).__name__}: {error}", sent=True)
        return self._read(operation, answer.status_code, answer.headers.get("content-type", ""), answer.content)

    def _read(self, operation: OperationDef, status: int, kind: str, content: bytes) -> Outcome:
        if len(content) > BODY:
            return {"kind": "system", "value": "Invalid", "sent": True, "detail": "the answer is too long"}
        data: Any = None
        if content:
            try:
                data = json.loads(content, parse_float=str)
            except ValueError:
                if status < 400:  # noqa: PLR2004 - HTTP
                    return {"kind": "system", "value": "Invalid", "sent": True, "detail": "the answer is no JSON"}
        if status < 300:  # noqa: PLR2004 - HTTP
            return {"kind": "value", "value": pack(data)}
        if kind.startswith("application/problem+json") and isinstance(data, dict):
            name = str(data.get("type", "")).rstrip("/").rpartition("/")[2].rpartition(":")[2]
            if name in operation.raises:
                told = {"type", "title", "status", "detail", "instance"}
                fields = {key: value for key, value in data.items() if key not in told}
                return {"kind": "error", "value": pack({"is": name, **fields})}
        detail = f"HTTP {status}"
        if status in (408, 425, 429) or status >= 500:  # noqa: PLR2004 - HTTP: later it may work
            return unavailable(detail, sent=status not in (425, 429))
        return {"kind": "system", "value": "Invalid", "sent": True, "detail": detail}
