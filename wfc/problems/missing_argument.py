"""The problem `missing-argument`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MissingArgument(Problem):
    """A call has an argument too few, too many, or one with a name that is not there.

    ```wf fails
    record Line { sku: Text, quantity: Int }
    const one: Line = Line(sku: "pen")
    ```
    ```wf passes
    record Line { sku: Text, quantity: Int }
    const one: Line = Line(sku: "pen", quantity: 1)
    ```
    """

    text: str
    signature: str = ""

    def message(self) -> str:
        return self.text

    def help(self) -> tuple[str, ...]:
        return (f"it takes {self.signature}",) if self.signature else ()
