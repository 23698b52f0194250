"""A name that nothing declares."""

from attrs import Factory

from wfc.problems.problem import Edit, Fix, Problem
from wfc.text.names import did_you_mean, nearest
from wfc.text.value import field, value

# What other languages call it.
ELSEWHERE = {
    "string": "Text", "String": "Text", "str": "Text", "number": "Int` or `Decimal", "integer": "Int", "int": "Int",
    "float": "Decimal", "double": "Decimal", "boolean": "Bool", "bool": "Bool", "null": "none", "nil": "none",
    "None": "none", "undefined": "none", "True": "true", "False": "false",
}  # fmt: skip


def _nearest_instead(problem: "UnknownName") -> tuple[Fix, ...]:
    """The nearest name in place of the unknown one. It may not be the one that was meant: not safe."""
    near = ELSEWHERE.get(problem.name) or nearest(problem.name, problem.known)
    if near is not None and " " in near:
        return ()
    if near is None or problem.at.text != problem.name:
        return ()
    return (Fix(f"write `{near}`", (Edit(problem.at, near),)),)


@value(kw_only=True)
class UnknownName(Problem):
    """A name is used that nothing visible here declares.

    Names are looked up from the inside out: the names bound in this region and the regions around it, then the
    parameters, the module and its imports. A misspelt name is the usual cause, and the nearest one is suggested.

    ```wf fails
    const limit: Int = 3
    fn over(count: Int) -> Bool = count > limt
    ```
    ```wf passes
    const limit: Int = 3
    fn over(count: Int) -> Bool = count > limit
    ```
    """

    kind: str
    name: str
    known: tuple[str, ...] = ()
    hint: str = ""
    fixes: tuple[Fix, ...] = field(default=Factory(_nearest_instead, takes_self=True))

    def message(self) -> str:
        return f"there is no {self.kind} named `{self.name}`"

    def help(self) -> tuple[str, ...]:
        other = ELSEWHERE.get(self.name)
        near = f"here this is `{other}`" if other else did_you_mean(self.name, self.known)
        return tuple(line for line in (near, self.hint) if line)
