"""The problem `misplaced-word`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class MisplacedWord(Problem):
    """A clause or step stands where it has no meaning, or twice.

    The table "Who may write what where" of the language reference says what may stand where.

    ```wf fails
    service s { query find(id: Text) -> Text assign role("clerk") }
    ```
    ```wf passes
    service s { task find(id: Text) -> Text assign role("clerk") }
    ```
    """

    word: str
    place: str
    why: str = ""

    def message(self) -> str:
        if self.place == "twice":
            return f"`{self.word}` stands here twice"
        return f"`{self.word}` has no meaning {self.place}"

    def help(self) -> tuple[str, ...]:
        return (self.why,) if self.why else ()
