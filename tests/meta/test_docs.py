"""What the documents say is so: programs compile, sessions read as on the screen, links and names lead somewhere.

Blocks of programs, by their info string:

    ```wf                     a whole module, without errors
    ```wf NAME.wf             the same; sessions and imports on this page find it under that name
    ```wf setup NAME          declarations that the blocks marked `with NAME` on this page share
    ```wf with NAME           is read behind that set-up
    ```wf fails CODE          has errors, all of that code
    ```wf strict              has no warnings either; a set-up may declare more than its block uses

A ```console block is run again if it holds nothing but `wfc`, `cat` and `ls`; `pytest --update` rewrites it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml

from tests.conftest import ROOT
from tests.golden.console import console
from tests.golden.document import Block, Case
from wfc.cli.main import command_names
from wfc.driver import pipeline
from wfc.driver.catalogue import problem_classes
from wfc.machine.program import Program
from wfc.machine.status import movers
from wfc.machine.verify import broken_laws
from wfc.problems.problem import Problem, Severity
from wfc.problems.render.formats import FORMATS
from wfc.problems.render.full import full
from wfc.project.files import MemoryFiles
from wfc.project.settings import Settings
from wfc.simulation.scenarios import tell
from wfc.simulation.script import Samples
from wfc.simulation.world import World
from wfc.text.names import kebab
from wfc.text.source import SourceFile
from wfc.text.value import Value, value

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)
_NO_SLUG = re.compile(r"[^\w\- ]")
_INLINE = re.compile(r"`(?P<text>[^`\n]+)`")
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)+")
_COMMAND = re.compile(r"^(?:\$ )?wfc (?P<name>[a-z]+)", re.MULTILINE)
_DOC = re.compile(r"^\s*/// ?(?P<text>.*)$")

_RUNNABLE = ("wfc ", "cat ", "ls ")
_GENERATED = "docs/reference/problems.md"  # its examples are those of the docstrings; see test_problem_pages.py


def pages() -> list[str]:
    """Every page a reader may open, relative to the checkout."""
    found = {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")}
    found |= {path for room in ("examples", "grammar", "stdlib", "tests") for path in ROOT.glob(f"{room}/README.md")}
    found |= set(ROOT.glob("examples/*/README.md"))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


PAGES = pages()
WRITTEN = [page for page in PAGES if page != _GENERATED]
OURS = [page for page in WRITTEN if page.startswith("docs/") or "/" not in page]
FOR_USERS = [page for page in OURS if page.startswith("docs/") or page == "README.md"]


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@value(kw_only=True)
class Example(Value):
    """A program on a page: where it stands, what is said of it, and the files it may import."""

    place: str
    name: str
    text: str
    fails: str = ""
    strict: bool = False
    setup: str = ""
    files: tuple[tuple[str, str], ...] = ()

    def checked(self) -> pipeline.Checked:
        source = SourceFile(self.name, self.text)
        files = MemoryFiles({**dict(self.files), self.name: self.text})
        return pipeline.check((source,), Settings(), files, pipeline.Options())

    def problems(self) -> tuple[Problem, ...]:
        return self.checked().report.problems

    def is_shared(self, problem: Problem) -> bool:
        """Whether a problem stands in the set-up."""
        start = self.text.find(self.setup)
        return bool(self.setup) and start <= problem.at.start < start + len(self.setup)


def examples(page: str) -> Iterator[Example]:
    """The programs of a page; a file that is shown twice is imported as it was shown last."""
    text = read(page)
    setups: dict[str, str] = {}
    files: dict[str, str] = {}
    for block in _FENCE.finditer(text):
        kind, *words = block["info"].split() or [""]
        if kind != "wf":
            continue
        place = f"{page}:{text.count(chr(10), 0, block.start()) + 1}"
        said = _said(words, place)
        setup = setups[said["with"]] if "with" in said else ""
        body = _behind(setup, block["text"]) if setup else block["text"]
        if "setup" in said:
            setups[said["setup"]] = body
        if "name" in said:
            files[said["name"]] = body
        yield Example(
            place=place,
            name=said.get("name", "main.wf"),
            text=body,
            fails=said.get("fails", ""),
            strict="strict" in said,
            setup=setup,
            files=tuple(files.items()),
        )


def _behind(setup: str, text: str) -> str:
    """The text behind a set-up; its imports stay in front."""
    lines = text.splitlines(keepends=True)
    imports = "".join(line for line in lines if line.startswith("import "))
    return imports + setup + "".join(line for line in lines if not line.startswith("import "))


def _said(words: list[str], place: str) -> dict[str, str]:
    """What the info string says of a block."""
    said: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in {"setup", "with", "fails"}:
            said[word] = next(rest)
        elif word == "strict":
            said[word] = word
        elif word.endswith(".wf"):
            said["name"] = word
        else:
            raise ValueError(f"{place}: nothing is known of `{word}`")
    return said


def library_examples() -> Iterator[Example]:
    """The programs in the doc comments of the standard library."""
    for path in sorted((ROOT / "stdlib").glob("*.wf")):
        comment = "".join(
            f"{match['text']}\n"
            for line in path.read_text(encoding="utf-8").splitlines()
            if (match := _DOC.match(line))
        )
        for number, block in enumerate(_FENCE.finditer(comment), 1):
            yield Example(place=f"stdlib/{path.name}:example {number}", name="main.wf", text=block["text"])


EXAMPLES = [*(example for page in WRITTEN for example in examples(page)), *library_examples()]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_a_program_compiles_or_fails_as_its_page_says(example: Example) -> None:
    found = example.problems()
    shown = full(found)
    errors = {problem.code for problem in found if problem.level() is Severity.ERROR}
    if example.fails:
        assert errors | {problem.code for problem in found if problem.code == example.fails} == {example.fails}, shown
    else:
        assert not errors, shown
    if example.strict:
        assert not [problem for problem in found if not example.is_shared(problem)], shown


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not each.fails], ids=lambda example: example.place)
def test_a_program_runs(example: Example) -> None:
    """Its scenarios go as told, and each workflow comes to rest in a world that answers with samples."""
    checked = example.checked()
    for machine, scenarios, _ in pipeline.scenarios(checked, Settings(), pipeline.Options()):
        program = Program(machine)
        for scenario in scenarios:
            told = tell(program, scenario)
            # What becomes of a file with a name is shown by a session on its page.
            assert told.difference is None or example.name != "main.wf", (scenario.title, told.difference)
    for root in pipeline.roots(checked, pipeline.Options()):
        program = Program(pipeline.machine(root, checked.model, Settings(), pipeline.Options()))
        world = World(program, Samples(program))
        _, refused = world.start(
            program.machine.workflow.name, world.program.boundary.sample_fields(program.machine.workflow.params)
        )
        assert refused is None, refused
        world.finish()
        for running in world.running.values():
            assert broken_laws(program, running.instance) == []
            assert running.instance.status != "running" or movers(program, running.instance)


def test_every_module_of_the_library_has_an_example() -> None:
    shown = {example.place.partition(":")[0] for example in library_examples()}
    assert shown == {f"stdlib/{path.name}" for path in (ROOT / "stdlib").glob("*.wf")}


# ------------------------------------------------------------------------------------------------------------ sessions


def sessions(page: str) -> Iterator[tuple[re.Match[str], dict[str, str]]]:
    """The sessions of a page, each with the files that the page has shown before it."""
    files: dict[str, str] = {}
    for block in _FENCE.finditer(read(page)):
        kind, *words = block["info"].split() or [""]
        if kind == "console":
            yield block, dict(files)
        elif kind in {"wf", "toml"}:
            files |= {word: block["text"] for word in words if word.endswith((".wf", ".toml"))}


def commands(block: re.Match[str]) -> list[str]:
    return [line[2:].partition("  #")[0].strip() for line in block["text"].splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("page", OURS)
def test_a_session_shows_what_the_terminal_shows(page: str, *, request: pytest.FixtureRequest) -> None:
    text = read(page)
    updated = text
    for block, files in sessions(page):
        if not all(command.startswith(_RUNNABLE) for command in commands(block)):
            continue
        said = "".join(f"{line}\n" for line in console(*_case(block, files)).rstrip().splitlines())
        if request.config.getoption("--update"):
            updated = updated.replace(block[0], block[0].replace(block["text"], said))
        else:
            assert block["text"] == said, f"{page}: if this is right, pytest --update"
    if updated != text:
        (ROOT / page).write_text(updated, encoding="utf-8", newline="\n")


def _case(block: re.Match[str], files: dict[str, str]) -> tuple[Case, Block]:
    """The session as a golden case: the files of its page, and those of the examples it names."""
    for word in block["text"].split():
        path = ROOT / word
        if word.startswith("examples/") and path.exists():
            sources = [path] if path.is_file() else sorted(path.glob("*.wf"))
            files |= {source.relative_to(ROOT).as_posix(): source.read_text(encoding="utf-8") for source in sources}
    given = tuple(
        Block(first=0, last=0, fence="```", info=f"text {name}", text=content) for name, content in files.items()
    )
    session = Block(first=0, last=0, fence="```", info="console", text=block["text"])
    return Case(title="session", blocks=(*given, session)), session


@pytest.mark.parametrize("page", WRITTEN)
def test_the_files_that_a_command_names_are_there(page: str) -> None:
    text = read(page)
    shown = {word for block in _FENCE.finditer(text) for word in block["info"].split()}
    for block in _FENCE.finditer(text):
        lines = [line.removeprefix("$ ") for line in block["text"].splitlines()] if _is_typed(block["info"]) else []
        for word in (word for line in lines if line.startswith("wfc ") for word in line.split()):
            if word.endswith(".wf") or word.startswith("examples/"):
                assert word in shown or (ROOT / word).exists(), f"{page}: {word}"


def _is_typed(info: str) -> bool:
    return info.strip() in {"", "console", "sh"}


_ORDER = "examples/order-fulfillment/order-fulfillment.wf"


def order_file(target: str) -> str:
    """What compiling the order example writes for a target of one file."""
    files = MemoryFiles({_ORDER: read(_ORDER)})
    options = pipeline.Options(targets=(target,))
    return pipeline.compile((SourceFile(_ORDER, read(_ORDER)),), Settings(), files, options).outputs[0].text


def fenced(page: str, kind: str) -> list[str]:
    return [block["text"] for block in _FENCE.finditer(read(page)) if block["info"] == kind]


@pytest.mark.parametrize("excerpt", fenced("docs/reference/machine.md", "json"))
def test_an_excerpt_of_the_machine_is_in_the_machine_of_the_order_example(excerpt: str) -> None:
    assert json.loads(excerpt) in list(_parts(json.loads(order_file("json"))))


def _parts(data: object) -> Iterator[object]:
    """A value of JSON and everything in it."""
    yield data
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for item in inner:
        yield from _parts(item)


# ------------------------------------------------------------------------------------------------------ names and links


@pytest.mark.parametrize("page", FOR_USERS)
def test_commands_and_codes_exist(page: str) -> None:
    text = read(page)
    typed = "".join(block["text"] for block in _FENCE.finditer(text) if _is_typed(block["info"]))
    inline = [match["text"] for match in _INLINE.finditer(_FENCE.sub("", text))]
    named = {match["name"] for match in _COMMAND.finditer("\n".join([typed, *inline]))}
    assert named <= {*command_names(), "help"}, page
    codes = set(problem_classes())
    unknown = {word for word in inline if _CODE.fullmatch(word)} - codes - _other_words()
    assert not unknown, f"{page}: no problem has these codes"


def _other_words() -> set[str]:
    """Words with hyphens that are no codes: settings, formats, inputs of the action, processes, tags of the machine's format."""
    from wfc.ir.encode import classes
    from wfc.machine.messages import Command, RefusalReason
    from wfc.machine.migrate import STAYS

    settings = {"dead-letters", "max-retries"}
    action = yaml.safe_load(read("action.yml"))
    hooks = {hook["id"] for hook in yaml.safe_load(read(".pre-commit-hooks.yaml"))}
    pipelines = {*action["inputs"], *action["outputs"], *hooks, *FORMATS}
    runs = {*get_args(RefusalReason), *STAYS, *(kebab(command.__name__) for command in get_args(Command))}
    examples = {path.parent.name for path in ROOT.glob("examples/*/README.md")}
    return settings | pipelines | runs | set(classes()) | examples


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in _LINK.finditer(_FENCE.sub("", read(page))):
        target = link["target"]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page}: {target}"
        if anchor and path.suffix == ".md":
            assert anchor in _anchors(path), f"{page}: {target}"


def _anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub forms them."""
    titles = [match["title"] for match in _HEADING.finditer(_FENCE.sub("", path.read_text(encoding="utf-8")))]
    return {_NO_SLUG.sub("", title.lower()).replace(" ", "-") for title in titles}
