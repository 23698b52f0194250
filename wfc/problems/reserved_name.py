"""The problem `reserved-name`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class ReservedName(Problem):
    """A reserved word is used as a name.

    Reserved words may name only what is never read alone: a field, an operation, a node, a branch. Everything else
    needs another name.

    ```wf fails
    const state: Int = 1
    ```
    ```wf passes
    const condition: Int = 1
    ```
    """

    name: str

    def message(self) -> str:
        return f"`{self.name}` is a word of the language and cannot be a name here"

    def help(self) -> tuple[str, ...]:
        return (f"for example `{self.name}_` or a more telling name",)
