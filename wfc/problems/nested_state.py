"""The problem `nested-state`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class NestedState(Problem):
    """A state, gateway or scope stands inside a state or among steps.

    Nodes stand side by side in a workflow, scope, branch or `for each`. What belongs together goes into a `scope`.

    ```wf fails
    workflow W() {
      state A {
        audit "outer"
        state B { done }
      }
    }
    ```
    ```wf passes
    workflow W() {
      state A {
        audit "outer"
        -> B
      }
      state B { done }
    }
    ```
    """

    word: str

    def message(self) -> str:
        return f"a {self.word} cannot stand inside a state"

    def help(self) -> tuple[str, ...]:
        return ("close the state before it, or make the outer one a `scope`",)
