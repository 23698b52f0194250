"""The same source gives the same bytes, whatever order sets happen to have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def compiled(root: Path, folder: Path, seed: str) -> dict[str, bytes]:
    """What all examples compile to, by path."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed}
    for source in sorted(root.glob("examples/*/*.wf")):
        command = [sys.executable, "-m", "wfc.cli.main", "compile", str(source), "--out", str(folder / source.stem)]
        subprocess.run(command, env=environment, cwd=root, check=True, capture_output=True)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_output_does_not_depend_on_the_order_of_sets(root: Path, tmp_path: Path) -> None:
    one = compiled(root, tmp_path / "one", "1")
    two = compiled(root, tmp_path / "two", "2")
    assert one
    assert one == two


def test_output_names_no_place_of_this_machine(root: Path, tmp_path: Path) -> None:
    for path, data in compiled(root, tmp_path, "1").items():
        for place in (root, tmp_path, Path.home()):
            assert str(place).encode() not in data, path
