"""Analyses a project: names declared, imports linked, types and flow of everything."""

from collections.abc import Iterable

from wfc import problems
from wfc.problems.problem import Edit, Fix, Problem, Reporter, Severity
from wfc.project.settings import Settings
from wfc.sema.declarations import Declarations
from wfc.sema.declare import declare, link
from wfc.sema.endless import check_endless
from wfc.sema.model import CallInfo, Instance, Model, WorkflowModel
from wfc.sema.scenarios import check_migration, check_scenario
from wfc.sema.signatures import Signatures
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.sema.workflows import analyse_workflow
from wfc.syntax import nodes as ast
from wfc.text.source import Span

MAX_GENERIC_DEPTH = 16
MAX_DEFAULT_DEPTH = 16


def analyse(modules: Iterable[ModuleInfo], settings: Settings, report: Reporter) -> Model:
    """The meaning of all modules. A module with mistakes of syntax is declared, but its problems are not told."""
    modules = list(modules)
    counting = _Counting(report)
    for module in modules:
        declare(module, counting.of(module))
    by_name = link(modules, counting.tell)
    model = Model(by_name)
    signatures = Signatures(model, settings, counting.filtered(by_name))
    model.signatures = signatures
    checkers = [Declarations(module, model, signatures, counting.of(module)) for module in by_name.values()]
    for checker in checkers:
        checker.check_fields()
    check_endless(by_name.values(), signatures, counting.filtered(by_name))
    _finish_defaults(checkers, counting)
    for checker in checkers:
        checker.check()
    model.undeclared = counting.errors > 0 or any(module.tree.damaged for module in modules)
    for module in by_name.values():
        _workflows(module, model, signatures, counting)
    _uses(model, signatures, counting)
    for module in by_name.values():
        _tests(module, model, signatures, counting)
        _unused_imports(module, counting.of(module))
    return model


def _reporter(module: ModuleInfo, report: Reporter) -> Reporter:
    """Where the problems of a module go: nowhere, if its text could not be read whole."""
    return (lambda _: None) if module.tree.damaged else report


class _Counting:
    """Passes problems on and notes whether an error was among them."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self.errors = 0

    def tell(self, problem: Problem) -> None:
        if problem.level() is Severity.ERROR:
            self.errors += 1
        self._report(problem)

    def of(self, module: ModuleInfo) -> Reporter:
        """The reporter of one module."""

        def report(problem: Problem) -> None:
            if not self._consequence(problem, module):
                self.tell(problem)

        return _reporter(module, report)

    def _consequence(self, problem: Problem, module: ModuleInfo) -> bool:
        """Whether a problem only repeats that an import failed; it counts, and is not told again."""
        if not isinstance(problem, problems.UnknownName) or problem.name.partition(".")[0] not in module.missing:
            return False
        self.errors += 1
        return True

    def filtered(self, modules: dict[str, ModuleInfo]) -> Reporter:
        """A reporter that knows the module of a problem by its source."""
        reporters = {id(module.source): self.of(module) for module in modules.values()}
        return lambda problem: reporters[id(problem.at.source)](problem)


def _finish_defaults(checkers: list[Declarations], counting: _Counting) -> None:
    """Defaults that build records with defaults, to any sensible depth; a circle of them has no value."""
    for _ in range(MAX_DEFAULT_DEPTH):
        if counting.errors or not any(checker.unfinished for checker in checkers):
            return
        for checker in checkers:
            checker.finish_fields()
    for checker in checkers:
        for node in checker.unfinished:
            text = "this default builds itself again and again"
            counting.of(checker.module)(problems.MismatchedType(at=checker.module.at(node), text=text))


def _workflows(module: ModuleInfo, model: Model, signatures: Signatures, counting: _Counting) -> None:
    """Each workflow by itself, generic ones with their parameters left open."""
    for decl in module.tree.decls:
        if isinstance(decl, ast.WorkflowDecl):
            instance = Instance(module.values.get(decl.name.text) or Symbol(module, decl))
            if instance.symbol.decl is decl:
                before = counting.errors
                found = analyse_workflow(instance, model, signatures, counting.of(module))
                found.broken = found.broken or counting.errors > before
                model.workflows[instance] = found


def _uses(model: Model, signatures: Signatures, counting: _Counting) -> None:
    """Each use of a generic workflow on its own; a problem in one is told at the call."""
    waiting = [(workflow, 0) for workflow in model.workflows.values()]
    while waiting:
        workflow, depth = waiting.pop()
        if workflow.is_open:
            continue
        for call_id, call in workflow.calls.items():
            if not isinstance(call.target, Instance) or call.target in model.workflows:
                continue
            if depth >= MAX_GENERIC_DEPTH:
                _too_deep(workflow, call, counting)
                continue
            found = analyse_workflow(call.target, model, signatures, lambda _: None)
            model.workflows[call.target] = found
            waiting.append((found, depth + 1))
            if found.broken and not _source(model, call.target).broken:
                _misfit(workflow, call, call_id, counting)


def _source(model: Model, instance: Instance) -> WorkflowModel:
    return model.workflows[Instance(instance.symbol)]


def _too_deep(workflow: WorkflowModel, call: CallInfo, counting: _Counting) -> None:
    assert isinstance(call.target, Instance)
    name = call.target.symbol.name
    text = f"uses of generic workflows are nested deeper than {MAX_GENERIC_DEPTH}: `{name}` never ends"
    at = workflow.module.at(workflow.decl.name)
    counting.of(workflow.module)(problems.MismatchedType(at=at, text=text))


def _misfit(workflow: WorkflowModel, call: CallInfo, call_id: int, counting: _Counting) -> None:
    assert isinstance(call.target, Instance)
    shown = ", ".join([*(str(kind) for _, kind in call.target.types), *(op.name for _, op in call.target.operations)])
    text = f"`{call.target.symbol.name}` does not work with {shown}"
    _ = call_id
    at = workflow.module.at(workflow.decl.name)
    counting.of(workflow.module)(problems.MismatchedType(at=at, text=text))


def _tests(module: ModuleInfo, model: Model, signatures: Signatures, counting: _Counting) -> None:
    """Scenarios and migrations."""
    report = counting.of(module)
    for decl in module.tree.decls:
        before = counting.errors
        if isinstance(decl, ast.ScenarioDecl):
            scenario = check_scenario(decl, module, model, signatures, report)
            if scenario is not None:
                scenario.broken = counting.errors > before
                model.scenarios.append(scenario)
        elif isinstance(decl, ast.MigrationDecl):
            migration = check_migration(decl, module, model, signatures, report)
            if migration is not None:
                migration.broken = counting.errors > before
                model.migrations.append(migration)


def _unused_imports(module: ModuleInfo, report: Reporter) -> None:
    """Names and prefixes that an import brings in and nothing reads."""
    unused = {text: name for text, name in module.imported.items() if text not in module.used}
    for item in module.tree.imports:
        for text, name in unused.items():
            if item.start <= name.start < item.end:
                fixes = (Fix(f"remove `{text}`", (_without(module, item, name, unused),), safe=True),)
                report(problems.UnusedName(at=module.at(name), name=text, kind="import", fixes=fixes))


def _without(module: ModuleInfo, item: ast.Import, name: ast.Name, unused: dict[str, ast.Name]) -> Edit:
    """An import without a name; the whole line goes if nothing of it is used."""
    names = item.names or ()
    if all(other.text in unused for other in names):
        return Edit(module.at(item).with_line(), "")
    at = names.index(name)
    if at + 1 < len(names):
        return Edit(Span(module.source, name.start, names[at + 1].start), "")
    return Edit(Span(module.source, names[at - 1].end, name.end), "")
