"""The problem `unexpected-token`."""

from wfc.problems.problem import Problem
from wfc.text.names import listed
from wfc.text.value import value

MOST = 6  # more than that nobody reads
HINTS = {
    "if": "to decide write `choose { when ... -> A  otherwise -> B }`",
    "else": "the other way is `otherwise`",
    "while": "to repeat write `repeat at most n times { ... } until ...`",
    "return": "to end write `done`, with the value behind it",
    "throw": "to raise an error write `fail`",
    "raise": "to raise an error write `fail`",
    "goto": "to go to a node write `-> Node`",
    "try": "each call has its policy: `do call() with Policy`; what fails is taken by `catch`",
    "=>": "an arrow to a node is written `->`",
    "/": "comments begin with `//`",
    "*": "comments begin with `//`",
    ">": "not equal is written `!=`",
}


@value(kw_only=True)
class UnexpectedToken(Problem):
    """A word or sign stands where the grammar has no place for it.

    The message names what could stand there. The rest of the construct is skipped and reading goes on at the next step,
    clause or declaration, so that one slip gives one message.

    ```wf fails
    const limit: Int = = 3
    ```
    ```wf passes
    const limit: Int = 3
    ```
    """

    found: str
    expected: tuple[str, ...] = ()
    hint: str = ""

    def message(self) -> str:
        return f"{self.found} cannot stand here"

    def help(self) -> tuple[str, ...]:
        hint = self.hint or HINTS.get(self.found.strip("`"))
        if hint:
            return (hint,)
        if not self.expected:
            return ()
        shown = self.expected[:MOST]
        more = f" (and {len(self.expected) - MOST} more)" if len(self.expected) > MOST else ""
        return (f"what can stand here: {listed(shown, 'or')}{more}",)
