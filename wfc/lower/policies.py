"""Policies resolved: which one a call has, its items gathered from parents and the project's defaults."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from wfc.ir import expressions as ir
from wfc.ir.machine import Breaker, PolicyDef, WrittenItem
from wfc.ir.types import DECIMAL, DURATION, INT, QUEUE
from wfc.lower.definitions import Definitions
from wfc.project.settings import Settings
from wfc.sema.model import Model
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast
from wfc.text.source import Span

DEFAULT = "project default"
DAY = 86_400_000
SECOND = 1_000
Find = Callable[[int], ir.Expr]
Bound = dict[str, ir.Expr]


@dataclass(frozen=True)
class Source:
    """A `with` and the module in which it stands; `find` gives its typed expressions."""

    node: ast.With
    module: ModuleInfo
    find: Find
    refs: dict[int, tuple[Symbol, tuple[ir.Expr, ...]]]


@dataclass(frozen=True)
class _Item:
    node: ast.PolicyItem
    module: ModuleInfo
    find: Find
    bound: Bound
    depth: int = 0

    def written(self) -> WrittenItem:
        """The item as it stands in the source."""
        values = [self.find(node.id) for node in self.node.values if node is not None]
        fixed = not any(isinstance(p, ir.Ref) and p.kind == "param" for v in values for p in ir.walk(v))
        return WrittenItem(self.node.kind, self.module.at(self.node), self.depth, fixed)

    def value(self, index: int) -> ir.Expr | None:
        if index >= len(self.node.values):
            return None
        node = self.node.values[index]
        return substitute(self.find(node.id), self.bound) if node is not None else None


class Policies:
    """The resolved policies of a machine, by name."""

    def __init__(self, model: Model, settings: Settings, definitions: Definitions) -> None:
        self.model = model
        self.settings = settings
        self.definitions = definitions
        self.found: dict[str, PolicyDef] = {}
        self._alike: dict[str, dict[PolicyDef, str]] = {}  # by the name that is told, and what it says: the name here
        self._names: dict[tuple[int, bool], str] = {}  # by the `with` and whether it is an undo's

    def resolve(self, source: Source | None, *, undo: bool = False) -> str:
        """The name of the policy that a `with` gives, or of the project's default."""
        key = (source.node.id if source is not None else -1, undo)
        found = self._names.get(key)
        if found is None:
            found = self._resolve(source, undo=undo)
            self._names[key] = found
        return found

    def _resolve(self, source: Source | None, *, undo: bool) -> str:
        items: dict[str, _Item] = {}
        declared, shown = DEFAULT, DEFAULT
        if source is not None:
            items, declared, shown = self._items(source)
        policy = self._policy(items, declared, _place(source), undo=undo)
        alike = self._alike.setdefault(shown, {})
        name = alike.get(policy)
        if name is None:
            number = len(alike) + 1
            name = f"{shown} ({number})" if number > 1 else shown
            while name in self.found:  # a policy with arguments may be told so too
                number += 1
                name = f"{shown} ({number})"
            alike[policy] = name
            self.found[name] = _named(policy, name)
        return name

    @cached_property
    def compensation(self) -> str:
        """The policy of an undo that names none: `std.policies.Compensation`."""
        module = self.model.modules.get("std.policies")
        symbol = module.values.get("Compensation") if module is not None else None
        if symbol is None or module is None:
            return self.resolve(None, undo=True)
        assert isinstance(symbol.decl, ast.PolicyDecl)
        args = tuple(p.default for p in self.definitions.signatures.fields(module, symbol.decl, symbol.decl.params))
        reference = ast.PolicyRef(0, 0, ast.QName(0, 0, (symbol.decl.name,)), ())
        refs = {reference.id: (symbol, tuple(arg for arg in args if arg is not None))}
        return self.resolve(Source(ast.With(0, 0, reference, ()), module, self._declared, refs), undo=True)

    def _declared(self, node: int) -> ir.Expr:
        return self.model.exprs[node]

    def _items(self, source: Source) -> tuple[dict[str, _Item], str, str]:
        """The items of a `with`, the policy's name, and the name with its arguments."""
        items = {item.kind: _Item(item, source.module, source.find, {}) for item in source.node.items}
        reference = source.node.policy
        if reference is None:
            return items, "", "in place"
        symbol, args = source.refs[reference.id]
        shown = symbol.name
        if reference.args:
            given = ", ".join(source.module.at(arg).text for arg in reference.args)
            shown = f"{symbol.name}({given})"
        return self._declared_items(symbol, args), symbol.name, shown

    def _declared_items(self, symbol: Symbol, args: tuple[ir.Expr, ...], depth: int = 0) -> dict[str, _Item]:
        """The items of a named policy: its own replace its parent's of the same kind."""
        decl = symbol.decl
        assert isinstance(decl, ast.PolicyDecl)
        bound = dict(zip((p.name.text for p in decl.params), args, strict=False))
        items: dict[str, _Item] = {}
        if decl.parent is not None and decl.parent.id in self.model.refs:
            parent, given = self.model.refs[decl.parent.id]
            items = self._declared_items(parent, tuple(substitute(arg, bound) for arg in given), depth + 1)
        own = {item.kind: _Item(item, symbol.module, self._declared, bound, depth) for item in decl.items}
        for kind, parts in _KINDS.items():
            if kind in own:
                for part in parts:
                    items.pop(part, None)
        return {**items, **own}

    def _policy(self, items: dict[str, _Item], declared: str, at: Span | None, *, undo: bool) -> PolicyDef:
        tries = items.get("try")
        attempts: ir.Expr | None = ir.Lit(INT, self.settings.max_retries + 1)
        if tries is not None:
            attempts = tries.value(0)
        backoff = items.get("backoff")
        breaker = items.get("breaker")
        limit = items.get("limit")
        exhausted, queue, queue_value = self._exhausted(items.get("exhausted"), undo=undo)
        return PolicyDef(
            "",
            declared,
            self._value(items, "timeout") or ir.Lit(DURATION, self.settings.timeout_ms),
            self._value(items, "overall"),
            self._lowered(attempts),
            self._lowered(backoff.value(0) if backoff else None) or ir.Lit(DURATION, SECOND),
            self._lowered(backoff.value(1) if backoff else None) or ir.Lit(DECIMAL, "1" if backoff else "2"),
            self._lowered(backoff.value(2) if backoff else None) or ir.Lit(DURATION, DAY),
            self._value(items, "jitter"),
            self._errors(items.get("only")),
            self._errors(items.get("except")),
            Breaker(*(self._given(breaker, i) for i in range(3))) if breaker else None,
            (self._given(limit, 0), self._given(limit, 1)) if limit else None,
            self._value(items, "concurrency"),
            self._value(items, "heartbeat"),
            exhausted,  # type: ignore[arg-type]  # one of the three words
            queue,
            queue_value,
            at,
            tuple(item.written() for item in items.values()),
            undo and exhausted == "dead letter" and self._falls_silent(items.get("exhausted")),
        )

    def _falls_silent(self, item: _Item | None) -> bool:
        """Whether an undo's failure is heard by nobody: it ends in `fail`, and the project names no queue."""
        return (item is None or item.node.word == "fail") and self.settings.dead_letters is None

    def _value(self, items: dict[str, _Item], kind: str) -> ir.Expr | None:
        item = items.get(kind)
        return self._lowered(item.value(0)) if item is not None else None

    def _given(self, item: _Item, index: int) -> ir.Expr:
        value = self._lowered(item.value(index))
        assert value is not None
        return value

    def _lowered(self, expr: ir.Expr | None) -> ir.Expr | None:
        return self.definitions.expr(expr) if expr is not None else None

    def _errors(self, item: _Item | None) -> tuple[str, ...]:
        if item is None:
            return ()
        names = {e for name in item.node.names for e in self.definitions.signatures.errors(item.module, name)}
        return tuple(sorted(self.definitions.error(name) for name in names))

    def _exhausted(self, item: _Item | None, *, undo: bool) -> tuple[str, str, ir.Expr | None]:
        """What happens when attempts run out. An undo ends in a dead letter, never in `fail` or `park`."""
        word = item.node.word if item is not None else "fail"
        if item is None or word == "fail":
            if not undo:
                return "fail", "", None
            return "dead letter", self._default_queue(), None
        value = substitute(item.find(item.node.names[0].id), item.bound)
        word = "dead letter" if undo else word
        if isinstance(value, ir.Ref) and value.kind == "queue" and value.type == QUEUE:
            return word, self.definitions.queue(value.name), None
        return word, "", self.definitions.expr(value)

    def _default_queue(self) -> str:
        """The project's queue for dead letters, else the standard library's."""
        name = self.settings.dead_letters
        for module in self.model.modules.values():
            symbol = module.values.get(name or "unattended")
            if symbol is not None and isinstance(symbol.decl, ast.QueueDecl):
                return self.definitions.queue(symbol.qualified)
        return name or "unattended"


# An own item replaces the parent's items of the same kind: `try` brings its backoff, jitter and filter along.
_KINDS: dict[str, tuple[str, ...]] = {
    "try": ("try", "backoff", "jitter", "only", "except"),
    "timeout": ("timeout", "overall"),
}


def _place(source: Source | None) -> Span | None:
    """The name in the declaration of a policy, or the `with` itself."""
    if source is None:
        return None
    reference = source.node.policy
    return source.module.at(source.node) if reference is None else source.refs[reference.id][0].at


def _named(policy: PolicyDef, name: str) -> PolicyDef:
    import attrs  # noqa: PLC0415 - only here

    return attrs.evolve(policy, name=name)  # type: ignore[misc]  # a value is an attrs class


def substitute(expr: ir.Expr, bound: Bound) -> ir.Expr:
    """An expression with the parameters of a policy replaced by its arguments."""
    if not bound:
        return expr
    match expr:
        case ir.Ref(_, "param", name):
            return bound.get(name, expr)
        case ir.Op(kind, op, args):
            return ir.Op(kind, op, tuple(substitute(arg, bound) for arg in args))
        case ir.Apply(kind, name, args):
            return ir.Apply(kind, name, tuple(substitute(arg, bound) for arg in args))
        case ir.If(kind, test, yes, no):
            return ir.If(kind, substitute(test, bound), substitute(yes, bound), substitute(no, bound))
        case ir.Member(kind, name, target, args, optional):
            inner = tuple(substitute(arg, bound) for arg in args)
            return ir.Member(kind, name, substitute(target, bound), inner, optional)
        case ir.Get(kind, target, name, optional, cases):
            return ir.Get(kind, substitute(target, bound), name, optional, cases)
        case _:
            return expr
