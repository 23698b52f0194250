"""The problem `secret-leak`."""

from wfc.problems.problem import Problem
from wfc.text.value import value


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

    def message(self) -> str:
        return f"the secret `{self.name}` would become visible here"

    def help(self) -> tuple[str, ...]:
        return ("pass it only to a parameter of type `Secret` of an operation",)
