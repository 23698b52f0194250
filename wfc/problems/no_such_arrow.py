"""The problem `no-such-arrow`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class NoSuchArrow(Problem):
    """A guard's tail has no place to go on.

    A block of a guard of a state or region must end in an exit: an arrow, `done` or `fail`, because the token would
    else stand at a place without a name.

    ```wf fails
    event Stop(id: Text) key id
    service s { query wait(id: Text) }
    workflow W(id: Text) key id {
      state A {
        on Stop { audit "stopped" }
        do s.wait(id)
        done
      }
    }
    ```
    ```wf passes
    event Stop(id: Text) key id
    service s { query wait(id: Text) }
    workflow W(id: Text) key id {
      state A {
        on Stop { audit "stopped"  done }
        do s.wait(id)
        done
      }
    }
    ```
    """

    what: str
    waits: bool = False

    def message(self) -> str:
        if self.waits:
            return f"no arm ends {self.what}: it waits for ever"
        return f"{self.what} ends without saying where to go on"

    def help(self) -> tuple[str, ...]:
        if self.waits:
            return ("give it an arm without `also`: an event, or `after` some time",)
        return ("end the block with an arrow, `done` or `fail`",)
