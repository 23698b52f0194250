"""The same source gives the same bytes, whatever the order of sets, the folder, the language and the time of a machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

OTHER_TIME = """
import time
time.time = lambda: 4102444800.0
time.time_ns = lambda: 4102444800 * 10**9
"""


def compiled(examples: Path, folder: Path, root: Path, **environment: str) -> dict[str, bytes]:
    """What all examples compile to for all targets, by path."""
    path = os.pathsep.join(filter(None, [environment.pop("PYTHONPATH", ""), str(root)]))
    whole = {**os.environ, **environment, "PYTHONPATH": path}
    for source in sorted(examples.glob("*/*.wf")):
        command = [sys.executable, "-m", "wfc.cli.main", "compile", source.name, "--target", "all"]
        command += ["--out", str(folder / source.stem)]
        subprocess.run(command, env=whole, cwd=source.parent, check=True, capture_output=True)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_output_depends_on_nothing_but_the_source(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another place"
    shutil.copytree(root / "examples", elsewhere, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(OTHER_TIME, encoding="utf-8")
    here = {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    there = {"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONPATH": str(tmp_path / "site")}
    one = compiled(root / "examples", tmp_path / "one", root, **here)
    two = compiled(elsewhere, tmp_path / "two", root, **there)
    assert one
    assert one == two
    for path, data in one.items():
        for place in (root, tmp_path, Path.home()):
            assert str(place).encode() not in data, path
