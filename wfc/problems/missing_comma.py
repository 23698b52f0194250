"""The problem `missing-comma`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MissingComma(Problem):
    """A comma is missing between two fields, parameters, arguments or cases.

    ```wf fails
    record Line { sku: Text quantity: Int }
    ```
    ```wf passes
    record Line { sku: Text, quantity: Int }
    ```
    """

    def message(self) -> str:
        return "there is no comma between these two"

    def help(self) -> tuple[str, ...]:
        return ("fields, parameters, arguments and cases have commas between them",)
