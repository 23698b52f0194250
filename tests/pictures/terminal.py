"""A terminal without a screen: tmux runs a program in it, types, and tells what stands there, with its colours."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_LIMIT = 20  # seconds until something that has to appear has not
_STEP = 0.3  # what stands still for so long is there

# The rows of a screen are boxes without a gap, so that bars of one colour have none either.
_PAGE = """\
<!doctype html><meta charset="utf-8"><style>
html {{ background: magenta; }}
body {{ margin: 0; width: max-content; }}
pre {{ margin: 0; padding: 8px 10px; font: 14px/18px "DejaVu Sans Mono"; color: {foreground}; background: {background}; }}
span {{ display: inline-block; height: 18px; vertical-align: top; }}
</style><pre>{code}</pre>
"""

# For what a program leaves to the terminal: dark on white.
LIGHT = TerminalTheme(
    (255, 255, 255),
    (36, 41, 47),
    [
        (36, 41, 47),
        (207, 34, 46),
        (17, 99, 41),
        (154, 103, 0),
        (9, 105, 218),
        (130, 80, 223),
        (27, 124, 131),
        (110, 119, 129),
    ],
    [
        (87, 96, 106),
        (164, 14, 38),
        (26, 127, 55),
        (99, 60, 1),
        (33, 139, 255),
        (164, 117, 249),
        (49, 146, 170),
        (140, 149, 159),
    ],
)


class Terminal:
    """One terminal with a program in it."""

    def __init__(self, server: list[str], columns: int) -> None:
        self._server = server
        self._columns = columns

    def type(self, *keys: str) -> None:
        """Types keys, by the names that tmux has for them, or texts."""
        for key in keys:
            _tmux(self._server, "send-keys", key)

    def until(self, *texts: str) -> str:
        """What the screen shows when all texts stand there and nothing moves any more, with its colours."""
        end = time.monotonic() + _LIMIT
        before = ""
        while time.monotonic() < end:
            time.sleep(_STEP)
            plain = _tmux(self._server, "capture-pane", "-p")
            coloured = _tmux(self._server, "capture-pane", "-p", "-e", "-N")
            if coloured == before and all(text in plain for text in texts):
                return coloured
            before = coloured
        raise TimeoutError(f"{texts} did not come, but:\n{_tmux(self._server, 'capture-pane', '-p')}")

    def page(self, screen: str, theme: TerminalTheme = LIGHT) -> str:
        """A screen as HTML."""
        console = Console(
            record=True, width=self._columns, file=StringIO(), force_terminal=True, color_system="truecolor"
        )
        # As a whole: a colour goes on until the next, also into the next line.
        console.print(Text.from_ansi(screen.rstrip("\n")), no_wrap=True, overflow="ignore", crop=False)
        return console.export_html(theme=theme, inline_styles=True, code_format=_PAGE)


@contextmanager
def terminal(
    command: list[str], folder: Path, environment: Mapping[str, str], columns: int, rows: int
) -> Iterator[Terminal]:
    """A program in a terminal of a size, which ends with it."""
    missing = [name for name in ("tmux", command[0]) if shutil.which(name) is None]
    if missing:
        sys.exit(f"needed, but not found: {', '.join(missing)}")
    server = ["tmux", "-f", "/dev/null", "-S", str(folder.parent / "terminal")]
    size = ["-x", str(columns), "-y", str(rows)]
    start = ["start-server", ";", "set-option", "-g", "default-terminal", "tmux-256color", ";"]
    start += ["set-option", "-g", "status", "off", ";"]
    subprocess.run([*server, *start, "new-session", "-d", *size, *command], cwd=folder, env=environment, check=True)
    try:
        yield Terminal(server, columns)
    finally:
        subprocess.run([*server, "kill-server"], check=False)


def _tmux(server: list[str], *command: str) -> str:
    return subprocess.run([*server, *command], capture_output=True, text=True, check=True).stdout
