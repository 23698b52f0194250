"""JSON that people read: in lines of a readable width, what fits on one line."""

import json
from typing import Any

WIDTH = 110


def layout(item: Any, indent: int = 0) -> str:  # noqa: ANN401 - JSON
    """JSON in lines of a readable width: what fits stays on one line."""
    flat = json.dumps(item, ensure_ascii=False)
    if len(flat) + indent <= WIDTH or not isinstance(item, dict | list) or not item:
        return flat
    pad = " " * (indent + 2)
    if isinstance(item, list):
        inner = ",\n".join(pad + layout(part, indent + 2) for part in item)
        return f"[\n{inner}\n{' ' * indent}]"
    inner = ",\n".join(f"{pad}{json.dumps(key)}: {layout(part, indent + 2)}" for key, part in item.items())
    return f"{{\n{inner}\n{' ' * indent}}}"
