"""Different breakers for one service."""

from typing import ClassVar

from wfc.flow.policies import written
from wfc.flow.program import Program
from wfc.ir.machine import Do, PolicyDef
from wfc.ir.walk import region_steps
from wfc.problems.problem import Label, Problem, Reporter
from wfc.text.names import listed
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class ConflictingPolicy(Problem):
    """Two policies give one service different breakers, and a service has only one.

    A breaker belongs to the service and is shared by all its callers. With two descriptions of it, which one holds
    would depend on who called first. Calls under a policy without a breaker are fine, and so are two policies that
    describe the same one.

    ```wf fails
    service shop {
      query price() -> Int with { try 3 times breaker opens after 5 failures within 1m probes after 10s }
      query stock() -> Int with { try 3 times breaker opens after 9 failures within 1m probes after 10s }
    }
    workflow W() -> Int { state Ask { do shop.price() as a  do shop.stock() as b  done a + b } }
    ```
    ```wf passes
    policy Careful { try 3 times breaker opens after 5 failures within 1m probes after 10s }
    service shop with Careful {
      query price() -> Int
      query stock() -> Int
    }
    workflow W() -> Int { state Ask { do shop.price() as a  do shop.stock() as b  done a + b } }
    ```
    """

    arguable: ClassVar[bool] = True

    service: str
    policies: tuple[str, ...]

    def message(self) -> str:
        named = f" by {listed(f'`{name}`' for name in self.policies)}" if all(self.policies) else ""
        return f"`{self.service}` is given two different breakers{named}, and it has only one"

    def label(self) -> str:
        return "a breaker for the same service"

    def help(self) -> tuple[str, ...]:
        return ("describe it once, in a policy that the others extend, or leave it out of one of them",)


def check(program: Program, report: Reporter) -> None:
    """Reports each service once, at the first breaker that differs from the first one its calls have."""
    first: dict[str, PolicyDef] = {}
    told: set[str] = set()
    for workflow in program.machine.workflows:
        for call in region_steps(workflow.region):
            if not isinstance(call, Do) or call.target not in program.operations:
                continue
            policy = program.policies.of(call)
            service = program.operations[call.target].service
            if policy is None or policy.breaker is None:
                continue
            older = first.setdefault(service, policy)
            if service in told or older is policy or _content(program, older) == _content(program, policy):
                continue
            told.add(service)
            at, other = _place(policy), _place(older)
            if at is not None:
                seen = ((other, "the other breaker"), (call.at, "called here"))
                labels = tuple(Label(where, text) for where, text in seen if where is not None)
                names = (older.declared, policy.declared)
                report(ConflictingPolicy(at=at, service=service, policies=names, labels=labels))


def _content(program: Program, policy: PolicyDef) -> tuple[object, ...]:
    """What a breaker amounts to: its values, or where one is not known, what is written."""
    assert policy.breaker is not None
    parts = (policy.breaker.failures, policy.breaker.within, policy.breaker.probe)
    values = (program.policies.constants.whole(part) for part in parts)
    return tuple(part if value is None else value for part, value in zip(parts, values, strict=True))


def _place(policy: PolicyDef) -> Span | None:
    item = written(policy, "breaker")
    return item.at.first(len(item.at.text.rstrip())) if item is not None else policy.place
