"""What people install works: the wheel, in an environment of its own, with what it declares and nothing else."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = "order-fulfillment"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(__file__).resolve().parents[2]
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_the_grammar_and_the_library_but_no_tools(wheel: Path, root: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("grammar", "stdlib"):
        for path in (root / folder).rglob("*.*"):
            assert f"wfc/_data/{path.relative_to(root).as_posix()}" in names
    assert "wfc/py.typed" in names
    assert "wfc/problems/__init__.pyi" in names
    assert not [name for name in names if name.startswith(("wfc/devtools", "tests", "benchmarks", "examples"))]


def test_the_installed_wheel_compiles_an_example(wheel: Path, root: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = ["--constraint", str(root / "requirements-dev.txt")]
    subprocess.run([*install, *constraints, str(wheel)], check=True, capture_output=True, cwd=tmp_path)
    source = root / "examples" / EXAMPLE / f"{EXAMPLE}.wf"
    done = subprocess.run(
        [str(home / "bin" / "wfc"), "compile", str(source), "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    wfc = [str(home / "bin" / "wfc"), "completion", "bash"]
    assert "_shtab_wfc" in subprocess.run(wfc, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    script = "from pygments.lexers import get_lexer_by_name; print(get_lexer_by_name('wf').name)"
    lexer = subprocess.run([str(python), "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert lexer.stdout == "wfc\n"
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"- out/{EXAMPLE}.state-machine.json" in done.stdout
    assert (tmp_path / "out" / f"{EXAMPLE}.state-machine.json").is_file()
