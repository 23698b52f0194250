"""Explicit keys that are the same in each round of a loop."""

from typing import ClassVar

from wfc.flow.cycles import Cycle
from wfc.flow.graph import Point
from wfc.flow.keys import Repeated, repeated
from wfc.flow.policies import behind, place
from wfc.flow.program import WorkflowFlow
from wfc.flow.sending import child_key, key_of
from wfc.ir.expressions import Expr, Get, Interp, Lit, Ref
from wfc.ir.machine import Do, ForEach, Guard, Start
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
    others: int = 0
    child: str = ""
    inside: str = ""
    default: bool = True
    surely: bool = True
    lost: bool = False

    def level(self) -> Severity:
        return Severity.WARNING if self.beside.startswith("on ") or not self.surely else Severity.ERROR

    def message(self) -> str:
        when = f"each time `{self.beside}` fires" if self.beside else "in every round"
        when = f"for each `{self.item}`" if self.item else when
        what = {"run": "runs", "start": "is started"}.get(self.child)
        if self.lost:
            return f"`{self.operation}` runs under the same key {when}, so only its last run can be undone"
        if what is not None and not self.inside:
            return f"`{self.operation}` {what} under the same key {when}, so it is refused while another one runs"
        only = "once only" if self.beside else "for the first only" if self.item else "in the first only"
        if what is not None:
            return f"`{self.operation}` {what} under the same key {when}, so `{self.inside}` takes effect {only}"
        return f"the same key is sent {when}, so `{self.operation}` takes effect {only}"

    def label(self) -> str:
        if self.beside:
            return "does not change from one time to the next"
        return f"does not change from one `{self.item}` to the next" if self.item else "does not change between rounds"

    def help(self) -> tuple[str, ...]:
        lines = []
        if self.nodes:
            path = " -> ".join((*self.nodes, self.nodes[0]))
            known = ": a service that honours keys answers round 2 with the result of round 1"
            lines.append(f"the loop is {path}{known if self.inside or not self.child else ''}")
        if self.others:
            more = "another call" if self.others == 1 else f"{self.others} more calls"
            lines.append(f"the same goes for {more} of `{self.operation}` in this loop")
        lines.append(f"put what differs into the key: `key {self.part}`")
        if not self.default:
            lines.append(f"a `key` at the call stands for that of `{self.operation}`")
            return tuple(lines)
        default = "is another one each time" if self.beside else "counts the rounds"
        lines.append(f"or leave the explicit key out: the default key of a call {default}")
        return tuple(lines)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each reached call whose own key cannot change in a cycle around it, or that of what it calls.

    Where that of an operation is the cause, its calls in one cycle are told once.
    """
    for flow in program.flows.values():
        found: dict[tuple[str, int], list[tuple[Point, Repeated]]] = {}
        for number, point in enumerate(flow.graph.points):
            again = repeated(program, flow, point)
            call = point.step
            if again is None or not isinstance(call, Do | Start):
                continue
            cycle = again.cycles[0]
            if cycle.beside is not None and _once(program, point, cycle.beside):
                continue
            alone = call.key is not None or isinstance(call, Start) or call.kind == "workflow"
            about = ("", number) if alone else (call.target, id(cycle))
            found.setdefault(about, []).append((point, again))
        for calls in found.values():
            _report(program, flow, calls, report)


def _once(program: Inquiry, point: Point, guard: Guard) -> bool:
    """Whether a deadline ends what a reminder watches before it comes for the second time."""
    length = program.policies.constants.whole(guard.amount)
    frame = next((f for f in point.frame.outward() if f.parent is not None and guard in f.parent.guards), None)
    if length is None or frame is None or frame.parent is None:
        return False
    ends = (program.policies.constants.whole(g.amount) for g in frame.parent.guards if g.kind == "after" and not g.also)
    return any(end is not None and end <= 2 * length for end in ends)


def _report(program: Inquiry, flow: WorkflowFlow, calls: list[tuple[Point, Repeated]], report: Reporter) -> None:
    (point, again), cycle = calls[0], calls[0][1].cycles[0]
    call = point.step
    assert isinstance(call, Do | Start)
    operation, workflow = program.operations.get(call.target), program.sending.workflows.get(call.target)
    own = place(call.places, "key") if isinstance(call, Do) else None
    at = own or call.at
    if at is None:
        return
    stands = place(operation.places, "key") if operation is not None else None
    labels = [Label(stands, "the key of each call")] if own is None and stands is not None else []
    if cycle.step is not None and cycle.step.at is not None:
        labels.append(Label(cycle.step.at, "runs again and again"))
    elif cycle.nodes and cycle.nodes[0].at is not None:
        labels.append(Label(cycle.nodes[0].at, "is entered again and again"))
    elif cycle.beside is not None and cycle.beside.at is not None:
        labels.append(Label(cycle.beside.at, "fires again and again"))
    differing = _differing_names(flow, again)
    text = _with_parts(program, call, differing)
    shown = program.show(_claim(flow, point, again), (Step(_closing(again), at),))
    if shown.verdict == "impossible" and (cycle.beside is not None or workflow is not None):
        return  # what it guards is over before it comes again, or no run of the child ends so that there is another one
    report(
        KeyInCycle(
            at=at,
            operation=call.target,
            nodes=tuple(node.name for node in cycle.nodes) if len(cycle.nodes) > 1 else (),
            item=cycle.step.item if isinstance(cycle.step, ForEach) else "",
            beside=cycle.beside.label if cycle.beside is not None else "",
            part=text,
            others=len(calls) - 1,
            child="start" if isinstance(call, Start) else "run" if workflow is not None else "",
            inside=again.inside,
            lost=again.lost,
            default=workflow is None or workflow.key is None,
            surely=not isinstance(call, Start) or cycle.kind == "each",
            trace=shown.trace,
            labels=tuple(labels),
            fixes=_fixes(program, flow, calls),
        )
    )


def _claim(flow: WorkflowFlow, point: Point, again: Repeated) -> Claim:
    call = point.step
    assert isinstance(call, Do | Start)
    if again.at_once and isinstance(call, Do):
        there = Waypoint("at", point)
        return Claim(flow.workflow.name, (there, there), Sign("same key", call.target), stops=True)
    done = Waypoint("done", point)
    return Claim(flow.workflow.name, (done, done), Sign("same key", call.target), stops=True)


def _closing(again: Repeated) -> str:
    both = "both have the same key"
    if again.at_once:
        return f"{both}: the second is refused while the first runs"
    if again.lost:
        return f"{both}: only the last run can be undone"
    if again.inside:
        return f"{both}, and so has `{again.inside}` in them: the second is answered with the result of the first"
    return f"{both}: the second is answered with the result of the first"


def _differing_names(flow: WorkflowFlow, again: Repeated) -> tuple[str, ...]:
    """A name for each cycle in which the key is the same, the outermost first; empty where there is none."""
    return tuple(dict.fromkeys(_differing(flow, cycle) for cycle in reversed(again.cycles)))


def _differing(flow: WorkflowFlow, cycle: Cycle) -> str:
    """A name that differs from round to round and can stand in a text."""
    if isinstance(cycle.step, ForEach):
        if cycle.step.index is not None:
            return cycle.step.index
        return cycle.step.item if cycle.step.item_type in (TEXT, INT) else ""
    variables = [v for region in regions(flow.workflow.region) for v in region.variables if v.type == INT]
    return next((v.name for v in variables if v.name in cycle.changing), "")


def _key(program: Inquiry, call: Do | Start) -> Expr | None:
    """The key of a call, in its own names."""
    workflow = program.sending.workflows.get(call.target)
    if workflow is not None:
        return child_key(call, workflow)
    return key_of(call, program.operations.get(call.target)) if isinstance(call, Do) else None


def _with_parts(program: Inquiry, call: Do | Start, names: tuple[str, ...]) -> str:
    """The text of the key with more parts; those alone where it cannot be written in the names of the call."""
    own = place(call.places, "key") if isinstance(call, Do) else None
    text = own.text.removeprefix("key").strip() if own is not None else _written(_key(program, call))
    more = "/".join(f"{{{name or 'round'}}}" for name in names)
    if text.startswith('"') and text.endswith('"'):
        return f'{text[:-1]}/{more}"' if text != '""' else f'"{more}"'
    return f'"{{{text}}}/{more}"' if text and '"' not in text else f'"{more}"'


def _written(key: Expr | None) -> str:
    """A key as one would write it, if it is made of names and plain texts."""
    if key is None:
        return ""
    if not isinstance(key, Interp | Lit):
        return _path(key)
    parts = [_plain(part) or f"{{{_path(part)}}}" for part in (key.parts if isinstance(key, Interp) else (key,))]
    return "" if "{}" in parts else f'"{"".join(parts)}"'


def _plain(part: Expr) -> str:
    """A literal in a text, if nothing in it has to be escaped."""
    if not isinstance(part, Lit) or part.type not in (TEXT, INT):
        return ""
    text = str(part.value)
    return "" if set(text) & set('"\\{}\n\t') else text


def _path(expr: Expr) -> str:
    """A name, or a field of one."""
    match expr:
        case Ref(name=name, kind="param" | "local" | "var" | "const"):
            return name.rpartition(".")[2]
        case Get(target=target, name=name, optional=False) if _path(target):
            return f"{_path(target)}.{name}"
        case _:
            return ""


def _fixes(program: Inquiry, flow: WorkflowFlow, calls: list[tuple[Point, Repeated]]) -> tuple[Fix, ...]:
    """The keys with what differs. Whether that is what makes one round is the author's to say: not safe."""
    found: list[tuple[Edit, str]] = []
    for point, again in calls:
        names = _differing_names(flow, again)
        edit = _edit(program, point.step, names) if isinstance(point.step, Do) and all(names) else None
        if edit is None:
            return ()
        found.append(edit)
    title = found[0][1] if len(found) == 1 else f"{found[0][1]}, and the like to each call"
    return (Fix(title, tuple(edit for edit, _ in found)),)


def _edit(program: Inquiry, call: Do, names: tuple[str, ...]) -> tuple[Edit, str] | None:
    text = _with_parts(program, call, names)
    own = place(call.places, "key")
    if own is not None:
        return Edit(own.first(len(own.text.rstrip())), f"key {text}"), f"write `key {text}`"
    at_end = behind(call, ("as", "assign", "with"))
    if at_end is None or not _written(_key(program, call)):
        return None
    return Edit(at_end, f" key {text}"), f"add `key {text}`"
