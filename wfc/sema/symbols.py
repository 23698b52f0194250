"""What a name stands for: symbols by module and space, and how qualified names are looked up."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from wfc.syntax import nodes as ast
from wfc.text.source import SourceFile, Span

Declared = (
    ast.TypeAlias
    | ast.RecordDecl
    | ast.EnumDecl
    | ast.ErrorDecl
    | ast.ErrorGroup
    | ast.ConstDecl
    | ast.SecretDecl
    | ast.FnDecl
    | ast.EventDecl
    | ast.ServiceDecl
    | ast.PolicyDecl
    | ast.ResourceDecl
    | ast.QueueDecl
    | ast.MetricDecl
    | ast.WorkflowDecl
)

KIND_NAMES: dict[type, str] = {
    ast.TypeAlias: "type",
    ast.RecordDecl: "record",
    ast.EnumDecl: "enum",
    ast.ErrorDecl: "error",
    ast.ErrorGroup: "error group",
    ast.ConstDecl: "constant",
    ast.SecretDecl: "secret",
    ast.FnDecl: "function",
    ast.EventDecl: "event",
    ast.ServiceDecl: "service",
    ast.PolicyDecl: "policy",
    ast.ResourceDecl: "resource",
    ast.QueueDecl: "queue",
    ast.MetricDecl: "metric",
    ast.WorkflowDecl: "workflow",
}


@dataclass(frozen=True, eq=False)
class Symbol:
    """A declaration in its module."""

    module: "ModuleInfo"
    decl: Declared

    @property
    def name(self) -> str:
        return self.decl.name.text

    @property
    def qualified(self) -> str:
        """`module.Name`, unique in a project within its space."""
        return f"{self.module.name}.{self.decl.name.text}"

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return KIND_NAMES[type(self.decl)]

    @property
    def at(self) -> Span:
        """The place of its name."""
        return self.module.at(self.decl.name)


@dataclass(eq=False)
class ModuleInfo:
    """A module: its tree, what it declares by space, and what its imports make readable."""

    name: str
    source: SourceFile
    tree: ast.Module
    library: bool = False
    types: dict[str, Symbol] = field(default_factory=dict)
    faults: dict[str, Symbol] = field(default_factory=dict)  # errors and events
    values: dict[str, Symbol] = field(default_factory=dict)
    modules: dict[str, "ModuleInfo"] = field(default_factory=dict)  # by the prefix under which they are readable
    imported: dict[str, ast.Name] = field(default_factory=dict)  # names and prefixes brought in, for unused-name
    used: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)  # names and prefixes whose import failed: told there, once

    def at(self, node: ast.Node) -> Span:
        """The place of a node of this module."""
        return Span(self.source, node.start, node.end)

    def space(self, name: str) -> dict[str, Symbol]:
        """The symbols of a space: `types`, `faults` or `values`."""
        return {"types": self.types, "faults": self.faults, "values": self.values}[name]

    def find(self, space: str, qname: ast.QName) -> Symbol | None:
        """The symbol a qualified name stands for here."""
        symbol, rest = self.find_prefix(space, tuple(part.text for part in qname.parts))
        return symbol if symbol is not None and not rest else None

    def find_prefix(self, space: str, parts: tuple[str, ...]) -> tuple[Symbol | None, tuple[str, ...]]:
        """The symbol that the first parts stand for, and the parts behind it."""
        own = self.space(space).get(parts[0])
        if own is not None:
            self.used.add(parts[0])
            return own, parts[1:]
        for length in range(len(parts) - 1, 0, -1):
            prefix = ".".join(parts[:length])
            module = self.modules.get(prefix)
            if module is not None:
                self.used.add(prefix)
                symbol = module.space(space).get(parts[length])
                if symbol is not None and symbol.module is module:
                    return symbol, parts[length + 1 :]
        return None, parts

    def queues(self) -> Iterator[str]:
        """The names of its own queues."""
        own = (symbol for symbol in self.values.values() if symbol.module is self)
        yield from (symbol.name for symbol in own if isinstance(symbol.decl, ast.QueueDecl))

    def readable(self, space: str) -> Iterator[str]:
        """All names of a space that can be written here."""
        yield from self.space(space)
        for prefix, module in self.modules.items():
            for name, symbol in module.space(space).items():
                if symbol.module is module:
                    yield f"{prefix}.{name}"
