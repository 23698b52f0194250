"""The whole compiler on one screen: text, tree, meaning, machine, checks, files. No phase calls the next one itself."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from wfc import problems
from wfc.driver import records
from wfc.driver.backends import backends
from wfc.driver.modules import load
from wfc.driver.summary import summary
from wfc.flow.versions import Version
from wfc.ir.machine import Machine
from wfc.ir.scenario import Migration
from wfc.ir.verify import verify
from wfc.lower.lower import WithScenarios, broken_workflows, lower, lower_all, lower_migrations, lower_scenarios
from wfc.passes import run_passes
from wfc.problems.problem import Label, Report
from wfc.project.files import Files, join, whole_file
from wfc.project.settings import SETTINGS_FILE, Settings
from wfc.sema.analyse import analyse
from wfc.sema.model import Model, WorkflowModel
from wfc.text.output import Output
from wfc.text.source import SourceFile
from wfc.text.value import Value, value

RECURSION = 20_000
ALLOW = "// allow "  # what a comment begins with that allows a problem


@value(kw_only=True)
class Options(Value):
    """What the command line may say about one run."""

    process: str | None = None
    max_retries: int | None = None
    timeout_ms: int | None = None
    audit: bool = True
    targets: tuple[str, ...] = ("json", "diagram", "typescript")
    host: str = "node"  # what runs the TypeScript
    lenient: bool = False  # what a target cannot express is left out with a warning
    out: str | None = None


@dataclass(frozen=True)
class Checked:
    """A project with everything that is known of it; `model` is whole only if the report has no errors.

    `past`: the processes that have older versions.
    """

    report: Report
    sources: tuple[SourceFile, ...]
    model: Model
    past: tuple[Version, ...] = ()


__all__ = [
    "Checked",
    "Compiled",
    "Options",
    "broken_workflows",
    "check",
    "compile",
    "machine",
    "migrations",
    "roots",
    "scenarios",
]


@dataclass(frozen=True)
class Compiled:
    """The files of each workflow, and what was understood, told in lines. `records` are of versions that have none."""

    report: Report
    outputs: tuple[Output, ...]
    summary: tuple[str, ...]
    records: tuple[Output, ...] = ()


def check(sources: Sequence[SourceFile], settings: Settings, files: Files, options: Options) -> Checked:
    """Everything up to the machine, and all checks."""
    report = Report()
    past: tuple[Version, ...] = ()
    with _one_run():
        modules = load(sources, settings, files, report)
        model = analyse(modules, settings, report)
        _known_queue(model, settings, report)
        sound = not report.has_errors
        if not model.undeclared:
            from wfc.checks import run_checks  # noqa: PLC0415 - not needed where names are unknown

            past = records.versions(model, sources, _with(settings, options), _folder(settings, options), files, report)
            run_checks(lower_all(model, _with(settings, options)), report, past)
        report = _judged(report, [module.source for module in modules], whole=sound)
    return Checked(report, tuple(sources), model, past)


def _judged(report: Report, sources: Sequence[SourceFile], *, whole: bool) -> Report:
    """Without what the sources allow, with a reason."""
    if not any(ALLOW in source.text for source in sources):
        return report
    from wfc.driver.suppressions import judge  # noqa: PLC0415 - few programs allow anything

    left = Report()
    for problem in judge(report.problems, sources, whole=whole):
        left(problem)
    return left


def _known_queue(model: Model, settings: Settings, report: Report) -> None:
    """The queue for dead letters that the project names must be declared."""
    queues = tuple(name for module in model.modules.values() for name in module.queues())
    if settings.dead_letters is not None and settings.dead_letters not in queues:
        at = whole_file(join(settings.root, SETTINGS_FILE))
        report(problems.UnknownName(at=at, kind="queue", name=settings.dead_letters, known=queues))


def compile(sources: Sequence[SourceFile], settings: Settings, files: Files, options: Options) -> Compiled:
    """The files of the workflows in the given sources, if nothing is wrong."""
    checked = check(sources, settings, files, options)
    report = checked.report
    if report.has_errors:
        return Compiled(report, (), ())
    machines = [machine(root, checked.model, settings, options) for root in roots(checked, options)]
    outputs: dict[str, Output] = {}
    for built in machines:
        for backend in backends(options.targets, options.host):
            refused = backend.unsupported(built)
            for feature, at in refused:
                place = at or checked.model.modules[built.module].at(checked.model.modules[built.module].tree)
                target = backend.name
                report(problems.UnsupportedFeature(at=place, feature=feature, target=target, skipped=options.lenient))
            if not refused:
                outputs.update({output.path: output for output in backend.emit(built)})
    if checked.report.has_errors:  # the backends had their say
        return Compiled(report, (), ())
    lines = tuple(line for built in machines for line in summary(built))
    new = records.missing(machines, _folder(settings, options), files)
    return Compiled(report, tuple(outputs.values()), lines, new)


def machine(root: WorkflowModel, model: Model, settings: Settings, options: Options, *, sound: bool = True) -> Machine:
    """The machine of one workflow, verified and with all passes done.

    One that is not `sound`, for there are errors, may run nevertheless; what cannot be reached in it has no types.
    """
    built = run_passes(lower(root, model, _with(settings, options), audit=options.audit))
    if sound:
        verify(built)
    return built


def migrations(root: WorkflowModel, model: Model, settings: Settings, options: Options) -> tuple[Migration, ...]:
    """The ways from older versions to a workflow."""
    return lower_migrations(root, model, _with(settings, options))[1]


def scenarios(checked: Checked, settings: Settings, options: Options) -> tuple[WithScenarios, ...]:
    """The machine of each workflow that scenarios of the given sources are for, with these in order and its migrations.

    The workflow itself may stand elsewhere.
    """
    model = checked.model
    if model.undeclared:
        return ()
    given = {id(source) for source in checked.sources}
    told = [scenario for scenario in model.scenarios if id(scenario.module.source) in given]
    named = {scenario.workflow for scenario in told}
    broken = broken_workflows(model)
    found: list[WithScenarios] = []
    for root in model.workflows.values():
        if root in named and root.by_itself and root not in broken:
            low, runs, ways = lower_scenarios(root, model, _with(settings, options), audit=options.audit)
            built = run_passes(low)
            verify(built)
            own = tuple(run for run in runs if run.at is not None and id(run.at.source) in given)
            found.append((built, own, ways))
    return tuple(found)


def roots(checked: Checked, options: Options) -> tuple[WorkflowModel, ...]:
    """The workflows to compile: those of the given sources that stand by themselves, or the one that is named."""
    given = {id(source) for source in checked.sources}
    found = [w for w in checked.model.workflows.values() if w.by_itself and id(w.module.source) in given]
    _same_output(found, checked.report)
    if options.process is None:
        return tuple(found)
    named = tuple(w for w in found if options.process in (w.decl.name.text, w.process))
    if not named and found:
        known = tuple(w.process for w in found)
        at = found[0].module.at(found[0].module.tree).first(0)
        checked.report(problems.UnknownName(at=at, kind="process", name=options.process, known=known))
    return named


def _same_output(found: list[WorkflowModel], report: Report) -> None:
    """Two processes whose files would have one name."""
    seen: dict[str, WorkflowModel] = {}
    for workflow in found:
        older = seen.setdefault(workflow.process, workflow)
        if older is not workflow:
            at = workflow.module.at(workflow.decl.name)
            other = older.module.at(older.decl.name)
            label = (Label(other, "the other one"),)
            report(problems.DuplicateOutput(at=at, process=workflow.process, labels=label))


def _folder(settings: Settings, options: Options) -> str:
    """The output folder, in which the records of versions lie."""
    return options.out or settings.out_folder


def _with(settings: Settings, options: Options) -> Settings:
    """The project's settings under what the command line says."""
    return Settings(
        root=settings.root,
        currency=settings.currency,
        dead_letters=settings.dead_letters,
        max_retries=settings.max_retries if options.max_retries is None else options.max_retries,
        timeout_ms=settings.timeout_ms if options.timeout_ms is None else options.timeout_ms,
        out=settings.out,
    )


class _one_run:  # noqa: N801 - reads as a word in `with`
    """The process while the compiler works.

    One run makes many objects and frees none: collecting them costs as much as making them. And the deepest expression
    that the parser lets through takes more calls into each other than Python allows by itself.
    """

    def __enter__(self) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
        self.was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if not self.was_on:
            return
        if not gc.get_freeze_count():  # else they are another one's, and would be thawed with ours
            gc.freeze()  # what was made counts as old, or the next object would let the collector look at all of it
            gc.unfreeze()
        gc.enable()
