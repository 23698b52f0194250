"""A settings file that is not TOML."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MalformedSettings(Problem):
    """The settings file is not valid TOML.

    Settings stand in `wfc.toml`, or in the table `[tool.wfc]` of `pyproject.toml`, as lines like `timeout = "30s"`.
    """

    reason: str

    def message(self) -> str:
        return f"this is not valid TOML: {self.reason}"
