"""Work grows with the length of a program, not with its square: counted in lines run, not in seconds."""

import sys
from collections import Counter
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.golden.program import checked, loaded
from wfc.driver import pipeline
from wfc.fmt.layout import layout
from wfc.project.sources import read_sources

FEW, ALTERNATIVES, FACTOR = 6, 40, 4
MANY = 1_200
GROWTH = 1.25  # more than in proportion, until it counts as growth
LEAST = 400  # lines that a function runs for the long program, before one looks at it

UNIT = """
enum Kind{i} {{ Red{i}, Green{i}, Blue{i}(shade: Int) }}
record Thing{i} {{ id: Text, size: Int where size > 0, kind: Kind{i} }}
error Broken{i}(reason: Text)
const limit{i}: Int = {i} + 10
fn double{i}(x: Int) -> Int = x * 2
resource shelf{i}(id: Text) rank {i}
event Stop{i}(order: Text) key order
queue desk{i}
policy Gentle{i} {{ timeout {i}s try 3 times exhausted then park in desk{i} }}
service shop{i} {{
  query look(order: Text) -> Thing{i} with Gentle{i}
  activity take(order: Text) raises Broken{i} with Gentle{i} key order compensate give(order)
  activity give(order: Text) key order
  activity send(order: Text) with {{ timeout {i}s try 2 times }} key order compensate none "sent is sent"
}}
workflow Order{i}(order: Text) key order {{
  on Stop{i} -> Stopped
  var rounds: Int = 0
  state Look {{
    do shop{i}.look(order) as thing
    choose {{
      when double{i}(thing.size) > limit{i} {{ -> Take }}
      when thing.kind is Red{i} {{ -> Done }}
      otherwise {{ set rounds = rounds + 1 wait 1m -> Take }}
    }}
  }}
  state Take {{
    catch Broken{i} -> Failed
    lock shelf{i}(order) wait 5s {{ do shop{i}.take(order) }}
    parallel {{ branch told {{ do shop{i}.send(order) }} branch rest {{ wait 1s }} }}
    -> Done
  }}
  state Done {{ done }}
  state Stopped {{ done }}
  state Failed {{ done }}
}}
"""


# One enum with many cases, and choices with many alternatives. Conditions joined by `or` are not among them: what each of
# them tells the next is looked at once more at every link.
LONG = """
enum Kind {{ {cases} }}
workflow Cases(kind: Kind) -> Int {{ gateway G {{ choose kind {{ {arms} }} }} }}
workflow Alternatives(n: Int, name: Text) -> Int {{
  gateway G {{ choose n {{ when {items} {{ done 3 }} otherwise {{ -> H }} }} }}
  gateway H {{ choose name {{ when {texts} {{ done 2 }} otherwise {{ -> I }} }} }}
  gateway I {{ choose {{ when n in [{items}] {{ done 4 }} otherwise {{ done 5 }} }} }}
}}
"""


def units(number: int) -> str:
    """So many units, each with names of its own."""
    return "".join(UNIT.format(i=i) for i in range(1, number + 1))


def long_choices(number: int) -> str:
    """Choices with so many alternatives."""
    of = range(number)
    return LONG.format(
        cases=", ".join(f"K{i}" for i in of),
        arms=" ".join(f"when K{i} {{ done {i} }}" for i in of),
        texts=", ".join(f'"{i}"' for i in of),
        items=", ".join(str(i) for i in of),
    )


def names_twice(number: int) -> str:
    """Loops that give the names of so many parameters once more, and names that one region binds twice."""
    of = range(number)
    params = ", ".join(f"n{i}: Int" for i in of)
    loops = " ".join(f'for each n{i} in [1] {{ audit "{{n{i}}}" }}' for i in of)
    names = " ".join(f'let m{i} = {i}  let m{i} = {i}  audit "{{m{i}}}"' for i in of)
    return f"workflow Names({params}) {{ state A {{ {loops} {names} done }} }}"


def lines_run(text: str, told: set[str]) -> Counter[CodeType]:
    """How many lines each function of the compiler runs to check and lay out a program, of which it tells such things."""
    files, settings, report = loaded({"main.wf": text})
    sources = read_sources((), settings, files, report)
    counted: Counter[CodeType] = Counter()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if "/wfc/" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        if event == "line":
            counted[frame.f_code] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        found = pipeline.check(sources, settings, files, pipeline.Options())
        layout(sources[0].text)
    finally:
        sys.settrace(before)
    assert {problem.code for problem in found.report.problems} == told
    assert all(problem.trace is None for problem in found.report.problems)  # looking for runs has a bound of its own
    return counted


@pytest.mark.parametrize(
    ("program", "few", "told"),
    [(units, FEW, set()), (long_choices, ALTERNATIVES, set()), (names_twice, ALTERNATIVES, {"duplicate-name"})],
)
def test_no_function_runs_more_often_than_in_proportion(
    program: Callable[[int], str], few: int, told: set[str]
) -> None:
    lines_run(program(1), told)  # loads all modules
    short, long = lines_run(program(few), told), lines_run(program(few * FACTOR), told)
    grown = {
        f"{code.co_filename.rpartition('/wfc/')[2]}:{code.co_firstlineno} {code.co_name}": (short[code], count)
        for code, count in long.items()
        if count > max(LEAST, short[code] * FACTOR * GROWTH)
    }
    assert not grown, "\n".join(map(str, sorted(grown.items())))


def test_many_cases_are_no_too_many_combinations() -> None:
    assert not checked({"main.wf": long_choices(MANY)}).problems
