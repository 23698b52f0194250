"""Names that are bound once, where they are declared, become constants."""

import re

from wfc.backends.typescript.layout import Code

_LATER = re.compile(r"( *)let (\w+)!: (.+);")


def constants(code: Code) -> Code:
    """A block of code whose `let x!: T;` with one assignment, in the same block, is `const x: T = ...`.

    A name that something mentions before it has its value stays as it is: a view may look at it early.
    """
    found = list(code)
    i = 0
    while i < len(found):
        declared = _LATER.fullmatch(found[i])
        at = _assignment(found, i, declared[1], declared[2]) if declared is not None else None
        if declared is None or at is None:
            i += 1
            continue
        indent, name, kind = declared.groups()
        found[at] = f"{indent}const {name}: {kind} = {found[at].removeprefix(f'{indent}{name} = ')}"
        del found[i]
    return found


def _assignment(code: Code, declared: int, indent: str, name: str) -> int | None:
    """The line of the only assignment to a name, if it stands in the block that declares it."""
    mentions = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    writes = re.compile(rf"(?<![\w.]){re.escape(name)} \S?= |(?:let|const) {re.escape(name)}\b")
    at: int | None = None
    for i in range(declared + 1, len(code)):
        line = code[i]
        if line and not line.startswith(indent):
            break
        if at is None and mentions.search(line):
            if not line.startswith(f"{indent}{name} = ") or mentions.search(line, len(f"{indent}{name}")):
                return None
            at = i
        elif writes.search(line):
            return None
    return at
