"""A machine from the text of its JSON: what the json backend writes, and what lies in the record of a version."""

import json

from wfc.ir.encode import FORMAT, BadMachineError, decode
from wfc.ir.machine import Machine
from wfc.ir.verify import BrokenMachine, verify


def load(text: str) -> Machine:
    """The machine that a text holds; raises BadMachineError, with what is wrong, where it holds none."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or "format" not in data or data.get("is") != "machine":
            raise BadMachineError("it is no machine that wfc wrote")
        if data["format"] != FORMAT:
            raise BadMachineError(f"it is in format {data['format']!r}; this wfc reads format {FORMAT}")
        machine = decode({name: item for name, item in data.items() if name not in ("format", "$comment")})
        if not machine.workflows:
            raise BadMachineError("machine.workflows: at least one is expected")
        verify(machine)
    except json.JSONDecodeError as error:
        raise BadMachineError(f"line {error.lineno}: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except BrokenMachine as error:
        raise BadMachineError(str(error)) from None
    except RecursionError:
        raise BadMachineError("it is nested too deep") from None
    return machine
