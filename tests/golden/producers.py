"""What can stand in an expected block: a function from a case and the block to the text the program makes.

A producer is added here with one line in PRODUCERS; blocks with its name can then stand in any golden file.
"""

from collections.abc import Callable, Mapping

from tests.golden.console import console
from tests.golden.document import Block, Case
from tests.golden.program import checked, machines, project
from tests.golden.registry import registry
from tests.golden.scenarios import scenarios
from wfc.fmt.layout import layout
from wfc.problems.edits import all_sources, apply_edits, chosen_edits
from wfc.problems.problem import Problem
from wfc.problems.render.concise import concise
from wfc.problems.render.full import full
from wfc.problems.render.json import render_json

Producer = Callable[[Case, Block], str]

NOTHING = "no problems"


def _problems(case: Case, block: Block) -> str:
    del block
    return full(checked(project(case)).problems) or NOTHING


def _concise(case: Case, block: Block) -> str:
    del block
    return "\n".join(concise(problem) for problem in checked(project(case)).problems) or NOTHING


def _json(case: Case, block: Block) -> str:
    del block
    return render_json(checked(project(case)).problems)


def _fixed(case: Case, block: Block) -> str:
    """The sources after all safe fixes (```fixed unsafe: all fixes); what they fix must be gone, and nothing new come."""
    unsafe = block.argument == "unsafe"
    before = checked(project(case)).problems
    edits = chosen_edits(before, unsafe=unsafe)
    assert edits, "no problem of this case has such a fix"
    changed = {source.path: apply_edits(source, edits) for source in all_sources(edits)}
    after = checked({**project(case), **changed}).problems
    solved = {_identity(problem) for problem in before if _is_applied(problem, edits)}
    assert not solved & {_identity(problem) for problem in after}, "a fix did not remove its problem"
    if not unsafe:
        news = {_identity(problem) for problem in after} - {_identity(problem) for problem in before}
        assert not news, f"a safe fix added {news}"
    if len(changed) == 1:
        return "".join(changed.values())
    return "\n".join(f"// {path}\n{text}" for path, text in sorted(changed.items()))


def _is_applied(problem: Problem, edits: tuple[object, ...]) -> bool:
    return any(all(edit in edits for edit in fix.edits) for fix in problem.fixes)


def _layout(case: Case, block: Block) -> str:
    """The source of the case as `wfc fmt` lays it out."""
    del block
    (text,) = case.files.values()
    found = layout(text)
    return "it does not parse" if found is None else found


def _identity(problem: Problem) -> tuple[str, str]:
    """A problem without its place, which moves when text before it changes."""
    return problem.code, problem.message()


def _ir(case: Case, block: Block) -> str:
    """The machine of each workflow, or of the one that the block names."""
    return machines(case.files, block.argument or None)


PRODUCERS: Mapping[str, Producer] = {
    "concise": _concise,
    "console": console,
    "fixed": _fixed,
    "ir": _ir,
    "json": _json,
    "layout": _layout,
    "problems": _problems,
    "registry": registry,
    "scenarios": scenarios,
}
