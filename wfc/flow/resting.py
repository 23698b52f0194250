"""Where an instance can rest, and which of these places are the same in two versions.

A place is a state or gateway, or the body of a region, by its path: the workflow's own body has none. A step belongs to
the place in which it is written, the steps of a guard to the place of the guard.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from wfc.flow.graph import Point
from wfc.flow.program import WorkflowFlow
from wfc.ir.essence import policy_names, resolved
from wfc.ir.machine import (
    Await,
    Do,
    ForEach,
    Guard,
    Lock,
    Machine,
    Parallel,
    Region,
    Scope,
    State,
    Step,
    Undo,
    Wait,
    Workflow,
)
from wfc.ir.walk import Steps, own_steps, regions
from wfc.text.names import listed
from wfc.text.value import Value, value

SHOWN = 3  # triggers of an `await` that are listed


@dataclass(frozen=True)
class Rest:
    """A point at which an instance can rest: its place, and why it rests there."""

    place: str
    point: Point
    why: str
    inside: str  # the branch or iteration it is in, if any

    @property
    def forks(self) -> bool:
        """Whether it waits there for branches or iterations, which rest elsewhere."""
        return self.point.kind == "fork"


def rests(flow: WorkflowFlow) -> list[Rest]:
    """The points at which an instance of a workflow can rest, in source order."""
    where = step_places(flow.workflow)
    parking = flow.program.policies.parking
    found = []
    for point in flow.graph.points:
        if point.step is None or id(point.step) not in where or not flow.reached(point):
            continue
        why = _why(point, parking)
        if why and not any(frame.kind == "also" for frame in point.frame.outward()):
            found.append(Rest(where[id(point.step)], point, why, _branch(point)))
    return found


def _why(point: Point, parking: dict[str, str]) -> str:
    """Why an instance rests at a point; empty: it does not."""
    match point.kind, point.step:
        case "step", Await(guards=guards):
            return f"waits for {_triggers(guards)}"
        case "step", Wait():
            return "waits for a time"
        case "step", Lock(resources=resources):
            return f"waits for the lock of `{resources[0][0]}`"
        case "fork", Parallel():
            return "waits for its branches"
        case "fork", ForEach(item=item):
            return f"waits until each `{item}` is dealt with"
        case "do", Do(kind="task", target=target):
            return f"waits for a person (`{target}`)"
        case "do", Do(target=target, policy=str(policy)) if policy in parking:
            return f"waits while `{target}` is parked{f' in `{parking[policy]}`' if parking[policy] else ''}"
        case _:
            return ""


def _triggers(guards: tuple[Guard, ...]) -> str:
    shown = [f"`{guard.label}`" for guard in guards if guard.kind != "catch"]
    return listed([*shown[:SHOWN], "others"] if len(shown) > SHOWN else shown, "or") or "an event"


def _branch(point: Point) -> str:
    """The path of the outermost branch or iteration around a point."""
    frames = list(point.frame.outward())
    for inner, outer in reversed(list(pairwise(frames))):
        if outer.kind in ("branch", "each") and isinstance(inner.subject, Region):
            return inner.subject.path
    return ""


# -------------------------------------------------------------------------------------------------------------- places


def places(workflow: Workflow) -> dict[str, State | Region]:
    """The places of a workflow by their path."""
    found: dict[str, State | Region] = {}
    for region in regions(workflow.region):
        found.setdefault(region.path, region)  # a scope that guards form has the path of the region around
        for node in region.nodes:
            if isinstance(node, State):
                found[node.path] = node
    return found


def step_places(workflow: Workflow) -> dict[int, str]:
    """The place of each step, by the step's identity; compensations apart."""
    found: dict[int, str] = {}

    def put(steps: Steps, path: str) -> None:
        found.update((id(step), path) for step in own_steps(steps))

    for region in regions(workflow.region):
        for block in (region.steps, *(guard.steps for guard in region.guards)):
            put(block, region.path)
        for node in region.nodes:
            if isinstance(node, State):
                for block in (node.steps, *(guard.steps for guard in node.guards)):
                    put(block, node.path)
    return found


def branches(workflow: Workflow) -> frozenset[str]:
    """The paths of all branches and iterations."""
    return frozenset(region.path for region in regions(workflow.region) if region.kind in ("branch", "each"))


def is_inside(path: str, around: str) -> bool:
    """Whether a place is another one or lies in it."""
    return not around or path == around or path.startswith(f"{around}.")


def same_places(old: Machine, before: Workflow, new: Machine, after: Workflow) -> frozenset[str]:
    """The places whose steps and guards are the same in two versions: a token that rests there can stay."""
    names, others = policy_names(old), policy_names(new)
    known, now = places(before), places(after)
    return frozenset(path for path in known if path in now and _own(known[path], names) == _own(now[path], others))


def _own(place: State | Region, names: dict[str, str]) -> Any:  # noqa: ANN401 - whatever can be compared
    if isinstance(place, State):
        return resolved(place, names)
    return _body(place, names)


def _body(region: Region, names: dict[str, str]) -> Any:  # noqa: ANN401 - whatever can be compared
    """What decides how the steps of a body and of its guards go on."""
    formed = [_body(node.region, names) for node in region.nodes if isinstance(node, Scope) and node.implicit]
    said = resolved(_Said(region.steps, region.guards, region.undo), names)
    return said, region.nodes[0].name if region.nodes else "", formed


@value
class _Said(Value):
    steps: tuple[Step, ...]
    guards: tuple[Guard, ...]
    undo: Undo | None
