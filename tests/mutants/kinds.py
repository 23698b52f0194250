"""Seeded faults: small changes to the text of a correct program, each of a kind that people make."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import attrs

from wfc.problems.problem import Report
from wfc.syntax import flow_nodes as flow
from wfc.syntax import nodes as ast
from wfc.syntax.parse import parse
from wfc.text.source import SourceFile


@dataclass(frozen=True)
class Mutant:
    """A changed program: what was done to it, and where."""

    kind: str
    text: str
    at: int

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1


Edit = tuple[int, int, str]


def mutants(text: str) -> Iterator[Mutant]:
    """Every single fault of every kind, in the order of the text."""
    tree = parse(SourceFile("main.wf", text), Report())
    walked = list(_walk(tree, ()))
    for node, around in walked:
        for kind, make in KINDS:
            for start, end, new in make(text, node, around):
                changed = text[:start] + new + text[end:]
                if changed != text:
                    yield Mutant(kind, changed, start)


def _walk(node: Any, around: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """All nodes with those around them, innermost first."""
    if isinstance(node, tuple):
        for part in node:
            yield from _walk(part, around)
        return
    if not attrs.has(type(node)) or not hasattr(node, "start"):
        return
    yield node, around
    for field in attrs.fields(type(node)):
        yield from _walk(getattr(node, field.name), (node, *around))


def _cut(text: str, node: Any) -> Edit:
    """Without a node and the blanks before it."""
    start = node.start
    while start and text[start - 1] in " \t":
        start -= 1
    return start, node.end, ""


def _of(around: tuple[Any, ...], *kinds: type) -> Any:
    return next((node for node in around if isinstance(node, kinds)), None)


def _in_scenario(around: tuple[Any, ...]) -> bool:
    return _of(around, ast.ScenarioDecl, ast.MigrationDecl) is not None


# -- sagas


def drop_compensation(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Compensate) and node.kind != "irreversible" and isinstance(around[0], ast.Operation):
        yield _cut(text, node)


def drop_compensation_at_call(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Compensate) and isinstance(around[0], flow.Do | flow.Start):
        yield _cut(text, node)


def drop_compensation_of_part(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Compensate) and isinstance(around[0], flow.Region):
        yield _cut(text, node)


def drop_pivot(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Flag) and node.word == "pivot":
        yield _cut(text, node)


def move_pivot(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """An earlier call becomes a point of no return as well."""
    if isinstance(node, flow.Do) and not any(isinstance(c, flow.Flag) for c in node.clauses):
        if _of(around, flow.WorkflowDecl) is not None and not _of(around, flow.Compensate, flow.Parallel, flow.ForEach):
            end = node.bind.end if node.bind is not None else node.call.end
            yield end, end, " pivot"


def give_up_instead_of_park(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, ast.PolicyItem):
        match = re.fullmatch(r"exhausted\s+then\s+park\s+in\s+\w+", text[node.start : node.end])
        if match is not None:
            yield node.start, node.end, "exhausted then fail"


def swallow_error(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Guard) and node.kind == "catch" and isinstance(around[0], flow.Do):
        yield node.tail.start, node.tail.end, '{ audit "it went wrong" }'


def drop_catch(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Guard) and node.kind == "catch":
        yield _cut(text, node)


def undo_by_hand(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """`keep` goes: what is undone by hand is then undone twice, and what was to stay is gone."""
    if isinstance(node, flow.Guard) and node.keep:
        match = re.search(r"\s+keep\b", text[node.start : node.tail.start])
        if match is not None:
            yield node.start + match.start(), node.start + match.end(), ""


def drop_optional(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Flag) and node.word == "optional" and isinstance(around[0], flow.Do):
        yield _cut(text, node)


def drop_settle(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Settle):
        yield _cut(text, node)


# -- keys and policies


def drop_key(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Key) and isinstance(around[0], ast.Operation | flow.Do):
        yield _cut(text, node)


def drop_idempotent(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, ast.Annotation) and text[node.start : node.end].startswith("@idempotent"):
        yield node.start, node.end, ""


def same_key_always(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Key) and isinstance(around[0], ast.Operation | flow.Do):
        yield node.value.start, node.value.end, '"always the same"'


# -- the flow


def cut_arrow(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Goto) and isinstance(around[0], flow.State | flow.Gateway | flow.Region):
        yield _cut(text, node)


def retarget_arrow(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    region = _of(around, flow.Region)
    if isinstance(node, flow.Goto) and region is not None and not _in_scenario(around):
        for other in region.nodes:
            if other.name.text != node.target.text:
                yield node.target.start, node.target.end, other.name.text


def retarget_scope(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    region = _of(around, flow.Region)
    if isinstance(node, flow.Scope) and node.next is not None and region is not None:
        for other in region.nodes:
            if other.name.text != node.next.text:
                yield node.next.start, node.next.end, other.name.text


def cut_scope_arrow(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Scope) and node.next is not None:
        start = text.rfind("->", node.start, node.next.start)
        if start > 0:
            yield start, node.next.end, ""


def drop_done(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Done):
        yield _cut(text, node)


def drop_fail(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Fail):
        yield _cut(text, node)


def drop_arm(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Arm) and isinstance(around[0], flow.Choose) and len(around[0].arms) > 1:
        yield _cut(text, node)


def drop_otherwise(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Otherwise):
        yield _cut(text, node)


def sharpen_comparison(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """A boundary is forgotten: `<=` becomes `<`."""
    if isinstance(node, flow.Arm):
        for pattern in node.patterns:
            for match in re.finditer(r"(?<=[\w\s)])(<=|>=)(?=[\w\s(])", text[pattern.start : pattern.end]):
                start = pattern.start + match.start()
                yield start, start + 2, match[0][0]


def arm_takes_all(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Arm) and isinstance(around[0], flow.Choose) and around[0].subject is None:
        yield node.patterns[0].start, node.patterns[-1].end, "true"


def drop_way_out_of_wait(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Guard) and isinstance(around[0], flow.Await) and len(around[0].guards) > 1:
        yield _cut(text, node)


def drop_wait(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Wait):
        yield _cut(text, node)


def drop_call(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """The step that waits in a loop may go with it."""
    if isinstance(node, flow.Do) and node.bind is None and _of(around, flow.Compensate) is None:
        yield _cut(text, node)


def drop_declared_error(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.WorkflowDecl) and node.raises:
        first, last = node.raises[0], node.raises[-1]
        start = text.rfind("raises", node.start, first.start)
        yield start, last.end, ""


def ignore_event(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """A guard for an event is forgotten."""
    if isinstance(node, flow.Guard) and node.kind == "on" and not isinstance(around[0], flow.Await):
        yield _cut(text, node)


# -- locks and time


def swap_locks(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """A nested lock and the one around it change places."""
    outer = _of(around, flow.Lock)
    if isinstance(node, flow.Lock) and outer is not None:
        a, b = outer.resources, node.resources
        first = text[a[0].start : a[-1].end]
        second = text[b[0].start : b[-1].end]
        between = text[a[-1].end : b[0].start]
        yield a[0].start, b[-1].end, f"{second}{between}{first}"


def lock_again(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    """What is locked already is locked once more inside."""
    if isinstance(node, flow.Lock) and node.body.steps:
        resources = text[node.resources[0].start : node.resources[-1].end]
        inner = text[node.body.start + 1 : node.body.end - 1]
        yield node.body.start + 1, node.body.end - 1, f" lock {resources} wait 1s {{{inner}}} "


def drop_deadline(text: str, node: Any, around: tuple[Any, ...]) -> Iterator[Edit]:
    if isinstance(node, flow.Guard) and node.kind in ("after", "at") and not isinstance(around[0], flow.Await):
        yield _cut(text, node)


Make = Callable[[str, Any, tuple[Any, ...]], Iterator[Edit]]
KINDS: tuple[tuple[str, Make], ...] = tuple(
    (make.__name__.replace("_", "-"), make)
    for make in (
        drop_compensation, drop_compensation_at_call, drop_compensation_of_part, drop_pivot, move_pivot,
        give_up_instead_of_park, swallow_error, drop_catch, undo_by_hand, drop_optional, drop_settle, drop_key,
        drop_idempotent, same_key_always, cut_arrow, retarget_arrow, retarget_scope, cut_scope_arrow, drop_done,
        drop_fail, drop_arm, drop_otherwise, sharpen_comparison, arm_takes_all, drop_way_out_of_wait, drop_wait,
        drop_call, drop_declared_error, ignore_event, swap_locks, lock_again, drop_deadline,
    )
)  # fmt: skip
