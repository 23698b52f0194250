"""Calls of one operation that send the same explicit key on one way."""

from typing import ClassVar

from wfc.flow.keys import Sent, repeated, sent_before
from wfc.flow.policies import place
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do, Start
from wfc.problems.problem import Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class DuplicateKey(Problem):
    """A call sends the same key as one of that operation before it.

    A service that honours keys takes the second call for a repetition of the first: it does nothing, and answers with
    the stored result. The second mail is never sent, the second half is never charged, and everything looks well. Each
    of the calls needs a key of its own. Without an explicit `key` a call has a default one, which no other call has.
    A call that a loop leads back to is told too, also if it has been undone in between: the service remembers the key,
    not the undo. Nothing is said of two arms of which only one is taken, of a call behind another one that has failed
    or has been undone, nor where a name in the key has got another value in between.

    Two runs of a child under one key are told where something in it sends the same key both times, and where they go on
    side by side; a workflow that is started under one key twice is always told. Where the first run leaves something to
    undo it is an error: only the second one can be asked to undo itself.

    ```wf fails
    service mail { activity send(order: Text, text: Text) key order compensate none "a mail stays sent" }
    workflow Order(order: Text) key order {
      state Tell {
        do mail.send(order, "we have your order")
        wait 1d
        do mail.send(order, "it is on its way")
        done
      }
    }
    ```
    ```wf passes
    service mail { activity send(order: Text, text: Text) key "{order}/{text}" compensate none "a mail stays sent" }
    workflow Order(order: Text) key order {
      state Tell {
        do mail.send(order, "we have your order")
        wait 1d
        do mail.send(order, "it is on its way")
        done
      }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING
    arguable: ClassVar[bool] = True

    operation: str
    others: int
    inside: str = ""
    started: bool = False
    beside: bool = False
    lost: bool = False

    def level(self) -> Severity:
        return Severity.ERROR if self.lost else Severity.WARNING

    def message(self) -> str:
        more = {0: "", 1: ", and so does another one"}.get(self.others, f", and so do {self.others} more")
        if self.beside:
            return f"another branch runs `{self.operation}` under this key, so the second of them is refused{more}"
        if self.started:
            return (
                f"`{self.operation}` has been started under this key before, so it is refused while that one runs{more}"
            )
        if self.lost:
            return f"`{self.operation}` has run under this key before, so only its second run can be undone{more}"
        if self.inside:
            second = f"`{self.inside}` does nothing the second time"
            return f"`{self.operation}` has run under this key before, so {second}{more}"
        return f"`{self.operation}` has been called with this key before, so the second call does nothing{more}"

    def label(self) -> str:
        return "the same key once more"

    def help(self) -> tuple[str, ...]:
        if self.beside or self.started or self.inside or self.lost:
            return (
                "give each of them a key of its own: a `key` at the call stands for that of the workflow",
                "if it is meant so, say why: `// allow duplicate-key: why`",
            )
        return (
            "put what differs into the key, such as what is told or which part is paid",
            "or leave the explicit key out: the default key of a call is its own",
            "if the second call is to do nothing, say so: `// allow duplicate-key: why`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each key once, at the first call before which another one has sent it, and the worst of a call."""
    for flow in program.flows.values():
        by: dict[int, Sent] = {}
        for found in sent_before(program, flow):
            looped = any(repeated(program, flow, point) is not None for point in (found.call, found.before))
            known = by.get(id(found.call))
            if not looped and (known is None or (found.lost and not known.lost)):  # `key-in-cycle` tells of loops
                by[id(found.call)] = found
        for found in by.values():
            _report(program, flow, found, report)


def _report(program: Inquiry, flow: WorkflowFlow, found: Sent, report: Reporter) -> None:
    point, before = found.call, found.before
    call, first = point.step, before.step
    assert isinstance(call, Do | Start)
    assert isinstance(first, Do | Start)
    own = place(call.places, "key") if isinstance(call, Do) else None
    at = own or call.at
    if at is None:
        return
    operation = program.operations.get(call.target)
    started = isinstance(call, Start)
    claim = Claim(flow.workflow.name, _ways(found), Sign("same key", call.target), stops=True)
    shown = program.show(claim, (Step(_closing(found, started=started), at),))
    if shown.verdict == "impossible":
        return
    stands = place(operation.places, "key") if operation is not None else None
    labels = [Label(stands, "the key of each call")] if stands is not None and own is None else []
    if first.at is not None and first is not call:
        labels.append(Label(first.at, "called first"))
    report(
        DuplicateKey(
            at=at,
            operation=call.target,
            others=found.others,
            inside=found.inside,
            started=started,
            beside=found.beside,
            lost=found.lost,
            trace=shown.trace,
            labels=tuple(labels),
        )
    )


def _ways(found: Sent) -> tuple[Waypoint, ...]:
    if found.beside:
        return (Waypoint("pass", found.call),)
    return tuple(Waypoint("done", each) for each in (found.before, found.call))


def _closing(found: Sent, *, started: bool) -> str:
    answered = "the second is answered with the result of the first"
    if found.beside:
        return "both have the same key: the second is refused while the first runs"
    if started:
        return "both have the same key: the second is refused while the first runs, or does what it did once more"
    if found.lost:
        return "both have the same key: only the last run can be undone"
    if found.inside:
        return f"both have the same key, and so has `{found.inside}` in them: {answered}"
    return f"both have the same key: {answered}"
