"""The problem `unused-name`."""

from typing import ClassVar

from wfc.problems.problem import Problem, Severity
from wfc.text.value import value


@value(kw_only=True)
class UnusedName(Problem):
    """A name is bound or imported and never read.

    ```wf fails
    workflow W(n: Int) {
      state A { let x = n  done }
    }
    ```
    ```wf passes
    workflow W(n: Int) {
      state A { audit "{n}"  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    name: str
    kind: str

    def message(self) -> str:
        return f"the {self.kind} `{self.name}` is never used"

    def help(self) -> tuple[str, ...]:
        return ("remove it, or use it",)
