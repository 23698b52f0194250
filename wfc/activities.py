"""For those who write activities in Python: what they are handed, and how they say that something went wrong.

An activity is a method of an object that stands for its service:

    class Payments:
        async def charge(self, order: str, amount: Decimal, context: Context) -> dict[str, object]:
            ...
            raise Failure("CardDeclined", reason="limit")

It may be `async` or not; one that is not runs in a thread. The last parameter, `context`, may be left out. What it
returns and the fields of errors are looked at against the declaration. Any other exception counts as `Unavailable`, of
which nobody knows whether it did something.

`wfc compile --target python` writes all this for one process as types, `wfc scaffold --target python` a first version.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Answer: TypeAlias = T | Awaitable[T]  # what a method gives that may be `async` or not

Duration: TypeAlias = int  # milliseconds
Instant: TypeAlias = int  # milliseconds since 1970, in UTC
Date: TypeAlias = str  # "2026-01-31"


class Failure(Exception):  # noqa: N818 - the word of the language is error, that of Python exception
    """A business error that the operation declares: certainly nothing was done. `Invalid`: never try again."""

    def __init__(self, name: str, /, **fields: Any) -> None:  # noqa: ANN401 - values of the language
        super().__init__(name)
        self.name = name
        self.fields = fields


class NotSent(Exception):  # noqa: N818 - says what has happened
    """The request certainly did not reach the service: it is `Unavailable`, and may be tried again."""


class Stopped(Exception):  # noqa: N818 - says what has happened
    """Asked to stop, the activity has stopped, and certainly nothing was done."""


class NotWritten(NotImplementedError):  # noqa: N818 - says what has happened
    """Stands where an activity is still to be written: nothing was done, and it is not tried again (`Invalid`)."""


class OutgoingEvent:
    """An event that the process sends out. `id` is the same whenever the same event is handed over."""

    def __init__(self, name: str, fields: dict[str, Any], instance: str, identity: str) -> None:
        self.name = name
        self.fields = fields
        self.instance = instance
        self.id = identity


class Context:
    """What an activity may want to know. `key` is the idempotency key: the same in all attempts of a call."""

    def __init__(self, key: str, instance: str, attempt: int, beat: Callable[[], None]) -> None:
        self.key = key
        self.instance = instance
        self.attempt = attempt
        self._beat = beat
        self.stopping = asyncio.Event()  # set when nobody waits for the answer any more

    def heartbeat(self) -> None:
        """Says that the attempt is alive, for policies with `heartbeat`."""
        self._beat()
