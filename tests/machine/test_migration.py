"""Migrations executed: an instance at a rest point goes on in the new version, or stays, with the reason."""

from typing import Any

import pytest

from tests.golden.program import loaded
from tests.machine.running import run, sent
from wfc.driver import pipeline
from wfc.ir.scenario import Migration
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Event, Started, Time
from wfc.machine.migrate import Stays, migrate
from wfc.machine.program import Program
from wfc.machine.turn import Turned
from wfc.machine.verify import broken_laws
from wfc.project.sources import read_sources

HEAD = """
module m
event Go(id: Text) key id
event Stop(id: Text) key id
service s {
  activity hold(id: Text) key id compensate free(id)
  activity free(id: Text)
  activity pack(id: Text) key id compensate none "it stays packed"
}
"""

OLD = (
    HEAD
    + """
workflow W(id: Text) -> Text version 1 key id {
  var note: Text = "old"
  on Stop -> Stopped
  state Hold { do s.hold(id) -> Rest }
  gateway Rest { await { on Go -> Done  after 10d -> Late } }
  state Done { done note }
  state Late { undo done "late" }
  state Stopped { done "stopped" }
}
"""
)

NEW = (
    HEAD
    + """
workflow W(id: Text, hurry: Bool = false) -> Text version 2 key id {
  var note: Text = "new"
  on Stop -> Stopped
  state Hold { do s.hold(id) -> Rest }
  gateway Rest { await { on Go -> Pack  after 20d -> Late } }
  state Pack { do s.pack(id) -> Done }
  state Done { choose { when hurry { done "{note}, in a hurry" } otherwise { done note } } }
  state Late { undo done "late" }
  state Stopped { done "stopped" }
}
"""
)


def compiled(text: str) -> tuple[Program, tuple[Migration, ...]]:
    files, settings, report = loaded({"m.wf": text})
    sources = read_sources((), settings, files, report)
    checked = pipeline.check(sources, settings, files, pipeline.Options())
    assert checked.report.is_runnable, [(p.code, p.message()) for p in checked.report.problems]
    with_scenario = pipeline.scenarios(checked, settings, pipeline.Options())
    machine, _, migrations = with_scenario[0]
    return Program(machine), migrations


def versions(rules: str) -> tuple[Program, Program, Migration]:
    scenario = '\nscenario "runs" for W { given id = "a" }\n'
    old, _ = compiled(OLD + scenario)
    new, migrations = compiled(NEW + f"migration W from 1 to 2 {{ {rules} }}" + scenario)
    return old, new, migrations[0]


def started() -> list[Any]:
    return [Started(at=0, workflow="W", instance="W/a", data={"id": "a"})]


def call_of(found: Turned) -> str:
    return sent(found)[0].call


def at_rest(old: Program) -> Instance:
    first = run(old, started())
    return run(old, [Answered(at=5, call=call_of(first), kind="value")], first.instance).instance


def test_a_changed_node_goes_where_the_rule_says_and_the_log_goes_along() -> None:
    old, new, rules = versions('at Rest -> Rest { set note = "was {note}" }')
    moved = migrate(old, new, at_rest(old), rules, 1000)
    assert isinstance(moved, Turned)
    assert moved.instance.version == 2
    assert [record.kind for record in moved.records][:1] == ["migrated"]
    assert broken_laws(new, moved.instance) == []
    packing = run(new, [Event(at=2000, type="Go", data={"id": "a"})], moved.instance)
    ended = run(new, [Answered(at=2001, call=call_of(packing), kind="value")], packing.instance)
    assert ended.instance.status == "done"
    assert ended.instance.value == "was old"


def test_what_was_done_in_the_old_version_is_undone_in_the_new() -> None:
    old, new, rules = versions("at Rest -> Rest")
    moved = migrate(old, new, at_rest(old), rules, 1000)
    assert isinstance(moved, Turned)
    stopping = run(new, [Event(at=2000, type="Stop", data={"id": "a"})], moved.instance)
    assert [each.target for each in sent(stopping)] == ["s.free"]
    ended = run(new, [Answered(at=2001, call=call_of(stopping), kind="value")], stopping.instance)
    assert ended.instance.value == "stopped"


def test_a_deadline_of_an_entered_node_counts_from_the_migration() -> None:
    old, new, rules = versions("at Rest -> Rest")
    day = 86_400_000
    moved = migrate(old, new, at_rest(old), rules, day)
    assert isinstance(moved, Turned)
    assert moved.instance.alarm == 21 * day


def test_a_node_without_a_rule_is_unmapped() -> None:
    old, new, rules = versions("at Hold -> Pack")
    found = migrate(old, new, at_rest(old), rules, 1000)
    assert isinstance(found, Stays)
    assert found.kind == "unmapped-state"


@pytest.mark.parametrize("word", ["stay", "refuse"])
def test_an_instance_stays_where_a_rule_says_so(word: str) -> None:
    rule = "at Rest stay" if word == "stay" else "otherwise refuse"
    old, new, rules = versions(rule)
    before = at_rest(old)
    copy = before.copy()
    found = migrate(old, new, before, rules, 1000)
    assert isinstance(found, Stays)
    assert found.kind == word
    assert before == copy


def test_nothing_moves_while_a_call_is_in_flight() -> None:
    old, new, rules = versions("at Rest -> Rest")
    found = migrate(old, new, run(old, started()).instance, rules, 1000)
    assert isinstance(found, Stays)
    assert found.kind == "not-at-rest"
    assert "s.hold" in found.text


def test_an_unchanged_node_keeps_its_timers() -> None:
    same = (
        NEW.replace("after 20d", "after 10d")
        .replace("on Go -> Pack", "on Go -> Done")
        .replace("  state Pack { do s.pack(id) -> Done }\n", "")
    )
    scenario = '\nscenario "runs" for W { given id = "a" }\n'
    old, _ = compiled(OLD + scenario)
    new, migrations = compiled(same + "migration W from 1 to 2 { otherwise refuse }" + scenario)
    before = at_rest(old)
    moved = migrate(old, new, before, migrations[0], 1000)
    assert isinstance(moved, Turned), moved
    assert moved.instance.alarm == before.alarm
    assert moved.instance.alarm is not None
    ended = run(new, [Time(at=moved.instance.alarm)], moved.instance)
    assert [each.target for each in sent(ended)] == ["s.free"]  # Late undoes what was held


def moved_to(new_text: str, rules: str = "otherwise refuse") -> tuple[Program, Turned | Stays]:
    scenario = '\nscenario "runs" for W { given id = "a" }\n'
    old, _ = compiled(PLAIN + scenario)
    new, migrations = compiled(new_text + f"migration W from 1 to 2 {{ {rules} }}" + scenario)
    found = migrate(old, new, at_rest(old), migrations[0], 1000)
    if isinstance(found, Turned):
        assert broken_laws(new, found.instance) == []
    return new, found


PLAIN = (
    HEAD
    + """
workflow W(id: Text) -> Text version 1 key id {
  state Hold { do s.hold(id) -> Rest }
  gateway Rest { await { on Go -> Done  on Stop -> Done } }
  state Done { done "old" }
}
"""
)


def test_a_new_variable_has_its_first_value_and_a_new_guard_counts_from_now() -> None:
    clauses = 'version 2 key id {\n  after 5d also { audit "late" }\n  var word: Text = "new"'
    text = PLAIN.replace("version 1 key id {", clauses).replace('done "old"', "done word")
    new, found = moved_to(text)
    assert isinstance(found, Turned), found
    assert found.instance.alarm == 1000 + 5 * 86_400_000
    ended = run(new, [Event(at=2000, type="Go", data={"id": "a"})], found.instance)
    assert ended.instance.value == "new"


def test_a_scope_that_new_guards_form_is_not_entered_from_inside() -> None:
    text = PLAIN.replace("version 1 key id {", "version 2 key id {\n  after 5d -> Late")
    text = text.replace('state Done { done "old" }', 'state Done { done "old" }\n  state Late { done "late" }')
    _, found = moved_to(text)
    assert isinstance(found, Stays)
    assert found.kind == "unmapped-state"
