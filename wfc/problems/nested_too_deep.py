"""The problem `nested-too-deep`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class NestedTooDeep(Problem):
    """Expressions or blocks are nested deeper than the compiler reads.

    Give parts a name of their own with `let` or `fn`, or move a block into a state or workflow of its own.
    """

    limit: int

    def message(self) -> str:
        return f"this is nested more than {self.limit} levels deep"

    def help(self) -> tuple[str, ...]:
        return ("give a part of it a name of its own",)
