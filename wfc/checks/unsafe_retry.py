"""Activities that are tried again though the service cannot tell a repetition from a new order."""

from typing import ClassVar

from wfc.flow.graph import Point
from wfc.flow.policies import written
from wfc.flow.program import Program, WorkflowFlow
from wfc.ir.machine import Do, FieldDef, OperationDef, PolicyDef
from wfc.ir.types import INT, TEXT
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter, Severity, Step
from wfc.simulation.claim import Claim, Sign, Waypoint
from wfc.simulation.inquiry import Inquiry
from wfc.text.durations import spaced_duration
from wfc.text.source import Span
from wfc.text.value import value

_IDS = ("id", "key", "number", "no", "code", "reference", "ref")


@value(kw_only=True)
class UnsafeRetry(Problem):
    """An activity is tried again after a failure, and nothing tells the service that it is the same one.

    An attempt without an answer may have had its effect all the same: the answer came too late, or got lost. The next
    attempt then charges, books or sends a second time. A `key` says what makes two attempts one and the same order, and
    a service that honours it answers the second with the result of the first. A service that is safe to repeat in its
    own way says so: `@idempotent("why")`. One that must not be repeated is tried once: `try 1 times`. Undos are exempt:
    an undo must always stand being run twice.

    ```wf fails
    service payments {
      activity charge(order: Text, amount: Money<EUR>) compensate refund(order)
      activity refund(order: Text)
    }
    workflow W(order: Text) { state Pay { do payments.charge(order, 5EUR)  done } }
    ```
    ```wf passes
    service payments {
      activity charge(order: Text, amount: Money<EUR>) key order compensate refund(order)
      activity refund(order: Text)
      @idempotent("the same mail is sent once a day")
      activity remind(order: Text) compensate none "a mail stays read"
    }
    workflow W(order: Text) { state Pay { do payments.charge(order, 5EUR)  do payments.remind(order)  done } }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    operation: str
    attempts: int | None
    forever: bool
    key: str

    def message(self) -> str:
        if self.forever:
            often = "for ever"
        else:
            often = f"up to {self.attempts} times" if self.attempts is not None else "more than once"
        return f"`{self.operation}` is tried {often}, and the second try may do it again"

    def label(self) -> str:
        return "has no key, so the service cannot tell a repetition from a new call"

    def help(self) -> tuple[str, ...]:
        named = f"`key {self.key}`" if self.key else "`key ...`"
        return (
            f"name what makes two attempts the same call: {named}",
            'if the service is safe to repeat in its own way, say so: `@idempotent("...")`',
            "if it must not be repeated, try once: `with { try 1 times }`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each activity without a key that some call tries again, once, with the call that tries most often."""
    worst: dict[str, tuple[Point, PolicyDef, WorkflowFlow]] = {}
    looped: set[str] = set()
    for flow in program.flows.values():
        for point in flow.graph.points:
            call = point.step
            if point.kind != "do" or not isinstance(call, Do) or call.kind != "activity":
                continue
            policy = program.policies.of(call)
            operation = program.operations.get(call.target)
            if policy is None or operation is None or not flow.reached(point):
                continue
            if flow.cycles.around(point):
                looped.add(call.target)
            if call.key is None and _unsafe(program, operation, policy):
                older = worst.get(call.target)
                if older is None or _often(program, policy) > _often(program, older[1]):
                    worst[call.target] = (point, policy, flow)
    for name, (point, policy, flow) in worst.items():
        _report(program, flow, program.operations[name], point, policy, report, looped=name in looped)


def _unsafe(program: Program, operation: OperationDef, policy: PolicyDef) -> bool:
    """Whether a second attempt may do it twice; an error of its own promises that nothing was done."""
    if operation.key is not None or operation.idempotent or operation.name in program.undos:
        return False
    return bool(_repeated(program, operation, policy))


def _repeated(program: Program, operation: OperationDef, policy: PolicyDef) -> frozenset[str]:
    """The failures after which it is tried again, and behind which it may have been done."""
    promised = frozenset(operation.raises) - frozenset(operation.partial)
    return program.policies.repeated(policy) - promised


def _often(program: Program, policy: PolicyDef) -> int:
    attempts = program.policies.attempts(policy)
    return attempts if attempts is not None else 10**9


def _report(
    program: Inquiry,
    flow: WorkflowFlow,
    operation: OperationDef,
    point: Point,
    policy: PolicyDef,
    report: Reporter,
    *,
    looped: bool,
) -> None:
    call = point.step
    if operation.at is None or not isinstance(call, Do):
        return
    key = "" if looped else _key(operation)
    errors = _repeated(program, operation, policy)
    closing = Step("the first attempt may have been done as well: then it has been done twice", call.at)
    claim = Claim(flow.workflow.name, (Waypoint("again", point, errors=errors),), Sign("there"), stops=True)
    report(
        UnsafeRetry(
            at=operation.at,
            operation=operation.name,
            attempts=program.policies.attempts(policy),
            forever=policy.attempts is None,
            trace=program.show(claim, (closing,)).trace,
            key=key,
            labels=tuple(_labels(program, call, policy)),
            fixes=_fixes(operation, key) if key else (),
        )
    )


def _labels(program: Program, call: Do, policy: PolicyDef) -> list[Label]:
    """The call, and what makes a slow answer a failure."""
    found: list[Label] = []
    tries = program.policies.tries(policy)
    length = f" after {spaced_duration(tries.timeout)}" if tries.timeout is not None else ""
    lost = f"a slow answer counts as a failure{length}; the call may have worked"
    if call.at is not None:
        by_default = " (the policy of the project)" if policy.place is None else ""
        found.append(Label(call.at, f"called here{by_default}"))
    item = written(policy, "timeout") or written(policy, "try")
    if item is not None and call.at is not None and item.at.source is call.at.source:
        found.append(Label(item.at.first(len(item.at.text.rstrip())), lost))
    return found


def _key(operation: OperationDef) -> str:
    """The one parameter that can be meant: the only text or whole number, or the only one that is called an id."""
    fit = [param for param in operation.params if param.type in (TEXT, INT) and not param.pii]
    named = [param for param in fit if _is_id(param)]
    for found in (named, [param for param in fit if param.type == TEXT], fit):
        if len(found) == 1:
            return found[0].name
    return ""


def _is_id(param: FieldDef) -> bool:
    name = param.name
    return name in _IDS or any(name.endswith(word.capitalize()) for word in _IDS)


def _fixes(operation: OperationDef, key: str) -> tuple[Fix, ...]:
    """The key before the other clauses. Whether the service honours it is the author's to know: not safe."""
    first = next((at for word, at in operation.places if word in ("compensate", "assign", "optional")), None)
    extent = operation.extent
    if extent is None:
        return ()
    if first is None:
        end = extent.start + len(extent.text.rstrip())
        edit = Edit(Span(extent.source, end, end), f" key {key}")
    else:
        edit = Edit(Span(first.source, first.start, first.start), f"key {key}{_gap(first)}")
    return (Fix(f"add `key {key}`", (edit,)),)


def _gap(clause: Span) -> str:
    """What stands between two clauses: a line of their own, or a space."""
    text = clause.source.text
    line = text.rfind("\n", 0, clause.start) + 1
    before = text[line : clause.start]
    return f"\n{before}" if not before.strip() else " "
