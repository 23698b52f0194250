"""Colours of a rendering by role, as ANSI sequences in plain strings: painting a thousand problems takes no time."""

from wfc.problems.problem import Severity

RED, YELLOW, CYAN, BLUE, GREEN = "1;31", "1;33", "1;36", "1;34", "1;32"
BOLD, DIM = "1", "2"

_SEVERITY = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.HINT: CYAN}


class Palette:
    """Paints pieces of text, or leaves them as they are."""

    def __init__(self, *, colour: bool) -> None:
        self.colour = colour

    def paint(self, style: str, text: str) -> str:
        """The text in a style."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and text else text

    def severity(self, severity: Severity, text: str) -> str:
        """The text in the colour of a severity."""
        return self.paint(_SEVERITY[severity], text)


PLAIN = Palette(colour=False)
COLOURED = Palette(colour=True)
