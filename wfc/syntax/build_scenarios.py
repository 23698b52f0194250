"""Builders of migrations and scenarios: one function a rule of the grammar, called with its kept values."""

from wfc.syntax.build import Context, Part, first, part
from wfc.syntax.build_expressions import plain
from wfc.syntax.nodes import (
    Advance,
    Call,
    Expect,
    Expr,
    Given,
    MigrationDecl,
    MigrationRule,
    Name,
    OperatorAct,
    Outcome,
    QName,
    ScenarioDecl,
    ScenarioItem,
    Send,
    SetStep,
    Token,
)


def migration_decl(
    _: Context, start: int, end: int, workflow: QName, old: Token, new: Token, *rules: MigrationRule
) -> MigrationDecl:
    return MigrationDecl(start, end, workflow, old, new, rules)


def sets(_: Context, start: int, end: int, *items: SetStep) -> Part:
    return Part(start, end, "sets", items)


def migrate_to(_: Context, start: int, end: int, source: QName, target: QName, *rest: Part) -> MigrationRule:
    return MigrationRule(start, end, source, target, part("sets", rest) or (), "to")


def migrate_stay(_: Context, start: int, end: int, source: QName) -> MigrationRule:
    return MigrationRule(start, end, source, None, (), "stay")


def migrate_default_stay(_: Context, start: int, end: int) -> MigrationRule:
    return MigrationRule(start, end, None, None, (), "stay")


def migrate_default_refuse(_: Context, start: int, end: int) -> MigrationRule:
    return MigrationRule(start, end, None, None, (), "refuse")


def scenario_decl(
    context: Context, start: int, end: int, title: Token, workflow: QName, *items: ScenarioItem
) -> ScenarioDecl:
    return ScenarioDecl(start, end, plain(context, title), workflow, items)


def given_input(_: Context, start: int, end: int, name: Name, value: Expr) -> Given:
    return Given(start, end, QName(name.start, name.end, (name,)), value, ())


def given_outcomes(_: Context, start: int, end: int, name: QName, *outcomes: Outcome) -> Given:
    return Given(start, end, name, None, outcomes)


def delay(_: Context, start: int, end: int, amount: Expr) -> Part:
    return Part(start, end, "after", amount)


def returns(_: Context, start: int, end: int, value: Expr) -> Outcome:
    return Outcome(start, end, "returns", value, 1, None)


def repeated(_: Context, start: int, end: int, times: Token) -> Part:
    return Part(start, end, "times", int(times.text))


def raises_error(_: Context, start: int, end: int, error: Expr, *rest: Part) -> Outcome:
    return Outcome(start, end, "raises", error, part("times", rest) or 1, None)


def hangs(_: Context, start: int, end: int) -> Outcome:
    return Outcome(start, end, "hangs", None, 1, None)


def outcome(_: Context, start: int, end: int, *items: object) -> Outcome:
    answer = first(Outcome, items)
    return Outcome(start, end, answer.kind, answer.value, answer.times, part("after", items))


def send_event(_: Context, start: int, end: int, call: Call) -> Send:
    return Send(start, end, call)


def advance(_: Context, start: int, end: int, amount: Expr) -> Advance:
    return Advance(start, end, amount)


def operator(_: Context, _start: int, _end: int, act: OperatorAct) -> OperatorAct:
    return act


def op_cancels(_: Context, start: int, end: int) -> OperatorAct:
    return OperatorAct(start, end, "cancels", None, None)


def op_retries(_: Context, start: int, end: int, operation: QName) -> OperatorAct:
    return OperatorAct(start, end, "retries", None, operation)


def op_supplies(_: Context, start: int, end: int, value: Expr, operation: QName) -> OperatorAct:
    return OperatorAct(start, end, "supplies", value, operation)


def op_raises(_: Context, start: int, end: int, value: Expr, operation: QName) -> OperatorAct:
    return OperatorAct(start, end, "raises", value, operation)


def together(_: Context, start: int, end: int, *names: QName) -> Part:
    return Part(start, end, "together", names)


def in_queue(_: Context, start: int, end: int, queue: QName) -> Part:
    return Part(start, end, "queue", queue)


def expect_path(_: Context, start: int, end: int, *names: QName) -> Expect:
    return Expect(start, end, "path", (names,))


def expect_at(_: Context, start: int, end: int, name: QName) -> Expect:
    return Expect(start, end, "at", ((name,),))


def expect_undone(_: Context, start: int, end: int, *groups: Part) -> Expect:
    return Expect(start, end, "undone", tuple(group.value for group in groups))


def expect_dead_letter(_: Context, start: int, end: int, name: QName, *rest: Part) -> Expect:
    return Expect(start, end, "dead letter", ((name,),), None, part("queue", rest))


def expect_nothing_undone(_: Context, start: int, end: int) -> Expect:
    return Expect(start, end, "nothing undone")


def expect_done(_: Context, start: int, end: int, *value: Expr) -> Expect:
    return Expect(start, end, "done", (), value[0] if value else None)


def expect_failed(_: Context, start: int, end: int, name: QName) -> Expect:
    return Expect(start, end, "failed", ((name,),))


def expect_parked(_: Context, start: int, end: int, name: QName) -> Expect:
    return Expect(start, end, "parked", ((name,),))


def expect_called(_: Context, start: int, end: int, name: QName, times: Token) -> Expect:
    return Expect(start, end, "called", ((name,),), None, None, int(times.text))


def expect_that(_: Context, start: int, end: int, value: Expr) -> Expect:
    return Expect(start, end, "that", (), value)
