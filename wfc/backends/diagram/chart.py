"""A picture as a Mermaid flowchart."""

from wfc.backends.diagram.text import INDENT, escape, label
from wfc.picture.model import Arrow, Box, Group, Picture

_SHAPES = {
    "round": ("([", "])"),
    "box": ("[", "]"),
    "task": ("[/", "\\]"),
    "double": ("[[", "]]"),
    "diamond": ("{", "}"),
    "hexagon": ("{{", "}}"),
    "slanted": ("[/", "/]"),
}
_CLASSES = (
    "state fill:#e7f0ff,stroke:#2b5fb3,color:#0b2447,stroke-width:2px",
    "activity fill:#ffffff,stroke:#5b6b7f,color:#1c2733",
    "gateway fill:#fff8e1,stroke:#b26a00,color:#4a2c00",
    "undo fill:#fdecea,stroke:#b3261e,color:#5c0f0a,stroke-dasharray:4 3",
    "good fill:#e8f5e9,stroke:#2e7d32,color:#103d13,stroke-width:2px",
    "bad fill:#fdecea,stroke:#b3261e,color:#5c0f0a,stroke-width:2px",
    "back stroke:#b3261e,stroke-dasharray:5 4",
    "scope fill:#f7f9fc,stroke:#8a97a8,color:#1c2733",
)


def flowchart(picture: Picture) -> list[str]:
    """The lines of a picture."""
    drawn = _Chart()
    drawn.items(picture.items, 1)
    head = ["flowchart TB", f"{INDENT}accTitle: {escape(picture.title)} flow"]
    styles = [f"{INDENT}classDef {item}" for item in _CLASSES]
    classes = [f"{INDENT}class {','.join(ids)} {kind}" for kind, ids in drawn.classes.items()]
    return [*head, *styles, "", *drawn.lines, *classes]


class _Chart:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.classes: dict[str, list[str]] = {}
        self.red = 0

    def items(self, items: list[Box | Arrow | Group], depth: int) -> None:
        """Draws what lies in the picture, or in a group."""
        for item in items:
            match item:
                case Box(shape="start"):
                    self._say(depth, f"{item.id}(( ))")
                case Box(shape="end"):
                    self._say(depth, f'{item.id}(((" ")))')
                case Box():
                    before, behind = _SHAPES[item.shape]
                    self._say(depth, f"{item.id}{before}{label(*item.lines)}{behind}")
                    self._is(item.id, item.kind)
                case Arrow():
                    self._arrow(depth, item)
                case Group():
                    self._say(depth, f"subgraph {item.id} [{label(item.title)}]")
                    self._is(item.id, "scope")
                    self._say(depth + 1, "direction TB")
                    self.items(item.items, depth + 1)
                    self._say(depth, "end")

    def _arrow(self, depth: int, arrow: Arrow) -> None:
        """Red ones have an id, by which they are coloured: numbers of edges shift."""
        name = ""
        if arrow.style == "back":
            self.red += 1
            name = f"r{self.red}@"
            self._is(f"r{self.red}", "back")
        line = "-.->" if arrow.style == "beside" else "-->"
        shown = f"|{label(arrow.text)}|" if arrow.text else ""
        self._say(depth, f"{arrow.source} {name}{line}{shown} {arrow.target}")

    def _say(self, depth: int, line: str) -> None:
        self.lines.append(INDENT * depth + line)

    def _is(self, name: str, kind: str) -> None:
        if kind:
            self.classes.setdefault(kind, []).append(name)
