"""The problem `duplicate-output`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class DuplicateOutput(Problem):
    """Two processes of one project would write the same files.

    The files of a process are named after its workflow in kebab case: `workflow order_fulfillment` and `workflow
    OrderFulfillment` are both `order-fulfillment`.
    """

    process: str

    def message(self) -> str:
        return f"two workflows are the process `{self.process}`, and their files would have one name"

    def help(self) -> tuple[str, ...]:
        return ("rename one of them",)
