"""The published JSON Schema of the machine's format: `docs/reference/machine.schema.json`."""

import json
from pathlib import Path

from wfc.ir.schema import schema


def generate(_: Path) -> dict[str, str]:
    """The generated file by its path below the checkout."""
    return {"docs/reference/machine.schema.json": json.dumps(schema(), indent=2) + "\n"}
