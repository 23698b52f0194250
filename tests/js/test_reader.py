"""The example that reads a machine without wfc says what the machine says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from wfc.cli.main import main
from wfc.ir.load import load
from wfc.ir.machine import Goto, Node, Scope
from wfc.ir.walk import nodes, own_steps

pytestmark = [pytest.mark.js]

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / "examples" / "order-fulfillment" / "read-the-machine.mjs"


def read(file: Path) -> subprocess.CompletedProcess[str]:
    assert shutil.which("node"), "Node 20 or later is needed; `make setup` installs it"
    return subprocess.run(["node", str(READER), str(file)], capture_output=True, text=True, check=False)


def test_it_lists_where_each_state_leads(tmp_path: Path) -> None:
    for source in sorted(ROOT.glob("examples/*/*.wf")):
        assert main(["compile", str(source), "--target", "json", "--out", str(tmp_path / source.stem)]) == 0
    files = sorted(tmp_path.glob("*/*.state-machine.json"))
    assert files
    for file in files:
        said = read(file)
        assert said.returncode == 0, said.stderr
        ways = said.stdout.split("Where each state leads:\n")[1].split("\n\n")[0]
        told = dict(line.strip().split(": ", 1) for line in ways.split("\n"))
        region = load(file.read_text(encoding="utf-8")).workflow.region
        expected = {node.path: ", ".join(leads(node)) or "an end" for node in nodes(region) if not implicit(node)}
        assert told == expected


def implicit(node: Node) -> bool:
    return isinstance(node, Scope) and node.implicit


def leads(node: Node) -> list[str]:
    """The names that the arrows of a node lead to, each once."""
    if isinstance(node, Scope):
        steps = [step for guard in node.region.guards for step in own_steps(guard.steps)]
        own = [] if node.next is None else [node.next]
    else:
        steps = [*own_steps(node.steps), *(step for guard in node.guards for step in own_steps(guard.steps))]
        own = []
    return list(dict.fromkeys([*own, *(step.target for step in steps if isinstance(step, Goto))]))


def test_it_refuses_what_is_no_machine(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    assert read(other).returncode == 1
    assert "format 1" in read(other).stderr
