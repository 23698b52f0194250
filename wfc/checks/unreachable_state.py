"""States, gateways and scopes that no way leads to."""

import re
from typing import ClassVar

from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Node, Scope
from wfc.ir.walk import nodes
from wfc.problems.problem import Edit, Fix, Problem, Reporter, Severity
from wfc.text.value import value


@value(kw_only=True)
class UnreachableState(Problem):
    """No way from the start leads to a state, gateway or scope.

    Nothing enters it: no arrow, no arm, no guard, or only arrows from places that are not reached themselves. Often an
    arrow leads elsewhere than was meant, and then the process skips what stands here.

    ```wf fails
    workflow W() {
      state Start { -> End }
      state Forgotten { audit "never"  -> End }
      state End { done }
    }
    ```
    ```wf passes
    workflow W() {
      state Start { -> Middle }
      state Middle { audit "always"  -> End }
      state End { done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.ERROR
    roots: ClassVar[frozenset[str]] = frozenset(("dead-end", "non-exhaustive-choice"))

    kind: str
    name: str
    workflow: str
    named: bool = False

    def message(self) -> str:
        return f"nothing leads to the {self.kind} `{self.name}`"

    def label(self) -> str:
        return "is never entered"

    def help(self) -> tuple[str, ...]:
        if self.named:
            return ("the arrows that name it stand where the process never is, or at a guard that never fires",)
        return (f"lead an arrow here (`-> {self.name.rpartition('.')[2]}`), or remove it",)


def check(program: Program, report: Reporter) -> None:
    """Reports nodes whose entry no way reaches; what lies behind or inside one of them is not told again."""
    for flow in program.flows.values():
        lost = [node for node in nodes(flow.workflow.region) if not flow.reached(flow.graph.entries[id(node)])]
        for node in _causes(flow, [node for node in lost if not (isinstance(node, Scope) and node.implicit)]):
            kind = "scope" if isinstance(node, Scope) else "gateway" if node.gateway else "state"
            if node.at is not None:
                report(
                    UnreachableState(
                        at=node.at,
                        kind=kind,
                        name=node.path,
                        workflow=flow.workflow.name,
                        named=_is_named(node),
                        fixes=_fixes(node),
                    )
                )


def _fixes(node: Node) -> tuple[Fix, ...]:
    """The node goes, with the line it stands on. It may have been meant to be reached: not safe."""
    if node.extent is None or _is_named(node):
        return ()
    return (Fix(f"remove `{node.name}`", (Edit(node.extent.with_line(), ""),)),)


def _is_named(node: Node) -> bool:
    """Whether an arrow outside of it names it all the same: it cannot simply go."""
    if node.extent is None:
        return False
    text = node.extent.source.text
    outside = f"{text[: node.extent.start]}{text[node.extent.end :]}"
    return re.search(rf"->\s*{re.escape(node.name)}\b", outside) is not None


def _causes(flow: WorkflowFlow, lost: list[Node]) -> list[Node]:
    """The lost nodes that no other lost node leads to, then the first of each circle that is left."""
    behind = {id(node): _behind(flow, node) for node in lost}
    entries = {id(flow.graph.entries[id(node)]): node for node in lost}
    followed = {e for node in lost for e in behind[id(node)] if entries.get(e) not in (None, node)}
    roots = [node for node in lost if id(flow.graph.entries[id(node)]) not in followed]
    told: list[Node] = []
    covered: set[int] = set()
    for node in (*roots, *lost):
        if id(flow.graph.entries[id(node)]) not in covered:
            told.append(node)
            covered |= behind[id(node)] | {id(flow.graph.entries[id(node)])}
    return told


def _behind(flow: WorkflowFlow, node: Node) -> set[int]:
    """The points that a node leads to, by id; those inside a scope among them."""
    seen: set[int] = set()
    waiting = [flow.graph.entries[id(node)]]
    while waiting:
        point = waiting.pop()
        for target in (*point.next, *(a.target for a in point.aborts if a.target is not None)):
            if id(target) not in seen:
                seen.add(id(target))
                waiting.append(target)
    return seen
