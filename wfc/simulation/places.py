"""Where a record belongs on the page: how deep, and in which branches of which instance."""

import attrs

from wfc.ir.machine import ForEach
from wfc.ir.walk import region_steps, regions
from wfc.machine.program import Program
from wfc.simulation.lines import Lane


@attrs.frozen
class Position:
    """A place on the page."""

    depth: int = 0
    lanes: tuple[Lane, ...] = ()

    def deeper(self, steps: int = 1) -> "Position":
        """Further inside."""
        return attrs.evolve(self, depth=self.depth + steps)


class Places:
    """The branches of a machine, and where each instance of a run begins."""

    def __init__(self, program: Program) -> None:
        self._labels: dict[tuple[str, str], str] = {}
        self._each: set[tuple[str, str]] = set()
        self._workflows: dict[str, str] = {}
        self._bases: dict[str, Position] = {}
        self._guards: dict[tuple[str, str], list[str]] = {}  # the paths at which a workflow has a guard with a label
        for spec in program.specs:
            for guard in spec.guards:
                self._guards.setdefault((spec.name.partition(":")[0], guard.label), []).append(spec.path)
        for workflow in program.machine.workflows:
            for region in regions(workflow.region):
                if region.kind == "branch":
                    self._labels[workflow.name, region.path] = region.path.rpartition(".")[2]
            for step in region_steps(workflow.region):
                if isinstance(step, ForEach):
                    self._labels[workflow.name, step.region.path] = step.item
                    self._each.add((workflow.name, step.region.path))

    def begin(self, instance: str, workflow: str, base: Position) -> None:
        """An instance is told from here on."""
        self._workflows[instance] = workflow
        self._bases[instance] = base

    def base(self, instance: str) -> Position:
        """Where the outermost nodes of an instance stand."""
        return self._bases.get(instance, Position())

    def node(self, instance: str, path: str, iteration: tuple[int, ...] = ()) -> Position:
        """Where a node itself stands."""
        around, _, _ = path.rpartition(".")
        return self.inside(instance, around, iteration) if around else self.base(instance)

    def inside(self, instance: str, path: str, iteration: tuple[int, ...] = ()) -> Position:
        """Where stands what happens inside a node or branch."""
        workflow = self._workflows.get(instance, "")
        found = self.base(instance)
        names = path.split(".") if path else []
        left = list(iteration)
        for count in range(1, len(names) + 1):
            here = ".".join(names[:count])
            label = self._labels.get((workflow, here))
            if label is None:
                found = found.deeper()
                continue
            if (workflow, here) in self._each and left:
                label = f"{label} {left.pop(0) + 1}"
            group = f"{instance}:{'.'.join(names[: count - 1])}"
            found = Position(0, (*found.lanes, Lane(group, found.depth, label)))
        return found

    def guard(self, instance: str, path: str, label: str, iteration: tuple[int, ...] = ()) -> Position:
        """Where a guard stands that has fired while its token was at a node."""
        known = self._guards.get((self._workflows.get(instance, ""), label), [])
        around = [each for each in known if not each or f"{path}.".startswith(f"{each}.")]
        return self.inside(instance, max(around, key=len, default=path), iteration)
