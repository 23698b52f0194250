"""The programs of the checkout are sound: no error, and no warning either."""

from pathlib import Path

import pytest

from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.machine.program import Program
from wfc.problems.render.concise import concise
from wfc.project.files import DiskFiles
from wfc.project.settings import Settings
from wfc.simulation.scenarios import Told, tell
from wfc.text.source import SourceFile

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").iterdir())
FOLDERS = [*EXAMPLES, ROOT / "tests" / "samples", ROOT / "stdlib"]


def _settings(folder: Path) -> Settings:
    """The whole checkout is the project, because some import from others; records lie where each is compiled."""
    return Settings(root=".", out=f"{folder.relative_to(ROOT).as_posix()}/workflows")


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.is_dir()], ids=lambda folder: folder.name)
def test_nothing_is_wrong_with_it(folder: Path) -> None:
    paths = sorted(folder.glob("*.wf"))
    assert paths
    sources = [SourceFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    checked = pipeline.check(sources, _settings(folder), DiskFiles(str(ROOT)), pipeline.Options())
    assert [concise(problem) for problem in checked.report.problems] == []


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.is_dir()], ids=lambda folder: folder.name)
def test_all_its_scenarios_are_lowered(folder: Path) -> None:
    paths = sorted(folder.glob("*.wf"))
    sources = [SourceFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    settings, options = _settings(folder), pipeline.Options()
    checked = pipeline.check(sources, settings, DiskFiles(str(ROOT)), options)
    found = pipeline.scenarios(checked, settings, options)
    assert sum(len(scenarios) for _, scenarios, _ in found) == sum(s.text.count("\nscenario ") for s in sources)
    for machine, _, _ in found:
        (root,) = (w for w in checked.model.workflows.values() if w.by_itself and w.process == machine.process)
        alone = pipeline.machine(root, checked.model, settings, options)
        assert machine.workflows[: len(alone.workflows)] == alone.workflows
        assert machine.operations[: len(alone.operations)] == alone.operations


# What is never undone together with something else: each charge is settled before anything else is done.
_SINGLY = {"subscription-billing": {"access.suspend"}}


def _told(folder: Path) -> list[tuple[Machine, Told]]:
    paths = sorted(folder.glob("*.wf"))
    sources = [SourceFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    settings, options = _settings(folder), pipeline.Options()
    checked = pipeline.check(sources, settings, DiskFiles(str(ROOT)), options)
    return [
        (machine, tell(program, scenario))
        for machine, scenarios, _ in pipeline.scenarios(checked, settings, options)
        for program in (Program(machine),)
        for scenario in scenarios
    ]


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.is_dir()], ids=lambda folder: folder.name)
def test_all_its_scenarios_go_as_told(folder: Path) -> None:
    different = [(told.scenario.title, told.difference) for _, told in _told(folder) if told.difference is not None]
    assert different == []


@pytest.mark.parametrize("folder", [f for f in EXAMPLES if f.is_dir()], ids=lambda folder: folder.name)
def test_an_example_shows_what_is_undone_when_things_go_wrong(folder: Path) -> None:
    """At least four scenarios; in one of them several things are undone, where that may be."""
    found = _told(folder)
    assert len(found) >= 4
    machines = [machine for machine, _ in found]
    undoable = {o.name for machine in machines for o in machine.operations if o.effect == "reversible"}
    undone = [{r.get("operation") for r in told.world.records if r.kind == "undone"} & undoable for _, told in found]
    assert max(map(len, undone)) >= min(2, len(undoable - _SINGLY.get(folder.name, set())))
