"""Breakers that stay open longer than the calls they stop are tried."""

from typing import ClassVar

from wfc.flow.policies import written
from wfc.flow.program import Program
from wfc.ir.machine import Do
from wfc.problems.problem import Label, Problem, Reporter, Severity
from wfc.text.durations import spaced_duration
from wfc.text.value import value


@value(kw_only=True)
class BreakerEatsRetries(Problem):
    """While the breaker is open, a call uses up all its attempts, and none of them is sent.

    An open breaker fails each attempt at once. If it stays open longer than a call is tried, even at its slowest, the
    attempts of that call are spent before the service is asked again: trying again does not help, and a failure of
    seconds becomes a failure of the process. The attempts of one call count once for the breaker.

    ```wf fails
    policy Hasty {
      timeout 1s
      try 3 times backoff 1s
      breaker opens after 5 failures within 1m probes after 10m
    }
    service shop { query price(item: Text) -> Int with Hasty }
    workflow W(item: Text) -> Int { state Ask { do shop.price(item) as found  done found } }
    ```
    ```wf passes
    policy Calm {
      timeout 1s
      try 8 times backoff 5s factor 2 max 5m
      breaker opens after 5 failures within 1m probes after 1m
    }
    service shop { query price(item: Text) -> Int with Calm }
    workflow W(item: Text) -> Int { state Ask { do shop.price(item) as found  done found } }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    operation: str
    probe: int
    total: int

    def message(self) -> str:
        return (
            f"the breaker stays open for {spaced_duration(self.probe)}, but `{self.operation}` is tried for "
            f"{spaced_duration(self.total)} at most: none of its attempts is sent"
        )

    def label(self) -> str:
        return "outlasts the attempts"

    def help(self) -> tuple[str, ...]:
        return (
            "probe sooner, or try for longer: more attempts, or longer pauses",
            "if the call is to fail at once, say so: `try 1 times`",
        )


def check(program: Program, report: Reporter) -> None:
    """Reports each breaker once, with the first reached call that it outlasts. Undos pass an open breaker."""
    told: set[str] = set()
    for flow in program.flows.values():
        for point in flow.graph.points:
            call = point.step
            policy = program.policies.of(call) if point.kind == "do" and isinstance(call, Do) else None
            if policy is None or policy.breaker is None or policy.name in told or not flow.reached(point):
                continue
            assert isinstance(call, Do)
            tries = program.policies.tries(policy)
            probe = program.policies.constants.whole(policy.breaker.probe)
            again = "Unavailable" in program.policies.repeated(policy)
            if not again or tries.parks or probe is None or tries.total is None or probe <= tries.total:
                continue
            item = written(policy, "breaker")
            at = item.at.first(len(item.at.text.rstrip())) if item is not None else call.at
            if at is not None:
                told.add(policy.name)
                labels = (Label(call.at, "called here"),) if call.at is not None and call.at != at else ()
                report(BreakerEatsRetries(at=at, operation=call.target, probe=probe, total=tries.total, labels=labels))
