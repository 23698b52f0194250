"""Which modules a run is about: the given sources, what they import from the project, and the standard library."""

from collections.abc import Sequence

from wfc.problems.problem import Problem, Reporter
from wfc.project.files import Files, base_name
from wfc.project.resources import read_stdlib, stdlib_names
from wfc.project.settings import Settings
from wfc.project.sources import SUFFIX, project_paths
from wfc.sema.symbols import ModuleInfo
from wfc.syntax.nodes import Module
from wfc.syntax.parse import parse
from wfc.text.source import SourceFile

LIBRARY = "std."
ALWAYS = "std.policies"  # an undo without a policy has one from here


def module_name(source: SourceFile, tree: Module) -> str:
    """The name a module gives itself, else that of its file."""
    return tree.name.text if tree.name is not None else base_name(source.path).removesuffix(SUFFIX).replace("-", "_")


def load(sources: Sequence[SourceFile], settings: Settings, files: Files, report: Reporter) -> list[ModuleInfo]:
    """Parses the sources and everything they import, directly or not. The given sources come first."""
    found = [_module(source, report) for source in sources]
    names = {module.name for module in found}
    project: dict[str, list[ModuleInfo]] | None = None
    waiting = [ALWAYS, *_imports(found)]
    while waiting:
        name = waiting.pop(0)
        if name in names:
            continue
        library = _library(name, report)
        more = [library] if library is not None else []
        if not name.startswith(LIBRARY):
            if project is None:
                project = _project({source.path for source in sources}, settings, files)
            more = project.get(name, [])
        names.add(name)
        found.extend(more)
        waiting.extend(_imports(more))
    return found


def _module(source: SourceFile, report: Reporter) -> ModuleInfo:
    tree = parse(source, report)
    return ModuleInfo(module_name(source, tree), source, tree)


def _imports(modules: Sequence[ModuleInfo]) -> list[str]:
    return [item.module.text for module in modules for item in module.tree.imports]


def _library(name: str, report: Reporter) -> ModuleInfo | None:
    """A module of the standard library."""
    file = name.removeprefix(LIBRARY) + SUFFIX
    if not name.startswith(LIBRARY) or file not in stdlib_names():
        return None
    source = read_stdlib(file)
    return ModuleInfo(name, source, parse(source, report), library=True)


def _project(known: set[str], settings: Settings, files: Files) -> dict[str, list[ModuleInfo]]:
    """The other modules of the project by name; what is wrong with those that nothing imports is not told."""
    found: dict[str, list[ModuleInfo]] = {}
    for path in project_paths(settings, files):
        if path in known:
            continue
        source = files.read(path)
        if isinstance(source, Problem):
            continue
        module = _module(source, lambda _: None)
        found.setdefault(module.name, []).append(module)
    return found
