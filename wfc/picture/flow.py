"""The picture of the flow: every step, choices as labelled diamonds, forks side by side, what undoes in red."""

from dataclasses import dataclass

from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    ForEach,
    Goto,
    Guard,
    Lock,
    Machine,
    Node,
    Parallel,
    Region,
    Repeat,
    Scope,
    Start,
    State,
    Step,
    UndoRegion,
    Wait,
)
from wfc.ir.walk import Steps
from wfc.picture.model import Arrow, Box, Group, Item, Kind, Picture, Shape, Style
from wfc.picture.words import effort, ident, said, trigger

MAX_NODES = 40
_NEAR = 8  # so far back an arrow is looked for that is to be drawn once more
Loose = list[tuple[str, str]]  # ends to be joined to what comes next: an id and the label of the edge


def flow_charts(machine: Machine) -> list[Picture]:
    """One picture, or one for each scope that is large."""
    return _Flow(machine).pictures()


class _Flow:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.policies = {policy.name: policy for policy in machine.policies}
        self.undos = any(op.effect in ("reversible", "unsaid") for op in machine.operations)
        self.items: list[Item] = []  # where is drawn just now: the picture, or a group in it
        self.later: list[tuple[str, Scope]] = []

    def pictures(self) -> list[Picture]:
        """The whole, then the scopes that were too large for it."""
        found = [self._picture(self.machine.process, self.machine.workflow.region, "")]
        while self.later:
            path, scope = self.later.pop(0)
            found.append(self._picture(path, scope.region, path))
        return found

    def _picture(self, title: str, region: Region, path: str) -> Picture:
        picture = Picture(title, path)
        self.items = picture.items
        start = self._point(ident("n", f"{path}.start" if path else "start"))
        ends = self._region(region, [(start, "")], path)
        if ends:
            stop = ident("n", f"{path}.end" if path else "end")
            self.items.append(Box(stop, "end"))
            self._join(ends, stop)
        return picture

    # -- drawing

    def _point(self, name: str) -> str:
        """Where something begins."""
        self.items.append(Box(name, "start"))
        return name

    def _node(self, name: str, shape: Shape, lines: tuple[str, ...], kind: Kind) -> str:
        self.items.append(Box(name, shape, tuple(line for line in lines if line), kind))
        return name

    def _join(self, ends: Loose, target: str, *, back: bool = False) -> None:
        style: Style = "back" if back else "plain"
        for source, text in ends:
            arrow = Arrow(source, target, text, style)
            if back or arrow not in self.items[-_NEAR:]:
                self.items.append(arrow)

    # -- regions and nodes

    def _region(self, region: Region, before: Loose, path: str) -> Loose:
        """The nodes of a region and its edges; the ends at which it completes."""
        done: Loose = []
        nodes = {node.name: node for node in region.nodes}
        place = _Place(nodes, done, path or "start")
        falls = self._block(region.steps, before, place)
        if not region.nodes:
            return [*done, *falls]
        self._join(falls, self._entry(region.nodes[0]))
        for node in region.nodes:
            if isinstance(node, State):
                self._state(node, place)
            else:
                self._scope(node, place)
        return done

    def _entry(self, node: Node) -> str:
        if isinstance(node, Scope):
            return ident("n", "inside") if node.implicit else ident("n", node.path)
        return ident("g" if node.gateway else "s", node.path)

    def _state(self, node: State, place: "_Place") -> None:
        inner = _Place(place.nodes, place.done, node.path)
        if node.gateway:
            self._gateway(node, inner)
        else:
            entry = self._node(self._entry(node), "round", (node.name,), "state")
            falls = self._block(node.steps, [(entry, "")], inner)
            place.done.extend(falls)
            self._guards(node.guards, entry, node.path, inner)

    def _gateway(self, node: State, place: "_Place") -> None:
        step = node.steps[0]
        name = node.name.replace("_", " ")
        entry = self._entry(node)
        match step:
            case Choose():
                self._node(entry, "diamond", (name,), "gateway")
                self._arms(step, entry, place)
            case Await(guards=guards):
                self._node(entry, "hexagon", (name, "the first of"), "gateway")
                self._awaited(guards, entry, place)
            case _:
                self._node(entry, "double", (name,), "gateway")
                falls = self._block(node.steps, [(entry, "")], place)
                place.done.extend(falls)

    def _scope(self, node: Scope, place: "_Place") -> None:
        """A scope as a box around its nodes, or, if it is large, a box of its own picture."""
        entry = self._entry(node)
        path = node.path or "inside"
        title = "watched part" if node.implicit else node.name
        box = ident("c", path)
        if _size(node.region) > MAX_NODES and not node.implicit:
            self._node(box, "double", (node.name, "see its own picture"), "state")
            self._point(entry)
            self._join([(entry, "")], box)
            self.later.append((node.path, node))
            done: Loose = [(box, "")]
        else:
            group = Group(box, title)
            self.items.append(group)
            around, self.items = self.items, group.items
            self._point(entry)
            done = self._region(node.region, [(entry, "")], node.path)
            self.items = around
        if node.implicit:
            place.done.extend(done)
        elif node.next is not None and node.next in place.nodes:
            self._join(done, self._entry(place.nodes[node.next]))
        self._guards(node.region.guards, box, path, place)

    def _guards(self, guards: tuple[Guard, ...], source: str, path: str, place: "_Place") -> None:
        """What interrupts a state or scope: through one red node, if there is something to undo."""
        for guard in guards:
            if guard.also:
                self._beside(guard, source, f"{path}.{guard.id}", place)
        leaving = [guard for guard in guards if not guard.also]
        undoing = [guard for guard in leaving if self.undos and not guard.keep]
        back = ""
        if undoing:
            back = self._node(ident("x", path), "slanted", ("roll back",), "undo")
            self._join([(source, "\n".join(trigger(guard) for guard in undoing))], back, back=True)
        apart = len({_arrow(guard) or guard.id for guard in undoing}) > 1
        for number, guard in enumerate(leaving, 1):
            through = guard in undoing
            if through and not apart and guard is not undoing[0]:
                continue  # they all lead to one node
            start = (back, trigger(guard) if apart else "") if through else (source, trigger(guard))
            inner = _Place(place.nodes, place.done, f"{path}.guard{number}")
            place.done.extend(self._block(guard.steps, [start], inner, back=True))

    def _beside(self, guard: Guard, source: str, path: str, place: "_Place") -> None:
        """A block that runs beside: a dotted edge, and its steps in a row."""
        calls = [step for step in guard.steps if isinstance(step, Do | Start)]
        text = ", ".join(step.target for step in calls) or "steps beside"
        name = self._node(ident("a", path), "box", (text, "beside the flow"), "activity")
        self.items.append(Arrow(source, name, trigger(guard), "beside"))
        _ = place

    # -- steps

    def _block(self, steps: Steps, before: Loose, place: "_Place", *, back: bool = False) -> Loose:
        for step in steps:
            before = self._step(step, before, place, back=back)
            back = False
        return before

    def _step(self, step: Step, before: Loose, place: "_Place", *, back: bool) -> Loose:
        match step:
            case Do():
                return self._do(step, before, place)
            case Start(target=target):
                name = self._node(place.name("a"), "box", (target, "started, not waited for"), "activity")
                self._join(before, name)
                return [(name, "")]
            case Wait(amount=amount, until=until):
                shown = f"until {said(amount)}" if until else said(amount)
                name = self._node(place.name("e"), "hexagon", (f"wait {shown}",), "gateway")
                self._join(before, name)
                return [(name, "")]
            case Await(guards=guards):
                name = self._node(place.name("e"), "hexagon", ("the first of",), "gateway")
                self._join(before, name)
                return self._awaited(guards, name, place)
            case Choose():
                name = self._node(place.name("g"), "diamond", ("?",), "gateway")
                self._join(before, name)
                return self._arms(step, name, place)
            case Parallel():
                return self._parallel(step, before, place)
            case ForEach():
                return self._for_each(step, before, place)
            case Repeat(steps=steps, times=times):
                shown = f"repeat, at most {said(times)} times" if times is not None else "repeat"
                name = self._node(place.name("p"), "double", (shown,), "gateway")
                self._join(before, name)
                falls = self._block(steps, [(name, "")], place)
                self._join([(end, text or "again") for end, text in falls[:1]], name)
                return falls
            case Lock(resources=resources, steps=steps):
                names = ", ".join(resource for resource, _ in resources)
                name = self._node(place.name("p"), "double", (f"lock {names}",), "gateway")
                self._join(before, name)
                return self._block(steps, [(name, "")], place)
            case UndoRegion():
                name = self._node(place.name("x"), "slanted", ("undo",), "undo")
                self._join(before, name, back=True)
                return [(name, "")]
            case Goto(target=target):
                self._join(before, self._target(target, place), back=back)
                return []
            case Done():
                name = self._node(place.name("n"), "round", ("done",), "good")
                self._join(before, name, back=back)
                place.done.append((name, ""))
                return []
            case Fail(names=names):
                shown = f"fails: {', '.join(names)}" if names else "fails again"
                name = self._node(place.name("n"), "round", (shown,), "bad")
                self._join(before, name, back=back)
                return []
            case _:
                return before

    def _target(self, name: str, place: "_Place") -> str:
        if name in place.nodes:
            return self._entry(place.nodes[name])
        for node in place.nodes.values():
            if isinstance(node, Scope) and node.implicit:
                inner = next((n for n in node.region.nodes if n.name == name), None)
                if inner is not None:
                    return self._entry(inner)
        return ident("s", name)

    def _do(self, step: Do, before: Loose, place: "_Place") -> Loose:
        shapes: dict[str, Shape] = {"task": "task", "workflow": "double"}
        text = (step.target + (" (point of no return)" if step.pivot else ""), effort(step, self.policies))
        name = self._node(place.name("a"), shapes.get(step.kind, "box"), text, "activity")
        self._join(before, name)
        falls: Loose = [(name, "")]
        for guard in step.guards:
            if guard.also:
                self._beside(guard, name, f"{place.path}.{place.count}.{guard.id}", place)
            else:
                falls.extend(self._block(guard.steps, [(name, trigger(guard))], place, back=True))
        return falls

    def _arms(self, step: Choose, source: str, place: "_Place") -> Loose:
        falls: Loose = []
        for arm in step.arms:
            falls.extend(self._block(arm.steps, [(source, arm.label)], place))
        if step.otherwise is not None:
            falls.extend(self._block(step.otherwise, [(source, "otherwise")], place))
        else:
            falls.append((source, "otherwise"))
        return falls if step.otherwise is not None or not _gateway_choice(place) else falls[:-1]

    def _awaited(self, guards: tuple[Guard, ...], source: str, place: "_Place") -> Loose:
        falls: Loose = []
        for guard in guards:
            if guard.also:
                self._beside(guard, source, f"{place.path}.{guard.id}", place)
            else:
                falls.extend(self._block(guard.steps, [(source, trigger(guard))], place))
        return falls

    def _parallel(self, step: Parallel, before: Loose, place: "_Place") -> Loose:
        words = {"all": "all of", "first": "the first of", "settled": "all, even failed ones"}
        shown = words.get(step.join, f"{said(step.count)} of")
        fork = self._node(place.name("p"), "double", (shown,), "gateway")
        self._join(before, fork)
        ends: Loose = []
        for branch in step.branches:
            path = f"{place.path}.{branch.name}"
            ends.extend(self._region(branch.region, [(fork, branch.name.replace("_", " "))], path))
        join = self._node(place.name("p"), "double", ("join",), "gateway")
        self._join(ends, join)
        falls: Loose = [(join, "")]
        for guard in step.guards:
            if not guard.also:
                falls.extend(self._block(guard.steps, [(join, trigger(guard))], place, back=True))
        return falls

    def _for_each(self, step: ForEach, before: Loose, place: "_Place") -> Loose:
        how = "one after another"
        if step.concurrent:
            how = f"at most {said(step.limit)} at once" if step.limit is not None else "all at once"
        fork = self._node(place.name("p"), "double", (f"for each {step.item}", how), "gateway")
        self._join(before, fork)
        ends = self._region(step.region, [(fork, "")], f"{place.path}.each{place.count}")
        join = self._node(place.name("p"), "double", ("next",), "gateway")
        self._join(ends, join)
        return [(join, "")]


@dataclass
class _Place:
    """A block's surroundings: where arrows lead, where the region completes, and names for its parts."""

    nodes: dict[str, Node]
    done: Loose
    path: str
    count: int = 0

    def name(self, prefix: str) -> str:
        """An id for the next part."""
        self.count += 1
        return ident(prefix, f"{self.path}.{self.count}")


def _gateway_choice(place: _Place) -> bool:
    """Whether a choice is the one of a gateway, which always has an arm."""
    node = place.nodes.get(place.path.rpartition(".")[2])
    return isinstance(node, State) and node.gateway


def _size(region: Region) -> int:
    """About how many boxes a region fills."""
    count = 0
    for node in region.nodes:
        count += 1 + (_size(node.region) if isinstance(node, Scope) else len(node.steps))
    return count


def _arrow(guard: Guard) -> str:
    """Where a guard leads, if that is all it does."""
    only = guard.steps[0] if len(guard.steps) == 1 else None
    return f"-> {only.target}" if isinstance(only, Goto) else ""
