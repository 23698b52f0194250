"""Text of TypeScript: quotes, comments, and blocks on one line where they fit. Code is a list of lines."""

import re

from wfc.text.source import Span

Code = list[str]
WIDTH = 88
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def quoted(text: str) -> str:
    """A text literal."""
    shown = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"'{_UNSAFE.sub(_escape, shown)}'"


def in_template(text: str) -> str:
    """A text inside a template literal."""
    shown = text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${").replace("\n", "\\n")
    return _UNSAFE.sub(_escape, shown)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def number(value: int) -> str:
    """A whole number, its thousands set apart."""
    return f"{value:_}"


def key(name: str) -> str:
    """A name as a property in an object literal or a type."""
    if name == "__proto__":
        return "['__proto__']"
    return name if _IDENTIFIER.fullmatch(name) else quoted(name)


def member(target: str, name: str) -> str:
    """A property that is read."""
    return f"{target}.{name}" if _IDENTIFIER.fullmatch(name) else f"{target}[{quoted(name)}]"


def indented(code: Code) -> Code:
    """Two spaces deeper; empty lines stay empty."""
    return [f"  {line}" if line else line for line in code]


def group(start: str, items: list[Code], end: str, *, spaced: bool = False) -> Code:
    """Items between brackets, separated by commas: on one line if they fit there, else each on its own."""
    if not items:
        return [start + end]
    if all(len(item) == 1 for item in items):
        inside = ", ".join(item[0] for item in items)
        pad = " " if spaced else ""
        line = f"{start}{pad}{inside}{pad}{end}"
        if len(line) <= WIDTH:
            return [line]
    *others, last = items
    if not spaced and _hugs(last) and all(len(item) == 1 for item in others):
        head = start + "".join(f"{item[0]}, " for item in others) + last[0]
        if len(head) <= WIDTH:
            return [head, *last[1:-1], last[-1] + end]
    lines = [start]
    for item in items:
        lines += indented([*item[:-1], f"{item[-1]},"])
    return [*lines, end]


def _hugs(code: Code) -> bool:
    """Whether a last argument may begin on the line of its call: an object, a list, or a function with a block."""
    return len(code) > 1 and code[0].endswith(("{", "[")) and code[-1] in ("}", "]")


def record(items: list[Code], start: str = "{", end: str = "}") -> Code:
    """An object literal."""
    return group(start, items, end, spaced=True)


def prefixed(prefix: str, code: Code) -> Code:
    """Code with something before its first line."""
    return [prefix + code[0], *code[1:]]


def suffixed(code: Code, suffix: str) -> Code:
    """Code with something after its last line."""
    return [*code[:-1], code[-1] + suffix]


def place(at: Span | None) -> str:
    """`order.wf:12`."""
    return f"{at.source.path.rpartition('/')[2]}:{at.line}" if at is not None else ""


_LITERAL = re.compile(r"true|false|-?\d[\d_.]*|'(?:[^'\\]|\\.)*'")


def is_literal(kind: str, value: str) -> bool:
    """Whether TypeScript sees by itself that a value is of this type."""
    return kind in ("boolean", "number", "string") and _LITERAL.fullmatch(value) is not None


def comment(doc: str, at: Span | None = None) -> Code:
    """A documentation comment, if there is anything to say; nothing in it can end it."""
    lines = [line.rstrip() for line in _plain(doc).splitlines()] if doc.strip() else []
    if at is not None:
        lines.append(_plain(place(at)))
    if not lines:
        return []
    if len(lines) == 1:
        return [f"/** {lines[0]} */"]
    return ["/**", *(f" * {line}".rstrip() for line in lines), " */"]


def _plain(text: str) -> str:
    clean = "".join(c if c == "\n" or not _UNSAFE.match(c) else " " for c in text.strip().replace("\r\n", "\n"))
    return clean.replace("*/", "*\\/").replace("/*", "/ *")
