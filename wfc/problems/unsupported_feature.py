"""The problem `unsupported-feature`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnsupportedFeature(Problem):
    """A target cannot express something that the process uses.

    Nothing is dropped silently: a target says what it cannot do, and the compiler refuses before anything is
    written. The other targets are not affected: choose them with `--target`.
    """

    feature: str
    target: str

    def message(self) -> str:
        return f"the target `{self.target}` cannot express this: {self.feature}"

    def help(self) -> tuple[str, ...]:
        return ("leave the target out with `--target`, or write this part another way",)
