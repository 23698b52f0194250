"""The machine as JSON: fits its published schema, and stands for the machine it came from."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from wfc.backends import json_
from wfc.driver import pipeline
from wfc.ir.encode import BadMachineError, decode
from wfc.ir.machine import Machine
from wfc.project.files import DiskFiles
from wfc.project.settings import Settings
from wfc.text.source import SourceFile

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "reference" / "machine.schema.json").read_text(encoding="utf-8"))
FILES = sorted(path for folder in ("examples", "tests/samples") for path in (ROOT / folder).rglob("*.wf"))


def machines(path: Path) -> Iterator[Machine]:
    """The machines of a file; what it imports is looked for in the checkout."""
    source = SourceFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    options = pipeline.Options()
    checked = pipeline.check([source], Settings(root=str(ROOT)), DiskFiles(), options)
    assert not checked.report.has_errors, [problem.message() for problem in checked.report.problems]
    for root in pipeline.roots(checked, options):
        yield pipeline.machine(root, checked.model, Settings(), options)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_machine_fits_the_schema_and_comes_back(path: Path) -> None:
    for machine in machines(path):
        (output,) = json_.emit(machine)
        data = json.loads(output.text)
        assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)] == []
        body = {key: value for key, value in data.items() if key not in {"$comment", "format"}}
        assert decode(body) == machine


def test_the_schema_is_sound() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ({"is": "state"}, "machine"),
        ([], "machine"),
        ({"is": "machine", "processes": "x"}, "processes"),
    ],
)
def test_what_is_no_machine_is_refused_with_its_place(broken: object, where: str) -> None:
    with pytest.raises(BadMachineError, match=where):
        decode(broken)
