"""JSON that people read, as prettier lays it out: on one line what fits there, numbers in lines that are full."""

import json
from typing import Any

from wfc.text.doc import columns

WIDTH = 100


def layout(item: Any) -> str:  # noqa: ANN401 - JSON
    """JSON in lines of a readable width."""
    return _layout(item, 0, 0)


def _layout(item: Any, indent: int, around: int) -> str:  # noqa: ANN401 - JSON
    """An item whose line begins after `indent` blanks and holds `around` columns besides."""
    if not isinstance(item, dict | list) or not item:
        return _flat(item)
    if len(json.dumps(item, ensure_ascii=False)) <= 2 * WIDTH and not _breaks(item):  # else it cannot fit
        flat = _flat(item)
        if indent + around + columns(flat) <= WIDTH:
            return flat
    pad = "\n" + " " * (indent + 2)
    last = len(item) - 1
    if isinstance(item, dict):
        keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in item]
        parts = [
            key + _layout(part, indent + 2, columns(key) + (i < last))
            for i, (key, part) in enumerate(zip(keys, item.values(), strict=True))
        ]
        return f"{{{pad}{f',{pad}'.join(parts)}\n{' ' * indent}}}"
    if all(isinstance(part, int | float) and not isinstance(part, bool) for part in item):
        parts = _filled([json.dumps(part) for part in item], WIDTH - indent - 2)
    else:
        parts = [_layout(part, indent + 2, i < last) for i, part in enumerate(item)]
    return f"[{pad}{f',{pad}'.join(parts)}\n{' ' * indent}]"


def _flat(item: Any) -> str:  # noqa: ANN401 - JSON
    match item:
        case dict() if item:
            inside = ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_flat(part)}" for key, part in item.items())
            return f"{{ {inside} }}"
        case list():
            return f"[{', '.join(_flat(part) for part in item)}]"
        case _:
            return json.dumps(item, ensure_ascii=False)


def _breaks(item: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether something holds a list whose items are all lists, or all objects, of more than one thing each."""
    if isinstance(item, dict):
        return any(_breaks(part) for part in item.values())
    if not isinstance(item, list):
        return False
    for kind in (dict, list):
        if len(item) > 1 and all(isinstance(part, kind) and len(part) > 1 for part in item):
            return True
    return any(_breaks(part) for part in item)


def _filled(words: list[str], width: int) -> list[str]:
    """Numbers in lines that are as full as they can be; a line ends with a comma."""
    lines = [words[0]]
    for i, word in enumerate(words[1:], start=1):
        comma = i < len(words) - 1
        if len(lines[-1]) + 2 + len(word) + comma <= width:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines
