"""Items of a policy that can never apply."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from wfc.flow.policies import Constants, written
from wfc.flow.program import Program
from wfc.ir.expressions import Expr
from wfc.ir.machine import PolicyDef, WrittenItem
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter
from wfc.text.durations import show_duration
from wfc.text.source import Span
from wfc.text.value import value


@value(kw_only=True)
class DeadPolicyItem(Problem):
    """An item of a policy can never apply, because another one always comes first.

    Whoever reads the policy counts on something that does not happen: an alarm behind `try forever`, a second attempt
    that no time is left for, a pause between attempts of which there is only one.

    ```wf fails
    queue desk
    policy Stubborn { timeout 30s try forever exhausted then park in desk }
    service shop { query stock(item: Text) -> Int with Stubborn }
    workflow W(item: Text) -> Int { state Ask { do shop.stock(item) as found  done found } }
    ```
    ```wf passes
    queue desk
    policy Stubborn { timeout 30s overall 2d try forever exhausted then park in desk }
    service shop { query stock(item: Text) -> Int with Stubborn }
    workflow W(item: Text) -> Int { state Ask { do shop.stock(item) as found  done found } }
    ```
    """

    arguable: ClassVar[bool] = True

    item: str
    because: str
    advice: str

    def message(self) -> str:
        return f"`{self.item}` never applies: {self.because}"

    def label(self) -> str:
        return "is never reached"

    def help(self) -> tuple[str, ...]:
        return (self.advice,)


@dataclass(frozen=True)
class _Dead:
    """An item, the one that keeps it from applying, and why."""

    item: WrittenItem
    other: WrittenItem | None
    because: str
    advice: str
    removable: bool = True


def check(program: Program, report: Reporter) -> None:
    """Reports the items of each policy in use; values that differ from use to use say nothing about the policy."""
    for policy in program.machine.policies:
        for dead in _dead(policy, program.policies.constants):
            other = dead.other
            known = all(item.fixed for item in (dead.item, other) if item is not None)
            if not known or (other is not None and other.depth < dead.item.depth):
                continue  # what a descendant replaces is no mistake of the one it extends
            at = _trimmed(dead.item.at)
            report(
                DeadPolicyItem(
                    at=at,
                    item=" ".join(at.text.split()),
                    because=dead.because,
                    advice=dead.advice,
                    labels=(Label(_trimmed(other.at), "keeps it from ever applying"),) if other is not None else (),
                    fixes=(Fix(f"remove `{at.text}`", (Edit(_with_space(at), ""),)),) if dead.removable else (),
                )
            )


def _dead(policy: PolicyDef, constants: Constants) -> Iterator[_Dead]:
    """The items that never apply, each for one reason."""
    items = {item.kind: item for item in policy.written}
    timeout, overall = _above_zero(constants, policy.timeout), _above_zero(constants, policy.overall)
    once = policy.attempts is not None and constants.whole(policy.attempts) == 1
    if "exhausted" in items and "try" in items and policy.attempts is None and policy.overall is None:
        because = "this is tried for ever, and no `overall` ends it"
        yield _Dead(items["exhausted"], items["try"], because, "say when it is given up: `overall 2d`")
    pausing = next((items[kind] for kind in ("backoff", "jitter", "except") if kind in items), None)
    if pausing is not None and once:
        yield _Dead(pausing, items.get("try"), "there is one attempt, and none after it", "leave it out, or try again")
    if timeout is not None and overall is not None and timeout > overall and "timeout" in items:
        because = f"an attempt is over after {show_duration(overall)}, when the time for all of them is"
        yield _Dead(items["timeout"], items.get("overall"), because, "make `timeout` the shorter one", removable=False)
    if timeout is not None and overall is not None and timeout < overall and once and "overall" in items:
        because = f"the one attempt is over after {show_duration(timeout)}"
        if not (policy.limit or policy.concurrency):  # else it may have to wait before it is sent
            yield _Dead(items["overall"], items.get("try"), because, "leave it out, or try again")
    yield from _lengths(policy, items, constants, once=once)


def _lengths(policy: PolicyDef, items: dict[str, WrittenItem], constants: Constants, *, once: bool) -> Iterator[_Dead]:
    """Durations that another one cuts off."""
    timeout, overall = _above_zero(constants, policy.timeout), _above_zero(constants, policy.overall)
    backoff, most = constants.whole(policy.backoff), constants.whole(policy.max)
    heartbeat = constants.whole(policy.heartbeat)
    if backoff is not None and most is not None and most < backoff and "backoff" in items and not once:
        because = f"no pause is longer than `max`, {show_duration(most)}"
        advice = f"write the pause that you mean: `backoff {show_duration(most)}`"
        yield _Dead(items["backoff"], None, because, advice, removable=False)
    elif None not in (backoff, overall) and "try" in items and "overall" in items and not once:
        assert backoff is not None
        assert overall is not None
        if policy.jitter is None and min(backoff, most or backoff) >= overall:
            because = f"the time for all attempts, {show_duration(overall)}, is over before the second"
            yield _Dead(items["try"], items["overall"], because, "make `overall` the longer one", removable=False)
    if heartbeat is not None and timeout is not None and heartbeat > timeout and "heartbeat" in items:
        because = f"an attempt is over after {show_duration(timeout)} in any case"
        yield _Dead(items["heartbeat"], written(policy, "timeout"), because, "make `heartbeat` shorter than `timeout`")


def _above_zero(constants: Constants, expr: Expr | None) -> int | None:
    """A length; one of zero is told as that."""
    length = constants.whole(expr)
    return length if length is not None and length > 0 else None


def _trimmed(at: Span) -> Span:
    return at.first(len(at.text.rstrip()))


def _with_space(at: Span) -> Span:
    """The item with the space before it."""
    text = at.source.text
    start = at.start
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    if start > 0 and text[start - 1] == "\n":
        return at.with_line()
    return Span(at.source, start, at.end)
