"""Where else a name is bound: what a problem with a name shows beside the place itself."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from wfc.sema.model import WorkflowModel
from wfc.sema.regions import RegionState, binders
from wfc.syntax import nodes as ast


class Namesakes:
    """The names that a workflow binds, by their text. A region is looked through once, when something is to be shown.

    `items` is what the region of a loop is given, by the region.
    """

    def __init__(self, workflow: WorkflowModel) -> None:
        self.workflow = workflow
        self.items: dict[int, tuple[ast.Name, ...]] = {}
        self._bound: dict[int, dict[str, list[ast.Name]]] = {}

    def of(self, text: str, region: RegionState, *, inside: bool) -> Iterator[ast.Name]:
        """The names of one text around something in a region: in it, if `inside`, and in those around."""
        here: RegionState | None = region
        while here is not None:
            yield from (name for name in self.items.get(here.node.id, ()) if name.text == text)
            if inside:
                yield from self._in(here).get(text, ())
            here, inside = here.outer, True
        yield from self._params.get(text, ())

    @cached_property
    def _params(self) -> dict[str, list[ast.Name]]:
        return _by_text(info.node.name for info in self.workflow.params)

    def _in(self, region: RegionState) -> dict[str, list[ast.Name]]:
        found = self._bound.get(region.node.id)
        if found is None:
            found = self._bound[region.node.id] = _by_text(binders(region.node, region.kind))
        return found


def _by_text(names: Iterable[ast.Name]) -> dict[str, list[ast.Name]]:
    found: dict[str, list[ast.Name]] = {}
    for name in names:
        found.setdefault(name.text, []).append(name)
    return found
