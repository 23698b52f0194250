"""The problem `unreachable-step`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnreachableStep(Problem):
    """A step stands behind an exit and can never run.

    ```wf fails
    workflow W() { state A { done  audit "never" } }
    ```
    ```wf passes
    workflow W() { state A { audit "always"  done } }
    ```
    """

    def message(self) -> str:
        return "this step can never run: the step before it always leaves"

    def help(self) -> tuple[str, ...]:
        return ("remove it, or move it up",)
