"""Lowered scenarios and migrations as text, one line an item."""

import json
from collections.abc import Iterator

from tests.golden.document import Block, Case
from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.ir.dump import show_expr
from wfc.ir.machine import Machine
from wfc.ir.scenario import (
    Advance,
    Answer,
    Expect,
    GivenAnswers,
    GivenInput,
    Item,
    Migration,
    MigrationRule,
    Operate,
    Scenario,
    Send,
)
from wfc.project.sources import read_sources


def scenarios(case: Case, block: Block) -> str:
    """The scenarios of each workflow that has some, with the names that its machine defines."""
    del block
    files, settings, report = loaded(case.files)
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())
    found = pipeline.scenarios(checked, settings, pipeline.Options())
    return "\n\n".join("\n".join(_told(*told)) for told in found) or "none"


def _told(machine: Machine, told: tuple[Scenario, ...], migrations: tuple[Migration, ...]) -> Iterator[str]:
    yield f"machine {machine.process}"
    names = {
        "workflows": [each.name for each in machine.workflows],
        "operations": [each.name for each in machine.operations],
        "records": [each.name for each in machine.records],
        "enums": [each.name for each in machine.enums],
        "errors": [each.name for each in machine.errors],
        "events": [each.name for each in machine.events],
        "queues": machine.queues,
        "constants": [each.name for each in machine.constants],
        "functions": [each.name for each in machine.functions],
    }
    yield from (f"  {kind} {', '.join(of)}" for kind, of in names.items() if of)
    for scenario in told:
        yield f"scenario {json.dumps(scenario.title)} for {scenario.workflow}"
        for item in scenario.items:
            line = f"line {item.at.line}" if item.at is not None else "nowhere"
            yield f"  {line}: {_item(item)}"
    for migration in migrations:
        yield f"migration {migration.workflow} from {migration.old} to {migration.new}"
        yield from (f"  {_rule(rule)}" for rule in migration.rules)


def _item(item: Item) -> str:
    match item:
        case GivenInput(name, value):
            return f"given {name} = {show_expr(value)}"
        case GivenAnswers(target, answers):
            return f"given {target} {', then '.join(map(_answer, answers))}"
        case Send(event, value):
            return f"send {event} {show_expr(value)}"
        case Advance(amount):
            return f"advance {show_expr(amount)}"
        case Operate(action, target, value):
            given = f" {show_expr(value)}" if value is not None else ""
            return f"operator {action}{given}{f' for {target}' if target else ''}"
        case Expect(kind, groups, value, queue, times, text):
            word = {"path": ", ", "failed": " or "}.get(kind, " and ")
            names = ", ".join(word.join(group) for group in groups)
            shown = [kind, names, show_expr(value) if value is not None else "", f"in {queue}" if queue else ""]
            count = f"{times} times" if times is not None else ""
            return f"expect {' '.join(part for part in (*shown, count) if part)} // {text}"


def _answer(answer: Answer) -> str:
    delay = f"after {show_expr(answer.delay)} " if answer.delay is not None else ""
    value = f" {show_expr(answer.value)}" if answer.value is not None else ""
    return f"{delay}{answer.kind}{value}{f' {answer.times} times' if answer.times != 1 else ''}"


def _rule(rule: MigrationRule) -> str:
    sets = "".join(f", {name} = {show_expr(value)}" for name, value in rule.sets)
    return f"{f'at {rule.source}' if rule.source else 'otherwise'}: {rule.kind} {rule.target}".rstrip() + sets
