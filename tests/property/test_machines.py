"""What holds for the machine of every sound program: it verifies, and is data that can be read back."""

import json

from hypothesis import given

from tests.strategies.compiled import lowered, machines
from tests.strategies.programs import Program, programs
from wfc.ir.encode import decode, encode
from wfc.ir.verify import verify


@given(programs())
def test_a_machine_verifies_before_and_after_the_passes(program: Program) -> None:
    for machine in (*lowered(program), *machines(program)):
        verify(machine)


@given(programs())
def test_a_machine_is_data_and_back(program: Program) -> None:
    for machine in machines(program):
        data = json.loads(json.dumps(encode(machine)))
        again = decode(data)
        assert again == machine
        assert _without_lines(encode(again)) == _without_lines(data)


def _without_lines(data: object) -> object:
    """Data of a machine without the places in the source, which a machine that was read does not have."""
    if isinstance(data, dict):
        return {key: _without_lines(value) for key, value in data.items() if key != "line"}
    return [_without_lines(item) for item in data] if isinstance(data, list) else data
