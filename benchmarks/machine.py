"""What the machine and the explorer take: turns and states per second, and the memory of an instance."""

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from wfc.driver import pipeline
from wfc.ir.machine import Machine
from wfc.machine.instance import Instance
from wfc.machine.messages import Answered, Input, Refused, Send, Started
from wfc.machine.program import Program
from wfc.machine.store import restore, store
from wfc.machine.turn import Turned, apply, turn
from wfc.problems.problem import Report
from wfc.project.files import MemoryFiles
from wfc.project.settings import load_settings
from wfc.project.sources import read_sources
from wfc.simulation.explore import Bounds, explore
from wfc.simulation.scenarios import tell

TURNS_GOAL = 20_000
_TURNS = 3_000
_STATES = 2_000
_EXAMPLE = Path(__file__).resolve().parents[1] / "examples/order-fulfillment/order-fulfillment.wf"

_SMALL = """\
module bench.small
event Stop(name: Text) key name
service s {
  activity next(n: Int) -> Int key "k" compensate back(n)
  activity back(n: Int) -> Int
}
workflow Small(n: Int) -> Int key "w" {
  var total: Int = 0
  on Stop -> Halted
  state One { do s.next(n) as x  set total = total + x  -> Two }
  state Two { choose { when total < 1000000 { settle -> One } otherwise -> Ended } }
  state Ended { done total }
  state Halted { done 0 }
}
"""

Step = Callable[[Program, Instance | None, Input], Turned | Refused]


def _checked(text: str) -> pipeline.Checked:
    files, report = MemoryFiles({"main.wf": text}), Report()
    settings = load_settings(files, ".", report)
    return pipeline.check(read_sources((), settings, files, report), settings, files, pipeline.Options())


def _machine(text: str) -> Machine:
    checked = _checked(text)
    settings = load_settings(MemoryFiles({}), ".", Report())
    return pipeline.machine(pipeline.roots(checked, pipeline.Options())[0], checked.model, settings, pipeline.Options())


def _turned(found: Turned | Refused) -> Turned:
    if isinstance(found, Refused):
        raise TypeError(f"the benchmark is at fault: {found.text}")
    return found


def _turns(step: Step, program: Program) -> float:
    """Turns per second of a workflow that does one call after the other."""
    begin = Started(at=0, workflow="Small", instance="Small/w", data={"n": 1})
    found = _turned(step(program, None, begin))
    began = time.process_time()
    for number in range(_TURNS):
        call = next(command for command in found.commands if isinstance(command, Send)).call
        given = Answered(at=number + 1, call=call, attempt=1, kind="value", value=1)
        found = _turned(step(program, found.instance, given))
    return _TURNS / (time.process_time() - began)


def _states(machine: Machine) -> float:
    """States per second that the explorer sees."""
    began = time.process_time()
    found = explore(machine, None, Bounds(states=_STATES))
    return found.states / (time.process_time() - began)


def _at_rest() -> tuple[Program, Instance]:
    """An order that waits for its delivery."""
    checked = _checked(_EXAMPLE.read_text(encoding="utf-8"))
    settings = load_settings(MemoryFiles({}), ".", Report())
    machine, scenarios, _ = next(iter(pipeline.scenarios(checked, settings, pipeline.Options())))
    program = Program(machine)
    rests: list[Instance] = []

    def watch(running: Instance) -> None:
        if running.frames and running.workflow == machine.workflow.name:
            rests.append(running.copy())

    told = tell(
        program, scenarios[0], lambda world: setattr(world, "watch", lambda running, _: watch(running.instance))
    )
    if told.difference is not None or not rests:
        raise TypeError("the benchmark is at fault: the scenario goes another way")
    return program, rests[-1]


def _bytes(make: Callable[[], object]) -> int:
    """What one of many copies takes."""
    count = 200
    gc.collect()
    tracemalloc.start()
    kept = [make() for _ in range(count)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size // len(kept)


def print_tables(rounds: int) -> None:
    """Prints the best of several rounds: whatever else the machine does only takes time away."""
    program = Program(_machine(_SMALL))
    order, instance = _at_rest()
    stored = json.dumps(store(order, instance), separators=(",", ":"))
    print("\nthe machine")
    for name, step in (("turn, pure", turn), ("apply, in place", apply)):
        best = max(_turns(step, program) for _ in range(rounds))
        print(f"  {name:<24}{best:>10,.0f} turns/s   goal {TURNS_GOAL:,}")
    best = max(_states(order.machine) for _ in range(rounds))
    print(f"  {'explore, an order':<24}{best:>10,.0f} states/s")
    print(f"  {'an order at rest':<24}{_bytes(lambda: restore(order, json.loads(stored))):>10,} bytes")
    print(f"  {'the same as JSON':<24}{len(stored):>10,} bytes")
