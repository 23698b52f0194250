"""Text that Mermaid and Markdown take as it is: escaped labels, safe ids, cells of tables."""

import re
from collections.abc import Sequence

from wfc.ir.expressions import Expr, Lit, Ref
from wfc.ir.machine import Do, Guard, PolicyDef
from wfc.ir.types import DURATION
from wfc.text.durations import MILLISECONDS, parse_duration

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
_NOT_ID = re.compile(r"[^A-Za-z0-9]")
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


def ident(prefix: str, path: str) -> str:
    """An id: a letter for the kind and the path, so that no word of Mermaid can be meant."""
    return f"{prefix}_{_NOT_ID.sub(lambda m: '_' if m[0] in '._' else f'u{ord(m[0]):x}', path)}"


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


def pretty(milliseconds: int) -> str:
    """A duration for people: `1 d 12 h`, `90 s` as `1 min 30 s`."""
    units = {"w": "w", "d": "d", "h": "h", "m": "min", "s": "s", "ms": "ms"}
    shown: list[str] = []
    rest = milliseconds
    for unit, size in MILLISECONDS.items():
        if unit == "w":
            continue
        count, rest = divmod(rest, size)
        if count:
            shown.append(f"{count} {units[unit]}")
    return " ".join(shown) or "0 s"


def said(expr: Expr | None) -> str:
    """A constant or a name, for people."""
    match expr:
        case None:
            return ""
        case Lit(kind, int() as value) if kind == DURATION:
            return pretty(value)
        case Lit(_, value):
            return str(value)
        case Ref(_, _, name):
            return name
        case _:
            return "computed"


def trigger(guard: Guard) -> str:
    """What a guard waits for, as a label. Only the envelope is a sign: fonts without a clock are common."""
    subject = guard.label.partition(" ")[2]
    length = parse_duration(subject)
    shown = pretty(length) if length is not None else subject
    match guard.kind:
        case "on":
            return f"\N{ENVELOPE} {subject}" + (f" [{guard.condition}]" if guard.condition else "")
        case "after":
            return f"after {shown}"
        case "at":
            return f"at {subject}"
        case "every":
            return f"every {shown}"
        case "catch":
            return "any error" if guard.any else subject


def call_name(call: Do) -> str:
    """The called operation or workflow."""
    return call.target


def effort(call: Do, policies: dict[str, PolicyDef]) -> str:
    """The second line of a call's box: its timeout, attempts and policy."""
    policy = policies.get(call.policy or "")
    if call.kind == "task":
        return "a person does it"
    if policy is None:
        return "a process of its own" if call.kind == "workflow" else ""
    parts = [said(policy.timeout)]
    if policy.attempts is None:
        parts.append("tried for ever")
    elif said(policy.attempts) != "1":
        parts.append(f"up to {said(policy.attempts)} times")
    if policy.declared and policy.declared != "project default":
        parts.append(policy.declared)
    return ", ".join(part for part in parts if part)
