"""Declares the names of all modules, and resolves their imports. Knows no types."""

from collections.abc import Iterable

from wfc import problems
from wfc.problems.problem import Edit, Fix, Label, Problem, Reporter
from wfc.sema.symbols import ModuleInfo, Symbol
from wfc.syntax import nodes as ast
from wfc.syntax.reserved import LITERAL_WORDS, RESERVED

BUILT_IN_TYPES = frozenset(
    "Text Int Decimal Bool Duration Instant Date Money List Map Secret Queue Assignee Error Settled".split()
)
BUILT_IN_ERRORS = ("Timeout", "Unavailable", "Invalid", "LockTimeout", "LockLost", "AlreadyRunning")
OPERATOR_CANCEL = "OperatorCancel"
BUILT_IN_VALUES = frozenset(("now", "instant", "date", "role", "person"))
_TYPE_DECLS = (ast.TypeAlias, ast.RecordDecl, ast.EnumDecl)
_FAULT_DECLS = (ast.ErrorDecl, ast.ErrorGroup, ast.EventDecl)


def declare(module: ModuleInfo, report: Reporter) -> None:
    """Enters the declarations of a module into its spaces."""
    for decl in module.tree.decls:
        if isinstance(decl, ast.MigrationDecl | ast.ScenarioDecl):
            continue
        symbol = Symbol(module, decl)
        if isinstance(decl, _TYPE_DECLS):
            _enter(module.types, symbol, BUILT_IN_TYPES, report)
            if not isinstance(decl, ast.RecordDecl):
                _not_reserved(module, decl.name, report)
                continue
        if isinstance(decl, _FAULT_DECLS):
            _enter(module.faults, symbol, frozenset((*BUILT_IN_ERRORS, "System", OPERATOR_CANCEL)), report)
        else:
            _enter(module.values, symbol, BUILT_IN_VALUES, report)
        _not_reserved(module, decl.name, report)
    for stray in module.tree.strays:
        report(problems.MisplacedWord(at=module.at(stray), word=f"@{stray.name.text}", place="here"))


def _enter(space: dict[str, Symbol], symbol: Symbol, built_in: frozenset[str], report: Reporter) -> None:
    """Adds a symbol, unless its name is taken."""
    older = space.get(symbol.name)
    if older is not None:
        label = (Label(older.at, "declared here first"),)
        report(problems.DuplicateName(at=symbol.at, name=symbol.name, labels=label))
    elif symbol.name in built_in:
        report(problems.DuplicateName(at=symbol.at, name=symbol.name, built_in=True))
    else:
        space[symbol.name] = symbol


def _not_reserved(module: ModuleInfo, name: ast.Name, report: Reporter) -> None:
    check_reserved(module, name, report)


def check_reserved(module: ModuleInfo, name: ast.Name, report: Reporter, *, field: bool = False) -> None:
    """Reports a name that is a reserved word; a field, operation, node or branch may be most of them."""
    if name.text in (LITERAL_WORDS if field else RESERVED):
        report(problems.ReservedName(at=module.at(name), name=name.text))


def link(modules: Iterable[ModuleInfo], report: Reporter) -> dict[str, ModuleInfo]:
    """Resolves the imports of all modules; answers the modules by name."""
    by_name: dict[str, ModuleInfo] = {}
    for module in modules:
        older = by_name.get(module.name)
        if older is not None:
            at = module.at(module.tree.name) if module.tree.name else module.at(module.tree).first(0)
            other = older.at(older.tree.name) if older.tree.name else older.at(older.tree).first(0)
            label = (Label(other, "the other one"),)
            report(problems.DuplicateName(at=at, name=module.name, labels=label))
        else:
            by_name[module.name] = module
    for module in by_name.values():
        for item in module.tree.imports:
            _import(module, item, by_name, report)
    _cycles(by_name, report)
    return by_name


def _import(module: ModuleInfo, item: ast.Import, by_name: dict[str, ModuleInfo], report: Reporter) -> None:
    """Makes the declarations of an imported module readable."""
    target = by_name.get(item.module.text)
    if target is None:
        known = tuple(by_name)
        module.missing.update(name.text for name in item.names or ())
        module.missing.add(item.alias.text if item.alias else item.module.parts[0].text)
        report(problems.UnknownName(at=module.at(item.module), kind="module", name=item.module.text, known=known))
        return
    if target is module:
        report(_cycle(module, item, (module.name, module.name)))
        return
    if item.names is None:
        prefix = item.alias.text if item.alias else item.module.text
        module.modules[prefix] = target
        module.imported[prefix] = item.alias or item.module.last
        return
    for name in item.names:
        found = False
        for space in ("types", "faults", "values"):
            symbol = target.space(space).get(name.text)
            if symbol is None or symbol.module is not target:
                continue
            found = True
            older = module.space(space).get(name.text)
            if older is not None and older is not symbol:
                label = (Label(older.at, "declared here"),)
                report(problems.DuplicateName(at=module.at(name), name=name.text, labels=label))
            else:
                module.space(space)[name.text] = symbol
        if found:
            module.imported[name.text] = name
        else:
            module.missing.add(name.text)
            own = tuple(
                n for s in ("types", "faults", "values") for n, x in target.space(s).items() if x.module is target
            )
            report(
                problems.UnknownName(
                    at=module.at(name), kind=f"declaration in `{target.name}`", name=name.text, known=own
                )
            )


def _cycle(module: ModuleInfo, item: ast.Import, cycle: tuple[str, ...]) -> Problem:
    """A circle, and the import that closes it taken out. What it brought in must come from elsewhere: not safe."""
    fix = Fix("remove this import", (Edit(module.at(item).with_line(), ""),))
    return problems.ImportCycle(at=module.at(item.module), cycle=cycle, fixes=(fix,))


def _cycles(by_name: dict[str, ModuleInfo], report: Reporter) -> None:
    """Reports each circle of imports once, at the import that closes it."""
    done: set[str] = set()
    for start in by_name:
        trail: list[str] = []
        _visit(start, by_name, trail, done, report)


def _visit(start: str, by_name: dict[str, ModuleInfo], trail: list[str], done: set[str], report: Reporter) -> None:
    """Depth first over the imports, without recursion."""
    stack = [(start, iter(by_name[start].tree.imports))] if start not in done else []
    trail.extend(name for name, _ in stack)
    while stack:
        name, imports = stack[-1]
        item = next(imports, None)
        if item is None:
            done.add(name)
            stack.pop()
            trail.pop()
            continue
        target = item.module.text
        if target in trail and target != name:
            cycle = (*trail[trail.index(target) :], target)
            report(_cycle(by_name[name], item, cycle))
        elif target in by_name and target not in done and target not in trail:
            stack.append((target, iter(by_name[target].tree.imports)))
            trail.append(target)
