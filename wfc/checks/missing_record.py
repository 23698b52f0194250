"""Migrations from versions that nobody knows any more."""

from typing import ClassVar

from wfc.problems.problem import Problem, Reporter, Severity
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class MissingRecord(Problem):
    """A `migration` leads from a version of which there is no record, so nothing can be said about it.

    Whether each state of the old version has somewhere to go, and whether the values are there that it needs, is read
    off `versions/PROCESS.vN.json` in the output folder. `wfc compile` writes that file, and it belongs into version
    control. If the old version was compiled before there were records, check it out, compile it, and keep the record.

    ```wf fails
    workflow W(id: Text) version 2 key id {
      state Wait { wait 1d  done }
    }
    migration W from 1 to 2 { otherwise stay }
    ```
    ```wf passes
    workflow W(id: Text) version 2 key id {
      state Wait { wait 1d  done }
    }
    ```
    """

    severity: ClassVar[Severity] = Severity.WARNING

    workflow: str
    version: int
    path: str

    def message(self) -> str:
        return f"this migration cannot be checked: there is no record of version {self.version} of `{self.workflow}`"

    def help(self) -> tuple[str, ...]:
        return (f"compile version {self.version} and keep what it writes to `{self.path}`",)


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each migration whose old version has no record."""
    for version in program.versions:
        for way in version.ways:
            at = way.migration.at
            if way.old is None and at is not None:
                head = at.first(len(at.text.partition("{")[0].rstrip()))
                number, name = way.migration.old, way.migration.workflow
                report(MissingRecord(at=head, workflow=name, version=number, path=way.path))
