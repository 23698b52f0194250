"""Frozen attrs classes that are cheap to define: the base of every node, type and problem.

Defining a full frozen attrs class costs a fifth of bare Python's start-up per hundred classes; most of that is the
generated `__eq__`, `__hash__` and `__repr__`. `@value` generates only `__init__`, and `Value` supplies the other three
once, driven by the same attrs fields: fields declared with `eq=False` stay out of all of them.
"""

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform, overload

import attrs
from attrs import field

__all__ = ["Value", "changed", "field", "value"]

C = TypeVar("C", bound=type)
V = TypeVar("V", bound="Value")


class Value:
    """Structural equality, hash and text over the attrs fields that take part in `==`."""

    __slots__ = ()

    def _compared(self) -> tuple[object, ...]:
        return tuple(getattr(self, f.name) for f in _fields(type(self)) if f.eq)

    def __eq__(self, other: object) -> bool:
        """Equal class and equal compared fields."""
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        """Hash of the class and the compared fields."""
        return hash((type(self), self._compared()))

    def __repr__(self) -> str:
        """`Class(field=..., ...)` with the compared fields only."""
        shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in _fields(type(self)) if f.eq)
        return f"{type(self).__name__}({shown})"


def _fields(cls: type[Any]) -> "tuple[attrs.Attribute[Any], ...]":
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return fields


@overload
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: C) -> C: ...
@overload
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(*, kw_only: bool = False) -> Callable[[C], C]: ...
def value(cls: C | None = None, *, kw_only: bool = False) -> C | Callable[[C], C]:
    """Class decorator: a frozen, slotted attrs class whose equality and text come from `Value`."""

    def wrap(cls: C) -> C:
        return attrs.define(cls, frozen=True, eq=False, repr=False, kw_only=kw_only)

    return wrap if cls is None else wrap(cls)


def changed(of: V, **fields: Any) -> V:  # noqa: ANN401 - whatever the fields hold
    """The same value with other fields."""
    return attrs.evolve(of, **fields)  # type: ignore[misc]  # every value is an attrs class
