"""Work grows with the length of a program, not with its square: counted in lines run, not in seconds."""

import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Any

from tests.golden.program import loaded
from wfc.driver import pipeline
from wfc.fmt.layout import layout
from wfc.project.sources import read_sources

FEW, FACTOR = 6, 4
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


def lines_run(units: int) -> Counter[CodeType]:
    """How many lines each function of the compiler runs to check and lay out so many units, each with names of its own."""
    files, settings, report = loaded({"main.wf": "".join(UNIT.format(i=i) for i in range(1, units + 1))})
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
        checked = pipeline.check(sources, settings, files, pipeline.Options())
        layout(sources[0].text)
    finally:
        sys.settrace(before)
    assert not checked.report.problems  # looking for runs has a bound of its own
    return counted


def test_no_function_runs_more_often_than_in_proportion() -> None:
    lines_run(1)  # loads all modules
    short, long = lines_run(FEW), lines_run(FEW * FACTOR)
    grown = {
        f"{code.co_filename.rpartition('/wfc/')[2]}:{code.co_firstlineno} {code.co_name}": (short[code], count)
        for code, count in long.items()
        if count > max(LEAST, short[code] * FACTOR * GROWTH)
    }
    assert not grown, "\n".join(map(str, sorted(grown.items())))
