"""Where a step of a generated program stands, and what may be written there."""

from dataclasses import dataclass, field, replace

from tests.strategies.model import Fields, Items, Scope, Type


@dataclass(eq=False)
class Raised:
    """Errors that leave a part of a program: the business's by name, and whether the system's may be among them.

    `waits` says whether something in it waits, so that a guard around can fire.
    """

    errors: set[str] = field(default_factory=set)
    system: bool = False
    waits: bool = False

    def add(self, other: "Raised") -> None:
        self.errors |= other.errors
        self.system = self.system or other.system
        self.waits = self.waits or other.waits


@dataclass(eq=False)
class Region:
    """A region being made: the scopes with which its nodes are entered, and the type of the value it gives.

    A workflow says which type its value has (`declared`), other regions have that of their first `done`. Behind a scope
    without a value comes the same arrow whatever has happened in it (`blind`): it does not take back what it has done.
    """

    gives: Type | None = None
    declared: bool = False
    blind: bool = False
    entries: dict[str, list[Scope]] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)  # by an arrow of the flow itself


@dataclass(frozen=True)
class Place:
    """Where a block stands.

    `kind` is ordinary, tail (of a guard of a state or region), also (beside the flow) or undo. Arrows may lead to
    `targets`, nodes of `region`; `done` completes `ends`. What is `repeated` may run beside itself or again, `iterated`
    again within one visit, `cyclic` again without bound.
    """

    region: Region
    ends: Region | None
    raised: Raised
    kind: str = "ordinary"
    targets: tuple[str, ...] = ()
    repeated: bool = False
    cyclic: bool = False
    iterated: bool = False
    rank: int = 0
    depth: int = 0

    @property
    def may_undo(self) -> bool:
        """Whether what has been done may be taken back here."""
        return self.ends is None or not self.ends.blind

    def inner(self, **changes: object) -> "Place":
        """A place inside, with changes."""
        return replace(self, depth=self.depth + 1, **changes)  # type: ignore[arg-type]  # fields by name


@dataclass(frozen=True)
class Made:
    """A block, and what can be read behind it; nothing if it always leaves."""

    items: Items
    after: Scope | None


@dataclass(frozen=True)
class Case:
    """An arm of a choice: how it is written, and what its tail reads."""

    head: str
    scope: Scope


@dataclass(frozen=True)
class Signature:
    """What a workflow takes and gives."""

    name: str
    fields: Fields
    result: Type | None
