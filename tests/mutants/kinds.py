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


@dataclass(frozen=True)
class Place:
    """A node of the tree in its text, with the nodes around it, innermost first."""

    text: str
    node: Any
    around: tuple[Any, ...]

    def inside(self, *kinds: type) -> Any:
        """The innermost node around of some kinds, or None."""
        return next((node for node in self.around if isinstance(node, kinds)), None)


def mutants(text: str) -> Iterator[Mutant]:
    """Every single fault of every kind, in the order of the text."""
    tree = parse(SourceFile("main.wf", text), Report())
    walked = list(_walk(tree, ()))
    for node, around in walked:
        for kind, make in KINDS:
            for start, end, new in make(Place(text, node, around)):
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


def _cut(at: Place) -> Edit:
    """Without a node and the blanks before it."""
    start = at.node.start
    while start and at.text[start - 1] in " \t":
        start -= 1
    return start, at.node.end, ""


# -- sagas


def drop_compensation(at: Place) -> Iterator[Edit]:
    if (
        isinstance(at.node, flow.Compensate)
        and at.node.kind != "irreversible"
        and isinstance(at.around[0], ast.Operation)
    ):
        yield _cut(at)


def drop_compensation_at_call(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Compensate) and isinstance(at.around[0], flow.Do | flow.Start):
        yield _cut(at)


def drop_compensation_of_part(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Compensate) and isinstance(at.around[0], flow.Region):
        yield _cut(at)


def drop_pivot(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Flag) and at.node.word == "pivot":
        yield _cut(at)


def move_pivot(at: Place) -> Iterator[Edit]:
    """An earlier call becomes a point of no return as well."""
    free = isinstance(at.node, flow.Do) and not any(isinstance(c, flow.Flag) for c in at.node.clauses)
    if free and at.inside(flow.WorkflowDecl) and not at.inside(flow.Compensate, flow.Parallel, flow.ForEach):
        end = at.node.bind.end if at.node.bind is not None else at.node.call.end
        yield end, end, " pivot"


def give_up_instead_of_park(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, ast.PolicyItem):
        match = re.fullmatch(r"exhausted\s+then\s+park\s+in\s+\w+", at.text[at.node.start : at.node.end])
        if match is not None:
            yield at.node.start, at.node.end, "exhausted then fail"


def swallow_error(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Guard) and at.node.kind == "catch" and isinstance(at.around[0], flow.Do):
        yield at.node.tail.start, at.node.tail.end, '{ audit "it went wrong" }'


def drop_catch(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Guard) and at.node.kind == "catch":
        yield _cut(at)


def undo_by_hand(at: Place) -> Iterator[Edit]:
    """`keep` goes: what is undone by hand is then undone twice, and what was to stay is gone."""
    if isinstance(at.node, flow.Guard) and at.node.keep:
        match = re.search(r"\s+keep\b", at.text[at.node.start : at.node.tail.start])
        if match is not None:
            yield at.node.start + match.start(), at.node.start + match.end(), ""


def drop_optional(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Flag) and at.node.word == "optional" and isinstance(at.around[0], flow.Do):
        yield _cut(at)


def drop_settle(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Settle):
        yield _cut(at)


# -- keys and policies


def drop_key(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Key) and isinstance(at.around[0], ast.Operation | flow.Do):
        yield _cut(at)


def drop_idempotent(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, ast.Annotation) and at.text[at.node.start : at.node.end].startswith("@idempotent"):
        yield at.node.start, at.node.end, ""


def same_key_always(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Key) and isinstance(at.around[0], ast.Operation | flow.Do):
        yield at.node.value.start, at.node.value.end, '"always the same"'


# -- the flow


def cut_arrow(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Goto) and isinstance(at.around[0], flow.State | flow.Gateway | flow.Region):
        yield _cut(at)


def retarget_arrow(at: Place) -> Iterator[Edit]:
    region = at.inside(flow.Region)
    if (
        isinstance(at.node, flow.Goto)
        and region is not None
        and not at.inside(ast.ScenarioDecl, ast.MigrationDecl) is not None
    ):
        for other in region.nodes:
            if other.name.text != at.node.target.text:
                yield at.node.target.start, at.node.target.end, other.name.text


def retarget_scope(at: Place) -> Iterator[Edit]:
    region = at.inside(flow.Region)
    if isinstance(at.node, flow.Scope) and at.node.next is not None and region is not None:
        for other in region.nodes:
            if other.name.text != at.node.next.text:
                yield at.node.next.start, at.node.next.end, other.name.text


def cut_scope_arrow(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Scope) and at.node.next is not None:
        start = at.text.rfind("->", at.node.start, at.node.next.start)
        if start > 0:
            yield start, at.node.next.end, ""


def drop_done(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Done):
        yield _cut(at)


def drop_fail(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Fail):
        yield _cut(at)


def drop_arm(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Arm) and isinstance(at.around[0], flow.Choose) and len(at.around[0].arms) > 1:
        yield _cut(at)


def drop_otherwise(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Otherwise):
        yield _cut(at)


def sharpen_comparison(at: Place) -> Iterator[Edit]:
    """A boundary is forgotten: `<=` becomes `<`."""
    if isinstance(at.node, flow.Arm):
        for pattern in at.node.patterns:
            for match in re.finditer(r"(?<=[\w\s)])(<=|>=)(?=[\w\s(])", at.text[pattern.start : pattern.end]):
                start = pattern.start + match.start()
                yield start, start + 2, match[0][0]


def arm_takes_all(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Arm) and isinstance(at.around[0], flow.Choose) and at.around[0].subject is None:
        yield at.node.patterns[0].start, at.node.patterns[-1].end, "true"


def drop_way_out_of_wait(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Guard) and isinstance(at.around[0], flow.Await) and len(at.around[0].guards) > 1:
        yield _cut(at)


def drop_wait(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Wait):
        yield _cut(at)


def drop_call(at: Place) -> Iterator[Edit]:
    """The step that waits in a loop may go with it."""
    if isinstance(at.node, flow.Do) and at.node.bind is None and at.inside(flow.Compensate) is None:
        yield _cut(at)


def drop_declared_error(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.WorkflowDecl) and at.node.raises:
        first, last = at.node.raises[0], at.node.raises[-1]
        start = at.text.rfind("raises", at.node.start, first.start)
        yield start, last.end, ""


def ignore_event(at: Place) -> Iterator[Edit]:
    """A guard for an event is forgotten."""
    if isinstance(at.node, flow.Guard) and at.node.kind == "on" and not isinstance(at.around[0], flow.Await):
        yield _cut(at)


# -- locks and time


def swap_locks(at: Place) -> Iterator[Edit]:
    """A nested lock and the one at.around it change places."""
    outer = at.inside(flow.Lock)
    if isinstance(at.node, flow.Lock) and outer is not None:
        a, b = outer.resources, at.node.resources
        first = at.text[a[0].start : a[-1].end]
        second = at.text[b[0].start : b[-1].end]
        between = at.text[a[-1].end : b[0].start]
        yield a[0].start, b[-1].end, f"{second}{between}{first}"


def lock_again(at: Place) -> Iterator[Edit]:
    """What is locked already is locked once more inside."""
    if isinstance(at.node, flow.Lock) and at.node.body.steps:
        resources = at.text[at.node.resources[0].start : at.node.resources[-1].end]
        inner = at.text[at.node.body.start + 1 : at.node.body.end - 1]
        yield at.node.body.start + 1, at.node.body.end - 1, f" lock {resources} wait 1s {{{inner}}} "


def drop_deadline(at: Place) -> Iterator[Edit]:
    if isinstance(at.node, flow.Guard) and at.node.kind in ("after", "at") and not isinstance(at.around[0], flow.Await):
        yield _cut(at)


Make = Callable[[Place], Iterator[Edit]]
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
