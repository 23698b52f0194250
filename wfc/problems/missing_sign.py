"""The problem `missing-sign`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MissingSign(Problem):
    """A bracket or sign is missing.

    ```wf fails
    const limit Int = 3
    ```
    ```wf passes
    const limit: Int = 3
    ```
    """

    sign: str
    found: str

    def message(self) -> str:
        found = f"`{self.found}`" if self.found else "the end"
        return f"there is no `{self.sign}` before {found}"
