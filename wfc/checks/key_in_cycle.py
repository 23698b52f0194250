"""Explicit keys that are the same in each round of a loop."""

from typing import ClassVar

from wfc.flow.cycles import Cycle
from wfc.flow.graph import Point
from wfc.flow.policies import behind, place
from wfc.flow.program import WorkflowFlow
from wfc.ir.expressions import Expr, Ref, walk
from wfc.ir.machine import Do, ForEach, OperationDef
from wfc.ir.types import INT, TEXT
from wfc.ir.walk import regions
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class KeyInCycle(Problem):
    """A call in a loop sends the same key in every round.

    A service that honours keys takes each round for a repetition of the first: it does nothing, and answers with the
    stored result. Only the first month is charged, only the first parcel is booked, and everything looks well. The key
    needs a part that changes from round to round: what the loop goes through, a counter, a date. Without an explicit
    `key` the call has a default one, which counts the rounds by itself.

    ```wf fails
    service payments {
      activity charge(customer: Text) key customer compensate refund(customer)
      activity refund(customer: Text)
    }
    workflow Subscribe(customer: Text) {
      after 365d { done }
      state Bill { do payments.charge(customer)  settle  wait 30d  -> Bill }
    }
    ```
    ```wf passes
    service payments {
      activity charge(customer: Text) key customer compensate refund(customer)
      activity refund(customer: Text)
    }
    workflow Subscribe(customer: Text) {
      after 365d { done }
      var period: Int = 1
      state Bill {
        do payments.charge(customer) key "{customer}/{period}"
        settle
        set period = period + 1
        wait 30d
        -> Bill
      }
    }
    ```
    """

    arguable: ClassVar[bool] = True

    operation: str
    nodes: tuple[str, ...]
    item: str
    part: str

    def message(self) -> str:
        if self.item:
            return f"the same key is sent for each `{self.item}`, so `{self.operation}` takes effect for the first only"
        return f"the same key is sent in every round, so `{self.operation}` takes effect in the first only"

    def label(self) -> str:
        return f"does not change from one `{self.item}` to the next" if self.item else "does not change between rounds"

    def help(self) -> tuple[str, ...]:
        lines = []
        if self.nodes:
            path = " -> ".join((*self.nodes, self.nodes[0]))
            lines.append(f"the loop is {path}: a service that honours keys answers round 2 with the result of round 1")
        lines.append(f"put what differs into the key: `key {self.part}`")
        lines.append("or leave the explicit key out: the default key of a call counts the rounds")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each reached call whose own or whose operation's key cannot change in a cycle around it."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            call = point.step
            if point.kind != "do" or not isinstance(call, Do) or call.kind == "workflow" or not flow.reached(point):
                continue
            operation = program.operations.get(call.target)
            read = _read(call, operation)
            if read is None or operation is None:
                continue
            cycle = next((cycle for cycle in flow.cycles.around(point) if not _changes(cycle, read)), None)
            if cycle is not None:
                _report(program, flow, point, operation, cycle, report)


def _read(call: Do, operation: OperationDef | None) -> tuple[Expr, ...] | None:
    """What the key of a call is made of; None where it has the default key."""
    if call.key is not None:
        return (call.key,)
    if operation is None or operation.key is None:
        return None
    given = dict(zip((param.name for param in operation.params), call.args, strict=False))
    names = [part.name for part in walk(operation.key) if isinstance(part, Ref) and part.kind == "operand"]
    return tuple(given[name] for name in names if name in given)


def _changes(cycle: Cycle, read: tuple[Expr, ...]) -> bool:
    return any(cycle.changes(expr) for expr in read)


def _report(
    program: Inquiry, flow: WorkflowFlow, point: Point, operation: OperationDef, cycle: Cycle, report: Reporter
) -> None:
    call = point.step
    assert isinstance(call, Do)
    own = place(call.places, "key")
    at = own or call.at
    if at is None:
        return
    stands = place(operation.places, "key")
    labels = [Label(stands, "the key of each call")] if own is None and stands is not None else []
    if cycle.step is not None and cycle.step.at is not None:
        labels.append(Label(cycle.step.at, "runs again and again"))
    elif cycle.nodes and cycle.nodes[0].at is not None:
        labels.append(Label(cycle.nodes[0].at, "is entered again and again"))
    item = cycle.step.item if isinstance(cycle.step, ForEach) else ""
    differing = _differing(flow, cycle)
    text = _with_part(call, operation, differing or "round")
    done = Waypoint("done", point)
    closing = Step("both have the same key: the second is answered with the result of the first", at)
    claim = Claim(flow.workflow.name, (done, done), Sign("same key", operation.name), stops=True)
    report(
        KeyInCycle(
            at=at,
            operation=call.target,
            nodes=tuple(node.name for node in cycle.nodes) if len(cycle.nodes) > 1 else (),
            item=item,
            part=text,
            trace=program.show(claim, (closing,)).trace,
            labels=tuple(labels),
            fixes=_fixes(call, text) if differing else (),
        )
    )


def _differing(flow: WorkflowFlow, cycle: Cycle) -> str:
    """A name that differs from round to round and can stand in a text."""
    if isinstance(cycle.step, ForEach):
        if cycle.step.index is not None:
            return cycle.step.index
        return cycle.step.item if cycle.step.item_type in (TEXT, INT) else ""
    variables = [v for region in regions(flow.workflow.region) for v in region.variables if v.type == INT]
    return next((v.name for v in variables if v.name in cycle.changing), "")


def _with_part(call: Do, operation: OperationDef, name: str) -> str:
    """The text of the key with one more part."""
    own = place(call.places, "key")
    text = own.text.removeprefix("key").strip() if own is not None else _argument(call, operation)
    if text.startswith('"') and text.endswith('"'):
        return f'{text[:-1]}/{{{name}}}"'
    return f'"{{{text}}}/{{{name}}}"' if text and '"' not in text else f'"{{{name}}}"'


def _argument(call: Do, operation: OperationDef) -> str:
    """The name that the call gives for the one parameter which is the operation's key."""
    if not isinstance(operation.key, Ref):
        return ""
    names = [param.name for param in operation.params]
    given = call.args[names.index(operation.key.name)] if operation.key.name in names else None
    return given.name if isinstance(given, Ref) else ""


def _fixes(call: Do, text: str) -> tuple[Fix, ...]:
    """The key with what differs. Whether that is what makes one round is the author's to say: not safe."""
    own = place(call.places, "key")
    if own is not None:
        at = own.first(len(own.text.rstrip()))
        return (Fix(f"write `key {text}`", (Edit(at, f"key {text}"),)),)
    at_end = behind(call, ("as", "assign", "with"))
    if at_end is None or text.count("{") < 2:  # noqa: PLR2004 - what it was, and what differs
        return ()
    return (Fix(f"add `key {text}`", (Edit(at_end, f" key {text}"),)),)
