"""The XState backend: what it writes, what it refuses, and that every name in it means something."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.typescript.conftest import machine_of, machines, run_node
from tests.backends.xstate.conftest import HERE, SMALL, Built, Replay
from tests.backends.xstate.runs import case, difference
from wfc.backends import xstate
from wfc.backends.xstate import refusals
from wfc.backends.xstate.check import ACTIONS, GUARDS, BadChartError, check
from wfc.machine.program import Program
from wfc.simulation.play import play
from wfc.simulation.script import Script

Json = dict[str, Any]
KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
CONSTRUCTS = (HERE / "programs" / "constructs.wf").read_text(encoding="utf-8")
LONG = "a" * 200
HOSTILE = f"""
error toString(__proto__: Text)
record isPrototypeOf {{ __proto__: Text, hasOwnProperty: Int }}
event valueOf(key_: Text, __proto__: Text) key key_
service propertyIsEnumerable {{ query toString(constructor: Text) -> Int raises toString }}
workflow {LONG}(__proto__: Text, constructor: Text = "`\\"$\\{{") -> Text key __proto__ {{
  catch any as hasOwnProperty -> {LONG}
  /// "quoted" # . $ ` Straße 日本 \u2028 </script>
  state __proto__ {{
    on valueOf as e when e.__proto__ == "a" -> toString
    let r = isPrototypeOf(__proto__, 1)
    do propertyIsEnumerable.toString(r.__proto__) as valueOf
    audit "#.$ \\"{{r.hasOwnProperty}}\\" {{valueOf}} 日本 \\u{{2028}}"
    -> toString
  }}
  state constructor {{ after 1h -> toString  wait 2h -> toString }}
  state toString {{ choose {{ when constructor == "" -> constructor  otherwise {{ done constructor }} }} }}
  state {LONG} {{ done hasOwnProperty.message }}
}}
"""
SHOP = """
event Go(order: Text) key order
queue desk
resource shelf(order: Text) rank 1
policy Parked { try 2 times exhausted then park in desk }
service shop {
  activity book(order: Text) key order compensate free(order)
  activity free(order: Text)
  activity hand(order: Text) with Parked key order irreversible "it has left"
  @idempotent activity remind(order: Text) compensate none "it stays read"
  query count(order: Text) -> Int
}
workflow Child(order: Text) key order { state A { do shop.remind(order)  done } }
"""
REFUSED = {
    refusals.BESIDE: "state A { every 1d { do shop.remind(order) optional } wait 3d done }",
    refusals.BLOCK: "state A { do shop.book(order) compensate { do shop.free(order) do shop.free(order) } done }",
    refusals.BRANCH_UNDO: "state A { parallel { branch B { do shop.book(order) after 1d { } } branch C { wait 1d } } done }",
    refusals.CHILD: "state A { do Child(order) done }",
    refusals.EACH: "state A { for each x in [order] { do shop.remind(x) } done }",
    refusals.JOIN: "state A { parallel join settled { branch B { wait 1d } branch C { wait 1d } } done }",
    refusals.LOCK: "state A { lock shelf(order) wait 1m { do shop.remind(order) } done }",
    refusals.PARK: 'state A { do shop.count(order) as n with Parked audit "{n}" done }',
    refusals.PIVOT: "state A { do shop.hand(order) pivot done }",
    refusals.START: 'state A { start Child(order) key order compensate none "no harm" done }',
}


def states(state: Json) -> Iterator[tuple[str, Json]]:
    for key, inner in state.get("states", {}).items():
        yield key, inner
        yield from states(inner)


def edges(state: Json) -> Iterator[Json]:
    yield from state.get("always", [])
    for found in (*state.get("on", {}).values(), *state.get("after", {}).values()):
        yield from found


def every_chart() -> list[Json]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "programs").glob("*.wf"))]
    return [xstate.chart(machine) for text in (*texts, HOSTILE) for machine in machines({"case.wf": text})]


@pytest.mark.js
def test_tsc_accepts_the_adapter(built: Built) -> None:
    assert built.said == ""


def test_the_files_are_named_after_the_process() -> None:
    paths = [output.path for output in xstate.emit(machine_of(SMALL))]
    assert paths[0] == "small.xstate.json"
    assert "wfc-runtime/wfc-xstate.ts" in paths
    assert all(path.startswith("wfc-runtime/wfc-") for path in paths[1:])


def test_the_same_machine_gives_the_same_bytes() -> None:
    assert xstate.emit(machine_of(CONSTRUCTS)) == xstate.emit(machine_of(CONSTRUCTS))


def test_every_name_in_a_chart_means_something() -> None:
    for chart in every_chart():
        every = [("", chart), *states(chart)]
        identities = {state["id"] for _, state in every}
        tables = chart["meta"]["wfc"]
        assert len(identities) == len(every)
        for key, state in every:
            assert KEY.fullmatch(key or "chart"), key
            inner = state.get("states", {})
            assert state.get("type") == "parallel" or not inner or state["initial"] in inner
            assert set(state.get("after", {})) <= set(tables["timers"])
            for edge in edges(state):
                assert edge.get("target", "#" + state["id"]).removeprefix("#") in identities
                assert edge.get("guard", {"type": "wfc.quiet"})["type"].removeprefix("wfc.") in GUARDS
                assert all(action["type"].removeprefix("wfc.") in ACTIONS for action in edge.get("actions", []))
            assert all(action["type"].removeprefix("wfc.") in ACTIONS for action in state.get("entry", []))


def test_the_adapter_has_exactly_the_names_that_are_checked() -> None:
    files = {output.path: output.text for output in xstate.emit(machine_of(SMALL))}
    text = "".join(files[f"wfc-runtime/wfc-xstate-{part}.ts"] for part in ("actions", "guards"))

    def table(*names: str) -> set[str]:
        bodies = [re.search(rf"const {name}: .*?= {{\n(.*?)\n}};", text, re.DOTALL) for name in names]
        return {key for body in bodies if body for key in re.findall(r"^  (\w+):", body[1], re.MULTILINE)}

    assert table("ACTIONS", "RAISING") == ACTIONS
    assert table("GUARDS") == GUARDS


BREAKS: dict[str, Callable[[Json, Json], None]] = {
    "target": lambda _, state: state["always"][0].update(target="#nowhere"),
    "initial": lambda chart, _: chart["states"]["$run"].update(initial="nowhere"),
    "delay": lambda _, state: state.update(after={"1000": []}),
    "guard": lambda _, state: state["always"][0].update(guard={"type": "xstate.and"}),
    "action": lambda _, state: state["always"][0].update(actions=[{"type": "wfc.nothing"}]),
    "field": lambda _, state: state.update(onDone=[]),
    "key": lambda chart, _: chart["states"].update({"a.b": {"id": "x"}}),
    "id": lambda chart, _: chart["states"]["$done"].update(id="$failed"),
    "call": lambda _, state: state["always"][0].update(actions=[{"type": "wfc.call", "params": {"call": 99}}]),
    "actor": lambda _, state: state.update(invoke={"src": "nobody"}),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_chart_with_a_name_that_means_nothing_is_not_written(what: str) -> None:
    chart = copy.deepcopy(xstate.chart(machine_of(SMALL)))
    check(chart)
    BREAKS[what](chart, next(state for _, state in states(chart) if state.get("always")))
    with pytest.raises(BadChartError):
        check(chart)


@pytest.mark.js
def test_hostile_names_are_harmless(replay: Replay) -> None:
    machine = machine_of(HOSTILE)
    chart = json.loads(xstate.emit(machine)[0].text)
    assert chart == xstate.chart(machine)
    titles = {state["meta"]["title"] for _, state in states(chart) if state.get("meta", {}).get("kind") == "state"}
    assert titles == {"__proto__", "constructor", "toString", LONG}
    runs = [play(Program(machine), LONG, Script(), seed=seed) for seed in range(30)]
    cases = [case(machine, Program(machine), run.world.journal) for run in runs if not run.refused]
    assert [what for what in map(difference, cases, replay(cases)) if what] == []


@pytest.mark.parametrize("feature", REFUSED)
def test_what_a_chart_cannot_express_is_refused_by_name(feature: str) -> None:
    text = f"{SHOP}workflow W(order: Text) key order {{ {REFUSED[feature]} }}"
    found = [machine for machine in machines({"case.wf": text}) if machine.workflow.name == "W"]
    (refused, *more) = sorted(set(xstate.unsupported(found[0])), key=lambda each: each[0] == refusals.PARK)
    assert refused[0] == feature
    assert {name for name, _ in more} <= {refusals.PARK}  # a pivot is parked as well
    assert refused[1] is not None
    assert xstate.emit(found[0]) == ()


def test_every_refusal_is_tried() -> None:
    named = {value for name, value in vars(refusals).items() if name.isupper() and isinstance(value, str)}
    assert named == set(REFUSED)


def test_the_page_names_every_refusal(root: Path) -> None:
    page = (root / "docs" / "reference" / "xstate.md").read_text(encoding="utf-8")
    assert [feature for feature in REFUSED if feature not in page] == []


@pytest.mark.js
def test_the_example_of_the_page_runs(built: Built, root: Path) -> None:
    page = (root / "docs" / "reference" / "xstate.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```(wf|ts)[^\n]*\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    folder = built.folder / "out"
    for output in xstate.emit(machine_of(blocks["wf"])):
        if output.path.endswith(".json"):
            (folder / output.path).write_text(output.text, encoding="utf-8")
    (folder / "example.mjs").write_text(blocks["ts"], encoding="utf-8")
    lines = run_node(str(folder / "example.mjs")).splitlines()
    assert lines[-1] == "done good evening, 1"
    assert "called asking" in lines
