"""What the page of the targets says is so: each construct runs in the target as in the machine, or is refused."""

from pathlib import Path

import pytest

from tests.backends.typescript.replays import Folder, difference, replays
from tests.conformance.documents import play, programs
from wfc.backends import typescript
from wfc.devtools.target_table import cases

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


def files(title: str) -> dict[str, str]:
    return {"main.wf": CASES[title]}
