"""Scopes that end well and badly in one way, so that nobody behind them can tell."""

from collections.abc import Iterator
from typing import ClassVar

from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Done, Scope, State, UndoRegion
from wfc.ir.walk import Steps, blocks, guards, nodes, own_steps
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class OutcomeMixUp(Problem):
    """A scope ends in several places with a plain `done`, and then one arrow is followed, whatever has happened inside.

    What was refused and what was done go the same way: the order that was taken back is shipped. It is an error where
    an `undo` stands before one of the ends, for then nothing is left of what the arrow relies on. Where the ends
    differ, let each give a value and decide behind the scope; or leave the scope by an error and its `catch`. Where
    they mean the same, lead them to one state that ends it. Of deadlines it does not matter which one is over.

    ```wf fails
    service stock {
      activity reserve(id: Text) key id compensate release(id)
      activity release(id: Text)
      query    paid(id: Text) -> Bool
    }
    workflow W(id: Text) key id {
      scope Take -> Ship {
        state Reserve { do stock.reserve(id) -> Look }
        state Look {
          do stock.paid(id) as paid
          choose { when paid { done } otherwise { undo  done } }
        }
      }
      state Ship { done }
    }
    ```
    ```wf passes
    service stock {
      activity reserve(id: Text) key id compensate release(id)
      activity release(id: Text)
      query    paid(id: Text) -> Bool
    }
    workflow W(id: Text) -> Bool key id {
      scope Take as taken -> Decide {
        state Reserve { do stock.reserve(id) -> Look }
        state Look {
          do stock.paid(id) as paid
          choose { when paid { done true } otherwise { undo  done false } }
        }
      }
      gateway Decide { choose { when taken -> Ship  otherwise -> Refused } }
      state Ship    { done true }
      state Refused { done false }
    }
    ```
    """

    arguable: ClassVar[bool] = True
    severity: ClassVar[Severity] = Severity.WARNING

    name: str
    target: str
    undone: bool

    def level(self) -> Severity:
        return Severity.ERROR if self.undone else Severity.WARNING

    def message(self) -> str:
        if self.undone:
            return f"`{self.name}` goes on to `{self.target}` even when it has taken everything back"
        return f"`{self.name}` ends in several ways, and always goes on to `{self.target}`"

    def label(self) -> str:
        return f"one arrow for all of them: `-> {self.target}`"

    def help(self) -> tuple[str, ...]:
        short = self.name.rpartition(".")[2]
        return (
            f"let each `done` say what came of it, and decide behind: `scope {short} as outcome -> ...`, `done true`",
            "where they mean the same, lead them to one state that ends the scope",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each scope with an arrow and more than one plain `done` that is reached."""
    for flow in program.flows.values():
        reached = {id(point.step) for point in flow.graph.points if point.kind == "done" and flow.reached(point)}
        for node in nodes(flow.workflow.region):
            if isinstance(node, Scope) and node.next is not None and not node.implicit and node.at is not None:
                _scope(program, flow, node, reached, report)


def _scope(program: Inquiry, flow: WorkflowFlow, scope: Scope, reached: set[int], report: Reporter) -> None:
    ends = [(done, undone) for done, undone in _ends(scope) if id(done) in reached]
    taken_back = [done for done, undone in ends if undone]
    if len(ends) < 2 or not flow.reached(flow.graph.entries[id(scope)]):  # noqa: PLR2004 - two are a mix
        return
    if not taken_back and all(id(done) in _timed(scope) for done, _ in ends):
        return  # the time is over, one way or the other
    assert scope.at is not None and scope.next is not None  # noqa: PT018 - the caller's
    labels = [
        Label(done.at, "ends so after taking everything back" if undone else "ends so")
        for done, undone in ends
        if done.at is not None
    ]
    told = taken_back or [done for done, _ in ends[1:]]
    report(
        OutcomeMixUp(
            at=scope.at,
            labels=tuple(labels[:4]),
            trace=program.first(_claims(flow, scope, told)).trace,
            name=scope.path,
            target=scope.next,
            undone=bool(taken_back),
        )
    )


def _timed(scope: Scope) -> set[int]:
    """The ends of a scope in the tails of deadlines, by id."""
    tails = [guard for guard in scope.region.guards if guard.kind in ("after", "at")]
    for node in scope.region.nodes:
        if isinstance(node, State):
            inner = (guard for step in own_steps(node.steps) for guard in guards(step))
            tails += [guard for guard in (*node.guards, *inner) if guard.kind in ("after", "at")]
    return {id(step) for guard in tails for step in own_steps(guard.steps) if isinstance(step, Done)}


def _claims(flow: WorkflowFlow, scope: Scope, ends: list[Done]) -> Iterator[tuple[Claim, tuple[Step, ...]]]:
    """Runs that end the scope in one of some ways."""
    around = scope.path.rpartition(".")[0]
    sign = Sign("entered", f"{around}.{scope.next}" if around else scope.next or "")
    for done in ends:
        point = next(point for point in flow.graph.points if point.step is done)
        closing = (Step(f"so `{scope.path}` has ended, and `{scope.next}` follows all the same", done.at),)
        yield Claim(flow.workflow.name, (Waypoint("pass", point),), sign, flow.graph.end, stops=True), closing


def _blocks(scope: Scope) -> Iterator[Steps]:
    """The blocks whose `done` completes the scope."""
    yield scope.region.steps
    yield from (guard.steps for guard in scope.region.guards if not guard.also)
    for node in scope.region.nodes:
        if isinstance(node, State):
            yield node.steps
            yield from (guard.steps for guard in node.guards if not guard.also)


def _ends(scope: Scope) -> Iterator[tuple[Done, bool]]:
    """Each plain `done` of a scope, and whether an `undo` stands before it in its block."""
    for block in _blocks(scope):
        yield from _in_block(block, undone=False)


def _in_block(block: Steps, *, undone: bool) -> Iterator[tuple[Done, bool]]:
    for step in block:
        if isinstance(step, UndoRegion):
            undone = True
        if isinstance(step, Done) and step.value is None:
            yield step, undone
        for inner in blocks(step):
            yield from _in_block(inner, undone=undone)
