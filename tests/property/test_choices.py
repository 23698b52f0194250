"""What is said of a choice is what trying all values shows: which arms are taken, and whether one always is."""

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.flow.program import Program
from wfc.ir.evaluate import Evaluator
from wfc.ir.machine import Choose
from wfc.ir.walk import region_steps
from wfc.lower.lower import lower_all
from wfc.project.sources import read_sources

NUMBERS = range(-2, 7)  # beyond the constants by more than two names can be apart
CASES = ("Red", "Green", "Blue")

_numbers = st.integers(0, 4).map(str)
_orders = st.sampled_from(("<", "<=", ">", ">=", "==", "!="))
_atoms = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(("a", "b", "o ?? 2", "a")), _orders, _numbers),
    st.builds("a {} b".format, _orders),
    st.builds("b {} a".format, _orders),
    st.builds("color is {}".format, st.sampled_from(CASES)),
    st.builds("color {} Color.{}".format, st.sampled_from(("==", "!=")), st.sampled_from(CASES)),
    st.sampled_from(("yes", "o is none", "o == 2", "o != none", "a in [1, 3]", "yes == false")),
)
_conditions = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


def _choices(tests: list[str], before: str) -> tuple[Program, list[Choose]]:
    arms = "\n".join(f"      when {test} -> End" for test in tests)
    text = (
        "enum Color { Red, Green, Blue }\n"
        "workflow W(a: Int, b: Int, o: Int?, yes: Bool, color: Color) {\n  state Look {\n"
        f"    choose {{ when {before} -> End }}\n    choose {{\n{arms}\n    }}\n    done\n  }}\n"
        "  state End { done }\n}\n"
    )
    files, settings, report = loaded({"main.wf": text})
    checked = pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())
    program = Program(lower_all(checked.model, settings))
    flows = program.flows.values()
    return program, [s for flow in flows for s in region_steps(flow.workflow.region) if isinstance(s, Choose)]


class _World:
    """One value for each name."""

    now = None

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = dict(zip(("a", "b", "o", "yes", "color"), values, strict=True))

    def read(self, kind: str, name: str) -> Any:
        _ = kind
        return self.values[name]


def _worlds() -> list[_World]:
    values = product(NUMBERS, NUMBERS, (None, -1, 0, 1, 2, 3, 4, 5), (True, False), [{"is": case} for case in CASES])
    return [_World(each) for each in values]


WORLDS = _worlds()


@given(st.lists(_conditions, min_size=1, max_size=4), st.one_of(st.just("false"), _conditions))
def test_the_verdict_is_what_all_values_show(tests: list[str], before: str) -> None:
    program, choices = _choices(tests, before)
    if len(choices) != 2:  # refused: it asks what it knows already
        return
    first, choice = choices
    (flow,) = program.flows.values()
    verdict = flow.verdict(choice)
    evaluator = Evaluator()
    before_it, *arms = (evaluator.compile(arm.test) for arm in (*first.arms, *choice.arms))
    taken: set[int] = set()
    left = False
    if all(before_it(world) for world in WORLDS):
        return  # the second choice is never reached
    for world in WORLDS:
        if before_it(world):
            continue
        held = next((i for i, arm in enumerate(arms) if arm(world)), None)
        left = left or held is None
        taken |= {held} if held is not None else set()
    assert not verdict.bounded
    assert set(verdict.dead) == set(range(len(tests))) - taken
    assert verdict.covered == (not left)
    assert verdict.covered or verdict.decided
