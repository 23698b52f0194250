"""A source that is too large to be meant."""

from wfc.problems.problem import Problem
from wfc.text.value import value

_MEGABYTE = 1 << 20


@value(kw_only=True)
class OversizedSource(Problem):
    """A source file is larger than 32 megabytes.

    That is about a million lines, and more likely a wrong file than a process. A module can be split: what one module
    declares, others import.
    """

    size: int | None
    limit: int

    def message(self) -> str:
        size = f"{self.size / _MEGABYTE:.0f} MB, and " if self.size else ""
        return f"this file is too large: {size}the limit is {self.limit // _MEGABYTE} MB"

    def help(self) -> tuple[str, ...]:
        return ("split the module, and import what the parts share",)
