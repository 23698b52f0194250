"""The problem `bad-literal`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class BadLiteral(Problem):
    """A number runs into letters that are no unit, or a duration has its units out of order.

    Durations have the units `w d h m s ms`, falling, each at most once. Amounts of money end in three capital letters.

    ```wf fails
    const pause: Duration = 30m2h
    ```
    ```wf passes
    const pause: Duration = 2h30m
    ```
    """

    text: str
    kind: str

    def message(self) -> str:
        return f"`{self.text}` is no {self.kind}"

    def help(self) -> tuple[str, ...]:
        if self.kind == "duration":
            return ("units fall and stand once each: `1w2d3h4m5s6ms`",)
        return ("a unit follows directly: `30s`, `2h30m`, `500EUR`, `20%`",)
