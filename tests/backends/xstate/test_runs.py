"""Charts under the real XState against the pure machine: the same inputs, record by record, and the same result."""

from collections import Counter
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.typescript.conftest import machine_of, machines
from tests.backends.xstate.conftest import HERE, Replay
from tests.backends.xstate.runs import Case, case, difference, started
from tests.conftest import ROOT
from tests.golden.program import loaded
from tests.strategies import compiled
from tests.strategies.programs import ALL, Feature, programs
from tests.strategies.programs import Program as Text
from wfc.backends import xstate
from wfc.driver import pipeline
from wfc.machine.program import Program
from wfc.project.sources import read_sources
from wfc.simulation.play import play
from wfc.simulation.scenarios import tell
from wfc.simulation.script import Script

pytestmark = pytest.mark.js

FEATURES = ALL - {Feature.FOR_EACH, Feature.LOCK, Feature.CHILD, Feature.START, Feature.PIVOT}
LEAST = 300  # programs that are compared
SEEDS = 2  # runs of each
SEEN = {  # what must happen in these runs, or they show little
    "answered", "attempt failed", "audit", "called", "completed", "emitted", "entered", "event consumed",
    "event dropped", "event received", "failed", "guard fired", "in doubt", "interrupted", "left", "raised", "settled",
    "sla breached", "started", "tolerated", "undone",
}  # fmt: skip
EXAMPLES = sorted(folder for folder in (ROOT / "examples").iterdir() if folder.is_dir())
EXPRESSED = {"order-fulfillment"}  # the examples without anything that a chart refuses


def agree(replay: Replay, cases: list[tuple[str, Case]]) -> None:
    """Nothing differs; else the first three differences are told, each with its program."""
    told = replay([each for _, each in cases])
    found = [(text, difference(one, other)) for (text, one), other in zip(cases, told, strict=True)]
    wrong = [f"{text}\n{what}" for text, what in found if what]
    assert not wrong, f"{len(wrong)} of {len(cases)} runs differ\n" + "\n\n".join(wrong[:3])


@pytest.mark.slow
def test_generated_programs_run_as_the_machine_does(replay: Replay) -> None:
    cases: list[tuple[str, Case]] = []
    compared = 0
    texts: set[str] = set()

    @hypothesis.settings(
        max_examples=4 * LEAST,
        phases=[hypothesis.Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @given(st.booleans().flatmap(lambda side: programs(max_nodes=3, features=frozenset(FEATURES - _without(side)))))
    def collect(program: Text) -> None:
        nonlocal compared
        if compared >= LEAST or program.text in texts:
            return
        texts.add(program.text)
        for machine in compiled.machines(program):
            if xstate.unsupported(machine):
                continue
            ready = Program(machine)
            runs = [play(ready, machine.workflow.name, Script(), seed=seed) for seed in range(SEEDS)]
            made = [case(machine, ready, run.world.journal) for run in runs if started(run)]
            cases.extend((program.text, each) for each in made)
            compared += bool(made)

    collect()
    assert compared >= LEAST
    kinds = Counter(each["kind"] for _, one in cases for turn in one.records for each in turn)
    assert kinds.keys() >= SEEN, SEEN - kinds.keys()
    agree(replay, cases)


def _without(side: bool) -> set[Feature]:  # noqa: FBT001 - drawn
    """Half of the programs have no branches: for the others much is refused."""
    return set() if side else {Feature.PARALLEL}


@pytest.mark.parametrize("path", sorted((HERE / "programs").glob("*.wf")), ids=lambda path: path.stem)
def test_programs_of_our_own_run_as_the_machine_does(path: Path, replay: Replay) -> None:
    cases = []
    for machine in machines({path.name: path.read_text(encoding="utf-8")}):
        assert xstate.unsupported(machine) == ()
        ready = Program(machine)
        runs = [play(ready, machine.workflow.name, Script(), seed=seed) for seed in range(40)]
        cases += [(machine.process, case(machine, ready, run.world.journal)) for run in runs if started(run)]
    agree(replay, cases)
    if path.stem == "constructs":  # generated programs seldom write one
        assert any(each["kind"] == "dead letter" for _, one in cases for turn in one.records for each in turn)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_scenarios_of_an_example_run_the_same_or_it_is_refused_by_name(folder: Path, replay: Replay) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.wf"))}
    files, settings, report = loaded(texts)
    sources = read_sources((), settings, files, report)
    checked = pipeline.check(sources, settings, files, pipeline.Options())
    cases = []
    for machine, scenarios, _ in pipeline.scenarios(checked, settings, pipeline.Options()):
        refused = xstate.unsupported(machine)
        if refused:
            assert all(feature and at is not None for feature, at in refused)
            continue
        ready = Program(machine)
        for scenario in scenarios:
            told = tell(ready, scenario)
            assert told.difference is None
            cases.append((f"{machine.process}: {scenario.title}", case(machine, ready, told.world.journal)))
    assert bool(cases) == (folder.name in EXPRESSED)
    agree(replay, cases)


def test_a_difference_is_seen(replay: Replay) -> None:
    text = 'workflow W() -> Int { state A { audit "one"  done 1 } }'
    other = 'workflow W() -> Int { state A { audit "two"  done 2 } }'
    one, two = (
        case(made, Program(made), play(Program(made), "W", Script(), seed=0).world.journal)
        for made in (machine_of(text), machine_of(other))
    )
    assert difference(one, replay([one])[0]) == ""
    assert '"text": "two"' in difference(one, replay([two])[0])
