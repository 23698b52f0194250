"""The problem `guard-after-step`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class GuardAfterStep(Problem):
    """A guard stands behind a step of what it guards.

    Guards (`on`, `catch`, `after`, `at`, `every`) and declarations (`var`, `view`, `sla`, `ignore`, `compensate`) come
    first: "while here ..., do ..., then". A guard of one call stands directly behind that call.

    ```wf fails
    workflow W() {
      scope S -> End {
        state A {
          audit "working"
          after 2d -> End
          -> B
        }
        state B { done }
      }
      state End { done }
    }
    ```
    ```wf passes
    workflow W() {
      scope S -> End {
        state A {
          after 2d -> B
          wait 3d
          -> B
        }
        state B { done }
      }
      state End { done }
    }
    ```
    """

    word: str

    def message(self) -> str:
        return f"`{self.word}` comes too late: it stands behind a step"

    def help(self) -> tuple[str, ...]:
        return (f"move this `{self.word}` up, before the first step of the block",)
