"""Explicit keys that are the same in each round of a loop."""

from typing import ClassVar

from wfc.flow.cycles import Cycle
from wfc.flow.graph import Point
from wfc.flow.keys import constant_in, key_parts
from wfc.flow.policies import behind, place
from wfc.flow.program import WorkflowFlow
from wfc.ir.expressions import Ref
from wfc.ir.machine import Do, ForEach, Guard, OperationDef
from wfc.ir.types import INT, TEXT
from wfc.ir.walk import regions
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class KeyInCycle(Problem):
    """A call in a loop sends the same key in every round.

    A service that honours keys takes each round for a repetition of the first: it does nothing, and answers with the
    stored result. Only the first month is charged, only the first parcel is booked, and everything looks well. The key
    needs a part that changes from round to round: what the loop goes through, a counter, a date. Without an explicit
    `key` the call has a default one, which counts the rounds by itself. A block of `every`, or of `on ... also`, comes
    again and again too; for an event it is a warning, and none where the event says nothing but its key.

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
    beside: str

    def level(self) -> Severity:
        return Severity.WARNING if self.beside.startswith("on ") else Severity.ERROR

    def message(self) -> str:
        if self.beside:
            return f"the same key is sent each time `{self.beside}` fires, so `{self.operation}` takes effect once only"
        if self.item:
            return f"the same key is sent for each `{self.item}`, so `{self.operation}` takes effect for the first only"
        return f"the same key is sent in every round, so `{self.operation}` takes effect in the first only"

    def label(self) -> str:
        if self.beside:
            return "does not change from one time to the next"
        return f"does not change from one `{self.item}` to the next" if self.item else "does not change between rounds"

    def help(self) -> tuple[str, ...]:
        lines = []
        if self.nodes:
            path = " -> ".join((*self.nodes, self.nodes[0]))
            lines.append(f"the loop is {path}: a service that honours keys answers round 2 with the result of round 1")
        lines.append(f"put what differs into the key: `key {self.part}`")
        default = "is another one each time" if self.beside else "counts the rounds"
        lines.append(f"or leave the explicit key out: the default key of a call {default}")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each reached call whose own or whose operation's key cannot change in a cycle around it."""
    for flow in program.flows.values():
        for point in flow.graph.points:
            call = point.step
            if point.kind != "do" or not isinstance(call, Do) or call.kind == "workflow" or not flow.reached(point):
                continue
            operation = program.operations.get(call.target)
            read = key_parts(call, operation)
            if read is None or operation is None:
                continue
            cycle = constant_in(program, flow.cycles.around(point), read)
            if cycle is not None and not (cycle.beside is not None and _once(program, point, cycle.beside)):
                _report(program, flow, point, operation, cycle, report)


def _once(program: Inquiry, point: Point, guard: Guard) -> bool:
    """Whether a deadline ends what a reminder watches before it comes for the second time."""
    length = program.policies.constants.whole(guard.amount)
    frame = next((f for f in point.frame.outward() if f.parent is not None and guard in f.parent.guards), None)
    if length is None or frame is None or frame.parent is None:
        return False
    ends = (program.policies.constants.whole(g.amount) for g in frame.parent.guards if g.kind == "after" and not g.also)
    return any(end is not None and end <= 2 * length for end in ends)


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
    elif cycle.beside is not None and cycle.beside.at is not None:
        labels.append(Label(cycle.beside.at, "fires again and again"))
    item = cycle.step.item if isinstance(cycle.step, ForEach) else ""
    differing = _differing(flow, cycle)
    text = _with_part(call, operation, differing or "round")
    done = Waypoint("done", point)
    closing = Step("both have the same key: the second is answered with the result of the first", at)
    claim = Claim(flow.workflow.name, (done, done), Sign("same key", operation.name), stops=True)
    shown = program.show(claim, (closing,))
    if cycle.beside is not None and shown.verdict == "impossible":
        return  # what it guards is over before it comes again
    report(
        KeyInCycle(
            at=at,
            operation=call.target,
            nodes=tuple(node.name for node in cycle.nodes) if len(cycle.nodes) > 1 else (),
            item=item,
            beside=cycle.beside.label if cycle.beside is not None else "",
            part=text,
            trace=shown.trace,
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
