"""The problem `secret-leak`."""

from attrs import Factory

from wfc.problems.problem import Edit, Fix, Problem
from wfc.text.source import Span
from wfc.text.value import field, value


def _without_insertion(problem: "SecretLeak") -> tuple[Fix, ...]:
    """A text without the secret that it inserts. The text then says less: not safe."""
    source, start, end = problem.at.source, problem.at.start, problem.at.end
    if source.text[start - 1 : start] != "{" or source.text[end : end + 1] != "}":
        return ()
    return (Fix("leave it out of the text", (Edit(Span(source, start - 1, end + 1), ""),)),)


@value(kw_only=True)
class SecretLeak(Problem):
    """A secret goes elsewhere than to an operation that asks for it.

    A `Secret<T>` may be passed to a parameter of type `Secret<T>` of an operation, and nothing else: it cannot be
    bound, compared, inserted into a text, written to the audit or returned, so it never reaches a log or the
    history.

    ```wf fails
    secret token: Text
    workflow W() { state A { audit "using {token}"  done } }
    ```
    ```wf passes
    secret token: Text
    service s { query ping(token: Secret<Text>) }
    workflow W() { state A { do s.ping(token)  done } }
    ```
    """

    name: str
    fixes: tuple[Fix, ...] = field(default=Factory(_without_insertion, takes_self=True))

    def message(self) -> str:
        return f"the secret `{self.name}` would become visible here"

    def help(self) -> tuple[str, ...]:
        return ("pass it only to a parameter of type `Secret` of an operation",)
