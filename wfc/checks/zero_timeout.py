"""Times of zero: nothing can be done in them."""

from typing import ClassVar

from wfc.flow.policies import written
from wfc.flow.program import Program
from wfc.ir.machine import Await, Guard, PolicyDef
from wfc.problems.problem import Problem, Reporter, Severity
from wfc.text.value import value


@value(kw_only=True)
class ZeroTimeout(Problem):
    """A call has no time at all, or a deadline is over before what it watches begins.

    With a timeout of zero every attempt fails at once, whatever the service does. A deadline of zero fires before the
    first step of its thing, which is then never done; an `every` of zero has no time between its rounds. It is an error
    in a policy, a warning at a guard, where a length that is worked out may be meant to be zero.

    ```wf fails
    service shop { query price(item: Text) -> Int with { timeout 0s try 3 times } }
    workflow W(item: Text) -> Int { state Ask { do shop.price(item) as found  done found } }
    ```
    ```wf passes
    service shop { query price(item: Text) -> Int with { timeout 1s try 3 times } }
    workflow W(item: Text) -> Int { state Ask { do shop.price(item) as found  done found } }
    ```
    """

    arguable: ClassVar[bool] = True

    word: str
    certain: bool

    def level(self) -> Severity:
        return Severity.ERROR if self.certain else Severity.WARNING

    def message(self) -> str:
        match self.word:
            case "after":
                return "this deadline is over before the first step: what it watches is never done"
            case "every":
                return "there is no time between the rounds of this block"
            case "heartbeat":
                return "no call can report so fast: each attempt fails at once"
            case _:
                return f"`{self.word}` leaves no time: each call fails at once"

    def label(self) -> str:
        return "no time at all"

    def help(self) -> tuple[str, ...]:
        if self.word == "after":
            return ("give it a length, or leave out what is never done",)
        return (f"give it a length: `{self.word} {'1h' if self.word == 'every' else '10s'}`",)


def check(program: Program, report: Reporter) -> None:
    """Reports items of policies in use and reached guards whose fixed length is not above zero."""
    for policy in program.machine.policies:
        _policy(program, policy, report)
    for flow in program.flows.values():
        for frame in flow.graph.frames:
            if frame.entry is None or not flow.reached(frame.entry) or isinstance(frame.subject, Await):
                continue  # an `await` that is over at once looks whether something has come
            for guard in frame.guards:
                length = program.policies.constants.whole(guard.amount) if guard.kind in ("after", "every") else None
                if length is not None and length <= 0 and guard.at is not None and not _starts(guard):
                    report(ZeroTimeout(at=guard.at, word=guard.kind, certain=False))


def _starts(guard: Guard) -> bool:
    """A block of `after 0s also` simply starts at once."""
    return guard.kind == "after" and guard.also


def _policy(program: Program, policy: PolicyDef, report: Reporter) -> None:
    lengths = (("timeout", policy.timeout), ("overall", policy.overall), ("heartbeat", policy.heartbeat))
    for kind, expr in lengths:
        length, item = program.policies.constants.whole(expr), written(policy, kind)
        if length is not None and length <= 0 and item is not None:
            at = item.at.first(len(item.at.text.rstrip()))
            report(ZeroTimeout(at=at, word=kind, certain=True))
