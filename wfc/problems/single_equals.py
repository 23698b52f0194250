"""The problem `single-equals`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class SingleEquals(Problem):
    """`=` stands where two values are compared.

    `=` binds a name; `==` compares.

    ```wf fails
    fn free(price: Int) -> Bool = price = 0
    ```
    ```wf passes
    fn free(price: Int) -> Bool = price == 0
    ```
    """

    def message(self) -> str:
        return "`=` does not compare"

    def help(self) -> tuple[str, ...]:
        return ("to compare write `==`",)
