"""The problem `missing-arrow`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MissingArrow(Problem):
    """An arrow is missing before the name of the node to go to.

    ```wf fails
    workflow W(ok: Bool) {
      gateway Check { choose { when ok Ready otherwise -> Ready } }
      state Ready { done }
    }
    ```
    ```wf passes
    workflow W(ok: Bool) {
      gateway Check { choose { when ok -> Ready otherwise -> Ready } }
      state Ready { done }
    }
    ```
    """

    name: str

    def message(self) -> str:
        return f"there is no arrow before `{self.name}`"

    def help(self) -> tuple[str, ...]:
        return (f"to go to `{self.name}` write `-> {self.name}`",)
