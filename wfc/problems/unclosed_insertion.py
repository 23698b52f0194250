"""The problem `unclosed-insertion`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnclosedInsertion(Problem):
    r"""An insertion `{...}` in a text does not end.

    Inside a text, `{` begins an expression whose value is inserted. It ends at the next `}` and may hold no text of
    its own: bind that with `let` first. A plain brace is written `\{`.

    ```wf fails
    const greeting: Text = "hello {name"
    ```
    ```wf passes
    const name: Text = "Ann"
    const greeting: Text = "hello {name}"
    ```
    """

    def message(self) -> str:
        return "this insertion has no closing `}` before the text ends"

    def help(self) -> tuple[str, ...]:
        return (
            "a text inside an insertion is not possible: bind it with `let` first, then insert the name",
            "for a plain brace write `\\{`",
        )
