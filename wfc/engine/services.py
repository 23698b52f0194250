"""Who answers attempts: the user's Python, HTTP, or a simulation. Each gives an outcome, whatever happens.

Values of the language become plain data on the way out (a record is a dict, a Decimal stays one in Python and is a text
over HTTP) and are read again by the machine on the way in, which believes nothing.
"""

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol

import attrs

from wfc.activities import Context, Failure, NotSent, NotWritten, Stopped
from wfc.engine.wire import Outcome
from wfc.ir.machine import OperationDef
from wfc.ir.python_names import PythonNames
from wfc.ir.types import Secret
from wfc.machine.program import Program
from wfc.machine.store import pack
from wfc.text.names import listed

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
    if isinstance(error, NotWritten):
        return {"kind": "system", "value": "Invalid", "sent": False, "detail": str(error) or "this is not written yet"}
    if isinstance(error, Failure):
        if error.name in SYSTEM:
            return {"kind": "system", "value": error.name, "sent": True, "detail": str(error)[:LONGEST]}
        return {"kind": "error", "value": pack({"is": error.name, **error.fields})}
    if isinstance(error, TimeoutError):
        return {"kind": "system", "value": "Timeout", "sent": True}
    return unavailable(f"{type(error).__name__}: {error}", sent=True)


# ----------------------------------------------------------------------------------------------------------- in Python


class PythonService:
    """A method of the user's object for each operation; `names` are those of the methods, by operation."""

    def __init__(self, target: object, names: Mapping[str, str]) -> None:
        self.target = target
        self.names = names
        self.threads = ThreadPoolExecutor(THREADS)

    async def perform(self, attempt: Attempt) -> Outcome:
        """Calls the method; one that is not `async` runs in a thread."""
        method = getattr(self.target, self.names[attempt.operation.name])
        given = [plain(_opened(attempt, place)) for place in range(len(attempt.args))]
        if takes_context(method, len(given)):
            given.append(attempt.context)
        if inspect.iscoroutinefunction(method):
            value = await method(*given)
        else:
            value = await asyncio.get_running_loop().run_in_executor(
                self.threads, partial(copy_context().run, method, *given)
            )
            if inspect.isawaitable(value):
                value = await value
        return {"kind": "value", "value": pack(value)}


def _opened(attempt: Attempt, place: int) -> Any:  # noqa: ANN401 - values of the language
    """What is given: a secret comes as data, and is read like everything from outside."""
    kind = attempt.operation.params[place].type
    value = attempt.args[place]
    return attempt.program.boundary.read(value, kind.inner) if isinstance(kind, Secret) else value


def takes_context(method: Callable[..., Any], given: int) -> bool:
    """Whether a method has a parameter for the context, behind those of its operation.

    One with a default is the user's own, unless it is called `context`.
    """
    try:
        params = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return False
    if any(each.kind is each.VAR_POSITIONAL for each in params):
        return True
    behind = [each for each in params if each.kind in _BY_PLACE][given : given + 1]
    return any(each.default is each.empty or each.name == "context" for each in behind)


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def plain(value: Any) -> Any:  # noqa: ANN401 - values of the language
    """A value as Python's own: lists for lists."""
    match value:
        case tuple():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return value


def attribute_of(target: object, name: str) -> Any:  # noqa: ANN401 - the user's
    """An attribute of the user's object, or None; raises ServiceError where reading it raises something."""
    try:
        return getattr(target, name, None)
    except Exception as error:  # noqa: BLE001 - a property of the user's may raise anything
        raise ServiceError(f"`{name}` of the activities cannot be read: {type(error).__name__}: {error}") from None


def check_python(program: Program, activities: object, elsewhere: Callable[[str], bool]) -> None:
    """Every operation has its method, which takes what it is given; raises ServiceError with all that is wrong."""
    names = PythonNames(program.machine)
    wrong: list[str] = []
    for service, attribute in names.services.items():
        if elsewhere(service):
            continue
        operations = names.called[service]
        target = attribute_of(activities, attribute)
        if target is None:
            methods = listed(f"`{names.operations[each.name]}`" for each in operations)
            wrong.append(f"there is no `{attribute}`, with {methods}")
        elif isinstance(target, type):
            wrong.append(f"`{attribute}` is a class: an object of it is needed, `{target.__name__}()`")
        else:
            for operation in operations:
                method = attribute_of(target, names.operations[operation.name])
                said = _misfit(method, operation)
                if said:
                    wrong.append(f"`{attribute}.{names.operations[operation.name]}` {said}")
    if wrong:
        raise ServiceError("the activities do not fit:" + "".join(f"\n  {each}" for each in wrong))


def _misfit(method: Any, operation: OperationDef) -> str:  # noqa: ANN401 - the user's
    """Why a method cannot be called for an operation; empty if it can."""
    if method is None or getattr(method, "__isabstractmethod__", False):
        return "is missing"
    if not callable(method):
        return "is no method"
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return ""  # one that is written in C says nothing of it
    count = len(operation.params)
    given = count + takes_context(method, count)
    try:
        signature.bind(*range(given))
    except TypeError:
        names = ", ".join([*(param.name for param in operation.params), "context"])
        return f"is called with ({names}), and takes {signature}; the context may be left out"
    return ""


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
