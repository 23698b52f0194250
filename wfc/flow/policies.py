"""What the policies of a machine amount to: how often a call is tried, how long that takes, what may be tried again."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wfc.ir.evaluate import Evaluator, NotConstant
from wfc.ir.expressions import Expr, RefKind
from wfc.ir.machine import Do, Machine, PolicyDef, WrittenItem
from wfc.text.source import Span

USUAL = frozenset(("Timeout", "Unavailable"))  # tried again where a policy says nothing else
_PAUSES = 10_000  # more are not counted one by one


class Constants:
    """The values of expressions that read nothing but constants."""

    now = None

    def __init__(self, machine: Machine) -> None:
        self.consts = {const.name: const.value for const in machine.constants}
        functions = {f.name: (tuple(name for name, _ in f.params), f.body) for f in machine.functions}
        self.evaluator = Evaluator(functions.__getitem__)

    def read(self, kind: RefKind, name: str) -> Any:  # noqa: ANN401 - values of the language
        """The value of a constant; nothing else has one."""
        if kind != "const" or name not in self.consts:
            raise NotConstant(name)
        return self.evaluator.compile(self.consts[name])(self)

    def value(self, expr: Expr | None) -> Any:  # noqa: ANN401 - values of the language
        """The value of an expression, or None where it has none."""
        if expr is None:
            return None
        try:
            return self.evaluator.compile(expr)(self)
        except NotConstant:
            return None

    def whole(self, expr: Expr | None) -> int | None:
        """A whole number or a duration in milliseconds, or None where it is not known."""
        found = self.value(expr)
        return found if isinstance(found, int) and not isinstance(found, bool) else None


@dataclass(frozen=True)
class Tries:
    """The longest that a call may take by its policy: `n x timeout + pauses`, or less where `overall` ends it.

    `total` is None where nothing bounds it, or where it is not known. Jitter only takes off. `parks`: behind the last
    attempt it waits for a person, which is not counted.
    """

    attempts: int | None
    timeout: int | None
    pauses: tuple[int, ...]  # all, or the first few of many
    waiting: int  # their sum
    overall: int | None
    total: int | None
    parks: bool


class Policies:
    """The policies of one machine, with their values worked out."""

    def __init__(self, machine: Machine) -> None:
        self.by_name = {policy.name: policy for policy in machine.policies}
        self.parking = {policy.name: policy.queue for policy in machine.policies if policy.exhausted == "park"}
        self.constants = Constants(machine)

    def of(self, call: Do) -> PolicyDef | None:
        """The policy of a call; tasks and workflows may have none."""
        return self.by_name.get(call.policy) if call.policy is not None else None

    def attempts(self, policy: PolicyDef) -> int | None:
        """How often a call is tried at most; None for ever, or where it is not known."""
        return self.constants.whole(policy.attempts)

    def repeated(self, policy: PolicyDef) -> frozenset[str]:
        """The errors that are tried again: none where there is one attempt."""
        if policy.attempts is not None and (self.attempts(policy) or 2) < 2:  # noqa: PLR2004 - the second attempt
            return frozenset()
        return (frozenset(policy.only) if policy.only else USUAL) - frozenset(policy.excepted)

    def tries(self, policy: PolicyDef) -> Tries:
        """The longest that a call under it may take."""
        whole = self.constants.whole
        timeout, overall, attempts = whole(policy.timeout), whole(policy.overall), self.attempts(policy)
        if not self.repeated(policy):
            attempts = 1
        pauses, waiting = self._pauses(policy, attempts)
        total = None
        if attempts is not None and timeout is not None and waiting is not None:
            total = attempts * timeout + waiting
        if overall is not None and (total is None or overall < total):
            total = overall
        if policy.overall is not None and overall is None:
            total = None  # it may end sooner; nobody knows when
        return Tries(attempts, timeout, pauses, waiting or 0, overall, total, policy.exhausted == "park")

    def _pauses(self, policy: PolicyDef, attempts: int | None) -> tuple[tuple[int, ...], int | None]:
        """The pauses between the attempts, as many as are worth showing, and their sum."""
        if attempts is None:
            return (), None
        base, most = self.constants.whole(policy.backoff), self.constants.whole(policy.max)
        factor = self.constants.value(policy.factor)
        if attempts <= 1:
            return (), 0
        if base is None or most is None or not isinstance(factor, int | Decimal):
            return (), None
        shown: list[int] = []
        total, pause = 0, Decimal(base)
        for number in range(attempts - 1):
            length = min(int(pause), most)
            if number >= _PAUSES or (pause >= most and factor >= 1):
                shown += [length] * min(6 - len(shown), attempts - 1 - number)
                return tuple(shown), total + length * (attempts - 1 - number)
            if len(shown) < 6:  # noqa: PLR2004 - a line holds no more
                shown.append(length)
            total += length
            pause = min(pause * factor, Decimal(most))
        return tuple(shown), total


def written(policy: PolicyDef, kind: str) -> WrittenItem | None:
    """The item of a kind as it stands in the source."""
    return next((item for item in policy.written if item.kind == kind), None)


def place(things: tuple[tuple[str, Span], ...], word: str) -> Span | None:
    """Where a clause stands."""
    return next((at for name, at in things if name == word), None)


def behind(call: Do, words: tuple[str, ...]) -> Span | None:
    """The place behind the call and its clauses of these words: where the next clause may be put."""
    spans = [at for word, at in call.places if word == "call" or word in words]
    if not spans:
        return None
    last = max(spans, key=lambda at: at.end)
    end = last.start + len(last.text.rstrip())
    return Span(last.source, end, end)
