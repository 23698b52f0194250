"""Places where steps stand, how they are left, and what is read there."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from wfc.backends.typescript import layout
from wfc.backends.typescript.expressions import Expressions
from wfc.backends.typescript.layout import Code
from wfc.backends.typescript.types import Program
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    ForEach,
    Goto,
    Guard,
    Let,
    Lock,
    Parallel,
    Region,
    Repeat,
    SetVar,
    State,
    Step,
    Undo,
)
from wfc.ir.types import Type
from wfc.ir.walk import (
    WAITING_STEPS,
    all_steps,
    expressions,
    own_steps,
    policy_expressions,
    region_steps,
    regions,
    regions_of,
    undo_of,
)
from wfc.ir.walk import guards as guards_of

NODE, END, ON = "node", "end", "on"  # to a node, out of the region, on with the next step


class Used:
    """Whether a function's `wf` is read, and how many names of each sort it has given away."""

    def __init__(self) -> None:
        self.frame = False
        self.counts: dict[str, int] = {}
        self.labelled = False

    def inside(self) -> "Used":
        """That of a function that has the same `wf`, and names of its own."""
        return _Shared(self)

    def fresh(self, name: str) -> str:
        """`left`, `left2`, `left3`."""
        self.counts[name] = self.counts.get(name, 0) + 1
        count = self.counts[name]
        return name if count == 1 else f"{name}{count}"


class _Shared(Used):
    def __init__(self, outer: Used) -> None:
        self.outer = outer
        super().__init__()

    @property
    def frame(self) -> bool:
        return self.outer.frame

    @frame.setter
    def frame(self, used: bool) -> None:
        self.outer.frame = self.outer.frame or used


@dataclass(frozen=True)
class Place:
    """Where steps are written.

    `closure`: exits are given back to the caller. `loops`: inside a `repeat`, so that the loop over nodes needs its
    label. `result` is the text of the type of the region's value;
    `personal` are names that no audit record shows.
    """

    show: Expressions
    used: Used
    read: frozenset[str]
    result: str
    personal: frozenset[str] = frozenset()
    closure: bool = False
    loops: bool = False
    undoing: bool = False
    names: Used = field(default_factory=Used)
    steps: Used | None = None  # where several tokens go side by side: counts the steps that wait, as the text has them
    ending: bool = False  # completing the region completes a workflow, whose guards hear the rest of the inbox first
    scope: tuple[str, str | None] | None = None  # of a scope in a tail: what gets its value, and what follows
    numbers: dict[int, str] = field(default_factory=dict)  # of the calls of an undo, in its block

    @property
    def wf(self) -> str:
        """The frame of the function around."""
        self.used.frame = True
        return "wf"

    def inner(self, *, closure: bool = True) -> "Place":
        """A function inside, whose `wf` is its own."""
        show = self.show.renamed({})
        place = replace(self, show=show, used=Used(), closure=closure, loops=False)
        show.now = lambda: f"{place.wf}.now"
        return place


def side_by_side(place: Place, steps: Iterable[Step]) -> Place:
    """The place of steps in which several tokens may be at once: where there are several to wait at, they count."""
    several = sum(isinstance(step, WAITING_STEPS) for step in steps) > 1
    return replace(place, steps=place.steps or Used()) if several else place


def position(place: Place) -> Code:
    """Says which step is next, where several tokens may wait at different ones."""
    if place.steps is None:
        return []
    place.steps.fresh("step")
    return [f"{place.wf}.step({place.steps.counts['step']});"]


def interrupting(given: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """The guards that end what they guard."""
    return tuple(guard for guard in given if not guard.also and guard.kind != "every")


def exits(steps: tuple[Step, ...]) -> frozenset[str]:
    """How a block may be left; an error is no exit."""
    found: set[str] = set()
    for step in steps:
        ways = _exits(step)
        found |= ways - {ON}
        if ON not in ways:
            return frozenset(found)
    return frozenset(found | {ON})


def _exits(step: Step) -> frozenset[str]:
    match step:
        case Goto():
            return frozenset((NODE,))
        case Done():
            return frozenset((END,))
        case Fail():
            return frozenset()
        case Choose(arms=arms, otherwise=otherwise):
            found = frozenset[str]().union(*(exits(arm.steps) for arm in arms))
            if otherwise is not None:
                return found | exits(otherwise)
            return found | {ON}
        case Lock(steps=inner) | Repeat(steps=inner):
            return exits(inner)
        case Await(guards=given):
            return frozenset[str]().union(*(exits(guard.steps) for guard in interrupting(given)))
        case Do(guards=given) | Parallel(guards=given):
            return frozenset((ON,)).union(*(exits(guard.steps) for guard in interrupting(given)))
        case _:
            return frozenset((ON,))


Reads = list[tuple[str | None, set[str]]]  # what is bound by something, if anything, and what that reads


def reads_of(program: Program, region: Region, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names that anything written for a region, or inside it, reads by that name.

    What binds a name that nothing reads is not written. A `when` of a guard reads what has happened under another name
    than the guard binds, and an undo the result. `known` are read elsewhere.
    """
    reads: Reads = []
    for inner in regions(region):
        _region_reads(program, reads, inner)
    _step_reads(program, reads, region_steps(region, undos=False))
    return settled(reads, known)


def inner_reads(place: "Place", region: Region) -> frozenset[str]:
    """The names that are read in an inner region; those it binds itself are not those of the same name around."""
    own = {name for name, _ in region.names} | {variable.name for variable in region.variables}
    return reads_of(place.show.program, region, place.read - own)


def settled(reads: Reads, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names that are read, those only read for what is never read left out."""
    found = set(known)
    while True:
        more = {name for bound, names in reads if bound is None or bound in found for name in names} - found
        if not more:
            return frozenset(found)
        found |= more


def _step_reads(program: Program, reads: Reads, steps: Iterable[Step]) -> None:
    for step in steps:
        undo = undo_of(step)
        match step:
            case Let(name=name, value=value) | SetVar(name=name, value=value):
                reads.append((name, _names((value,))))
            case Choose(arms=arms, bind=bind, value=value):
                reads.append((None, _names(arm.test for arm in arms)))
                bound = [*((arm.bind, arm.value) for arm in arms), (bind, value)]
                reads += [(name, _names((given,))) for name, given in bound if name is not None and given is not None]
            case _:
                aside = {guard.when for guard in guards_of(step)} | {undo.when if undo is not None else None}
                reads.append((None, _names(expr for expr in expressions(step) if expr not in aside)))
        _guard_reads(reads, guards_of(step))
        for below in regions_of(step):
            _region_reads(program, reads, below)
        if isinstance(step, Do) and step.policy is not None:
            reads.append((None, _names(policy_expressions(program.policies[step.policy]))))
        if undo is not None:
            own = {*bound_here(undo.steps), step.bind if isinstance(step, Do) else None}
            reads.append((None, set(undo_reads(program, undo) - own)))


def undo_reads(program: Program, undo: Undo) -> frozenset[str]:
    """The names that an undo reads, its own among them."""
    inside: Reads = [(None, _names((undo.when,) if undo.when is not None else ()))]
    _step_reads(program, inside, all_steps(undo.steps))
    return settled(inside)


def bound_here(steps: tuple[Step, ...]) -> dict[str, Type]:
    """What steps bind in their own function, with its type."""
    found: dict[str, Type] = {}
    for step in own_steps(steps):
        if isinstance(step, Let):
            found.setdefault(step.name, step.type)
        elif isinstance(step, Do) and step.bind is not None and step.result is not None:
            found.setdefault(step.bind, step.result)
        elif isinstance(step, Parallel | ForEach) and step.bind is not None and step.bind_type is not None:
            found.setdefault(step.bind, step.bind_type)
        elif isinstance(step, Choose):
            for bind, value in (*((arm.bind, arm.value) for arm in step.arms), (step.bind, step.value)):
                if bind is not None and value is not None:
                    found.setdefault(bind, value.type)
        for guard in guards_of(step):
            if guard.bind is not None and guard.bind_type is not None:
                found.setdefault(guard.bind, guard.bind_type)
    return found


def _region_reads(program: Program, reads: Reads, region: Region) -> None:
    reads += [(variable.name, _names((variable.value,))) for variable in region.variables]
    slas = [*region.slas]
    _guard_reads(reads, region.guards)
    for node in region.nodes:
        if isinstance(node, State):
            slas += node.slas
            _guard_reads(reads, node.guards)
    reads.append((None, _names(each for sla in slas for each in (sla.within, sla.warn) if each is not None)))
    if region.undo is not None:
        reads.append((None, set(undo_reads(program, region.undo) - set(bound_here(region.undo.steps)))))


def _guard_reads(reads: Reads, given: tuple[Guard, ...]) -> None:
    for guard in given:
        reads.append((None, _names((guard.when,) if guard.when is not None else ()) - {guard.bind}))
        reads.append((None, _names((guard.amount,) if guard.amount is not None else ())))


def _names(given: Iterable[Expr]) -> set[str]:
    return {part.name for expr in given for part in walk(expr) if isinstance(part, Ref)}


def assigned(place: Place, name: str | None) -> str:
    """`name = ` where the name is read later, else nothing."""
    if name is None or name not in place.read:
        return ""
    renamed = place.show.renames.get(("local", name))
    return f"{renamed or place.show.program.names.local(name)} = "


def goto(place: Place, target: str) -> Code:
    """Enters a node of the region."""
    lines = [f'node = "{target}";']
    if place.closure:
        return [*lines, f"return {place.show.uses.value('runtime', 'go')};"]
    if place.loops:
        place.names.labelled = True
        return [*lines, "continue nodes;"]
    return [*lines, "continue;"]


def end(place: Place, value: Code | None) -> Code:
    """Completes the region; in a tail of a scope's guard, that scope."""
    last = [f"await {place.wf}.ending();"] if place.ending else []
    if place.scope is not None:
        target, following = place.scope
        bound = layout.suffixed(layout.prefixed(target, value), ";") if target and value is not None else []
        return [*last, *bound, *(goto(place, following) if following is not None else unreachable(place))]
    if place.closure:
        kind = place.result if value is not None else "undefined"
        maker = place.show.uses.value("runtime", "done")
        return [*last, *layout.group(f"return {maker}<{kind}>(", [value or ["undefined"]], ");")]
    return [*last, *(layout.suffixed(layout.prefixed("return ", value), ";") if value is not None else ["return;"])]


def unreachable(place: Place) -> Code:
    """What the compiler has proved to be impossible."""
    return [f"throw {place.show.helper('unreachable')}();"]
