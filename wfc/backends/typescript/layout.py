"""Text of TypeScript: quotes, names and comments, and lists in brackets.

Code is a list of lines. Where they end matters little, since `printer` lays all of it out; but a short statement stands
on a line of its own, and an object begins on a new line only where it is to stay so: a table, say.
"""

import re

from wfc.text.source import Span

Code = list[str]
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def quoted(text: str) -> str:
    """A text literal, in the quotes that need fewer escapes."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    shown = text.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("\n", "\\n").replace("\t", "\\t")
    return f"{mark}{_UNSAFE.sub(_escape, shown)}{mark}"


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
        return '["__proto__"]'
    return name if _IDENTIFIER.fullmatch(name) else quoted(name)


def member(target: str, name: str) -> str:
    """A property that is read."""
    return f"{target}.{name}" if _IDENTIFIER.fullmatch(name) else f"{target}[{quoted(name)}]"


def indented(code: Code) -> Code:
    """Two spaces deeper; empty lines stay empty."""
    return [f"  {line}" if line else line for line in code]


def group(start: str, items: list[Code], end: str) -> Code:
    """Items between brackets, separated by commas."""
    lines = [start]
    for i, item in enumerate(items):
        lines[-1] += f", {item[0]}" if i else item[0]
        lines += item[1:]
    return suffixed(lines, end)


def record(items: list[Code], start: str = "{", end: str = "}") -> Code:
    """An object literal."""
    return group(f"{start} ", items, f" {end}") if items else [start + end]


def prefixed(prefix: str, code: Code) -> Code:
    """Code with something before its first line."""
    return [prefix + code[0], *code[1:]]


def suffixed(code: Code, suffix: str) -> Code:
    """Code with something after its last line."""
    return [*code[:-1], code[-1] + suffix]


def place(at: Span | None) -> str:
    """`order.wf:12`."""
    return f"{at.source.path.rpartition('/')[2]}:{at.line}" if at is not None else ""


_LITERAL = re.compile(r"""true|false|-?\d[\d_.]*|(["'])(?:(?!\1)[^\\]|\\.)*\1""")


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
