"""What the flow analysis keeps of a region while it runs, and what can be read off its text alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from wfc.ir.types import Type
from wfc.sema.env import Env
from wfc.sema.model import RegionInfo
from wfc.syntax import nodes as ast

Steps = tuple[ast.Step, ...]


@dataclass(eq=False)
class RegionState:
    """A region under analysis: its nodes with the Env at their entry, where values of `done` go."""

    node: ast.Region
    kind: str  # workflow, scope, branch, each
    outer: "RegionState | None"
    info: RegionInfo
    wanted: Type | None = None  # the declared result, for a workflow
    takes_value: bool = False
    nodes: dict[str, ast.StateNode] = field(default_factory=dict)
    entries: dict[str, Env] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    done_env: Env | None = None
    plain_done: bool = False


@dataclass(frozen=True)
class Place:
    """Where a step stands: its region, whose `done` it is, and what the table of section 29 allows there."""

    region: RegionState
    done_to: RegionState | None
    kind: str = "ordinary"  # ordinary, tail, also, undo
    repeated: bool = False  # inside parallel, for each or repeat: no pivot
    also_waited: list[bool] = field(default_factory=lambda: [False])

    def within(self, **changes: object) -> "Place":
        """The same place with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]  # fields by name


def tail_steps(tail: ast.Goto | ast.Block) -> Steps:
    """The steps of a tail: an arrow is one step."""
    return tail.steps if isinstance(tail, ast.Block) else (tail,)


def inner_blocks(step: ast.Step) -> Iterator[Steps]:
    """The blocks of a step that belong to the same region."""
    match step:
        case ast.Do(clauses=clauses):
            yield from (tail_steps(guard.tail) for guard in guards_of(clauses) if not guard.also)
        case ast.Parallel(guards=guards) | ast.Await(guards=guards):
            yield from (tail_steps(guard.tail) for guard in guards if not guard.also)
        case ast.Repeat(body=body) | ast.Lock(body=body):
            yield body.steps
        case ast.Choose(arms=arms, otherwise=otherwise):
            for arm in arms:
                yield tail_steps(arm.tail)
            if otherwise is not None:
                yield tail_steps(otherwise.tail)
        case _:
            return


def walk_steps(steps: Steps) -> Iterator[ast.Step]:
    """The steps of a region's block and of the blocks inside, not of inner regions."""
    for step in steps:
        yield step
        for block in inner_blocks(step):
            yield from walk_steps(block)


def node_steps(node: ast.StateNode) -> Steps:
    """The steps of a state or gateway."""
    match node:
        case ast.State(steps=steps):
            return steps
        case ast.Gateway(step=step, goto=goto):
            return (step, goto) if goto else (step,)
        case ast.Scope():
            return ()


def guards_of(clauses: tuple[ast.Clause, ...]) -> tuple[ast.Guard, ...]:
    """The guards among clauses."""
    return tuple(clause for clause in clauses if isinstance(clause, ast.Guard))


def names_of(steps: Steps) -> frozenset[str]:
    """The names that a block binds."""
    return frozenset(name.text for step in walk_steps(steps) for name in names_of_step(step))


def names_of_step(step: ast.Step) -> Iterator[ast.Name]:
    """The names that a step binds in its region."""
    match step:
        case ast.Let(name=name):
            yield name
        case ast.Do(bind=bind, clauses=clauses):
            if bind:
                yield bind
            yield from (guard.bind for guard in guards_of(clauses) if guard.bind and not guard.also)
        case ast.Parallel(bind=bind, guards=guards):
            if bind:
                yield bind
            yield from (guard.bind for guard in guards if guard.bind and not guard.also)
        case ast.ForEach(bind=bind):
            if bind:
                yield bind
        case ast.Await(guards=guards):
            yield from (guard.bind for guard in guards if guard.bind and not guard.also)
        case ast.Choose(arms=arms, otherwise=otherwise):
            yield from (arm.bind for arm in arms if arm.bind)
            if otherwise and otherwise.bind:
                yield otherwise.bind
        case _:
            return


def bound_names(region: ast.Region, kind: str) -> frozenset[str]:
    """All names that are bound in a region by `var`, `let` and `as`; those of a scope's guards belong outside of it."""
    return frozenset(name.text for name in binders(region, kind))


def binders(region: ast.Region, kind: str) -> Iterator[ast.Name]:
    """Where they are bound."""
    blocks: list[Steps] = [region.steps]
    for clause in region.clauses:
        if isinstance(clause, ast.Var):
            yield clause.name
        elif isinstance(clause, ast.Guard) and kind != "scope" and not clause.also:
            blocks.append(tail_steps(clause.tail))
            if clause.bind:
                yield clause.bind
    for node in region.nodes:
        blocks.append(node_steps(node))
        guards: tuple[ast.Guard, ...] = ()
        match node:
            case ast.State(clauses=clauses):
                guards = guards_of(clauses)
            case ast.Scope(bind=bind, region=inner):
                guards = guards_of(inner.clauses)
                if bind:
                    yield bind
            case ast.Gateway():
                pass
        for guard in guards:
            if guard.also:
                continue
            blocks.append(tail_steps(guard.tail))
            if guard.bind:
                yield guard.bind
    for block in blocks:
        for step in walk_steps(block):
            yield from names_of_step(step)


def own_steps(region: ast.Region) -> Iterator[ast.Step]:
    """The steps of a region, of its states and their guards; not those of regions inside."""
    yield from walk_steps(region.steps)
    for clause in guards_of(region.clauses):
        yield from walk_steps(tail_steps(clause.tail))
    for node in region.nodes:
        yield from walk_steps(node_steps(node))
        inner = node.clauses if isinstance(node, ast.State) else ()
        for guard in guards_of(inner):
            yield from walk_steps(tail_steps(guard.tail))


def arrows(steps: Steps) -> Iterator[ast.Name]:
    """The targets of the arrows in a block."""
    for step in walk_steps(steps):
        if isinstance(step, ast.Goto):
            yield step.target


def arrows_from(node: ast.StateNode) -> Iterator[ast.Name]:
    """The nodes that a node's arrows lead to, its guards' included."""
    yield from arrows(node_steps(node))
    match node:
        case ast.State(clauses=clauses):
            for guard in guards_of(clauses):
                yield from arrows(tail_steps(guard.tail))
        case ast.Scope(next=following, region=region):
            if following:
                yield following
            for guard in guards_of(region.clauses):
                yield from arrows(tail_steps(guard.tail))
        case ast.Gateway():
            return


def _reachable(starts: Iterable[str], nodes: dict[str, ast.StateNode]) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        waiting.extend(target.text for target in arrows_from(nodes[name]))
    return seen


@dataclass(frozen=True)
class Mixed:
    """A node that is reached by the normal way and by the arrow of a guard as well, with an arrow of either."""

    name: ast.Name
    normal: ast.Name | None
    guarded: ast.Name | None


def split(region: ast.Region, kind: str) -> tuple[tuple[str, ...], tuple[Mixed, ...]] | None:
    """Where guards of a region without siblings point to its own nodes: the nodes inside, and those on both sides.

    None where no guard does: then nothing is split. What only nodes on both sides lead to is not told of.
    """
    if kind == "scope":
        return None
    nodes = {node.name.text: node for node in region.nodes}
    targets = [t for guard in guards_of(region.clauses) if not guard.also for t in arrows(tail_steps(guard.tail))]
    if not targets:
        return None
    first = [region.nodes[0].name] if region.nodes else []
    starts = [*arrows(region.steps), *first]
    inside = _reachable((target.text for target in starts), nodes)
    outside = _reachable((target.text for target in targets), nodes)
    order = tuple(name for name in nodes if name in inside or name not in outside)
    normal = _by_target(*starts, *_arrows_from(node for name, node in nodes.items() if name in inside - outside))
    guarded = _by_target(*targets, *_arrows_from(node for name, node in nodes.items() if name in outside - inside))
    both = (name for name in nodes if name in inside & outside and (name in normal or name in guarded))
    return order, tuple(Mixed(nodes[name].name, normal.get(name), guarded.get(name)) for name in both)


def _arrows_from(nodes: Iterable[ast.StateNode]) -> Iterator[ast.Name]:
    return (arrow for node in nodes for arrow in arrows_from(node))


def _by_target(*arrows: ast.Name) -> dict[str, ast.Name]:
    return {arrow.text: arrow for arrow in reversed(arrows)}
