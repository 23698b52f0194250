"""The problem `unclosed-text`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class UnclosedText(Problem):
    """A text begins and does not end on its line.

    ```wf fails
    const greeting: Text = "hello
    ```
    ```wf passes
    const greeting: Text = "hello"
    ```
    """

    def message(self) -> str:
        return "this text has no closing quote"

    def label(self) -> str:
        return "the quote opens here"

    def help(self) -> tuple[str, ...]:
        return ('close it on the same line with `"`; a line break inside a text is written `\\n`',)
