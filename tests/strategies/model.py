"""What a generated program consists of: types, declarations, names in scope, and blocks of text that nest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property


@dataclass(frozen=True)
class Type:
    """A type by its name and arguments; `fields` are those of the record without a name that a `parallel` gives."""

    name: str
    args: tuple["Type", ...] = ()
    fields: tuple[tuple[str, "Type"], ...] = ()

    def __str__(self) -> str:
        if self.name == "?":
            return f"{self.args[0]}?"
        if self.name == "Map":
            return f"Map<Text, {self.args[0]}>"
        return f"{self.name}<{', '.join(map(str, self.args))}>" if self.args else self.name

    @property
    def is_optional(self) -> bool:
        return self.name == "?"

    @property
    def is_list(self) -> bool:
        return self.name == "List"

    @property
    def item(self) -> "Type":
        """What a list, a map or an optional value is made of."""
        return self.args[0]


TEXT, INT, DECIMAL, BOOL = Type("Text"), Type("Int"), Type("Decimal"), Type("Bool")
DURATION, INSTANT, DATE, EUR = Type("Duration"), Type("Instant"), Type("Date"), Type("Money", (Type("EUR"),))
USD = Type("Money", (Type("USD"),))
BASIC = (INT, TEXT, BOOL, DECIMAL, EUR, DURATION, DATE, INSTANT, USD)
ORDERED = (INT, TEXT, DECIMAL, EUR, DURATION, DATE, INSTANT)
SUMMED = (INT, DECIMAL, EUR, DURATION)
SHOWN = (TEXT, INT, DECIMAL, BOOL, EUR, USD, DURATION, INSTANT, DATE)
ERROR, QUEUE, NOTHING = Type("Error"), Type("Queue"), Type("Nothing")


def list_of(item: Type) -> Type:
    return Type("List", (item,))


def map_of(item: Type) -> Type:
    return Type("Map", (item,))


def optional(inner: Type) -> Type:
    return inner if inner.is_optional else Type("?", (inner,))


def settled(inner: Type) -> Type:
    return Type("Settled", (inner,))


def is_built(kind: Type) -> bool:
    """Whether a value of the type can be written down: maps and what a `join settled` gives come from elsewhere."""
    if kind.name in {"?", "List"}:
        return is_built(kind.item)
    return kind.name not in {"Map", "Settled", "Error", "Errors", "Fields", "Case"}


def errors_of(names: Iterable[str]) -> Type:
    """The type of what a `catch` of some errors binds."""
    return Type("Errors", tuple(Type(name) for name in sorted(names)))


# -- declarations


@dataclass(frozen=True)
class Field:
    """A field or parameter. A refined one takes positive whole numbers."""

    name: str
    type: Type
    default: str = ""
    refined: bool = False
    mark: str = ""
    written: str = ""  # the name of an alias

    def __str__(self) -> str:
        default = f" = {self.default}" if self.default else ""
        where = f" where {self.name} > 0" if self.refined else ""
        return f"{self.mark}{self.name}: {self.written or self.type}{default}{where}"


Fields = tuple[Field, ...]


def params(fields: Fields) -> str:
    """Fields as they stand in parentheses."""
    return f"({', '.join(map(str, fields))})"


@dataclass(frozen=True)
class Event:
    """An event; its first field is its key."""

    name: str
    fields: Fields
    mode: str


@dataclass(frozen=True)
class Function:
    name: str
    fields: Fields
    result: Type


@dataclass(frozen=True)
class Operation:
    """An operation as calls see it. `undo` says what stands behind it: call, none, irreversible, or nothing at all."""

    service: str
    name: str
    kind: str
    fields: Fields
    result: Type | None
    raises: tuple[str, ...]
    undo: str = ""
    keyed: bool = False
    optional: bool = False
    answers: bool = True  # may end in Timeout or Unavailable

    @property
    def called(self) -> str:
        return f"{self.service}.{self.name}"


@dataclass(frozen=True)
class Child:
    """A workflow as those see it that start it."""

    name: str
    fields: Fields
    result: Type | None
    raises: tuple[str, ...]
    locks: bool
    pivots: bool
    keyed: bool


@dataclass(frozen=True)
class World:
    """Everything that is declared so far."""

    records: dict[str, Fields] = field(default_factory=dict)
    enums: dict[str, dict[str, Fields]] = field(default_factory=dict)
    errors: dict[str, Fields] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    functions: tuple[Function, ...] = ()
    operations: tuple[Operation, ...] = ()
    children: tuple[Child, ...] = ()
    policies: dict[str, str] = field(default_factory=dict)  # how each is named in a `with`
    queues: tuple[str, ...] = ()
    secrets: dict[str, Type] = field(default_factory=dict)
    resources: tuple[tuple[str, int, Fields], ...] = ()
    metrics: tuple[tuple[str, str, Type], ...] = ()

    def fields(self, kind: Type) -> tuple[tuple[str, Type], ...]:
        """What can be read of every value of a type."""
        if kind.fields:
            return kind.fields
        if kind.name == "Errors" and len(kind.args) == 1 and kind.args[0].name in self.errors:
            return tuple((f.name, f.type) for f in self.errors[kind.args[0].name])
        if kind.name in self.records:
            return tuple((f.name, f.type) for f in self.records[kind.name])
        if kind.name in self.events:
            return tuple((f.name, f.type) for f in self.events[kind.name].fields)
        return ()

    def cases(self, kind: Type) -> dict[str, Fields]:
        """The cases of an enum."""
        if kind.name == "Settled":
            return {"Ok": (Field("value", kind.item),), "Failed": (Field("error", ERROR),)}
        return self.enums.get(kind.name, {})


# -- names in scope

Path = tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """What can be read at a point. `asked` are optional paths of which something may be known: they are left alone."""

    world: World
    names: dict[str, Type] = field(default_factory=dict)
    asked: frozenset[Path] = frozenset()
    settable: frozenset[str] = frozenset()
    clock: bool = False
    constants: frozenset[str] = frozenset()  # nothing is ever known about these

    def bind(self, name: str, kind: Type) -> "Scope":
        return replace(self, names={**self.names, name: kind})

    def bind_all(self, fields: Iterable[tuple[str, Type]]) -> "Scope":
        return replace(self, names={**self.names, **dict(fields)})

    def ask(self, paths: Iterable[Path]) -> "Scope":
        return replace(self, asked=self.asked | frozenset(paths))

    def without_writing(self) -> "Scope":
        """Inside a branch or an iteration: the variables around are read only."""
        return replace(self, settable=frozenset())

    def timeless(self) -> "Scope":
        """For a key, which must not read the clock."""
        return replace(self, clock=False)

    @cached_property
    def paths(self) -> tuple[tuple[str, Type, Path], ...]:
        """Everything readable by a name and at most two fields: how it is written, its type, its path."""
        found: list[tuple[str, Type, Path]] = []
        for name, kind in self.names.items():
            self._paths((name,), kind, 2, found)
        return tuple(found)

    def _paths(self, path: Path, kind: Type, depth: int, found: list[tuple[str, Type, Path]]) -> None:
        if path in self.asked and kind.is_optional:
            return
        found.append((".".join(path), kind, path))
        if depth:
            for name, inner in self.world.fields(kind):
                self._paths((*path, name), inner, depth - 1, found)

    @cached_property
    def by_type(self) -> dict[Type, list[str]]:
        """How the values of each type are written that can be read."""
        found: dict[Type, list[str]] = {}
        for text, kind, _ in self.paths:
            found.setdefault(kind, []).append(text)
        return found


def meet(scopes: Iterable[Scope]) -> Scope:
    """What holds on every way: the names of all, and whatever was asked on any."""
    first, *rest = scopes
    for other in rest:
        names = {name: kind for name, kind in first.names.items() if other.names.get(name) == kind}
        first = replace(first, names=names, asked=first.asked | other.asked, settable=first.settable & other.settable)
    return first


# -- text


@dataclass(frozen=True)
class Block:
    """Lines in braces behind a head."""

    head: str
    items: tuple["Item", ...]
    tail: str = ""
    offset: str = ""


Item = str | Block
Items = tuple[Item, ...]


def lines(items: Iterable[Item], indent: str = "") -> Iterator[str]:
    """The text of items, one line a step."""
    for item in items:
        if isinstance(item, str):
            yield indent + item
        elif not item.items:
            yield f"{indent}{item.offset}{item.head} {{ }}{item.tail}"
        else:
            yield f"{indent}{item.offset}{item.head} {{"
            yield from lines(item.items, f"{indent}{item.offset}  ")
            yield f"{indent}{item.offset}}}{item.tail}"
