"""Calls of one operation that send the same explicit key on one way."""

from typing import ClassVar

from wfc.flow.keys import Sent, constant_in, key_parts, sent_before
from wfc.flow.policies import place
from wfc.flow.program import WorkflowFlow
from wfc.ir.machine import Do
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

    operation: str
    others: int

    def message(self) -> str:
        more = {0: "", 1: ", and so does another one"}.get(self.others, f", and so do {self.others} more")
        return f"`{self.operation}` has been called with this key before, so the second call does nothing{more}"

    def label(self) -> str:
        return "the same key once more"

    def help(self) -> tuple[str, ...]:
        return (
            "put what differs into the key, such as what is told or which part is paid",
            "or leave the explicit key out: the default key of a call is its own",
            "if the second call is to do nothing, say so: `// allow duplicate-key: why`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each key once, at the first call before which another one has sent it."""
    for flow in program.flows.values():
        for found in sent_before(program, flow):
            if not _told(program, flow, found):
                _report(program, flow, found, report)


def _told(program: Inquiry, flow: WorkflowFlow, found: Sent) -> bool:
    """Whether one of the two sends its key in each round of a loop: `key-in-cycle` tells that."""
    for point in (found.call, found.before):
        call = point.step
        assert isinstance(call, Do)
        parts = key_parts(call, program.operations.get(call.target)) or ()
        if constant_in(program, flow.cycles.around(point), parts) is not None:
            return True
    return False


def _report(program: Inquiry, flow: WorkflowFlow, found: Sent, report: Reporter) -> None:
    point, before = found.call, found.before
    call, first = point.step, before.step
    assert isinstance(call, Do)
    assert isinstance(first, Do)
    own, operation = place(call.places, "key"), program.operations[call.target]
    at = own or call.at
    if at is None:
        return
    closing = Step("both have the same key: the second is answered with the result of the first", at)
    ways = tuple(Waypoint("done", each) for each in (before, point))
    claim = Claim(flow.workflow.name, ways, Sign("same key", operation.name), stops=True)
    shown = program.show(claim, (closing,))
    if shown.verdict == "impossible":
        return
    stands = place(operation.places, "key")
    labels = [Label(stands, "the key of each call")] if stands is not None and own is None else []
    if first.at is not None and first is not call:
        labels.append(Label(first.at, "called first"))
    report(DuplicateKey(at=at, operation=call.target, others=found.others, trace=shown.trace, labels=tuple(labels)))
