"""The problem `duplicate-name`."""

from attrs import Factory

from wfc.problems.problem import Edit, Fix, Problem
from wfc.text.value import field, value


def _another_name(problem: "DuplicateName") -> tuple[Fix, ...]:
    """A name of its own for this declaration; where it is meant, it must be written as well: not safe.

    Not for names whose uses stand close by: those would be left behind.
    """
    if problem.at.text != problem.name:
        return ()
    other = f"{problem.name}_2"
    return (Fix(f"call this one `{other}`", (Edit(problem.at, other),)),)


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
    fixes: tuple[Fix, ...] = field(default=Factory(_another_name, takes_self=True))

    def message(self) -> str:
        if self.built_in:
            return f"`{self.name}` belongs to the language and cannot be declared again"
        return f"`{self.name}` is declared twice"

    def help(self) -> tuple[str, ...]:
        return ("give one of them another name",)
