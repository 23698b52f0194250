"""The problem `escaping-arrow`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class EscapingArrow(Problem):
    """An arrow leads to a node of another region.

    An arrow enters a node of the same region: a workflow, scope, branch or `for each` body. To leave a region,
    complete it with `done` and follow the arrow of the scope, or raise an error that a guard catches.

    ```wf fails
    workflow W() {
      scope S -> End {
        state A { -> End }
      }
      state End { done }
    }
    ```
    ```wf passes
    workflow W() {
      scope S -> End {
        state A { done }
      }
      state End { done }
    }
    ```
    """

    target: str
    home: str

    def message(self) -> str:
        return f"this arrow cannot reach `{self.target}`: it lies {self.home}"

    def help(self) -> tuple[str, ...]:
        return ("complete this region with `done` and let its own arrow lead on, or raise an error that a guard takes",)
