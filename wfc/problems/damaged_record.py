"""A record of a version that cannot be read."""

from wfc.problems.problem import Problem
from wfc.text.value import value


@value(kw_only=True)
class DamagedRecord(Problem):
    """The record of a version in the output folder does not hold the machine that it should.

    `wfc compile` writes `versions/PROCESS.vN.json` once, and it is committed: instances of that version run by it, and
    migrations are checked against it. Nobody edits it. If it came to harm, in a merge or by hand, take it from version
    control again.
    """

    reason: str

    def message(self) -> str:
        return f"this record cannot be used: {self.reason}"

    def help(self) -> tuple[str, ...]:
        return ("take it from version control again, as `wfc compile` wrote it",)
