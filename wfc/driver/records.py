"""The records of versions: one file in the output folder for each version of a process, written once, never changed.

A record is the machine as JSON. What compiling finds is compared with it, and migrations are checked against it.
"""

import re
from collections import Counter
from collections.abc import Sequence

from wfc import problems
from wfc.backends.json_ import text
from wfc.flow.versions import Version, Way
from wfc.ir.encode import BadMachineError
from wfc.ir.load import load
from wfc.ir.machine import Machine
from wfc.lower.lower import broken_workflows, lower_migrations
from wfc.passes import run_passes
from wfc.problems.problem import Edit, Problem, Reporter
from wfc.project.files import Files, base_name, join, whole_file
from wfc.project.settings import Settings
from wfc.sema.model import Model, WorkflowModel
from wfc.text.output import Output
from wfc.text.source import SourceFile, Span

FOLDER = "versions"
_NUMBER = re.compile(r"(?P<process>.+)\.v(?P<number>[1-9][0-9]*)\.json")


def record_path(process: str, number: int) -> str:
    """The path of a record, below the output folder."""
    return f"{FOLDER}/{process}.v{number}.json"


def missing(machines: Sequence[Machine], folder: str, files: Files) -> tuple[Output, ...]:
    """The records of the machines whose version has none yet."""
    paths = {record_path(machine.process, machine.workflow.version): machine for machine in machines}
    return tuple(Output(path, text(m)) for path, m in paths.items() if not files.is_file(join(folder, path)))


def versions(
    model: Model, sources: Sequence[SourceFile], settings: Settings, folder: str, files: Files, report: Reporter
) -> tuple[Version, ...]:
    """The processes of the given sources that have a record of their version, or a migration; others have no past."""
    given = {id(source) for source in sources}
    broken = broken_workflows(model)
    migrated = {migration.workflow for migration in model.migrations}
    own = [w for w in model.workflows.values() if w.by_itself and id(w.module.source) in given and w not in broken]
    count = Counter(root.process for root in own)
    found = []
    for root in own:
        path = join(folder, record_path(root.process, _number(root)))
        if count[root.process] == 1 and (files.is_file(path) or root in migrated):
            found.append(_Reader(folder, files, report).version(root, path, model, settings))
    return tuple(found)


def _number(root: WorkflowModel) -> int:
    return int(root.decl.version.text) if root.decl.version is not None else 1


class _Reader:
    """Reads records; what is wrong with one is reported, and it counts as not there."""

    def __init__(self, folder: str, files: Files, report: Reporter) -> None:
        self.folder = folder
        self.files = files
        self.report = report

    def version(self, root: WorkflowModel, path: str, model: Model, settings: Settings) -> Version:
        """A process with its record and its migrations."""
        low, migrations = lower_migrations(root, model, settings)
        ways = []
        for migration in migrations:
            place = join(self.folder, record_path(root.process, migration.old))
            there = self.files.is_file(place)
            old = self._read(place, root.process, migration.old) if there else None
            if old is not None or not there:
                ways.append(Way(migration, place, old))
        record = self._read(path, root.process, _number(root)) if self.files.is_file(path) else None
        number = self._next(root)
        return Version(run_passes(low), path, record, number, _raising(root, number), tuple(ways))

    def _read(self, path: str, process: str, number: int) -> Machine | None:
        source = self.files.read(path)
        if isinstance(source, Problem):
            self.report(source)
            return None
        try:
            machine = load(source.text)
        except BadMachineError as error:
            self.report(problems.DamagedRecord(at=whole_file(source.path), reason=str(error)))
            return None
        if (machine.process, machine.workflow.version) != (process, number):
            reason = f"it is that of `{machine.process}`, version {machine.workflow.version}"
            self.report(problems.DamagedRecord(at=whole_file(source.path), reason=reason))
            return None
        return machine

    def _next(self, root: WorkflowModel) -> int:
        """The number behind all that are recorded."""
        children = self.files.children(join(self.folder, FOLDER))
        names = () if isinstance(children, Problem) else map(base_name, children)
        found = [match for name in names if (match := _NUMBER.fullmatch(name)) and match["process"] == root.process]
        return max(_number(root), *(int(match["number"]) for match in found), 0) + 1


def _raising(root: WorkflowModel, number: int) -> Edit:
    """The edit that gives a workflow a number."""
    decl, module = root.decl, root.module
    if decl.version is not None:
        return Edit(module.at(decl.version), str(number))
    last = decl.result or (decl.params[-1] if decl.params else decl.name)
    end = module.at(last).end
    if decl.result is None:
        end = module.source.text.index(")", end) + 1
    return Edit(Span(module.source, end, end), f" version {number}")
