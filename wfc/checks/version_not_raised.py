"""Processes that do something else than the record of their version says."""

from typing import ClassVar

from wfc.flow.versions import Version
from wfc.ir.difference import difference
from wfc.problems.problem import Fix, Label, Problem, Reporter
from wfc.simulation.inquiry import Inquiry
from wfc.text.value import value


@value(kw_only=True)
class VersionNotRaised(Problem):
    """A workflow does something else than the record of its version says.

    `wfc compile` writes what a version does to `versions/PROCESS.vN.json` in the output folder, once. Instances that
    were started with a version go on by its record, perhaps for months. If another process bears the same number,
    nobody can tell which of the two an instance follows: a customer gets terms that were not agreed. Comments, titles,
    reasons and the place of things do not count.

    So raise the number: `version 2` in the head of the workflow. Running instances stay on the old version, or go over
    by a `migration`. As long as no instance of a version was started anywhere, you may delete its record instead, and
    compile again.
    """

    arguable: ClassVar[bool] = True

    workflow: str
    version: int
    number: int
    what: str
    record: str

    def message(self) -> str:
        return f"`{self.workflow}` is not what version {self.version} is recorded as: {self.what}"

    def label(self) -> str:
        return "still the number of what runs already"

    def help(self) -> tuple[str, ...]:
        return (
            f"raise the number: `version {self.number}`; what runs stays on version {self.version}",
            f"if no instance of version {self.version} was ever started, delete `{self.record}`",
        )


def check(program: Inquiry, report: Reporter) -> None:
    """Reports each process that differs from the record of its number, by the first difference."""
    for version in program.versions:
        if version.record is not None:
            _compare(version, report)


def _compare(version: Version, report: Reporter) -> None:
    workflow = version.machine.workflow
    found = difference(version.record, version.machine) if version.record is not None else None
    at = version.raising.at if version.raising.at.text else workflow.at
    if found is None or at is None:
        return
    place = found.at
    report(
        VersionNotRaised(
            at=at,
            labels=(Label(place, "this"),) if place is not None and place != workflow.at else (),
            fixes=(Fix(f"write `version {version.number}`", (version.raising,)),),
            workflow=workflow.name,
            version=workflow.version,
            number=version.number,
            what=found.text,
            record=version.path,
        )
    )
