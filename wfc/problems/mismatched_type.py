"""The problem `mismatched-type`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MismatchedType(Problem):
    """A value has another type than its place needs.

    Widening is silent from Int to Decimal, from T to `T?`, and from an error to a union that holds it. A `T?` is never
    accepted where a T is needed: give a value for `none` with `??`, or ask `is none` first.

    ```wf fails
    fn dearest(prices: List<Int>) -> Int = prices.max
    ```
    ```wf passes
    fn dearest(prices: List<Int>) -> Int = prices.max ?? 0
    ```
    """

    text: str
    advice: str = ""

    def message(self) -> str:
        return self.text

    def help(self) -> tuple[str, ...]:
        return (self.advice,) if self.advice else ()
