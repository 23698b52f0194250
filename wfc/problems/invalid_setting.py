"""A setting with a value it cannot have."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class InvalidSetting(Problem):
    """A setting has a value of the wrong type, or one that makes no sense for it.

    Durations are texts as in the language: `"30s"`, `"2h30m"`, `"250ms"`. `wfc explain unknown-setting` lists all
    settings.
    """

    key: str
    expected: str
    found: str

    def message(self) -> str:
        return f"`{self.key}` takes {self.expected}, not {self.found}"
