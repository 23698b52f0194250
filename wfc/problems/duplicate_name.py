"""The problem `duplicate-name`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class DuplicateName(Problem):
    """A name is declared twice where both would be visible.

    Names of one space - nodes, types, errors and events, values - may not repeat, neither beside each other nor
    from inside to outside: a name that means two things is read wrong by the next person.

    ```wf fails
    const limit: Int = 3
    fn limit(n: Int) -> Int = n
    ```
    ```wf passes
    const limit: Int = 3
    fn clamp(n: Int) -> Int = if n > limit then limit else n
    ```
    """

    name: str
    built_in: bool = False

    def message(self) -> str:
        if self.built_in:
            return f"`{self.name}` belongs to the language and cannot be declared again"
        return f"`{self.name}` is declared twice"

    def help(self) -> tuple[str, ...]:
        return ("give one of them another name",)
