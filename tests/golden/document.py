"""Golden files: Markdown with one `##` a case, its input and every expected output in fenced blocks.

## A misspelt name                  the case; prose around the blocks is for the reader
```wf shop/orders.wf                input: a source; without a name it is `main.wf`
```toml wfc.toml                    input: any other file, by name
```recorded                         input: an earlier source; the records of its versions lie in the output folder
```problems                         expected: what the producer of that name makes of the case
"""

import re
from collections.abc import Iterator
from pathlib import Path

from wfc.text.value import Value, value

DEFAULT_NAME = "main.wf"

_INPUTS = frozenset({"wf", "toml", "text"})
_RECORDED = "recorded"
_FENCE = re.compile(r"(?P<fence>`{3,})(?P<info>[^`]*)")
_TICKS = re.compile(r"^`{3,}", re.MULTILINE)


@value(kw_only=True)
class Block(Value):
    """A fenced block: the lines between which it stands (the fences' own, from 0), its info string and its text."""

    first: int
    last: int
    fence: str
    info: str
    text: str

    @property
    def kind(self) -> str:
        """The first word of the info string."""
        return self.info.partition(" ")[0]

    @property
    def argument(self) -> str:
        """The rest of the info string."""
        return self.info.partition(" ")[2].strip()

    @property
    def is_input(self) -> bool:
        """Whether the block is a file of the case."""
        return self.kind in _INPUTS

    @property
    def is_recorded(self) -> bool:
        """Whether the block is a source of which only the records of its versions are there."""
        return self.kind == _RECORDED


@value(kw_only=True)
class Case(Value):
    """One section of a golden file."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def files(self) -> dict[str, str]:
        """The input files by path."""
        return {block.argument or DEFAULT_NAME: block.text for block in self.blocks if block.is_input}

    @property
    def recorded(self) -> tuple[str, ...]:
        """Sources that were compiled before, and then changed: their records are files of the case."""
        return tuple(block.text for block in self.blocks if block.is_recorded)

    @property
    def expected(self) -> tuple[Block, ...]:
        """The blocks that a producer must confirm."""
        return tuple(block for block in self.blocks if not block.is_input and not block.is_recorded)


def read_cases(text: str) -> Iterator[Case]:
    """The cases of a golden file, in order."""
    title: str | None = None
    blocks: list[Block] = []
    for item in _items(text.splitlines()):
        if isinstance(item, Block):
            blocks.append(item)
            continue
        if title is not None:
            yield Case(title=title, blocks=tuple(blocks))
        title, blocks = item, []
    if title is not None:
        yield Case(title=title, blocks=tuple(blocks))


def _items(lines: list[str]) -> Iterator[Block | str]:
    """Titles and blocks, in order."""
    number = 0
    while number < len(lines):
        line = lines[number]
        fence = _FENCE.fullmatch(line)
        if fence:
            block = _block(lines, number, fence)
            yield block
            number = block.last
        elif line.startswith("## "):
            yield line.removeprefix("## ").strip()
        number += 1


def _block(lines: list[str], first: int, fence: re.Match[str]) -> Block:
    for last in range(first + 1, len(lines)):
        if lines[last] == fence["fence"]:
            text = "".join(f"{line}\n" for line in lines[first + 1 : last])
            return Block(first=first, last=last, fence=fence["fence"], info=fence["info"].strip(), text=text)
    raise ValueError(f"line {first + 1}: the block has no end")


def rewrite(path: Path, title: str, texts: dict[int, str]) -> None:
    """Puts new texts into the expected blocks of a case; `texts` has them by the number of the block in the case."""
    content = path.read_text(encoding="utf-8")
    lines = content.splitlines()
    case = next(case for case in read_cases(content) if case.title == title)
    for index, text in sorted(texts.items(), reverse=True):
        block = case.expected[index]
        fence = _fence_for(text, block.fence)
        lines[block.first : block.last + 1] = [f"{fence}{block.info}", *text.splitlines(), fence]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _fence_for(text: str, fence: str) -> str:
    """A fence longer than any in the text."""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    return fence if longest < len(fence) else "`" * (longest + 1)
