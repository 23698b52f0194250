"""Text of Python as ruff's formatter leaves it: docstrings, signatures and types, broken where a line gets too long."""

import json
import re
from collections.abc import Iterable

from wfc.text.source import Span
from wfc.text.value import Value, value

Code = list[str]
WIDTH = 88
STEP = 4
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


@value
class Sub(Value):
    """A type with others in brackets; without any it is a name, or a literal."""

    name: str
    args: tuple["Shown", ...] = ()

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.args))}]" if self.args else self.name


@value
class Either(Value):
    """A union of types."""

    parts: tuple["Shown", ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


Shown = Sub | Either
Item = tuple[str, Shown | None, str]  # a text, a type if there is one, a text


def broken(start: str, shown: Shown, end: str, *, alone: bool = False) -> Code:
    """A type between two texts: on one line, or over several where that is too long.

    `alone`: it stands by itself behind a sign, so that a union needs parentheses over several lines.
    """
    line = f"{start}{shown}{end}"
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(start) - len(start.lstrip(" ")))
    inner = indent + " " * STEP
    match shown:
        case Sub(name, args) if args:
            return [f"{start}{name}[", *_items(inner, args), f"{indent}]{end}"]
        case Either(parts) if alone:
            whole = f"{inner}{shown}"
            lines = [whole] if len(whole) <= WIDTH else _parts(inner, parts, "")
            return [f"{start}(", *lines, f"{indent}){end}"]
        case Either((first, *rest)):
            *others, last = rest
            lines = broken(start, first, "")
            lines += [each for part in others for each in broken(f"{indent}| ", part, "")]
            return [*lines, *broken(f"{indent}| ", last, end)]
        case _:
            return [line]


def _items(indent: str, args: tuple[Shown, ...]) -> Code:
    """What stands between brackets: on one line, or each on its own."""
    if len(args) == 1:
        (only,) = args
        if isinstance(only, Either) and len(f"{indent}{only}") > WIDTH:
            return _parts(indent, only.parts, "")
        return broken(indent, only, "")
    lines: Code = []
    for each in args:
        if isinstance(each, Either) and len(f"{indent}{each},") > WIDTH:
            lines += _parts(indent, each.parts, ",")
        else:
            lines += broken(indent, each, ",")
    return lines


def _parts(indent: str, parts: tuple[Shown, ...], end: str) -> Code:
    """A union, a line each."""
    last = len(parts) - 1
    lines: Code = []
    for place, part in enumerate(parts):
        sign = "| " if place else ""
        lines += broken(f"{indent}{sign}", part, end if place == last else "")
    return lines


def call(start: str, items: list[Item], end: Item) -> Code:
    """What stands between parentheses, separated by commas, and what follows the closing one."""
    line = f"{start}({', '.join(map(_line, items))}){_line(end)}"
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(start) - len(start.lstrip(" ")))
    inner = indent + " " * STEP
    before, shown, after = end
    last = broken(f"{indent}){before}", shown or Sub(""), after)
    whole = f"{inner}{', '.join(map(_line, items))}"
    if len(whole) <= WIDTH and len(items) > 1:
        return [f"{start}(", whole, *last]
    lines = [f"{start}("]
    for text, kind, rest in items:
        lines += broken(f"{inner}{text}", kind or Sub(""), f"{rest},")
    return [*lines, *last]


def _line(item: Item) -> str:
    text, shown, rest = item
    return f"{text}{shown or ''}{rest}"


def indented(code: Iterable[str]) -> Code:
    """A step deeper; empty lines stay empty."""
    return [f"{' ' * STEP}{line}" if line else line for line in code]


def quoted(text: str) -> str:
    """A text literal."""
    return json.dumps(text)


def place(at: Span | None) -> str:
    """`order.wf:12`."""
    return f"{at.source.path.rpartition('/')[2]}:{at.line}" if at is not None else ""


def docstring(doc: str, *notes: str) -> Code:
    """A documentation text, if there is anything to say; nothing in it can end it. Each note is a paragraph."""
    lines = [line for text in (doc, *notes) if text.strip() for line in ("", *_lines(text))][1:]
    if not lines:
        return []
    lines[0] = f" {lines[0]}" if lines[0].startswith('"') else lines[0]
    if len(lines) == 1:
        (line,) = lines
        return [f'"""{line}{" " if line.endswith(chr(34)) else ""}"""']
    return [f'"""{lines[0]}', *lines[1:], '"""']


def _lines(text: str) -> Code:
    """The lines of a text, harmless between three quotes; how deep they stand against each other is kept."""
    clean = text.replace("\r\n", "\n").replace("\t", " ")
    clean = "".join(c if c == "\n" or not _UNSAFE.match(c) else " " for c in clean).strip()
    clean = clean.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    found = [line.rstrip() for line in clean.split("\n")]
    rest = [len(line) - len(line.lstrip(" ")) for line in found[1:] if line]
    least = min(rest, default=0)
    lines = [found[0], *(line[least:] for line in found[1:])] if text.strip() else []
    return [line for i, line in enumerate(lines) if line or lines[i - 1]]
