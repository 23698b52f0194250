"""Rebuilds values of the machine with some parts changed; what stays equal stays the same object."""

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from wfc.text.value import Value

V = TypeVar("V")


def _fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields that can hold parts."""
    return tuple(f.name for f in attrs.fields(kind) if f.eq)


def rewrite(item: V, kinds: tuple[type[Any], ...], change: Callable[[Any], Any]) -> V:
    """A value with every part of some classes changed, inside out."""
    found: V = _rewrite(item, kinds, change)
    return found


def _rewrite(item: Any, kinds: tuple[type[Any], ...], change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - any part
    if type(item) is tuple:
        parts = tuple(_rewrite(part, kinds, change) for part in item)
        return item if all(a is b for a, b in zip(parts, item, strict=True)) else parts
    if not isinstance(item, Value):
        return item
    changes: dict[str, Any] = {}
    for name in _fields(type(item)):
        old = getattr(item, name)
        if type(old) is tuple or isinstance(old, Value):
            new = _rewrite(old, kinds, change)
            if new is not old:
                changes[name] = new
    if changes:
        item = attrs.evolve(item, **changes)  # type: ignore[misc]  # a value is an attrs class
    return change(item) if isinstance(item, kinds) else item
