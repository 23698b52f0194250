"""The problem `inside-and-outside`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class InsideAndOutside(Problem):
    """A node is reached both by the flow and by a guard's arrow.

    A guard of a workflow (or branch, or iteration) that points to its own nodes splits them: those reached without a
    guard's arrow are inside and are undone when it fires; those behind its arrow are outside. A node can only be one.

    ```wf fails
    service s { query ask(id: Text) -> Bool }
    workflow W(id: Text) key id {
      catch any -> Tell
      state Ask  { do s.ask(id) -> Tell }
      state Tell { audit "asked"  done }
    }
    ```
    ```wf passes
    service s { query ask(id: Text) -> Bool }
    workflow W(id: Text) key id {
      catch any -> TellFailure
      state Ask         { do s.ask(id) -> Tell }
      state Tell        { audit "asked"  done }
      state TellFailure { audit "asked in vain"  done }
    }
    ```
    """

    name: str

    def message(self) -> str:
        return f"`{self.name}` is reached by the normal way and by the arrow of a guard as well"

    def help(self) -> tuple[str, ...]:
        return ("let the guard lead to a node of its own, which may do the same and go on",)
