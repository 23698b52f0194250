"""The problem `concurrent-write`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class ConcurrentWrite(Problem):
    """A variable is changed from a branch or iteration that runs beside others.

    `set` reaches a variable of the same region or of an enclosing scope or workflow, with no `branch` or `for each`
    body in between: else two could write at once. Give the value out with `done` and set it after the join.

    ```wf fails
    workflow W() {
      var n: Int = 0
      state A {
        parallel { branch L { set n = 1 } branch R { set n = 2 } }
        audit "{n}"
        done
      }
    }
    ```
    ```wf passes
    workflow W() {
      var n: Int = 0
      state A {
        parallel as both { branch L { done 1 } branch R { done 2 } }
        set n = both.L + both.R
        audit "{n}"
        done
      }
    }
    ```
    """

    name: str
    reason: str = "a branch or iteration cannot change a variable that lives outside of it"

    def message(self) -> str:
        return f"`{self.name}` cannot be changed here: {self.reason}"

    def help(self) -> tuple[str, ...]:
        return ("give the value out with `done` and set the variable after the join",)
