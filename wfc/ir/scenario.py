"""Scenarios and migrations, engine-neutral: runs of a workflow told as examples, and ways from older versions.

Names of operations, workflows, errors, events and queues are those of the machine they are lowered with; nodes go by
their path. `at` is the place in the source and takes no part in `==`.
"""

from typing import Literal

from wfc.ir.expressions import Expr, New
from wfc.text.source import Span
from wfc.text.value import Value, field, value

AnswerKind = Literal["returns", "raises", "hangs"]
ActKind = Literal["cancels", "retries", "supplies", "raises"]
ExpectKind = Literal[
    "path", "at", "undone", "nothing undone", "dead letter", "done", "failed", "parked", "called", "that"
]
RuleKind = Literal["to", "stay", "refuse"]

# ----------------------------------------------------------------------------------------------------------- scenarios


@value
class Answer(Value):
    """How an operation or a workflow answers `times` attempts, after a `delay` if there is one.

    `value` is what it returns, or the error it raises; None where there is no result.
    """

    kind: AnswerKind
    value: Expr | None
    times: int
    delay: Expr | None


@value
class GivenInput(Value):
    """A parameter of the workflow."""

    name: str
    value: Expr
    at: Span | None = field(eq=False, default=None)


@value
class GivenAnswers(Value):
    """How an operation or a workflow answers from now on, attempt by attempt; the last answer stays."""

    target: str
    answers: tuple[Answer, ...]
    at: Span | None = field(eq=False, default=None)


@value
class Send(Value):
    """Delivers an event; `value` builds it."""

    event: str
    value: New
    at: Span | None = field(eq=False, default=None)


@value
class Advance(Value):
    """Moves the clock."""

    amount: Expr
    at: Span | None = field(eq=False, default=None)


@value
class Operate(Value):
    """What an operator does: to the instance (`cancels`, without a target), to a parked step or a dead letter."""

    action: ActKind
    target: str
    value: Expr | None
    at: Span | None = field(eq=False, default=None)


@value
class Expect(Value):
    """An expectation.

    `groups` holds names: for `path` one group of nodes in order, for `undone` groups one after another, each undone in
    any order, for `failed` one group of errors of which one is meant, else one name. What is undone is an operation, a
    workflow, or the path of a scope or branch. `value` belongs to `done` and `that`, whose expression reads parameters
    and views, `queue` to `dead letter`, `times` to `called`. `text` is the source on one line.
    """

    kind: ExpectKind
    groups: tuple[tuple[str, ...], ...]
    value: Expr | None
    queue: str
    times: int | None
    text: str
    at: Span | None = field(eq=False, default=None)


Item = GivenInput | GivenAnswers | Send | Advance | Operate | Expect


@value
class Scenario(Value):
    """One run of a workflow in simulated time."""

    title: str
    workflow: str
    items: tuple[Item, ...]
    at: Span | None = field(eq=False, default=None)


# ---------------------------------------------------------------------------------------------------------- migrations


@value
class MigrationRule(Value):
    """What becomes of an instance that rests at a node of the old version.

    `source` is empty for `otherwise`, `target` unless the rule leads `to` a node of the new version. `sets` gives
    values to names of the new version; they read names of the old one.
    """

    source: str
    target: str
    kind: RuleKind
    sets: tuple[tuple[str, Expr], ...]
    at: Span | None = field(eq=False, default=None)


@value
class Migration(Value):
    """A way from an older version of a workflow to the current one."""

    workflow: str
    old: int
    new: int
    rules: tuple[MigrationRule, ...]
    at: Span | None = field(eq=False, default=None)
