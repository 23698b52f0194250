"""Runs by lot: they can be told, and their traces lead to the same lines; a damaged trace is refused in words."""

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from wfc.cli.base.timeline import ASCII, shown_timeline
from wfc.driver import pipeline
from wfc.machine.program import Program
from wfc.project.files import DiskFiles
from wfc.project.settings import Settings
from wfc.simulation.play import Played, play
from wfc.simulation.script import Script
from wfc.simulation.timeline import timeline
from wfc.simulation.trace import ReplayError, TraceError, read_trace, replay, write_trace
from wfc.text.source import SourceFile

EXAMPLES = sorted(path for path in (Path(__file__).parents[2] / "examples").iterdir() if path.is_dir())


@cache
def programs(folder: Path) -> tuple[Program, ...]:
    sources = [SourceFile(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.wf"))]
    settings, options = Settings(root=str(folder)), pipeline.Options()
    checked = pipeline.check(sources, settings, DiskFiles(), options)
    roots = pipeline.roots(checked, options)
    return tuple(Program(pipeline.machine(root, checked.model, settings, options)) for root in roots)


def played(program: Program, seed: int) -> Played:
    return play(program, program.machine.workflow.name, Script(), seed=seed)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_a_replay_is_told_as_the_run_was(folder: Path, seed: int) -> None:
    for program in programs(folder):
        run = played(program, seed)
        told = timeline(run.witness.run(run.world))
        assert told[0].at == 0
        again = replay(program, read_trace(write_trace(program, run.world)))
        assert timeline(again) == told
        assert all(shown_timeline(told, width=60, signs=ASCII))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_trace_is_refused_in_words(seed: int) -> None:
    program = programs(EXAMPLES[-1])[-1]
    data = json.loads(write_trace(program, played(program, seed % 4).world))
    random = Random(seed)  # noqa: S311 - to damage it, nothing else
    for _ in range(3):
        _damage(data, random)
    with suppress(TraceError, ReplayError):
        timeline(replay(program, read_trace(json.dumps(data))))


def _damage(data: Any, random: Random) -> None:
    """Changes something somewhere."""
    while True:
        inner = [
            each
            for each in (data.values() if isinstance(data, dict) else data)
            if isinstance(each, dict | list) and each
        ]
        if not inner or random.random() < 0.1:
            break
        data = random.choice(inner)
    key = random.choice(list(data) if isinstance(data, dict) else range(len(data)))
    if random.random() < 0.3:
        del data[key]
    else:
        data[key] = random.choice([None, 0, -1, "", "x", [], {}, True, 1.5, "c3", {"#": "1"}, [1, 2]])
