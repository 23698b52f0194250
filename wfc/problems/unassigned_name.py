"""The problem `unassigned-name`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnassignedName(Problem):
    """A name is read where it need not have a value yet.

    Each use must be assigned on every path that reaches it: through the steps, the arrows, the arms and the guards.
    A guard starts from what was assigned when the guarded thing was entered.

    ```wf fails
    workflow W(n: Int) -> Int {
      gateway G { choose { when n > 3 -> A otherwise -> B } }
      state A { let x = n -> B }
      state B { done x }
    }
    ```
    ```wf passes
    workflow W(n: Int) -> Int {
      gateway G { choose { when n > 3 -> A otherwise -> C } }
      state A { let x = n -> B }
      state C { let x = 3 -> B }
      state B { done x }
    }
    ```
    """

    name: str

    def message(self) -> str:
        return f"`{self.name}` has no value on some way to here"

    def help(self) -> tuple[str, ...]:
        return (f"bind it on every way, or declare `var {self.name}` with a first value in the region around",)
