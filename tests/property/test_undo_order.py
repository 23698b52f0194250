"""The order of undo is that of the reference model: a program is made from a log, run, and undone.

The model is that of the language's design, told again here as the law that is tested, with one thing mended: a pivot
seals what is older in the regions around also where a `settle` has followed it.
"""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.machine.messages import Send
from wfc.machine.program import Program
from wfc.project.sources import read_sources
from wfc.simulation.world import Reply, World

# ------------------------------------------------------------------------------------------------------ a log as a tree


@dataclass
class Call:
    """A completed call: undone by a call, by nothing, or in doubt."""

    kind: str  # plain, none, doubt (blind), asking (in doubt, and its undo needs the answer), refused (`when` is false)
    name: str = ""


@dataclass
class Seq:
    items: list[object] = field(default_factory=list)


@dataclass
class Par:
    branches: list[Seq]
    limit: int | None = None


@dataclass
class Scope:
    log: Seq
    own: str = ""  # "", own, none
    name: str = ""


PIVOT, SETTLE = "pivot", "settle"


def calls(kinds: tuple[str, ...]) -> st.SearchStrategy[Call]:
    return st.builds(Call, st.sampled_from(kinds))


QUIET = ("plain", "plain", "none", "refused", "doubt", "asking")


def seqs(inner: st.SearchStrategy[object]) -> st.SearchStrategy[Seq]:
    return st.builds(Seq, st.lists(inner, max_size=4))


def items() -> st.SearchStrategy[object]:
    """Things without pivots, which may stand in branches."""
    return st.recursive(
        st.one_of(calls(QUIET), st.just(SETTLE)),
        lambda below: st.one_of(
            st.builds(Par, st.lists(seqs(below), min_size=1, max_size=3)),
            st.builds(Par, st.lists(seqs(calls(QUIET)), min_size=1, max_size=4), st.integers(1, 3)),
            st.builds(Scope, seqs(below), st.sampled_from(["", "", "own", "none"])),
        ),
        max_leaves=6,
    )


def logs() -> st.SearchStrategy[Seq]:
    """A whole log: pivots stand in its regions, in no branch."""
    region = st.recursive(
        st.one_of(items(), items(), st.just(PIVOT)),
        lambda below: st.builds(Scope, seqs(below), st.sampled_from(["", "own", "none"])),
        max_leaves=5,
    )
    return st.builds(Seq, st.lists(region, max_size=5))


# ------------------------------------------------------------------------------------------------- what has to be undone


def plan(node: object, letters: list[str]) -> tuple[object, bool]:
    """A nested plan, and whether a pivot in it seals what is older."""
    if isinstance(node, Call):
        if node.kind == "asking":
            letters.append(node.name)
            return ("seq", []), False
        return ("seq", [node.name] if node.kind in ("plain", "doubt") else []), False
    if isinstance(node, Scope):
        inner, sealed = plan(node.log, [] if node.own else letters)
        if node.own == "own":
            inner = ("seq", [node.name])
        elif node.own == "none":
            inner = ("seq", [])
        return inner, sealed
    if isinstance(node, Par):
        return ("par", [plan(branch, letters)[0] for branch in node.branches], node.limit), False
    assert isinstance(node, Seq)
    steps: list[object] = []
    for place, item in reversed(list(enumerate(node.items))):
        if item == PIVOT:
            return ("seq", steps), True
        if item == SETTLE:
            return ("seq", steps), any(map(has_pivot, node.items[:place]))
        step, sealed = plan(item, letters)
        steps.append(step)
        if sealed:
            return ("seq", steps), True
    return ("seq", steps), False


def has_pivot(item: object) -> bool:
    return item == PIVOT or (isinstance(item, Scope) and any(map(has_pivot, item.log.items)))


def rounds(step: object) -> list[set[str]]:
    """Which compensations run together."""
    if isinstance(step, str):
        return [{step}]
    assert isinstance(step, tuple)
    parts = [part for part in map(rounds, step[1]) if part]
    if step[0] == "seq":
        return [each for part in parts for each in part]
    waiting = list(range(len(parts)))
    running: list[list[set[str]]] = []
    out: list[set[str]] = []
    while waiting or running:
        while waiting and (step[2] is None or len(running) < step[2]):
            running.append(list(parts[waiting.pop()]))
        out.append(set().union(*(branch.pop(0) for branch in running)))
        running = [branch for branch in running if branch]
    return out


# ------------------------------------------------------------------------------------------------------------ as a text


class Writer:
    """Writes the program whose run has this log."""

    def __init__(self) -> None:
        self.number = 0
        self.operations: list[str] = []
        self.doubtful: set[str] = set()

    def fresh(self, letter: str) -> str:
        self.number += 1
        return f"{letter}{self.number}"

    def call(self, call: Call) -> str:
        call.name = f"s.{self.fresh('c')}"
        short = call.name.removeprefix("s.")
        undo = {
            "plain": f"compensate {short}_undo()",
            "none": 'compensate none "nothing to undo"',
            "doubt": f"compensate {short}_undo()",
            "asking": f"compensate {short}_undo(result)",
            "refused": f"compensate {short}_undo() when result",
        }[call.kind]
        result = " -> Bool" if call.kind in ("asking", "refused") else ""
        self.operations.append(f'  activity {short}(){result} key "k" {undo} with Try')
        if call.kind != "none":
            param = "answer: Bool" if call.kind == "asking" else ""
            self.operations.append(f"  activity {short}_undo({param}) with Quick")
        if call.kind in ("doubt", "asking"):
            self.doubtful.add(call.name)
            return f"do {call.name}() optional"
        return f"do {call.name}()"

    def steps(self, seq: Seq) -> list[str]:
        lines: list[str] = []
        for item in seq.items:
            if item == PIVOT:
                name = self.fresh("p")
                self.operations.append(f'  activity {name}() key "k" with Once irreversible "gone"')
                lines.append(f"do s.{name}() pivot")
            elif item == SETTLE:
                lines.append("settle")
            elif isinstance(item, Call):
                lines.append(self.call(item))
            else:
                lines += self.fork(item)
        return lines

    def fork(self, item: object) -> list[str]:
        assert isinstance(item, Par)
        before, self.last = self.last, "done"
        lines = self.branches(item)
        self.last = before
        return lines

    def branches(self, item: Par) -> list[str]:
        if item.limit is None:
            lines = ["parallel {"]
            for branch in item.branches:
                name = self.fresh("B")
                lines += [f"branch {name} {{", *self.region(branch), "}"]
            return [*lines, "}"]
        index = self.fresh("i")
        lines = [
            f"for each {index} in [{', '.join(map(str, range(len(item.branches))))}] concurrently at most {item.limit} {{"
        ]
        for place, branch in enumerate(item.branches):
            lines += [f"choose {{ when {index} == {place} {{", *self.steps(branch), "} otherwise { } }"]
        return [*lines, "}"]

    def region(self, seq: Seq) -> list[str]:
        """Nodes of a region: a state for steps, a scope for each scope."""
        parts: list[tuple[str, object]] = []
        for item in seq.items:
            if isinstance(item, Scope):
                parts.append(("scope", item))
            elif parts and parts[-1][0] == "state":
                assert isinstance(parts[-1][1], Seq)
                parts[-1][1].items.append(item)
            else:
                parts.append(("state", Seq([item])))
        names = [self.fresh("N") for _ in parts] + [self.fresh("N")]
        lines: list[str] = []
        for (kind, part), name, following in zip(parts, names, names[1:], strict=False):
            if kind == "state":
                assert isinstance(part, Seq)
                lines += [f"state {name} {{", *self.steps(part), f"-> {following}", "}"]
            else:
                assert isinstance(part, Scope)
                lines += self.scope(part, name, following)
        return [*lines, f"state {names[-1]} {{ {self.last} }}"]

    last = "done"

    def scope(self, scope: Scope, name: str, following: str) -> list[str]:
        head = [f"scope {name} -> {following} {{"]
        if scope.own == "own":
            scope.name = f"s.{self.fresh('u')}"
            self.operations.append(f"  activity {scope.name.removeprefix('s.')}() with Quick")
            head.append(f"compensate {scope.name}()")
        elif scope.own == "none":
            head.append('compensate none "it stays"')
        before, self.last = self.last, "done"
        inner = self.region(scope.log)
        self.last = before
        return [*head, *inner, "}"]

    def program(self, log: Seq) -> str:
        self.last = "fail Stop"
        body = self.region(log)
        return "\n".join(
            [
                "module m",
                "import std.policies { Once }",
                "error Stop",
                "queue desk",
                "policy Quick { timeout 1m try 1 times exhausted then dead letter desk }",
                "policy Try { timeout 1m try 1 times exhausted then fail }",
                "service s {",
                *self.operations,
                "  activity never()",
                "}",
                'workflow W() key "k" raises Stop {',
                *body,
                "}",
            ]
        )


class Model:
    """Calls in doubt time out; an undo takes a second."""

    def __init__(self, doubtful: set[str], program: Program) -> None:
        self.doubtful = doubtful
        self.program = program

    def chance(self) -> float:
        return 0.5

    def answer(self, call: Send, world: World) -> Reply:
        del world
        if call.target in self.doubtful:
            return Reply("system", "Timeout")
        result = self.program.operations[call.target].result
        return Reply("value", False if result is not None else None, 1000 if call.undo else 0)


@given(logs())
def test_undo_runs_in_the_rounds_of_the_reference_model(log: Seq) -> None:
    writer = Writer()
    text = writer.program(log)
    files, settings, report = loaded({"m.wf": text})
    sources = read_sources((), settings, files, report)
    checked = pipeline.check(sources, settings, files, pipeline.Options())
    bad = [] if checked.report.is_runnable else [p for p in checked.report.problems if p.code not in TOLERATED]
    assert not bad, (text, [(p.code, p.message()) for p in bad])
    root = next(iter(checked.model.workflows.values()))
    program = Program(pipeline.machine(root, checked.model, settings, pipeline.Options()))
    world = World(program, Model(writer.doubtful, program))
    identity, refused = world.start("W", {})
    assert refused is None
    world.finish()
    instance = world.running[identity].instance
    letters: list[str] = []
    expected = [each for each in rounds(plan(log, letters)[0]) if each]
    found: dict[int, list[str]] = {}
    for attempt in world.attempts:
        if attempt.send.undo:
            name = attempt.send.target
            found.setdefault(attempt.at, []).append(name.removesuffix("_undo"))
    assert [sorted(each) for each in found.values()] == [sorted(each) for each in expected], text
    assert sorted(letter.operation for _, letter in world.letters) == sorted(letters), text
    assert instance.status == "failed"
    assert instance.incomplete == bool(letters)


TOLERATED = frozenset({"missing-rollback", "abort-after-pivot", "unreachable-state"})
