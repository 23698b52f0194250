"""Everything the checks ask of the flow: the graph and effects of each workflow, worked out once."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from wfc.flow.bindings import Sources, fixed, other_names
from wfc.flow.choices import Choices, Given, Known, Verdict
from wfc.flow.conditions import NOTHING, Conditions, Definitions
from wfc.flow.cycles import Cycles
from wfc.flow.effects import Effects
from wfc.flow.errors import Errors
from wfc.flow.given import given_at
from wfc.flow.graph import Abort, Frame, Graph, Point
from wfc.flow.locks import Locks
from wfc.flow.policies import Policies
from wfc.flow.sending import Sending
from wfc.flow.time import Times
from wfc.ir.expressions import Expr
from wfc.ir.machine import (
    Await,
    Choose,
    Do,
    EventDef,
    Fail,
    Guard,
    Lock,
    Machine,
    OperationDef,
    Start,
    UndoRegion,
    Wait,
    Workflow,
)
from wfc.ir.walk import all_steps, region_steps, regions, undo_of


class WorkflowFlow:
    """One workflow's flow."""

    def __init__(self, workflow: Workflow, program: "Program") -> None:
        self.workflow = workflow
        self.program = program

    @cached_property
    def graph(self) -> Graph:
        """The control-flow graph."""
        return Graph(self.workflow, self.program.errors, self.verdict)

    @cached_property
    def given(self) -> dict[int, Given]:
        """What is known already at each choice."""
        return given_at(self.workflow)

    @cached_property
    def _known(self) -> Known:
        return Known(fixed(self.workflow), other_names(self.workflow), Sources(self.workflow))

    @cached_property
    def _verdicts(self) -> dict[int, Verdict]:
        return {}

    def verdict(self, choice: Choose) -> Verdict:
        """Which arms of a choice are taken, and whether they cover every value."""
        found = self._verdicts.get(id(choice))
        if found is None:
            given = self.given.get(id(choice), ())
            found = self.program.choices.verdict(choice, self.workflow, given, self._known)
            self._verdicts[id(choice)] = found
        return found

    def takers(self, choice: Choose, arm: int) -> tuple[int, ...]:
        """The earlier arms that take everything a dead arm would."""
        return self.program.choices.takers(choice, arm, self.workflow, self.given.get(id(choice), ()), self._known)

    @cached_property
    def effects(self) -> Effects:
        """What is done where."""
        return Effects(self.graph)

    @cached_property
    def cycles(self) -> Cycles:
        """What runs again and again."""
        return Cycles(self.graph)

    @cached_property
    def reachable(self) -> set[int]:
        """The points that some way leads to, by id."""
        return self._behind_start(set())

    @cached_property
    def live(self) -> set[int]:
        """The same without the arms that are never taken, and the guards that never hear anything."""
        tails = {id(frame.tails[id(guard)]) for frame in self.graph.frames for guard in self.deaf(frame)}
        without = self.graph.dead | tails
        return self._behind_start(without) if without else self.reachable

    def deaf(self, frame: Frame) -> Iterator[Guard]:
        """The guards of something whose condition no event meets."""
        for guard in frame.guards:
            if guard.kind == "on" and guard.when is not None and self._is_deaf(guard, guard.when):
                yield guard

    def _is_deaf(self, guard: Guard, when: Expr) -> bool:
        found = self._deaf.get(id(guard))
        if found is None:
            found = self._deaf[id(guard)] = bool(self.program.choices.never([when], self.workflow))
        return found

    @cached_property
    def _deaf(self) -> dict[int, bool]:
        return {}

    def _behind_start(self, without: set[int]) -> set[int]:
        seen: set[int] = set()
        waiting = [self.graph.start]
        while waiting:
            point = waiting.pop()
            if id(point) in seen or id(point) in without:
                continue
            seen.add(id(point))
            waiting.extend(point.next)
            waiting.extend(abort.target for abort in point.aborts if abort.target is not None)
        return seen

    @cached_property
    def before(self) -> dict[int, list[Point]]:
        """The points from which the flow leads to one, by its id; aborts apart."""
        found: dict[int, list[Point]] = {}
        for point in self.graph.points:
            for target in point.next:
                found.setdefault(id(target), []).append(point)
        return found

    @cached_property
    def _aborts(self) -> dict[int, list[Abort]]:
        found: dict[int, list[Abort]] = {}
        for point in self.graph.points:
            for abort in point.aborts:
                if abort.target is not None:
                    found.setdefault(id(abort.target), []).append(abort)
        return found

    def aborts_to(self, tail: Point) -> list[Abort]:
        """The aborts that lead to the tail of a guard."""
        return self._aborts.get(id(tail), [])

    def reached(self, point: Point) -> bool:
        """Whether some way leads to a point."""
        return id(point) in self.reachable

    def story(self, goal: Point) -> list[Point]:
        """The shortest way from the start to a point."""
        before: dict[int, Point | None] = {id(self.graph.start): None}
        waiting = [self.graph.start]
        for point in waiting:
            if point is goal:
                break
            targets = [*point.next, *(a.target for a in point.aborts if a.target is not None)]
            for target in targets:
                if id(target) not in before:
                    before[id(target)] = point
                    waiting.append(target)
        trail: list[Point] = []
        at: Point | None = goal if id(goal) in before else None
        while at is not None:
            trail.append(at)
            at = before[id(at)]
        return trail[::-1]


class Program:
    """The flow of all workflows of a machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.errors = Errors(machine)
        self.definitions = Definitions(machine)
        self.choices = Choices(self.definitions)
        self.flows = {workflow.name: WorkflowFlow(workflow, self) for workflow in machine.workflows}
        self.operations: dict[str, OperationDef] = {op.name: op for op in machine.operations}
        self.events: dict[str, EventDef] = {event.name: event for event in machine.events}
        self.policies = Policies(machine)
        self.locks = Locks(machine)
        self.sending = Sending(machine)
        self._left: dict[str, tuple[Point, ...]] = {}

    def constant(self, expr: Expr) -> Any:  # noqa: ANN401 - values of the language
        """The value of an expression that reads constants only, or None."""
        found = self._conditions.constant(expr)
        return None if found is NOTHING else found

    @cached_property
    def _conditions(self) -> Conditions:
        return Conditions(self.definitions, None)

    @cached_property
    def undoing(self) -> frozenset[str]:
        """The operations that undo another one already."""
        every = (step for workflow in self.machine.workflows for step in region_steps(workflow.region, undos=False))
        undos = (step.undo for step in every if isinstance(step, Do) and step.undo is not None)
        return frozenset(step.target for undo in undos for step in all_steps(undo.steps) if isinstance(step, Do))

    @cached_property
    def called(self) -> frozenset[str]:
        """The operations that the flow calls, undos apart."""
        every = (step for workflow in self.machine.workflows for step in region_steps(workflow.region, undos=False))
        return frozenset(step.target for step in every if isinstance(step, Do))

    @cached_property
    def called_workflows(self) -> frozenset[str]:
        """The workflows that another one runs and waits for."""
        every = (step for workflow in self.machine.workflows for step in region_steps(workflow.region))
        return frozenset(step.target for step in every if isinstance(step, Do) and step.kind == "workflow")

    @cached_property
    def longest(self) -> Times:
        """How long things take at most."""
        return Times(self.machine, self.policies, longest=True)

    @cached_property
    def longest_with_waits(self) -> Times:
        """How long things take at most, waits of a fixed length included."""
        return Times(self.machine, self.policies, longest=True, waits=True)

    @cached_property
    def bounds(self) -> Times:
        """How long things take at most, where deadlines inside bound what nobody can know."""
        return Times(self.machine, self.policies, longest=True, bounds=True)

    @cached_property
    def shortest(self) -> Times:
        """How long things take at least."""
        return Times(self.machine, self.policies, longest=False)

    @cached_property
    def undos(self) -> frozenset[str]:
        """The operations and workflows that some undo calls: of a call, a started workflow or a region."""
        found: set[str] = set()
        for workflow in self.machine.workflows:
            undos = [undo_of(step) for step in region_steps(workflow.region, undos=False)]
            undos += [region.undo for region in regions(workflow.region)]
            for undo in undos:
                steps = all_steps(undo.steps) if undo is not None else ()
                found.update(step.target for step in steps if isinstance(step, Do | Start))
        return frozenset(found)

    @cached_property
    def pivoting(self) -> frozenset[str]:
        """The workflows that hold a `pivot` and do not say how they are undone themselves."""
        return frozenset(
            workflow.name
            for workflow in self.machine.workflows
            if workflow.region.undo is None
            and any(isinstance(step, Do) and step.pivot for step in region_steps(workflow.region, undos=False))
        )

    def leaves_undo(self, call: Do | Start) -> bool:
        """Whether a child that has completed may be asked to undo itself."""
        if not isinstance(call, Do) or call.kind != "workflow" or call.undo is not None:
            return False
        found = self._undoable.get(call.target)
        if found is None:
            self._undoable[call.target] = False  # a child of itself adds nothing new
            found = self._undoable[call.target] = self._can_undo(call.target)
        return found

    def ends_at_once(self, name: str) -> bool:
        """Whether a workflow may come to an end without anything in it that takes time."""
        found = self._at_once.get(name)
        if found is None:
            self._at_once[name] = False  # one that calls itself at once has no end
            flow = self.flows.get(name)
            found = self._at_once[name] = flow is not None and self._runs_through(flow)
        return found

    @cached_property
    def _at_once(self) -> dict[str, bool]:
        return {}

    def _runs_through(self, flow: WorkflowFlow) -> bool:
        seen = {id(flow.graph.start)}
        waiting = [flow.graph.start]
        for point in waiting:
            if point is flow.graph.end or isinstance(point.step, Fail):
                return True
            step = point.step
            if point.kind == "do" and not (isinstance(step, Do) and self.ends_at_once(step.target)):
                continue
            if isinstance(step, Wait | Await | Lock | UndoRegion):
                continue
            waiting += [target for target in point.next if id(target) not in seen]
            seen.update(id(target) for target in point.next)
        return False

    @cached_property
    def _undoable(self) -> dict[str, bool]:
        return {}

    def _can_undo(self, name: str) -> bool:
        flow = self.flows.get(name)
        if flow is None:
            return False
        if flow.workflow.region.undo is not None:
            return flow.workflow.region.undo.kind == "steps"
        for point in flow.effects.at_end():
            step = point.step
            if isinstance(step, Do | Start):
                own = step.undo is not None and step.undo.kind == "steps"
                if own or self.leaves_undo(step):
                    return True
        return False

    def unsaid(self, call: Point) -> tuple[Point, ...]:
        """The activities behind a completed call that say nothing about their undo: itself, or those of a child."""
        step = call.step
        if isinstance(step, Start):
            return (call,) if step.undo is None else ()
        if not isinstance(step, Do):
            return ()
        if step.effect == "unsaid":
            return (call,)
        if step.kind != "workflow" or step.undo is not None:
            return ()
        return self._left_by(step.target)

    def _left_by(self, name: str) -> tuple[Point, ...]:
        """What a completed child leaves to be undone by those around it."""
        found = self._left.get(name)
        if found is not None:
            return found
        self._left[name] = ()  # a child of itself adds nothing new
        flow = self.flows.get(name)
        if flow is None or flow.workflow.region.undo is not None:
            return ()
        left = tuple(point for call in flow.effects.at_end() for point in self.unsaid(call))
        self._left[name] = left
        return left
