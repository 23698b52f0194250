"""The problem `unclosed-brace`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnclosedBrace(Problem):
    """A block opens and is never closed.

    The place where it is still open is found by the indentation of the lines.

    ```wf fails
    workflow W() {
      state A {
        -> B
      state B { done }
    }
    ```
    ```wf passes
    workflow W() {
      state A {
        -> B
      }
      state B { done }
    }
    ```
    """

    def message(self) -> str:
        return "this block is never closed"

    def label(self) -> str:
        return "opens here"

    def help(self) -> tuple[str, ...]:
        return ("close it with `}`",)
