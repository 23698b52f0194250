"""The problem `unexplained-suppression`."""

from typing import ClassVar

from wfc.problems.problem import Problem, Severity
from wfc.text.value import value


@value(kw_only=True)
class UnexplainedSuppression(Problem):
    """A comment allows a problem and does not say why.

    Whoever reads the process next must be able to judge whether the reason still holds. Without one, the problem is not
    allowed.

    ```wf fails
    workflow W(n: Int) {
      state A { let x = n  done } // allow unused-name
    }
    ```
    ```wf passes
    workflow W(n: Int) {
      state A { let x = n  done } // allow unused-name: for version 2
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    allowed: str

    def message(self) -> str:
        return f"this allows `{self.allowed}` and does not say why"

    def help(self) -> tuple[str, ...]:
        return (f"say why: `// allow {self.allowed}: because ...`",)
