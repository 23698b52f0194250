"""What stands in pictures and tables: durations, triggers, efforts, and ids for their parts."""

import re

from wfc.ir.expressions import Expr, Lit, Ref
from wfc.ir.machine import Do, Guard, PolicyDef
from wfc.ir.types import DURATION
from wfc.text.durations import MILLISECONDS, parse_duration

_NOT_ID = re.compile(r"[^A-Za-z0-9]")


def ident(prefix: str, path: str) -> str:
    """An id: a letter for the kind and the path, so that no word of Mermaid can be meant."""
    return f"{prefix}_{_NOT_ID.sub(lambda m: '_' if m[0] in '._' else f'u{ord(m[0]):x}', path)}"


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
