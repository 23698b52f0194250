"""The programs of the checkout are sound: no error, and no warning either."""

from pathlib import Path

import pytest

from wfc.driver import pipeline
from wfc.problems.render.concise import concise
from wfc.project.files import DiskFiles
from wfc.project.settings import Settings
from wfc.text.source import SourceFile

ROOT = Path(__file__).parents[2]
FOLDERS = [*sorted((ROOT / "examples").iterdir()), ROOT / "tests" / "samples", ROOT / "stdlib"]


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.is_dir()], ids=lambda folder: folder.name)
def test_nothing_is_wrong_with_it(folder: Path) -> None:
    paths = sorted(folder.glob("*.wf"))
    assert paths
    sources = [SourceFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    checked = pipeline.check(sources, Settings(root=str(ROOT)), DiskFiles(), pipeline.Options())
    assert [concise(problem) for problem in checked.report.problems] == []


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.is_dir()], ids=lambda folder: folder.name)
def test_all_its_scenarios_are_lowered(folder: Path) -> None:
    paths = sorted(folder.glob("*.wf"))
    sources = [SourceFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    settings, options = Settings(root=str(ROOT)), pipeline.Options()
    checked = pipeline.check(sources, settings, DiskFiles(), options)
    found = pipeline.scenarios(checked, settings, options)
    assert sum(len(scenarios) for _, scenarios, _ in found) == sum(s.text.count("\nscenario ") for s in sources)
    for machine, _, _ in found:
        (root,) = (w for w in checked.model.workflows.values() if w.by_itself and w.process == machine.process)
        alone = pipeline.machine(root, checked.model, settings, options)
        assert machine.workflows[: len(alone.workflows)] == alone.workflows
        assert machine.operations[: len(alone.operations)] == alone.operations
