"""Documents of behaviour: Markdown with one `##` a case, a program with its scenarios, and the trace of each.

## A retry                          the case; prose around the blocks says what the language says
```wf                               the program; its scenarios say what must hold
```trace                            expected: every record of every scenario (```trace keys: with keys)
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.golden.document import Block, Case, read_cases
from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.ir.scenario import Scenario
from wfc.machine.messages import Input, Record, Started
from wfc.machine.program import Program
from wfc.machine.store import restore, store
from wfc.machine.turn import Turned, turn
from wfc.machine.verify import broken_laws
from wfc.project.sources import read_sources
from wfc.simulation.scenarios import Told, shown, tell
from wfc.simulation.world import START, Running, World
from wfc.text.durations import show_duration
from wfc.text.value import Value, value

FOLDER = Path(__file__).parent

_NUMBERS = ("entry", "call", "lock")  # details that say which, by a number of this machine's own
_KEYS = ("key", "keeps")


@value(kw_only=True)
class Document(Value):
    """One case of a document."""

    path: str
    case: Case

    @property
    def file(self) -> Path:
        return FOLDER / self.path

    @property
    def name(self) -> str:
        return f"{self.path}: {self.case.title}"

    @property
    def trace(self) -> Block | None:
        """The block with the expected trace."""
        return next((block for block in self.case.blocks if block.kind == "trace"), None)


def documents() -> Iterator[Document]:
    """All cases of all documents."""
    for path in sorted(FOLDER.glob("*/*.md")):
        for case in read_cases(path.read_text(encoding="utf-8")):
            yield Document(path=path.relative_to(FOLDER).as_posix(), case=case)


def programs(files: dict[str, str]) -> Iterator[tuple[Program, tuple[Scenario, ...]]]:
    """The programs of a project that have scenarios; it must be without errors."""
    memory, settings, report = loaded(files)
    sources = read_sources((), settings, memory, report)
    options = pipeline.Options()
    checked = pipeline.check(sources, settings, memory, options)
    found = checked.report
    assert found.is_runnable, [(problem.code, problem.at, problem.message()) for problem in found.problems]
    for machine, scenarios, _ in pipeline.scenarios(checked, settings, options):
        yield Program(machine), scenarios


def program(text: str) -> Program:
    """The program of the workflow `W` of a source."""
    memory, settings, report = loaded({"main.wf": text})
    sources = read_sources((), settings, memory, report)
    options = pipeline.Options(process="W")
    checked = pipeline.check(sources, settings, memory, options)
    found = checked.report
    assert found.is_runnable, [(problem.code, problem.at, problem.message()) for problem in found.problems]
    (root,) = pipeline.roots(checked, options)
    return Program(pipeline.machine(root, checked.model, settings, options))


def watched(world: World) -> None:
    """After each turn the laws of an instance hold."""

    def look(running: Running, given: Input) -> None:
        assert broken_laws(world.program, running.instance) == [], given

    world.watch = look


def play(found: Program, scenario: Scenario) -> Told:
    """A scenario, with every turn looked at."""
    return tell(found, scenario, watched)


def replayed(found: Program, world: World) -> list[Record]:
    """The records of the journal, given to the pure machine again, which forgets everything but what is stored."""
    instances: dict[str, str] = {}
    records: list[Record] = []
    for identity, given in world.journal:
        stored = None if isinstance(given, Started) else instances.get(identity)
        turned = turn(found, restore(found, json.loads(stored)) if stored is not None else None, given)
        assert isinstance(turned, Turned), turned
        instances[identity] = json.dumps(store(found, turned.instance))
        records.extend(turned.records)
    return records


# ------------------------------------------------------------------------------------------------------------ the trace


def trace(told: Told, *, keys: bool = False) -> str:
    """A scenario's records, one a line: when, what, where, and what matters of the rest."""
    lines = [f"scenario: {told.scenario.title}"]
    lines += [line(record, told.instance, keys=keys) for record in told.world.records]
    return "\n".join(lines)


def line(record: Record, root: str, *, keys: bool = False) -> str:
    """A record: its place is the node, behind the instance where that is not the scenario's own."""
    since = show_duration(record.at - START) if record.at > START else "0s"
    place = record.path
    if record.instance != root:
        place = f"[{record.instance}] {place}".rstrip()
    parts = [f"{since:>7}", record.kind, place, *_details(record, keys=keys)]
    return "  ".join(part for part in parts if part)


def _details(record: Record, *, keys: bool) -> Iterator[str]:
    for name, item in record.detail:
        if name in _NUMBERS or (name in _KEYS and not keys):
            continue
        if name == "iteration":
            yield f"iteration {'.'.join(map(str, item))}"
        elif name == "operation":
            yield str(item)
        elif item is True:
            yield f"({name})"
        elif item is not None and item != ():
            yield f"{name}: {item if isinstance(item, str) else shown(item)}"
