"""The problem `bad-escape`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class BadEscape(Problem):
    r"""A backslash in a text begins something unknown.

    Known are `\"`, `\\`, `\n`, `\t`, `\{`, `\}` and `\u{1F600}`.

    ```wf fails
    const path: Text = "c:\temp\new\drive"
    ```
    ```wf passes
    const path: Text = "c:\\temp\\new\\drive"
    ```
    """

    text: str

    def message(self) -> str:
        return f"`{self.text}` is no escape"

    def help(self) -> tuple[str, ...]:
        return (
            'known are `\\"` `\\\\` `\\n` `\\t` `\\{` `\\}` and `\\u{1F600}`; a backslash itself is written `\\\\`',
        )
