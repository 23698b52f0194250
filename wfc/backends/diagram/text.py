"""Text that Mermaid and Markdown take as it is: escaped labels, safe ids, cells of tables."""

import re
from collections.abc import Sequence

_ESCAPES = {
    '"': "#quot;",
    "#": "#35;",
    ";": "#59;",
    "<": "#lt;",
    ">": "#gt;",
    "&": "#amp;",
    "`": "#96;",
    "\n": "<br/>",
    "{": "#123;",
    "}": "#125;",
    "|": "#124;",
    "\\": "#92;",
    "$": "#36;",  # a formula stands between two pairs
    "*": "#42;",  # Markdown
    "~": "#126;",
}
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+](?= )")  # more of Markdown
INDENT = "    "
MAX_LABEL = 60
MINUS = "\N{MINUS SIGN}"
CLIP = "\N{HORIZONTAL ELLIPSIS}"


def escape(text: str) -> str:
    """A label's text: no character of it means anything to Mermaid."""
    clipped = text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + CLIP
    escaped = "".join(_ESCAPES.get(c, c if c.isprintable() else " ") for c in clipped)
    return _EMPHASIS.sub(lambda m: f"#{ord(m[0])};", escaped)


def label(*lines: str) -> str:
    """A quoted label; the lines behind the first stand smaller."""
    first, *rest = lines
    small = "".join(f"<br/><small>{escape(line)}</small>" for line in rest if line)
    return f'"{escape(first)}{small}"'


def cell(text: str) -> str:
    """A cell of a Markdown table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ").strip() or " "


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A Markdown table with columns of even width."""
    cells = [tuple(cell(item) for item in row) for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(item.ljust(w) for item, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return lines
