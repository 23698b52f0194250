"""What differs first between two versions of a machine, in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from wfc.ir.essence import bare, essence, policy_names, resolved
from wfc.ir.machine import FieldDef, Machine, Node, Region, Scope, Workflow
from wfc.ir.walk import nodes
from wfc.text.source import Span
from wfc.text.value import Value, field, value

_DEFINITIONS = {
    "policies": "the policy",
    "operations": "the operation",
    "errors": "the error",
    "events": "the event",
    "records": "the record",
    "enums": "the enum",
    "resources": "the resource",
    "metrics": "the metric",
    "constants": "the constant",
    "functions": "the function",
    "services": "the service",
}

_CLAUSES = (("result", "result"), ("key", "key"), ("raises", "list of errors"), ("views", "list of views"))


@value
class Difference(Value):
    """A difference: what it is, and where it stands in the newer version, if it is there at all."""

    text: str
    at: Span | None = field(eq=False, default=None)


def difference(old: Machine, new: Machine) -> Difference | None:
    """The first difference, or nothing: the two do the same."""
    if essence(old) == essence(new):
        return None
    found = next(_differences(old, new), None)
    return found or Difference("its definitions are others")


def _differences(old: Machine, new: Machine) -> Iterator[Difference]:
    names = policy_names(old), policy_names(new)
    yield from _workflow(old.workflow, new.workflow, names)
    before = {workflow.name: workflow for workflow in old.workflows[1:]}
    after = {workflow.name: workflow for workflow in new.workflows[1:]}
    for name, workflow in after.items():
        if name not in before:
            yield Difference(f"it now runs `{name}`", workflow.at)
            continue
        for found in _workflow(before[name], workflow, names):
            yield Difference(f"in `{name}`, which it runs, {found.text}", found.at)
    yield from (Difference(f"it no longer runs `{name}`") for name in before if name not in after)
    for kind, noun in _DEFINITIONS.items():
        yield from _definitions(getattr(old, kind), getattr(new, kind), noun)


def _definitions(old: tuple[Any, ...], new: tuple[Any, ...], noun: str) -> Iterator[Difference]:
    before = {item.name: item for item in old}
    after = {item.name: item for item in new}
    for name, item in after.items():
        at = getattr(item, "at", None)
        if name not in before:
            yield Difference(f"{noun} `{name}` is new", at)
        elif bare(before[name]) != bare(item):
            yield Difference(f"{noun} `{name}` has changed", at)
    yield from (Difference(f"{noun} `{name}` is gone") for name in before if name not in after)


Names = tuple[Mapping[str, str], Mapping[str, str]]


def _workflow(old: Workflow, new: Workflow, names: Names) -> Iterator[Difference]:
    before, after = _flat(old.region), _flat(new.region)
    for path, node in after.items():
        if path not in before:
            yield Difference(f"{_kind(node)} `{path}` is new", node.at)
    yield from (Difference(f"{_kind(node)} `{path}` is gone") for path, node in before.items() if path not in after)
    other = [path for path in after if path in before and _own(before[path], names[0]) != _own(after[path], names[1])]
    for path in other:
        if not any(inner.startswith(f"{path}.") for inner in other):  # what is inside says it better
            yield Difference(f"{_kind(after[path])} `{path}` has changed", after[path].at)
    yield from _parameters(old.params, new.params, new.at)
    for clause, noun in (
        ("result", "result"),
        ("key", "key"),
        ("raises", "list of errors"),
        ("views", "list of views"),
    ):
        if bare(getattr(old, clause)) != bare(getattr(new, clause)):
            yield Difference(f"its {noun} has changed", new.at)
    if old.version != new.version:
        yield Difference(f"it was at version {old.version} and is at version {new.version}", new.at)
    if _clauses(old.region, names[0]) != _clauses(new.region, names[1]):
        yield Difference("what stands before its states has changed" if after else "its steps have changed", new.at)
    if list(before) != list(after):
        yield Difference("its states stand in another order", new.at)


def _parameters(old: tuple[FieldDef, ...], new: tuple[FieldDef, ...], at: Span | None) -> Iterator[Difference]:
    before, after = {p.name: p for p in old}, {p.name: p for p in new}
    for name, param in after.items():
        if name not in before:
            yield Difference(f"the parameter `{name}` is new", at)
        elif bare(before[name]) != bare(param):
            yield Difference(f"the parameter `{name}` has changed", at)
    yield from (Difference(f"the parameter `{name}` is gone", at) for name in before if name not in after)
    if list(before) != list(after):
        yield Difference("its parameters stand in another order", at)


def _flat(region: Region) -> dict[str, Node]:
    """The nodes by their path; a scope that only guards form has none of its own."""
    return {node.path: node for node in nodes(region) if not (isinstance(node, Scope) and node.implicit)}


def _kind(node: Node) -> str:
    if isinstance(node, Scope):
        return "the scope"
    return "the gateway" if node.gateway else "the state"


def _own(node: Node, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever can be compared
    """What a node says itself: of a scope not the nodes inside."""
    if isinstance(node, Scope):
        return node.bind, node.next, _clauses(node.region, names)
    return resolved(node, dict(names))


def _clauses(region: Region, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever can be compared
    """What a region says beside its nodes; what guards of a scope formed by them say counts for the region."""
    watched = [_clauses(n.region, names) for n in region.nodes if isinstance(n, Scope) and n.implicit]
    plain = (region.variables, region.guards, region.ignore, region.slas, region.undo, region.steps)
    return resolved(_Parts(plain), dict(names)).parts, watched


@value
class _Parts(Value):
    parts: tuple[Any, ...]
