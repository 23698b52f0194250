"""Measures wfc against bare Python and prints ratios, then figures of the machine: `python -m benchmarks.run`.

Absolute times differ by half from machine to machine and from hour to hour; ratios measured in one run differ little.
So what is compared runs in turns, the medians are compared, and byte code is compiled first.
"""

import argparse
import ast
import compileall
import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.machine import print_tables
from benchmarks.program import python, workflows
from wfc.problems.problem import Report
from wfc.syntax.parse import parse
from wfc.text.source import SourceFile

ROOT = Path(__file__).resolve().parents[1]
COMMAND_ROUNDS = 15
PARSE_ROUNDS = 7
MACHINE_ROUNDS = 5

Task = Callable[[], object]


def medians(tasks: Mapping[str, Task], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each task; each round runs every task once."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = clock()
            task()
            times[name].append(clock() - start)
    return {name: statistics.median(every) for name, every in times.items()}


def children_time() -> float:
    """Processor seconds that finished child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def start(*arguments: str, folder: str | None = None) -> Task:
    """A task that runs Python with these arguments in a process of its own."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(ROOT)

    def run() -> None:
        command = [sys.executable, *arguments]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)

    return run


def start_up(rounds: int) -> None:
    """Times of whole commands, as multiples of Python doing nothing."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "small.wf").write_text(workflows(200), encoding="utf-8")
        tasks = {
            "python -c pass": start("-c", "pass"),
            "wfc --version": start("-m", "wfc.cli.main", "--version"),
            "wfc check, 200 lines": start("-m", "wfc.cli.main", "check", "small.wf", folder=folder),
        }
        for task in tasks.values():
            task()
        found = medians(tasks, rounds, children_time)
    table("start-up, times bare Python", found, "python -c pass", {"wfc --version": 3.5, "wfc check, 200 lines": 10})


def parsing(lines: int, rounds: int) -> None:
    """Times of parsing, as multiples of Python parsing an equally long file of its own."""
    source = SourceFile("bench.wf", workflows(lines))
    count = len(source.line_starts) - 1
    same = python(count)

    def parse_source() -> None:
        report = Report()
        parse(source, report)
        if report.problems:
            raise ValueError(f"the benchmark is at fault: {report.problems[0].message()}")

    gc.disable()
    tasks: dict[str, Task] = {"ast.parse": lambda: ast.parse(same), "parse": parse_source}
    found = medians(tasks, rounds, time.process_time)
    gc.enable()
    table(f"parsing {count:,} lines, times ast.parse", found, "ast.parse", {"parse": 2})


def table(title: str, found: Mapping[str, float], base: str, goals: Mapping[str, float]) -> None:
    """Prints medians and ratios, beside the goals."""
    print(f"\n{title}")
    for name, seconds in found.items():
        goal = f"   goal {goals[name]:g}" if name in goals else ""
        print(f"  {name:<24}{seconds * 1000:>10.1f} ms {seconds / found[base]:>8.2f}{goal}")


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=int, help="how often each task runs")
    chosen = parser.parse_args()
    compileall.compile_dir(ROOT / "wfc", quiet=1)
    print(f"Python {sys.version.split()[0]}; medians of processor time, tasks in turns")
    start_up(chosen.rounds or COMMAND_ROUNDS)
    for lines in (1_000, 10_000):
        parsing(lines, chosen.rounds or PARSE_ROUNDS)
    print_tables(chosen.rounds or MACHINE_ROUNDS)


if __name__ == "__main__":
    main()
