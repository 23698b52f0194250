"""The problem `unsupported-feature`."""

from wfc.problems.problem import Problem, Severity
from wfc.text.value import value


@value(kw_only=True)
class UnsupportedFeature(Problem):
    """A target cannot express something that the process uses.

    Nothing is dropped silently: a target says what it cannot do, and the compiler refuses before anything is
    written. The other targets are not affected: choose them with `--target`. With `--target all` it is a warning:
    what can be written is written.
    """

    feature: str
    target: str
    skipped: bool = False

    def level(self) -> Severity:
        return Severity.WARNING if self.skipped else Severity.ERROR

    def message(self) -> str:
        left = ", so it is left out" if self.skipped else ""
        return f"the target `{self.target}` cannot express this: {self.feature}{left}"

    def help(self) -> tuple[str, ...]:
        return () if self.skipped else ("leave the target out with `--target`, or write this part another way",)
