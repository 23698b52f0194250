"""The problem `unused-suppression`."""

from typing import ClassVar

from wfc.problems.problem import Problem, Severity
from wfc.text.value import value


@value(kw_only=True)
class UnusedSuppression(Problem):
    """A comment allows a problem that is not there, or one that cannot be allowed.

    `// allow CODE: reason` at the end of a line, or on a line of its own above, says of a warning that it is meant.
    When the problem has gone, the comment has to go as well: it would hide the next one. An error that leaves a process
    standing still, or that nobody can run, cannot be allowed.

    ```wf fails
    workflow W(n: Int) {
      state A { audit "{n}"  done } // allow unused-name: for version 2
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
    there: bool

    def message(self) -> str:
        if self.there:
            return f"`{self.allowed}` cannot be allowed here: the process would not run"
        return f"there is no `{self.allowed}` here that could be allowed"

    def help(self) -> tuple[str, ...]:
        return ("mend the problem itself",) if self.there else ()
