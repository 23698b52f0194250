"""The problem `step-in-gateway`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class StepInGateway(Problem):
    """A gateway does more than decide.

    A `gateway` holds one `choose`, one `await`, or one `parallel` with its arrow, and nothing before it. Its arms
    may do steps.

    ```wf fails
    workflow W(n: Int) {
      gateway G {
        let twice = n * 2
        choose { when twice > 4 -> End otherwise -> End }
      }
      state End { done }
    }
    ```
    ```wf passes
    workflow W(n: Int) {
      state G {
        let twice = n * 2
        choose { when twice > 4 -> End otherwise -> End }
      }
      state End { done }
    }
    ```
    """

    word: str

    def message(self) -> str:
        return f"a gateway only decides: `{self.word}` cannot stand in it"

    def help(self) -> tuple[str, ...]:
        return ("make it a `state`, or put the step into the arm that needs it",)
