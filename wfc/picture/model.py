"""Boxes and arrows: a picture of a process, whatever language it is written down in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Shape = Literal["start", "end", "round", "box", "task", "double", "diamond", "hexagon", "slanted"]
Kind = Literal["", "state", "activity", "gateway", "undo", "good", "bad", "scope"]
Style = Literal["plain", "back", "beside"]


@dataclass(frozen=True)
class Box:
    """Something in the picture. Of `lines` the first is its name, the others stand smaller."""

    id: str
    shape: Shape
    lines: tuple[str, ...] = ()
    kind: Kind = ""


@dataclass(frozen=True)
class Arrow:
    """From a box or group to another. `back` leads to a rollback or away from a failure, `beside` starts a block."""

    source: str
    target: str
    text: str = ""
    style: Style = "plain"


@dataclass(frozen=True)
class Group:
    """A frame with a title around some of the picture."""

    id: str
    title: str
    items: list["Item"] = field(default_factory=list)


Item = Box | Arrow | Group


@dataclass(frozen=True)
class Picture:
    """One picture. `path` is that of the scope it shows, or empty for the whole process."""

    title: str
    path: str
    items: list[Item] = field(default_factory=list)

    def walk(self) -> Iterator[tuple[int, Item]]:
        """Everything in the order of drawing, with how many groups are around it. A group comes before its items."""
        yield from _walk(self.items, 0)

    @property
    def arrows(self) -> int:
        """How many there are."""
        return sum(isinstance(item, Arrow) for _, item in self.walk())


def _walk(items: list[Item], depth: int) -> Iterator[tuple[int, Item]]:
    for item in items:
        yield depth, item
        if isinstance(item, Group):
            yield from _walk(item.items, depth + 1)
