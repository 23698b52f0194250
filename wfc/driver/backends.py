"""The backends: found by listing `wfc.backends`, and from outside by the entry point group of that name."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, cast

import wfc.backends
from wfc.ir.machine import Machine
from wfc.text.output import Output
from wfc.text.source import Span

GROUP = "wfc.backends"
HOSTED = "typescript"  # the target whose code runs on a host
HOSTS = ("node", "temporal")


class Backend(Protocol):
    """A module or object that turns a machine into files."""

    name: str

    def unsupported(self, machine: Machine, /) -> tuple[tuple[str, Span | None], ...]:
        """What it cannot do, each by a name and the place that needs it."""

    def emit(self, machine: Machine, /) -> tuple[Output, ...]:
        """The files of a machine; pure and deterministic."""


def names() -> tuple[str, ...]:
    """The targets there are."""
    return tuple(sorted({*_own(), *_foreign()}))


def _own() -> dict[str, str]:
    """Our own targets, with the modules they lie in; `json_` is called so because of Python's module."""
    found = (info.name for info in iter_modules(wfc.backends.__path__) if not info.name.startswith("_"))
    return {name.rstrip("_"): f"{GROUP}.{name}" for name in found}


def _foreign() -> dict[str, Any]:
    """The targets that other packages bring."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - it costs twice what bare Python does

    return {point.name: point for point in entry_points(group=GROUP)}


def backends(targets: Iterable[str], host: str = HOSTS[0]) -> Iterator[Backend]:
    """The backends of some targets, which all exist. `host` is what runs the TypeScript."""
    own = _own()
    for target in targets:
        module = import_module(own[target]) if target in own else _foreign()[target].load()
        hosted = module.hosted(host) if target == HOSTED else None
        yield cast("Backend", hosted or module)
