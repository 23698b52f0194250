"""The host on Node does its duties: with the real cockatiel in real time, and over long times with a clock of its own."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.backends.node.conftest import HERE, Built

pytestmark = [pytest.mark.js]


def _names(script: str) -> list[str]:
    return re.findall(r"^  async '(.*)'\(\)", (HERE / script).read_text(encoding="utf-8"), re.MULTILINE)


@cache
def _told(script: str, folder: Path) -> dict[str, str | None]:
    """What a script has to say about each of its cases."""
    command = ["node", str(HERE / script), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told: dict[str, str | None] = json.loads(done.stdout)
    return told


def test_tsc_accepts_the_host(hosted: Built) -> None:
    assert hosted.said == ""


@pytest.mark.parametrize("name", _names("host.mjs"))
def test_in_real_time(name: str, hosted: Built) -> None:
    told = _told("host.mjs", hosted.folder)[name]
    assert told is None, told


@pytest.mark.parametrize("name", _names("clock.mjs"))
def test_over_long_times(name: str, hosted: Built) -> None:
    told = _told("clock.mjs", hosted.folder)[name]
    assert told is None, told
