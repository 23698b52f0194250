"""The picture of the states: business states only, scopes around them, what leads out of a scope in red."""

from collections.abc import Iterator

from wfc.backends.diagram.text import escape
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    Done,
    Fail,
    Goto,
    Guard,
    Machine,
    Node,
    Parallel,
    Region,
    Scope,
    State,
    Step,
)
from wfc.ir.walk import Steps
from wfc.picture.words import ident, trigger

INDENT = "    "


def state_diagram(machine: Machine) -> list[str]:
    """The lines of the diagram."""
    return _States(machine).lines()


class _States:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.body: list[str] = []
        self.final: list[str] = []
        self.undo: list[str] = []
        self.failures: dict[str, str] = {}  # of the region under way: the ends that are failures, by id
        self.edges: dict[tuple[str, str], list[str]] = {}
        self.path = ""  # of the region under way
        self.undos = any(op.effect in ("reversible", "unsaid") for op in machine.operations)

    def lines(self) -> list[str]:
        """Head, states, edges, classes."""
        self._region(self.machine.workflow.region, 1)
        found = [
            "stateDiagram-v2",
            f"{INDENT}accTitle: {escape(self.machine.process)} states",
            f"{INDENT}direction TB",
            f"{INDENT}classDef final fill:#e8f5e9,stroke:#2e7d32,color:#103d13",
            f"{INDENT}classDef undo fill:#fdecea,stroke:#b3261e,color:#5c0f0a",
            *self.body,
        ]
        for name, ids in (("final", self.final), ("undo", self.undo)):
            if ids:
                found.append(f"{INDENT}class {','.join(dict.fromkeys(ids))} {name}")
        return found

    def _say(self, depth: int, line: str) -> None:
        self.body.append(INDENT * depth + line)

    def _edge(self, source: str, target: str, text: str = "") -> None:
        """Notes an edge; several from one state to another become one with all their labels."""
        labels = self.edges.setdefault((source, target), [])
        if text and text not in labels:
            labels.append(text)

    def _draw(self, depth: int) -> None:
        for (source, target), labels in self.edges.items():
            text = "<br/>".join(escape(label) for label in labels)
            if source == target and source.startswith("s_"):  # as a loop its label would lie upon its neighbours'
                self._say(depth, f"{source} : again{': ' if text else ''}{text}")
                continue
            self._say(depth, f"{source} --> {target}" + (f" : {text}" if text else ""))
        self.edges = {}

    def _region(self, region: Region, depth: int) -> None:
        """The nodes of a region, its start, its edges."""
        around = self.edges, self.failures, self.path
        self.edges, self.failures, self.path = {}, {}, region.path
        nodes = {node.name: node for node in region.nodes}
        for node in region.nodes:
            if isinstance(node, State) and not node.gateway:
                self._say(depth, f'state "{escape(node.name)}" as {ident("s", node.path)}')
            elif isinstance(node, Scope):
                self._scope(node, depth)
        if region.nodes:
            for target, text in self._landings(region.nodes[0], nodes, ""):
                self._edge("[*]", target, text)
        else:
            name = ident("s", region.path or "whole")
            self._say(depth, f'state "{escape(region.path.rpartition(".")[2] or self.machine.process)}" as {name}')
            self._edge("[*]", name)
            self._edge(name, "[*]")
        for node in region.nodes:
            self._leave(node, nodes, depth)
        for name, text in self.failures.items():
            self._say(depth, f'state "{escape(f"fails: {text}")}" as {name}')
            self.undo.append(name)
        self._draw(depth)
        self.edges, self.failures, self.path = around

    def _scope(self, node: Scope, depth: int) -> None:
        """A scope as a box; the part of a process that its own guards watch is one too."""
        title = "watched part" if node.implicit else node.name
        self._say(depth, f'state "{escape(title)}" as {self._id(node)} {{')
        self._region(node.region, depth + 1)
        self._say(depth, "}")

    def _id(self, node: Node) -> str:
        if isinstance(node, Scope):
            return ident("c", "inside") if node.implicit else ident("c", node.path)
        return ident("s", node.path)

    def _failure(self, names: str) -> str:
        """An end that is a failure: one state for each error in a region, so that it is not taken for a success."""
        name = ident("f", f"{self.path}.{names}")
        self.failures[name] = names
        return name

    # -- edges

    def _leave(self, node: Node, nodes: dict[str, Node], depth: int) -> None:
        """The edges out of a node."""
        source = self._id(node)
        match node:
            case State(gateway=True):
                return
            case State():
                self._exits(source, node.steps, nodes, depth)
                self._guards(source, node.path, node.guards, nodes, depth)
            case Scope():
                if node.implicit:
                    self._edge(source, "[*]")
                elif node.next is not None and node.next in nodes:
                    for target, text in self._landings(nodes[node.next], nodes, ""):
                        self._edge(source, target, text)
                self._guards(source, node.path or "inside", node.region.guards, nodes, depth)

    def _guards(self, source: str, path: str, guards: tuple[Guard, ...], nodes: dict[str, Node], depth: int) -> None:
        """What interrupts: through "roll back", if there is something to undo and it is not kept."""
        back = ident("x", path)
        drawn = False
        for guard in guards:
            if guard.also:
                continue
            through = self.undos and not guard.keep
            if through and not drawn:
                self._say(depth, f'state "roll back" as {back}')
                self.undo.append(back)
                drawn = True
            if through:
                self._edge(source, back, trigger(guard))
            for target, text in self._targets(guard.steps, nodes):
                self._edge(back if through else source, target, text if through else trigger(guard))

    def _exits(self, source: str, steps: Steps, nodes: dict[str, Node], depth: int) -> None:
        """The exits of a state: arrows, ends, and what its calls and choices lead to."""
        for target, text in self._targets(steps, nodes):
            self._edge(source, target, text)
            if target == "[*]" and depth == 1:
                self.final.append(source)

    def _targets(self, steps: Steps, nodes: dict[str, Node], text: str = "") -> Iterator[tuple[str, str]]:
        """Where steps lead, with what decides it."""
        for step in steps:
            yield from self._step(step, nodes, text)

    def _step(self, step: Step, nodes: dict[str, Node], text: str) -> Iterator[tuple[str, str]]:
        match step:
            case Goto(target=target):
                if target in nodes:
                    yield from self._landings(nodes[target], nodes, text)
                else:
                    yield from self._inside(target, nodes, text)
            case Done():
                yield "[*]", text
            case Fail(names=names):
                yield self._failure(", ".join(names) or "again"), text
            case Choose(arms=arms, otherwise=otherwise):
                for arm in arms:
                    yield from self._targets(arm.steps, nodes, _also(text, f"[{arm.label}]"))
                if otherwise is not None:
                    yield from self._targets(otherwise, nodes, _also(text, "[otherwise]"))
            case Await(guards=guards) | Do(guards=guards) | Parallel(guards=guards):
                for guard in guards:
                    if not guard.also:
                        yield from self._targets(guard.steps, nodes, _also(text, trigger(guard)))
            case _:
                return

    def _inside(self, target: str, nodes: dict[str, Node], text: str) -> Iterator[tuple[str, str]]:
        """An arrow of a guard into the part it watches."""
        for node in nodes.values():
            if isinstance(node, Scope) and node.implicit and any(n.name == target for n in node.region.nodes):
                yield self._id(node), text

    def _landings(
        self, node: Node, nodes: dict[str, Node], text: str, seen: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, str]]:
        """The states an arrow to a node leads to: gateways are passed through."""
        if not (isinstance(node, State) and node.gateway):
            yield self._id(node), text
            return
        if node.path in seen:
            return
        name = node.name.replace("_", " ")
        for step in node.steps:
            for target, decided in self._gateway(step, nodes, seen | {node.path}):
                yield target, _also(text, f"{name} {decided}".strip())

    def _gateway(self, step: Step, nodes: dict[str, Node], seen: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Where a decision leads, each with what decides."""
        ways: list[tuple[Steps, str]] = []
        match step:
            case Choose(arms=arms, otherwise=otherwise):
                ways = [(arm.steps, f"[{arm.label}]") for arm in arms]
                if otherwise is not None:
                    ways.append((otherwise, "[otherwise]"))
            case Await(guards=guards):
                ways = [(guard.steps, trigger(guard)) for guard in guards if not guard.also]
            case Goto():
                ways = [((step,), "")]
            case _:
                return
        for steps, text in ways:
            for inner in steps:
                if isinstance(inner, Goto) and inner.target in nodes:
                    yield from self._landings(nodes[inner.target], nodes, text, seen)
                else:
                    yield from self._step(inner, nodes, text)


def _also(text: str, more: str) -> str:
    return f"{text} {more}".strip()
