"""What is known at a point of a program: names with their types, and facts about the forms their values can have."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from wfc.ir.expressions import RefKind
from wfc.ir.types import Type

Path = tuple[str, ...]
Forms = frozenset[str]  # the cases, errors, `some` and `none` that a value may still be


@dataclass(frozen=True)
class Binding:
    """A readable name: its kind and type."""

    kind: RefKind
    type: Type


@dataclass(frozen=True)
class Env:
    """Names assigned here, by region from the inside out, and facts.

    `known` are names that are bound somewhere in the region but not on every path here. Values are shared, never
    changed: each change makes a new Env.
    """

    names: dict[str, Binding] = field(default_factory=dict)
    facts: dict[Path, Forms] = field(default_factory=dict)
    outer: "Env | None" = None
    known: frozenset[str] = frozenset()

    def find(self, name: str) -> Binding | None:
        """The binding of an assigned name."""
        env: Env | None = self
        while env is not None:
            found = env.names.get(name)
            if found is not None:
                return found
            env = env.outer
        return None

    def is_known(self, name: str) -> bool:
        """Whether the name is bound somewhere around, assigned here or not."""
        env: Env | None = self
        while env is not None:
            if name in env.known or name in env.names:
                return True
            env = env.outer
        return False

    def fact(self, path: Path) -> Forms | None:
        """What is known of the forms of a path."""
        env: Env | None = self
        while env is not None:
            if path in env.facts:
                return env.facts[path]
            if path[0] in env.names:
                return None
            env = env.outer
        return None

    def bind(self, name: str, binding: Binding) -> "Env":
        """With a name bound (again): facts about what it was are gone."""
        facts = {path: forms for path, forms in self.facts.items() if path[0] != name}
        return replace(self, names={**self.names, name: binding}, facts=facts)

    def learn(self, facts: dict[Path, Forms]) -> "Env":
        """With more facts; what was known before narrows them."""
        if not facts:
            return self
        merged = dict(self.facts)
        for path, forms in facts.items():
            older = self.fact(path)
            merged[path] = forms if older is None else older & forms
        return replace(self, facts=merged)

    def step(self) -> "Env":
        """At the next step: facts about variables do not last."""
        stale = [path for path in self.facts if (b := self.find(path[0])) is None or b.kind in {"var", "view"}]
        if not stale:
            return self
        return replace(self, facts={path: forms for path, forms in self.facts.items() if path not in stale})

    def without_facts(self, names: frozenset[str]) -> "Env":
        """Without what is known of some names."""
        return replace(self, facts={path: forms for path, forms in self.facts.items() if path[0] not in names})

    def inner(self, known: frozenset[str] = frozenset()) -> "Env":
        """The start of a region inside this one."""
        return Env({}, {}, self, known)

    def all_names(self) -> set[str]:
        """Every name that can be read here."""
        names: set[str] = set()
        env: Env | None = self
        while env is not None:
            names.update(env.names)
            env = env.outer
        return names


def join(a: Env | None, b: Env | None, merge: Callable[[Type, Type], Type]) -> Env | None:
    """What holds on both paths: names assigned on both, facts as wide as either."""
    if a is None or b is None:
        return a or b
    if a is b:
        return a
    names: dict[str, Binding] = {}
    for name, binding in a.names.items():
        other = b.names.get(name)
        if other is binding or other == binding:
            names[name] = binding
        elif other is not None:
            names[name] = Binding(binding.kind, merge(binding.type, other.type))
    facts: dict[Path, Forms] = {}
    for path in a.facts.keys() | b.facts.keys():
        mine, yours = a.fact(path), b.fact(path)
        if mine is not None and yours is not None:
            facts[path] = mine | yours
    return Env(names, facts, a.outer, a.known | b.known)
