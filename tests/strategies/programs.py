"""Whole programs that are correct by construction, for everything that holds for every program.

    @given(programs())
    def test_it_holds(program: Program) -> None: ...

`max_nodes` bounds the nodes of all workflows together; `features` switches constructs on and off. A failing case
shrinks to few declarations, one workflow and the first of each list of options. What is never generated: generic
declarations, several modules, migrations, scenarios and deeper inner modules.
"""

import re
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.strategies.declarations import Declarations
from tests.strategies.draws import Draws
from tests.strategies.features import ALL, Feature
from tests.strategies.flow import Flow
from tests.strategies.model import Item, World, lines

__all__ = ["ALL", "Feature", "Program", "programs"]


@dataclass(frozen=True)
class Program:
    """A program in one file, and what it declares."""

    text: str
    world: World

    def __repr__(self) -> str:
        return f"Program:\n{self.text}"

    @property
    def files(self) -> dict[str, str]:
        """The program as the files of a project."""
        return {"main.wf": self.text}


@st.composite
def programs(
    draw: st.DrawFn, max_nodes: int = 8, features: frozenset[Feature] = ALL, max_steps: int | None = None
) -> Program:
    """A program without errors."""
    draws = Draws(draw)
    declared = Declarations(draws, features)
    declared.run()
    items: list[Item] = list(declared.items)
    nodes = max_nodes
    steps = 3 * max_nodes if max_steps is None else max_steps
    helpers = draws.number(0, 2) if features & {Feature.CHILD, Feature.START} else 0
    for number in range(helpers + 1):
        flow = Flow(declared, steps)
        flow.nodes_left = 2 if number < helpers else max(1, nodes)
        block, child = flow.workflow(draws.fresh("workflow"))
        steps = max(1, flow.budget)
        nodes -= 2
        items.append(block)
        declared.know(child)
    if draws.chance(4):  # what is declared below can be read above
        items.reverse()
        items = _doc_comments_first(items)
    body = "\n".join(lines(items))
    used = [name for name in declared.imports if re.search(rf"\b{name}\b", body)]
    head = f"import std.policies {{ {', '.join(used)} }}\n" if used else ""
    return Program(f"{head}{body}\n", declared.world)


def _doc_comments_first(items: list[Item]) -> list[Item]:
    """Items in reverse with each comment before its declaration again."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, str) and item.startswith("///") and found:
            found.insert(len(found) - 1, item)
        else:
            found.append(item)
    return found
