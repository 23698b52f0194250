"""What the page of the targets says is so: each construct runs in the target as in the machine, or is refused."""

from pathlib import Path

import pytest

from tests.backends.typescript.replays import Folder, difference, replays
from tests.backends.xstate.conftest import Replay, built, replay
from tests.backends.xstate.runs import Case, case
from tests.backends.xstate.test_runs import agree
from tests.conformance.documents import play, programs
from wfc.backends import typescript, xstate
from wfc.devtools.target_table import cases

__all__ = ["built", "replay"]  # fixtures

CASES = dict(cases((Path(__file__).parent / "features.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize("title", CASES)
def test_the_scenarios_hold(title: str) -> None:
    told = [play(program, scenario) for program, scenarios in programs(files(title)) for scenario in scenarios]
    assert told
    assert not [each.difference for each in told if each.difference is not None]


@pytest.mark.js
def test_the_typescript_runs_them_as_the_machine_does(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    runs = []
    for title in CASES:
        for program, scenarios in programs(files(title)):
            assert typescript.unsupported(program.machine) == ()
            for scenario in scenarios:
                told = play(program, scenario)
                name = f"{title}: {scenario.title}"
                runs += list(replays(name, folder.add(program.machine), program, told.world.journal))
    folder.transpile()
    wrong = [difference(run, found) for run, found in zip(runs, folder.run(runs), strict=True)]
    assert len(runs) >= len(CASES)
    assert not [each for each in wrong if each]


@pytest.mark.js
def test_xstate_runs_them_as_the_machine_does_or_refuses_them(replay: Replay) -> None:
    runs: list[tuple[str, Case]] = []
    refused: set[str] = set()
    for title in CASES:
        for program, scenarios in programs(files(title)):
            if found := xstate.unsupported(program.machine):
                assert all(feature and at is not None for feature, at in found), title
                refused.add(title)
                continue
            for scenario in scenarios:
                told = play(program, scenario)
                runs.append((f"{title}: {scenario.title}", case(program.machine, program, told.world.journal)))
    agree(replay, runs)
    assert len({name.partition(": ")[0] for name, _ in runs} | refused) == len(CASES)


def files(title: str) -> dict[str, str]:
    return {"main.wf": CASES[title]}
