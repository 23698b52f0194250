"""Which `.wf` files a command is about."""

from collections.abc import Iterator, Sequence

from wfc import problems
from wfc.problems.problem import Problem, Reporter
from wfc.project.files import Files, base_name, decode, join, parent, whole_file
from wfc.project.settings import SETTINGS_FILE, Settings
from wfc.text.names import nearest
from wfc.text.source import SourceFile

SUFFIX = ".wf"
STANDARD_INPUT = "-"

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})


def start_folder(paths: Sequence[str], files: Files) -> str:
    """The folder whose settings hold for a command: that of the first path, else the working folder."""
    if not paths or paths[0] == STANDARD_INPUT:
        return "."
    return paths[0] if files.is_folder(paths[0]) else parent(paths[0])


def read_sources(paths: Sequence[str], settings: Settings, files: Files, report: Reporter) -> tuple[SourceFile, ...]:
    """The sources that the paths stand for, each once; without paths those of the whole project."""
    found = [path for given in paths for path in _named(given, files, report)] if paths else None
    if found is None:
        found = list(project_paths(settings, files))
        if not found:
            elsewhere = tuple(_nested_projects(settings, files))
            report(problems.NoSources(at=whole_file(settings.root), project=True, elsewhere=elsewhere))
    return tuple(_read(dict.fromkeys(found), files, report))


def source_from_input(data: bytes, filename: str, report: Reporter) -> tuple[SourceFile, ...]:
    """The source that came through standard input, shown under the file name it was given."""
    source = decode(filename, data)
    if isinstance(source, Problem):
        report(source)
        return ()
    return (source,)


def project_paths(settings: Settings, files: Files) -> Iterator[str]:
    """The `.wf` files of a project, sorted within each folder.

    Hidden folders, the output folder, folders of installed packages and projects of their own are left out.
    """
    yield from _walk(settings.root, settings, files)


def _walk(folder: str, settings: Settings, files: Files) -> Iterator[str]:
    waiting = [folder]
    while waiting:
        children = files.children(waiting.pop())
        if isinstance(children, Problem):
            continue
        yield from (path for path in children if path.endswith(SUFFIX))
        below = [path.rstrip("/") for path in children if path.endswith("/")]
        waiting += reversed([path for path in below if _is_searched(path, settings, files)])


def _is_searched(folder: str, settings: Settings, files: Files) -> bool:
    name = base_name(folder)
    if name.startswith(".") or name in _SKIPPED_FOLDERS or folder == settings.out_folder:
        return False
    return not files.is_file(join(folder, SETTINGS_FILE))


def _nested_projects(settings: Settings, files: Files) -> Iterator[str]:
    """Folders right below the project that have settings of their own: what may have been meant."""
    children = files.children(settings.root)
    if isinstance(children, Problem):
        return
    for path in children:
        if path.endswith("/") and files.is_file(join(path, SETTINGS_FILE)):
            yield path.rstrip("/")


def _named(path: str, files: Files, report: Reporter) -> Iterator[str]:
    """The files that one path on the command line stands for."""
    if not files.is_folder(path):
        yield path
        return
    children = files.children(path)
    if isinstance(children, Problem):
        report(children)
        return
    inside = [child for child in children if child.endswith(SUFFIX)]
    if not inside:
        below = [child.rstrip("/") for child in children if child.endswith("/")]
        elsewhere = tuple(folder for folder in below if _has_sources(folder, files))
        report(problems.NoSources(at=whole_file(path), elsewhere=elsewhere))
    yield from inside


def _has_sources(folder: str, files: Files) -> bool:
    children = files.children(folder)
    return not isinstance(children, Problem) and any(child.endswith(SUFFIX) for child in children)


def _read(paths: dict[str, None], files: Files, report: Reporter) -> Iterator[SourceFile]:
    seen: set[str] = set()
    for path in paths:
        source = files.read(path)
        if isinstance(source, Problem):
            report(_with_hint(path, source, files))
        elif source.path not in seen:
            seen.add(source.path)
            yield source


def _with_hint(path: str, problem: Problem, files: Files) -> Problem:
    """A missing file with the name that was likely meant."""
    if not isinstance(problem, problems.MissingSource):
        return problem
    folder = parent(path)
    children = files.children(folder)
    if isinstance(children, Problem):
        return problem
    names = {base_name(child): child.rstrip("/") for child in children if child.endswith((SUFFIX, "/"))}
    wanted = base_name(path)
    near = f"{wanted}{SUFFIX}" if f"{wanted}{SUFFIX}" in names else nearest(wanted, names)
    return problems.MissingSource(at=problem.at, near=names[near]) if near else problem
