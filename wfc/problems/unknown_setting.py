"""A setting that does not exist."""

from wfc.problems.problem import Problem
from wfc.text.names import did_you_mean, listed
from wfc.text.value import value


@value(kw_only=True)
class UnknownSetting(Problem):
    """A settings file has a key that means nothing.

    A misspelt setting would be silently without effect, so it is an error. These are the settings, with their defaults:

    | key | default | meaning |
    | --- | --- | --- |
    | `currency` | none | the currency of plain `Money`, such as `"EUR"` |
    | `dead-letters` | none | the queue for failed undos that name no queue of their own |
    | `max-retries` | `3` | attempts after the first, for calls that no policy covers |
    | `timeout` | `"30s"` | how long one attempt may take, for calls that no policy covers |
    | `out` | `"workflows"` | the folder that `wfc compile` writes to |
    """

    key: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no setting named `{self.key}`"

    def help(self) -> tuple[str, ...]:
        every = f"the settings are {listed(f'`{key}`' for key in self.known)}"
        return tuple(line for line in (did_you_mean(self.key, self.known), every) if line)
